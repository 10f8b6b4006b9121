"""Reads Stripe's event envelopes, snapshot and thin, and says what to look at. Pure; the looking is stripe_reading."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum, auto

from membership.ports import IncomingEvent
from providers.base import JsonObject, nested, reference, text
from providers.signatures import BadPayload, read_json
from providers.stripe_shapes import invoice_subscription, link_token

# What the hourly poll asks for: at most 20 types, so that one list in one order holds them all. Left out are the ones
# that always come with a `customer.subscription.updated`, and those that only make a message.
POLLED_TYPES = (
    "charge.dispute.closed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.refunded",
    "checkout.session.async_payment_failed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.completed",
    "checkout.session.expired",
    "customer.deleted",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.updated",
    "customer.updated",
    "invoice.paid",
    "invoice.payment_failed",
    "price.created",
    "refund.failed",
    "refund.updated",
)
_INVOICE_TYPES = (
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.marked_uncollectible",
    "invoice.voided",
)
_REFUND_TYPES = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
_UNCOLLECTED = {
    "invoice.marked_uncollectible": "An invoice was marked uncollectible; the subscription may stay active.",
    "invoice.voided": "An invoice was voided; the subscription may stay active.",
}


class Look(StrEnum):
    """Which object an event points at."""

    SUBSCRIPTION = auto()
    SESSION = auto()
    EXPIRED_SESSION = auto()
    INVOICE = auto()
    PAYMENT = auto()
    CHARGE = auto()
    REFUND = auto()
    DISPUTE = auto()
    SCHEDULE = auto()
    CUSTOMER = auto()
    CATALOGUE = auto()
    NOTHING = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """Where to look (`target` is the object's id) and what only the event can tell."""

    look: Look
    target: str = ""
    notice: str = ""
    expired_token: str = ""
    has_failed: bool = False


def read_envelope(body: bytes) -> IncomingEvent:
    """Read a verified body as an event. Raises BadPayload when it is JSON but no event of Stripe's."""
    raw = read_json(body)
    if not isinstance(raw, dict) or raw.get("object") not in ("event", "v2.core.event"):
        raise BadPayload("not an event")
    external_id, kind, is_live = text(raw, "id"), text(raw, "type"), raw.get("livemode")
    if not 0 < len(external_id) <= 255 or not 0 < len(kind) <= 255 or not isinstance(is_live, bool):
        raise BadPayload("an event without id, type or livemode")
    account = text(raw, "account") or text(raw, "context")
    return IncomingEvent(external_id=external_id, type=kind, body=body, is_live=is_live, account=account)


def as_incoming(raw: JsonObject) -> IncomingEvent:
    """Turn an event of the events list into what the webhook would have brought. Raises BadPayload."""
    return read_envelope(json.dumps(raw, separators=(",", ":")).encode())


def hint(event: IncomingEvent) -> Hint:
    """Say what an event points at: the table of what Stripe sends. An unknown type points at nothing.

    Types of a subscription are taken by their family: newer API versions keep adding names for "it changed".
    A snapshot's ids are used, never its state; a thin event names one object and nothing else.
    """
    raw = read_json(event.body)
    if raw.get("object") == "v2.core.event":
        return _thin_hint(event.type.removeprefix("v1."), text(nested(raw, "related_object"), "id"))
    return _snapshot_hint(event.type, nested(raw, "data", "object"))


def _thin_hint(kind: str, target: str) -> Hint:
    look = _family(kind)
    if look is Look.NOTHING or not target:
        return Hint(look=Look.NOTHING, notice=_notice(kind, target))
    return Hint(look=look, target=target, notice=_notice(kind, target), has_failed=_has_failed(kind))


def _snapshot_hint(kind: str, found: JsonObject) -> Hint:
    look, target = _family(kind), text(found, "id")
    expired_token = ""
    match look:
        case Look.INVOICE:
            look, target = Look.SUBSCRIPTION, invoice_subscription(found)
        case Look.SCHEDULE:
            look, target = Look.SUBSCRIPTION, reference(found, "subscription")
        case Look.CHARGE | Look.REFUND | Look.DISPUTE:
            look, target = _payment(found, found_in=look)
        case Look.EXPIRED_SESSION:
            expired_token = link_token(found)
        case Look.SESSION if text(found, "mode") == "setup":
            target = ""
        case _:
            pass
    if look is Look.NOTHING or not target:
        return Hint(look=Look.NOTHING, notice=_notice(kind, target) if look is Look.NOTHING else "")
    return Hint(
        look=look,
        target=target,
        notice=_notice(kind, target),
        expired_token=expired_token,
        has_failed=_has_failed(kind),
    )


def _payment(found: JsonObject, *, found_in: Look) -> tuple[Look, str]:
    """Name the payment intent; very old charges have none and stand for themselves."""
    payment_intent = reference(found, "payment_intent")
    if payment_intent:
        return Look.PAYMENT, payment_intent
    return Look.CHARGE, text(found, "id") if found_in is Look.CHARGE else reference(found, "charge")


def _family(kind: str) -> Look:
    if kind.startswith("customer.subscription."):
        return Look.SUBSCRIPTION
    if kind.startswith("subscription_schedule."):
        return Look.SCHEDULE
    if kind.startswith(("product.", "price.")):
        return Look.CATALOGUE
    if kind == "checkout.session.expired":
        return Look.EXPIRED_SESSION
    if kind.startswith("checkout.session."):
        return Look.SESSION
    if kind.startswith("charge.dispute."):
        return Look.DISPUTE
    if kind in _INVOICE_TYPES:
        return Look.INVOICE
    if kind in _REFUND_TYPES:
        return Look.REFUND
    if kind == "charge.refunded":
        return Look.CHARGE
    return Look.CUSTOMER if kind in ("customer.updated", "customer.deleted") else Look.NOTHING


def _has_failed(kind: str) -> bool:
    return kind == "checkout.session.async_payment_failed"


def _notice(kind: str, target: str) -> str:
    if kind == "radar.early_fraud_warning.created":
        return "Stripe warns of a payment that may be fraudulent."
    if kind == "account.application.deauthorized":
        return "The seller has disconnected this application at Stripe."
    if kind.startswith("charge.dispute.created"):
        return f"A payment is disputed at Stripe ({target})."
    return _UNCOLLECTED.get(kind, "")
