"""Stripe as a provider: verifies its webhooks, reads purchases, lists them, catches up, opens checkout and portal.

The read budget: Stripe grants a small account 10,000 GETs a month. One GET for each webhook, an hourly poll of the
events (one GET when nothing is new) and a nightly listing fit; a poll of everything every five minutes does not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from membership.errors import Gone, Retry
from membership.model import Dispute, PurchaseSnapshot
from membership.ports import CheckoutOrder, Examination, IncomingEvent, Invoice, Price, Reading
from providers import stripe_billing, stripe_examination
from providers import stripe_shapes as shapes
from providers.base import JsonObject, moment, nested, reference, rows, text
from providers.signatures import BadPayload, single_header, usable_secrets, verify_stripe
from providers.stripe_client import StripeClient
from providers.stripe_events import POLLED_TYPES, as_incoming, read_envelope
from providers.stripe_reading import SESSION_EXPANSIONS, StripeReader

# Stripe lists events for 30 days; an hour less, because the list is read page by page.
_EVENTS_KEPT = timedelta(days=30) - timedelta(hours=1)
# Stripe refuses a session that ends in less than 30 minutes or more than 24 hours from when it gets the request.
_SHORTEST_CHECKOUT = timedelta(minutes=31)
_LONGEST_CHECKOUT = timedelta(hours=24) - timedelta(minutes=1)


class StripeProvider:
    """One Stripe account, as `membership.ports.Provider` describes it. Close it at the end."""

    name = "stripe"

    def __init__(self, client: StripeClient, *, secrets: Sequence[str], now: Callable[[], datetime]) -> None:
        """Take the way to Stripe, the webhook secrets (the present one, one that is being replaced) and the clock."""
        self._client = client
        self._secrets = usable_secrets(*secrets)
        self.can_receive = bool(self._secrets)
        self._now = now
        self._reader = StripeReader(client, now=now)
        self._account_id = ""
        self._known_prices: dict[str, Price] = {}
        self._newest_seen = ("", now())

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Sequence[IncomingEvent]:
        """Check the signature and read the envelope. Raises BadSignature (401) or BadPayload (400), nothing else."""
        verify_stripe(single_header(headers, "Stripe-Signature"), body, secrets=self._secrets, now=now)
        return (read_envelope(body),)

    async def account(self) -> tuple[str, bool]:
        """Return the account's id and whether the key is for real money. One GET in a process."""
        if not self._account_id:
            self._account_id = text(await self._client.get("/v1/account", kind="account", gone="account"), "id")
        return self._account_id, self._client.is_live

    async def read(self, event: IncomingEvent) -> Reading:
        """Fetch what the event points at; the costs are in providers.stripe_reading."""
        return await self._reader.read(event)

    async def fetch(self, external_id: str) -> PurchaseSnapshot:
        """Read one purchase completely: `sub_...` or a checkout session `cs_...`. Raises Gone("purchase")."""
        return await self._reader.fetch(external_id)

    async def purchases(self) -> AsyncIterator[PurchaseSnapshot]:
        """List the subscriptions that have not ended, then the paid checkouts. Raises in the middle when a page fails.

        One GET for each hundred of either, and for each hundred disputes where one bears on a listed checkout. Ended
        subscriptions are not listed: who holds one as live asks for it by id. A listed subscription knows nothing of
        refunds. Customers are expanded because a listing without e-mail addresses would cost a GET for each purchase.
        """
        read_at = self._now()
        async for page in self._client.pages("/v1/subscriptions", gone="list", expand=["data.customer"]):
            for raw in page:
                yield shapes.subscription_snapshot(raw, read_at=read_at)
            read_at = self._now()
        async for snapshot in self._orders():
            yield snapshot

    async def newest_event(self) -> str:
        """Return the id of the newest event that the poll would see, "" when there is none."""
        found = await self._client.get("/v1/events", kind="list", gone="list", limit=1, types=list(POLLED_TYPES))
        for raw in rows(found, "data"):
            return self._seen(raw).external_id
        return ""

    async def events_after(self, cursor: str) -> AsyncIterator[IncomingEvent]:
        """List the events after `cursor`, oldest first. Raises Gone("cursor") when Stripe no longer lists from there.

        One GET for each hundred events, and one more when this process did not see the cursor before.
        """
        await self._check_age(cursor)
        pages = self._client.pages("/v1/events", gone="cursor", ending_before=cursor, types=list(POLLED_TYPES))
        async for page in pages:
            for raw in reversed(page):
                yield self._seen(raw)

    async def prices(self) -> Sequence[Price]:
        """List the active prices with their products. One GET for each hundred."""
        pages = self._client.pages("/v1/prices", gone="list", active="true", expand=["data.product"])
        found = [shapes.price(raw) async for page in pages for raw in page]
        self._known_prices.update({price.external_id: price for price in found})
        return [price for price in found if price.is_active]

    async def checkout(self, order: CheckoutOrder) -> tuple[str, str]:
        """Create a hosted checkout and return its id and URL. Raises Gone("price") when the price is not sold any more.

        The token is the idempotency key: asked twice with the same order, Stripe answers with the same session.
        """
        price = await self._price(order.price_id)
        session = await self._client.post(
            "/v1/checkout/sessions",
            kind="checkout.session",
            gone="price",
            idempotency_key=f"doorlist_checkout_{order.link_token}",
            **_checkout_parameters(order, price, now=self._now()),
        )
        return text(session, "id"), text(session, "url")

    async def portal(self, customer_id: str, return_url: str, task: str = "") -> str:
        """Return the URL where a customer manages billing. Raises Gone("customer")."""
        return await stripe_billing.portal(self._client, customer_id, return_url, task)

    async def end_at_period(self, external_id: str, *, is_ending: bool) -> PurchaseSnapshot:
        """Let a subscription end with its period, or take that back. Raises Gone("purchase") and UserError."""
        return await stripe_billing.end_at_period(self._client, external_id, is_ending=is_ending, now=self._now)

    async def invoices(self, customer_id: str, limit: int) -> Sequence[Invoice]:
        """Return a customer's newest invoices. Raises Gone("customer")."""
        return await stripe_billing.invoices(self._client, customer_id, limit)

    async def examine(self) -> Examination:
        """Look at how the account is set up."""
        return await stripe_examination.examine(self._client)

    async def repair_webhook(self, external_id: str, url: str) -> None:
        """Let a webhook endpoint send what we need to `url`."""
        await stripe_examination.repair_webhook(self._client, external_id, url)

    async def close(self) -> None:
        """Close the connections to Stripe."""
        await self._client.close()

    async def _orders(self) -> AsyncIterator[PurchaseSnapshot]:
        disputes: Mapping[str, Dispute | None] | None = None
        read_at = self._now()
        expand = [f"data.{path}" for path in SESSION_EXPANSIONS]
        async for page in self._client.pages("/v1/checkout/sessions", gone="list", status="complete", expand=expand):
            for raw in page:
                if text(raw, "mode") != "payment":
                    continue
                charge = nested(raw, "payment_intent", "latest_charge")
                dispute: Dispute | None = Dispute.NONE
                if charge.get("disputed"):
                    disputes = await self._disputes() if disputes is None else disputes
                    dispute = disputes.get(text(charge, "id"))
                yield shapes.order_snapshot(raw, read_at=read_at, dispute=dispute)
            read_at = self._now()

    async def _disputes(self) -> Mapping[str, Dispute | None]:
        """Return the state of every disputed charge by its id."""
        by_charge: dict[str, list[JsonObject]] = {}
        async for page in self._client.pages("/v1/disputes", gone="list"):
            for raw in page:
                by_charge.setdefault(reference(raw, "charge"), []).append(raw)
        return {charge: shapes.dispute_of(found) for charge, found in by_charge.items()}

    async def _check_age(self, cursor: str) -> None:
        """Refuse a cursor that Stripe may have forgotten: what a list says after one of those is not documented."""
        if not cursor:
            raise Gone("cursor")
        if cursor != self._newest_seen[0]:
            self._seen(await self._client.get(f"/v1/events/{cursor}", kind="event", gone="cursor"))
        if self._newest_seen[1] < self._now() - _EVENTS_KEPT:
            raise Gone("cursor")

    def _seen(self, raw: JsonObject) -> IncomingEvent:
        """Read an event and remember how old it is: the next poll starts from it. Raises Retry when it is no event."""
        created_at = moment(raw, "created")
        try:
            event = as_incoming(raw)
        except BadPayload as error:
            raise Retry("Stripe listed something that is no event") from error
        if created_at is None:
            raise Retry("Stripe listed an event without a time")
        self._newest_seen = (event.external_id, created_at)
        return event

    async def _price(self, price_id: str) -> Price:
        """Return a price; how it recurs never changes, so that it is asked once."""
        if price_id not in self._known_prices:
            raw = await self._client.get(f"/v1/prices/{price_id}", kind="price", gone="price")
            self._known_prices[price_id] = shapes.price(raw)
        return self._known_prices[price_id]


def _checkout_parameters(order: CheckoutOrder, price: Price, *, now: datetime) -> dict[str, Any]:
    metadata = {shapes.LINK_METADATA: order.link_token}
    is_recurring = bool(price.interval)
    # A price's trial is only a default that no checkout applies by itself.
    trial = {"trial_period_days": price.trial_days} if price.trial_days else {}
    expires_at = min(max(order.expires_at, now + _SHORTEST_CHECKOUT), now + _LONGEST_CHECKOUT)
    parameters: dict[str, Any] = {
        "mode": "subscription" if is_recurring else "payment",
        "line_items": [{"price": order.price_id, "quantity": 1}],
        "client_reference_id": order.link_token,
        "metadata": metadata,
        # Stripe copies a session's metadata to neither of these.
        "subscription_data" if is_recurring else "payment_intent_data": {"metadata": metadata, **trial},
        "success_url": order.success_url,
        "cancel_url": order.cancel_url,
        "expires_at": int(expires_at.timestamp()),
    }
    if not is_recurring:
        parameters["customer_creation"] = "always"  # otherwise a guest, whom no portal and no later event can name
    if order.email:
        parameters["customer_email"] = order.email
    return parameters
