"""Where invoices and subscriptions meet: billing a period, and what a paid, failed or written-off invoice means."""

from __future__ import annotations

from datetime import timedelta

from sandbox.stripe import invoices
from sandbox.stripe.shapes import Object
from sandbox.stripe.world import World

_DAY = int(timedelta(days=1).total_seconds())
_ENDED = ("canceled", "incomplete_expired")


def bill(world: World, subscription: Object, *, reason: str, items: list[Object] | None = None) -> Object:
    """Draft the invoice for `items` (default: all) and note it as the subscription's latest. The caller collects it."""
    billed = subscription["items"]["data"] if items is None else items
    is_free = subscription["status"] == "trialing"
    lines = [invoices.subscription_line(world, subscription, item) for item in billed]
    lines = [{**line, "amount": 0, "subtotal": 0} for line in lines] if is_free else lines
    customer = world.get("customer", subscription["customer"])
    invoice = invoices.draft(world, customer, lines, reason=reason, subscription=subscription)
    invoice["auto_advance"] = True
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def collect(world: World, invoice: Object, method: Object | None = None) -> invoices.Outcome:
    """Finalise if need be, charge once, and let the subscription follow."""
    if invoice["status"] == "draft":
        invoices.finalize(world, invoice)
    outcome = invoices.pay(world, invoice, method or invoices.method_for(world, invoice))
    follow(world, invoice, outcome)
    return outcome


def follow(world: World, invoice: Object, outcome: invoices.Outcome) -> None:
    """Bring the subscription of an invoice to the status that the outcome of its payment means."""
    subscription = invoices.subscription_of(world, invoice)
    if subscription is None or subscription["status"] in _ENDED:
        return
    if outcome in ("paid", "processing"):
        _paid(world, subscription, invoice)
    elif invoice["billing_reason"] != "subscription_create":
        _failed(world, subscription, invoice)


def write_off(world: World, invoice: Object, *, uncollectible: bool) -> Object:
    """Void an invoice or mark it uncollectible; Stripe takes the subscription back to active either way."""
    closed = (invoices.mark_uncollectible if uncollectible else invoices.void)(world, invoice)
    subscription = invoices.subscription_of(world, invoice)
    if subscription and subscription["status"] == "past_due" and subscription["latest_invoice"] == invoice["id"]:
        world.update(subscription, status="active")
    return closed


def end_dunning(world: World, subscription: Object, *, as_status: str) -> None:
    """Apply what the seller chose for the end of all retries: `unpaid`, or leave it `past_due`."""
    if as_status == "unpaid":
        world.update(subscription, status="unpaid")


def debit_ended(world: World, invoice: Object, *, arrived: bool) -> None:
    """Close the invoice of a bank debit. Stripe voids it when the money never comes; the subscription stays active."""
    if arrived:
        invoices.mark_paid(world, invoice)
        return
    world.emit("payment_failed", invoice)
    invoices.void(world, invoice)


def _paid(world: World, subscription: Object, invoice: Object) -> None:
    if subscription["status"] in ("incomplete", "past_due", "unpaid"):
        world.update(subscription, status="active")
    waiting = world.secrets_of(subscription["id"]).get("pending_invoice")
    if subscription["pending_update"] and waiting == invoice["id"]:
        apply_pending(world, subscription)


def apply_pending(world: World, subscription: Object) -> None:
    """Put the items of a paid `pending_update` in force."""
    items = {**subscription["items"], "data": subscription["pending_update"]["subscription_items"]}
    world.update(subscription, items=items, pending_update=None)
    world.emit("pending_update_applied", subscription)


def _failed(world: World, subscription: Object, invoice: Object) -> None:
    days = world.settings.retry_after_days
    tries = invoice["attempt_count"]
    # Without a payment method there is nothing to try again.
    if tries <= len(days) and invoices.method_for(world, invoice):
        first = invoice["status_transitions"]["finalized_at"]
        world.update(invoice, next_payment_attempt=first + days[tries - 1] * _DAY)
    else:
        world.update(invoice, next_payment_attempt=None)
    if subscription["status"] in ("active", "trialing") and not subscription["pending_update"]:
        world.update(subscription, status="past_due")
