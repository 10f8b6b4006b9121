"""Money back: refunds that succeed, wait or fail, and what they do to the charge."""

from __future__ import annotations

from typing import Any

from sandbox.stripe import forms
from sandbox.stripe.cards import Card
from sandbox.stripe.errors import Refusal, required
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

_STATUS_OF_CARD = {Card.REFUND_PENDING: "pending", Card.REFUND_FAILS: "failed"}


def create_refund(world: World, params: Params, *, status: str | None = None) -> Object:
    """Refund a charge in full or `amount` of it. `status` overrides what the card would do. Raises Refusal."""
    charge = _charge_of(world, params)
    left = charge["amount"] - charge["amount_refunded"]
    amount = forms.integer(params, "amount") or left
    if left <= 0:
        raise Refusal(400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    if amount > left or amount < 1:
        raise Refusal(400, f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})")
    ends_as = status or _STATUS_OF_CARD.get(world.cards.get(charge["payment_method"], Card.GOOD), "succeeded")
    refund = blank(
        "refund",
        id=world.new_id("re_"),
        amount=amount,
        charge=charge["id"],
        created=world.now(),
        currency=charge["currency"],
        customer=charge["customer"],
        metadata=forms.merged_metadata({}, params),
        payment_intent=charge["payment_intent"],
        payment_method=charge["payment_method"],
        reason=forms.text(params, "reason"),
        status="pending" if ends_as != "succeeded" else "succeeded",
    )
    world.add(refund)
    _recount(world, charge, event="refunded")
    if ends_as == "failed":
        settle_refund(world, refund, succeeded=False)
    return refund


def update_refund(world: World, refund: Object, params: Params) -> Object:
    """Change the metadata."""
    return _announce_update(world, refund, metadata=forms.merged_metadata(refund["metadata"], params))


def cancel_refund(world: World, refund: Object) -> Object:
    """Cancel a refund that still waits; the money stays with the seller."""
    if refund["status"] not in ("pending", "requires_action"):
        raise Refusal(400, f"A refund with status {refund['status']} cannot be canceled.")
    _announce_update(world, refund, status="canceled")
    _recount(world, world.get("charge", refund["charge"]), event="updated")
    return refund


def settle_refund(world: World, refund: Object, *, succeeded: bool) -> Object:
    """End a pending refund. A failed one gives the money back to the seller: the charge is less refunded again."""
    if succeeded:
        return _announce_update(world, refund, status="succeeded")
    _announce_update(world, refund, status="failed", failure_reason="expired_or_canceled_card")
    world.emit("failed", refund)
    _recount(world, world.get("charge", refund["charge"]), event="updated")
    return refund


def _announce_update(world: World, refund: Object, **changes: Any) -> Object:
    previous = {name: refund.get(name) for name, value in changes.items() if refund.get(name) != value}
    world.update(refund, **changes)
    if previous:
        # Both names are in use: `refund.updated` for all refunds, the older one for card charges.
        world.emit("charge.refund.updated", refund, previous)
    return refund


def _charge_of(world: World, params: Params) -> Object:
    charge_id = forms.text(params, "charge")
    intent_id = forms.text(params, "payment_intent")
    if intent_id:
        intent = world.get("payment_intent", intent_id, param="payment_intent")
        if not intent["latest_charge"]:
            raise Refusal(400, f"The PaymentIntent ({intent_id}) does not have a successful charge to refund.")
        charge_id = intent["latest_charge"]
    if not charge_id:
        raise required("payment_intent")
    charge = world.get("charge", charge_id, param="charge")
    if charge["status"] != "succeeded":
        raise Refusal(400, f"Charge {charge_id} was not paid and cannot be refunded.")
    return charge


def _recount(world: World, charge: Object, *, event: str) -> None:
    counted = [row for row in world.rows("refund") if row["charge"] == charge["id"]]
    amount = sum(row["amount"] for row in counted if row["status"] not in ("failed", "canceled"))
    world.update(charge, event=event, amount_refunded=amount, refunded=amount >= charge["amount"])
