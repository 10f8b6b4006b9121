"""What happens to a subscription when time passes: trials end, periods roll over, charges are tried again."""

from __future__ import annotations

from typing import Any

from sandbox.stripe import billing, invoices, subscriptions
from sandbox.stripe.shapes import Object
from sandbox.stripe.world import World


def end_trial(world: World, subscription: Object, *, at_once: bool = False) -> None:
    """End a trial: bill the first real period, or do what was agreed for a customer without a payment method."""
    customer = world.get("customer", subscription["customer"])
    has_method = subscription["default_payment_method"] or customer["invoice_settings"]["default_payment_method"]
    agreed = subscription["trial_settings"]["end_behavior"]["missing_payment_method"]
    now = world.now(subscription["test_clock"])
    if not has_method and agreed == "cancel":
        subscriptions.cancel(world, subscription)
    elif not has_method and agreed == "pause":
        world.update(subscription, event=None, trial_end=now)
        subscriptions.pause(world, subscription, why="trial_end_without_payment_method")
    else:
        subscription["billing_cycle_anchor"] = now
        items = subscription["items"]["data"]
        fresh = [_period_from(subscription, item, now) for item in items]
        _start_period(world, subscription, fresh, billed=fresh, status="active", trial_end=now)
        if at_once:
            billing.collect(world, world.get("invoice", subscription["latest_invoice"]))


def renew(world: World, subscription: Object) -> None:
    """Roll the periods that are over and draft their invoice; it is charged about an hour later."""
    now = world.now(subscription["test_clock"])
    items = subscription["items"]["data"]
    due = {item["id"] for item in items if item["current_period_end"] <= now}
    fresh = [
        _period_from(subscription, item, item["current_period_end"]) if item["id"] in due else item for item in items
    ]
    billed = [item for item in fresh if item["id"] in due]
    _start_period(world, subscription, fresh, billed=billed)


def finalize_draft(world: World, invoice: Object) -> None:
    """Charge a renewal that has waited as a draft; paused collection closes it unpaid instead."""
    subscription = invoices.subscription_of(world, invoice)
    paused = subscription["pause_collection"] if subscription else None
    if paused is None:
        billing.collect(world, invoice)
        return
    world.update(invoice, event=None, automatically_finalizes_at=None, auto_advance=False)
    if paused["behavior"] != "keep_as_draft":
        invoices.finalize(world, invoice)
        billing.write_off(world, invoice, uncollectible=paused["behavior"] == "mark_uncollectible")


def retry_payment(world: World, invoice: Object) -> None:
    """Try a failed invoice again; after the last try do what the seller chose."""
    subscription = invoices.subscription_of(world, invoice)
    billing.collect(world, invoice)
    if subscription is None or invoice["status"] != "open" or invoice["next_payment_attempt"]:
        return
    choice = world.settings.when_retries_end
    if choice == "cancel":
        subscriptions.cancel(world, subscription, reason="payment_failed")
    else:
        billing.end_dunning(world, subscription, as_status=choice)


def resume_collection(world: World, subscription: Object) -> None:
    """End a pause of collection whose date has come."""
    world.update(subscription, pause_collection=None)


def expire_pending(world: World, subscription: Object) -> None:
    """Drop a change that was never paid for."""
    invoice = world.find("invoice", world.secrets_of(subscription["id"]).get("pending_invoice"))
    if invoice and invoice["status"] == "open":
        invoices.void(world, invoice)
    world.update(subscription, pending_update=None)
    world.emit("pending_update_expired", subscription)


def _period_from(subscription: Object, item: Object, start: int) -> Object:
    return subscriptions.with_period(item, start, subscriptions.next_boundary(subscription, item, after=start))


def _start_period(
    world: World, subscription: Object, items: list[Object], *, billed: list[Object], **changes: Any
) -> None:
    before = {"items": subscription["items"], "latest_invoice": subscription["latest_invoice"]}
    # The invoice bills the new periods, but the event must still see the old ones as previous.
    staged = {**subscription, **changes, "items": {**subscription["items"], "data": items}}
    invoice = billing.bill(world, staged, reason="subscription_cycle", items=billed)
    now = world.now(subscription["test_clock"])
    finalizes_at = now + int(world.settings.finalize_after.total_seconds())
    is_unpaid = subscription["status"] == "unpaid"
    changes_of_invoice = {"auto_advance": False} if is_unpaid else {"automatically_finalizes_at": finalizes_at}
    world.update(invoice, event=None, **changes_of_invoice)
    subscription.update(before)
    world.update(subscription, items=staged["items"], latest_invoice=invoice["id"], **changes)
