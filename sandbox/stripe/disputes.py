"""Disputes and inquiries: opened by a card or by hand, closed as won, lost or dropped."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from sandbox.stripe import forms
from sandbox.stripe.cards import Card
from sandbox.stripe.errors import Refusal
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

Outcome = Literal["won", "lost", "warning_closed", "prevented"]

_ANSWER_WITHIN = int(timedelta(days=9).total_seconds())
_CLOSED = ("won", "lost", "warning_closed", "prevented")


def open_dispute(world: World, charge: Object, *, is_inquiry: bool = False) -> Object:
    """Open a dispute on a charge; an inquiry takes no money yet."""
    now = world.now()
    dispute = blank(
        "dispute",
        id=world.new_id("du_"),
        amount=charge["amount"],
        charge=charge["id"],
        created=now,
        currency=charge["currency"],
        is_charge_refundable=is_inquiry,
        livemode=world.livemode,
        payment_intent=charge["payment_intent"],
        reason="fraudulent",
        status="warning_needs_response" if is_inquiry else "needs_response",
    )
    dispute["evidence_details"] = {**dispute["evidence_details"], "due_by": now + _ANSWER_WITHIN}
    world.update(charge, event=None, disputed=True)
    world.add(dispute)
    if not is_inquiry:
        world.emit("funds_withdrawn", dispute)
    return dispute


def close_dispute(world: World, dispute: Object, outcome: Outcome) -> Object:
    """End a dispute; a won one gives the money back. Raises Refusal when it is closed already."""
    if dispute["status"] in _CLOSED:
        raise Refusal(400, "This dispute is already closed")
    world.update(dispute, event="closed", status=outcome)
    if outcome == "won":
        world.emit("funds_reinstated", dispute)
    return dispute


def accept_dispute(world: World, dispute: Object) -> Object:
    """Give in, as `POST /v1/disputes/{id}/close` does: an inquiry is closed, a dispute is lost."""
    is_inquiry = dispute["status"].startswith("warning_")
    return close_dispute(world, dispute, "warning_closed" if is_inquiry else "lost")


def update_dispute(world: World, dispute: Object, params: Params) -> Object:
    """Hand in evidence. The texts `winning_evidence` and `losing_evidence` decide it, as in Stripe's test mode."""
    evidence = forms.mapping(params, "evidence")
    world.update(
        dispute,
        metadata=forms.merged_metadata(dispute["metadata"], params),
        evidence={**dispute["evidence"], **evidence},
    )
    words = set(map(str, evidence.values()))
    if "winning_evidence" in words:
        return close_dispute(world, dispute, "won")
    if "losing_evidence" in words:
        return close_dispute(world, dispute, "lost")
    return dispute


def raise_from_card(world: World, charge: Object, card: Card) -> None:
    """Open the dispute that a test card brings with it."""
    if card in (Card.DISPUTED, Card.INQUIRY):
        open_dispute(world, charge, is_inquiry=card is Card.INQUIRY)
