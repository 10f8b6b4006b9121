"""Turns Stripe's objects, of every API version, into our snapshots. Pure: no request is made here.

Nothing that is missing is taken for an end, and nothing that a read did not contain is taken for "no refund".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from membership.model import (
    CustomerSnapshot,
    Dispute,
    Item,
    PurchaseKind,
    PurchaseSnapshot,
    PurchaseStatus,
    Refund,
)
from membership.ports import Price
from providers.base import JsonObject, integer, moment, nested, reference, rows, text

LINK_METADATA = "doorlist_link"

_STATUSES = {
    "incomplete": PurchaseStatus.PENDING,
    "incomplete_expired": PurchaseStatus.EXPIRED,
    "trialing": PurchaseStatus.TRIALING,
    "active": PurchaseStatus.ACTIVE,
    "past_due": PurchaseStatus.PAST_DUE,
    "paused": PurchaseStatus.PAUSED,
    "unpaid": PurchaseStatus.UNPAID,
    "canceled": PurchaseStatus.ENDED,
}
_PAYMENT_STATUSES = {
    "paid": PurchaseStatus.ACTIVE,
    "no_payment_required": PurchaseStatus.ACTIVE,
    "unpaid": PurchaseStatus.PENDING,
}
# A payment intent in one of these will not become paid by waiting: the delayed method (a debit) has failed.
_FAILED_PAYMENT_STATES = ("requires_payment_method", "canceled")
_LOST_STATUSES = ("lost",)
_OPEN_STATUSES = ("needs_response", "under_review")
_INQUIRY_STATUSES = ("warning_needs_response", "warning_under_review")


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """What became of the payment for the present access; None: this read cannot know."""

    refund: Refund | None = None
    dispute: Dispute | None = None


NOT_KNOWN = Money()


def subscription_snapshot(
    raw: JsonObject, *, read_at: datetime, money: Money = NOT_KNOWN, session: JsonObject | None = None
) -> PurchaseSnapshot:
    """Read a subscription; `session` is the checkout that made it, where the read contains it.

    The link token of the session goes first: a payment link writes it there and nowhere else. `pause_collection`
    leaves the status active, as Stripe does, and `pending_update` is not paid for yet: both change nothing here.
    """
    items = tuple(_item(row, raw) for row in _item_rows(raw))
    period_ends = [item.period_ends_at for item in items if item.period_ends_at]
    session = session or {}
    return PurchaseSnapshot(
        external_id=text(raw, "id"),
        kind=PurchaseKind.SUBSCRIPTION,
        status=_STATUSES.get(text(raw, "status"), PurchaseStatus.UNKNOWN),
        raw_status=text(raw, "status"),
        customer=customer_snapshot(raw, session),
        items=items,
        read_at=read_at,
        started_at=moment(raw, "start_date") or moment(raw, "start") or moment(raw, "created") or read_at,
        period_ends_at=min(period_ends, default=None),
        ends_at=_scheduled_end(raw, period_ends),
        trial_ends_at=moment(raw, "trial_end"),
        refund=money.refund,
        dispute=money.dispute,
        amount=sum(_row_amount(row) for row in _item_rows(raw)),
        currency=text(raw, "currency") or _first_currency(raw),
        checkout_id=text(session, "id"),
        link_token=link_token(session) or link_token(raw),
    )


def order_snapshot(session: JsonObject, *, read_at: datetime, dispute: Dispute | None) -> PurchaseSnapshot:
    """Read a one-time purchase: a checkout session with its line items and its payment's charge and refunds expanded.

    A session in "unpaid" waits for a delayed method unless its payment intent already failed.
    """
    status = _PAYMENT_STATUSES.get(text(session, "payment_status"), PurchaseStatus.UNKNOWN)
    payment = nested(session, "payment_intent")
    if status is PurchaseStatus.PENDING and text(payment, "status") in _FAILED_PAYMENT_STATES:
        status = PurchaseStatus.EXPIRED
    return PurchaseSnapshot(
        external_id=text(session, "id"),
        kind=PurchaseKind.ONE_TIME,
        status=status,
        raw_status=text(session, "payment_status"),
        customer=customer_snapshot(session, session),
        items=tuple(_item(row, {}) for row in rows(session, "line_items")),
        read_at=read_at,
        started_at=moment(session, "created") or read_at,
        refund=session_refund(session),
        dispute=dispute,
        amount=integer(session, "amount_total") or 0,
        currency=text(session, "currency"),
        checkout_id=text(session, "id"),
        link_token=link_token(session),
    )


def customer_snapshot(owner: JsonObject, session: JsonObject) -> CustomerSnapshot:
    """Read who pays: from the (perhaps expanded) customer of `owner`, and what they typed into the checkout."""
    customer, details = nested(owner, "customer"), nested(session, "customer_details")
    preferred = customer.get("preferred_locales")
    locales = [word for word in preferred if isinstance(word, str)] if isinstance(preferred, list) else []
    checkout_locale = text(session, "locale").replace("auto", "")
    return CustomerSnapshot(
        external_id=reference(owner, "customer"),
        email=text(customer, "email") or text(details, "email") or text(session, "customer_email"),
        name=text(customer, "name") or text(details, "name"),
        locale=checkout_locale or (locales[0] if locales else ""),
        is_deleted=customer.get("deleted") is True,
    )


def link_token(raw: JsonObject) -> str:
    """Return the link token that a session or a subscription carries, "" for none."""
    return text(raw, "client_reference_id") or text(nested(raw, "metadata"), LINK_METADATA)


def session_refund(session: JsonObject) -> Refund | None:
    """Return how much of a session's payment went back; None when the read does not contain its charge."""
    if session.get("payment_intent") is None:
        return Refund.NONE if "payment_intent" in session else None
    payment = nested(session, "payment_intent")
    if "latest_charge" not in payment:
        return None
    if payment["latest_charge"] is None:
        return Refund.NONE
    charge = nested(payment, "latest_charge")
    return refund_of(charge, rows(charge, "refunds")) if "refunds" in charge else None


