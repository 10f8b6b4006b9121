"""Follows a hint to the purchase it is about and reads it. The read budget, in GETs, is on `StripeReader`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from membership.errors import Gone, Retry
from membership.model import CustomerSnapshot, Dispute, PurchaseSnapshot, PurchaseStatus, Refund
from membership.ports import IncomingEvent, Reading
from providers import stripe_shapes as shapes
from providers.base import JsonObject, integer, nested, reference, rows, text
from providers.stripe_client import StripeClient
from providers.stripe_events import Hint, Look, hint

_PURCHASE_ID = re.compile(r"(sub|cs)_[A-Za-z0-9_]{1,250}")
SESSION_EXPANSIONS = ("line_items", "customer", "payment_intent.latest_charge.refunds")


class StripeReader:
    """Reads purchases of one account.

    | what                                               | GETs                                                        |
    |----------------------------------------------------|-------------------------------------------------------------|
    | subscription, invoice (snapshot), schedule (snapshot) | 1: the subscription; refund and dispute stay "not known" |
    | checkout session (not expired)                     | 1: session, subscription or payment, charge and refunds     |
    | checkout session expired, snapshot / thin          | 0 / 1                                                       |
    | customer                                           | 1                                                           |
    | refund, charge, dispute (snapshot) of an order     | 2: whose payment, session                                   |
    | refund, charge, dispute (snapshot) of a subscription | 3: whose payment, subscription, its latest payment        |
    | the same of a charge that has no payment intent    | 1: the charge; nothing can be found                         |
    | thin invoice, schedule, refund, charge, dispute    | 1 more: the object, to learn what it belongs to             |
    | `fetch` of a subscription / an order               | 2 / 1                                                       |
    | a subscription whose latest invoice is not paid    | 1 more where its payment is read                            |
    | a subscription's payment that has a refund         | 1 more                                                      |
    | a payment that has a dispute                       | 1 more                                                      |
    | product, price                                     | 0; the prices are listed once for all that come together    |
    | any other type                                     | 0                                                           |
    """

    def __init__(self, client: StripeClient, *, now: Callable[[], datetime]) -> None:
        """Take the way to Stripe and the clock that dates a read, before its first request is sent."""
        self._client = client
        self._now = now

    async def read(self, event: IncomingEvent) -> Reading:
        """Fetch what the event points at. Raises Retry, Blocked and Gone."""
        pointer = hint(event)
        reading = await self._look(pointer)
        return replace(reading, notice=pointer.notice)

    async def fetch(self, external_id: str) -> PurchaseSnapshot:
        """Read one purchase completely, money included: `sub_...`, or `cs_...` for what came out of a checkout.

        Raises Gone("purchase") when Stripe does not have it, and Retry while the checkout is open.
        """
        # The id of a checkout may come out of an address that somebody typed: it must not leave its place in the path.
        if not _PURCHASE_ID.fullmatch(external_id):
            raise Gone("purchase")
        if external_id.startswith("sub_"):
            return await self._subscription(external_id, with_money=True)
        reading = await self._session(external_id)
        if reading.is_ignored:
            raise Retry("the checkout is not finished")
        if not reading.purchases:
            raise Gone("purchase")
        return reading.purchases[0]

    async def _look(self, pointer: Hint) -> Reading:
        target = pointer.target
        match pointer.look:
            case Look.SUBSCRIPTION:
                return _of(await self._subscription(target))
            case Look.SESSION:
                return await self._session(target, has_failed=pointer.has_failed)
            case Look.EXPIRED_SESSION:
                return await self._expired(pointer)
            case Look.CUSTOMER:
                return Reading(customers=(await self._customer(target),))
            case Look.PAYMENT | Look.CHARGE | Look.REFUND | Look.DISPUTE:
                return await self._paid_with(await self._payment(pointer.look, target))
            case Look.INVOICE | Look.SCHEDULE:
                return await self._billed(pointer)
            case Look.NOTHING:
                return Reading(is_ignored=not pointer.notice)
            case Look.CATALOGUE:
                return Reading(is_catalogue=True)
        assert_never(pointer.look)

    async def _subscription(self, external_id: str, *, with_money: bool = False) -> PurchaseSnapshot:
        read_at = self._now()
        expand = ["customer", "latest_invoice"] if with_money else ["customer"]
        raw = await self._client.get(
            f"/v1/subscriptions/{external_id}", kind="subscription", gone="purchase", expand=expand
        )
        _same(raw, external_id)
        money = await self._money(raw) if with_money else shapes.NOT_KNOWN
        return shapes.subscription_snapshot(raw, read_at=read_at, money=money)

    async def _session(self, external_id: str, *, has_failed: bool = False) -> Reading:
        """Read a checkout session with everything that hangs on it, in one request."""
        read_at = self._now()
        raw = await self._client.get(
            f"/v1/checkout/sessions/{external_id}",
            kind="checkout.session",
            gone="purchase",
            expand=[*SESSION_EXPANSIONS, "subscription.customer"],
        )
        _same(raw, external_id)
        subscription = nested(raw, "subscription")
        if text(raw, "status") == "expired":
            return Reading(expired_tokens=tuple(filter(None, [shapes.link_token(raw)])))
        if subscription:
            return _of(shapes.subscription_snapshot(subscription, read_at=read_at, session=raw))
        return await self._order(raw, read_at=read_at, has_failed=has_failed)

    async def _order(self, session: JsonObject, *, read_at: datetime, has_failed: bool = False) -> Reading:
        """Read a one-time purchase out of its session; an open or a set-up session is none."""
        if text(session, "mode") != "payment" or text(session, "status") == "open":
            return Reading(is_ignored=True)
        charge = nested(session, "payment_intent", "latest_charge")
        dispute = await self._dispute(charge) if charge.get("disputed") else Dispute.NONE
        snapshot = shapes.order_snapshot(session, read_at=read_at, dispute=dispute)
        if has_failed and snapshot.status is PurchaseStatus.PENDING:
            # The session of a failed delayed payment still says "unpaid"; only the event tells that it is over.
            snapshot = replace(snapshot, status=PurchaseStatus.EXPIRED)
        return _of(snapshot)

    async def _expired(self, pointer: Hint) -> Reading:
        if pointer.expired_token:
            return Reading(expired_tokens=(pointer.expired_token,))
        return await self._session(pointer.target)

    async def _customer(self, external_id: str) -> CustomerSnapshot:
        raw = await self._client.get(f"/v1/customers/{external_id}", kind="customer", gone="customer")
        _same(raw, external_id)
        return shapes.customer_snapshot({"customer": raw}, {})

    async def _billed(self, pointer: Hint) -> Reading:
        """Find the subscription of an invoice or a schedule that a thin event only names."""
        target = pointer.target
        if pointer.look is Look.INVOICE:
            raw = await self._client.get(f"/v1/invoices/{target}", kind="invoice", gone="invoice")
            subscription = shapes.invoice_subscription(raw)
        else:
            raw = await self._client.get(
                f"/v1/subscription_schedules/{target}", kind="subscription_schedule", gone="schedule"
            )
            subscription = reference(raw, "subscription")
        if not subscription:
            return Reading(is_ignored=True)
        return _of(await self._subscription(subscription))

    async def _payment(self, look: Look, target: str) -> str:
        """Return the payment intent of what a refund, charge or dispute event names, "" for a charge without one."""
        if look is Look.PAYMENT:
            return target
        paths = {Look.CHARGE: "charges", Look.REFUND: "refunds", Look.DISPUTE: "disputes"}
        raw = await self._client.get(f"/v1/{paths[look]}/{target}", kind=look.value, gone=look.value)
        return reference(raw, "payment_intent")

    async def _paid_with(self, payment_intent: str) -> Reading:
        """Find the purchase that a payment paid for: through its invoice, else through its checkout session."""
        if not payment_intent:
            # Charges from before payment intents: Stripe no longer says which invoice they paid.
            return Reading(is_ignored=True)
        found = await self._client.get(
            "/v1/invoice_payments",
            kind="list",
            gone="payment",
            payment={"type": "payment_intent", "payment_intent": payment_intent},
            expand=["data.invoice"],
        )
        for row in rows(found, "data"):
            subscription = shapes.invoice_subscription(nested(row, "invoice"))
            if subscription:
                return _of(await self._subscription(subscription, with_money=True))
        return await self._order_paid_with(payment_intent)

    async def _order_paid_with(self, payment_intent: str) -> Reading:
        read_at = self._now()
        found = await self._client.get(
            "/v1/checkout/sessions",
            kind="list",
            gone="payment",
            payment_intent=payment_intent,
            expand=[f"data.{path}" for path in SESSION_EXPANSIONS],
        )
        sessions = rows(found, "data")
        if not sessions:
            return Reading(is_ignored=True)
        return await self._order(sessions[0], read_at=read_at)

    async def _money(self, subscription: JsonObject) -> shapes.Money:
        """Weigh what paid a subscription's last paid invoice; where nobody paid, nothing can be refunded.

        An earlier period's money does not count: the present access was paid for since. An invoice that is still open
        pays for nothing, so it does not clear what became of the one before it.
        """
        invoice_id = await self._last_paid_invoice(subscription)
        if not invoice_id:
            return shapes.Money(refund=Refund.NONE, dispute=Dispute.NONE)
        found = await self._client.get(
            "/v1/invoice_payments",
            kind="list",
            gone="invoice",
            invoice=invoice_id,
            status="paid",
            expand=["data.payment.payment_intent.latest_charge"],
        )
        charges = [nested(row, "payment", "payment_intent", "latest_charge") for row in rows(found, "data")]
        return shapes.worst([await self._charge_money(charge) for charge in charges])

    async def _last_paid_invoice(self, subscription: JsonObject) -> str:
        latest = nested(subscription, "latest_invoice")
        if text(latest, "status") == "paid" or not subscription.get("latest_invoice"):
            return text(latest, "id")
        paid = await self._client.get(
            "/v1/invoices",
            kind="list",
            gone="invoice",
            subscription=text(subscription, "id"),
            status="paid",
            limit=1,
        )
        return next((text(row, "id") for row in rows(paid, "data")), "")

    async def _charge_money(self, charge: JsonObject) -> shapes.Money:
        dispute = await self._dispute(charge) if charge.get("disputed") else Dispute.NONE
        if not charge:
            return shapes.NOT_KNOWN
        if not integer(charge, "amount_refunded"):
            return shapes.Money(refund=Refund.NONE, dispute=dispute)
        found = await self._client.get("/v1/refunds", kind="list", gone="payment", charge=text(charge, "id"), limit=100)
        return shapes.Money(refund=shapes.refund_of(charge, rows(found, "data")), dispute=dispute)

    async def _dispute(self, charge: JsonObject) -> Dispute | None:
        found = await self._client.get("/v1/disputes", kind="list", gone="payment", charge=text(charge, "id"))
        return shapes.dispute_of(rows(found, "data"))


def _of(snapshot: PurchaseSnapshot) -> Reading:
    return Reading(purchases=(snapshot,))


def _same(raw: JsonObject, external_id: str) -> None:
    if text(raw, "id") != external_id:
        raise Retry("Stripe answered with another object than the one asked for")