def refund_of(charge: JsonObject, refunds: Sequence[JsonObject]) -> Refund | None:
    """Weigh a charge against its refunds: only one that succeeded counts, a pending or failed one does not.

    None when the charge does not say its amount. Stripe shows at most the newest ten refunds of an expanded charge;
    with that many, the charge's own total decides.
    """
    total = integer(charge, "amount_captured") or integer(charge, "amount")
    if total is None:
        return None
    returned = sum(integer(row, "amount") or 0 for row in refunds if text(row, "status") in ("succeeded", ""))
    if nested(charge, "refunds").get("has_more"):
        returned = integer(charge, "amount_refunded") or 0
    if returned <= 0:
        return Refund.NONE
    return Refund.FULL if returned >= total else Refund.PARTIAL


def dispute_of(disputes: Sequence[JsonObject]) -> Dispute | None:
    """Return the worst of a charge's disputes. None when one has a status that we do not know and none is worse."""
    statuses = {text(row, "status") for row in disputes}
    if statuses.intersection(_LOST_STATUSES):
        return Dispute.LOST
    if statuses.intersection(_OPEN_STATUSES):
        return Dispute.OPEN
    if statuses - {*_INQUIRY_STATUSES, "won", "warning_closed", "prevented", "charge_refunded"}:
        return None
    return Dispute.INQUIRY if statuses.intersection(_INQUIRY_STATUSES) else Dispute.NONE


def worst(moneys: Sequence[Money]) -> Money:
    """Merge the payments of one invoice: full only when all went back, disputed when one is."""
    refunds, disputes = {money.refund for money in moneys}, {money.dispute for money in moneys}
    return Money(refund=_merged_refund(refunds), dispute=_merged_dispute(disputes))


def price(raw: JsonObject) -> Price:
    """Read a price with its product expanded."""
    product = nested(raw, "product")
    return Price(
        external_id=text(raw, "id"),
        product_id=reference(raw, "product"),
        product_name=text(product, "name"),
        amount=integer(raw, "unit_amount") or 0,
        currency=text(raw, "currency"),
        interval=text(nested(raw, "recurring"), "interval"),
        trial_days=integer(nested(raw, "recurring"), "trial_period_days") or 0,
        is_active=raw.get("active") is not False and product.get("active") is not False,
    )


def invoice_subscription(invoice: JsonObject) -> str:
    """Return the subscription that an invoice bills, of any API version; "" for a manual invoice."""
    return reference(nested(invoice, "parent", "subscription_details"), "subscription") or reference(
        invoice, "subscription"
    )


def _scheduled_end(raw: JsonObject, period_ends: Sequence[datetime]) -> datetime | None:
    """Take the end that is set; with several intervals, "at period end" is not before the last of them."""
    at_period_end = max(period_ends, default=None) if raw.get("cancel_at_period_end") is True else None
    return moment(raw, "ended_at") or moment(raw, "cancel_at") or at_period_end


def _item_rows(raw: JsonObject) -> list[JsonObject]:
    """Return a subscription's lines; before 2018 a single plan stood on the subscription itself."""
    found = rows(raw, "items")
    if not found and isinstance(raw.get("plan"), dict):
        return [raw]
    return found


def _item(row: JsonObject, subscription: JsonObject) -> Item:
    priced = nested(row, "price") or nested(row, "plan")
    quantity = integer(row, "quantity")
    return Item(
        product_id=reference(priced, "product"),
        price_id=text(priced, "id") or text(row, "price"),
        quantity=1 if quantity is None else quantity,
        period_ends_at=moment(row, "current_period_end") or moment(subscription, "current_period_end"),
    )


def _row_amount(row: JsonObject) -> int:
    priced = nested(row, "price") or nested(row, "plan")
    each = integer(priced, "unit_amount") or integer(priced, "amount") or 0
    quantity = integer(row, "quantity")
    return each * (1 if quantity is None else quantity)


def _first_currency(raw: JsonObject) -> str:
    for row in _item_rows(raw):
        priced = nested(row, "price") or nested(row, "plan")
        if text(priced, "currency"):
            return text(priced, "currency")
    return ""


def _merged_refund(refunds: set[Refund | None]) -> Refund | None:
    if not refunds or refunds == {Refund.NONE}:
        return Refund.NONE
    if None in refunds:
        return None
    return Refund.FULL if refunds == {Refund.FULL} else Refund.PARTIAL


def _merged_dispute(disputes: set[Dispute | None]) -> Dispute | None:
    for dispute in (Dispute.LOST, Dispute.OPEN, None, Dispute.INQUIRY):
        if dispute in disputes:
            return dispute
    return Dispute.NONE
