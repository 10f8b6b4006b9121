"""What a person does in the dashboard or as a buyer, one call each: for the sandbox page, scenarios and benchmarks.

Every call runs the same rules as the API, and leaves the same events.
"""

from __future__ import annotations

import asyncio
from typing import Literal

from sandbox.stripe import billing, catalog, changes, checkout, customers, disputes, invoices, refunds, subscriptions
from sandbox.stripe.cards import Card
from sandbox.stripe.disputes import Outcome
from sandbox.stripe.events import EventLog
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object
from sandbox.stripe.timeline import Timeline, settle_debit
from sandbox.stripe.world import World

Interval = Literal["day", "week", "month", "year"]

_BATCH = 100
_ENDED = subscriptions.ENDED


class Control:
    """Buttons of the sandbox. Ids go in, current objects come out."""

    def __init__(self, world: World, timeline: Timeline, events: EventLog) -> None:
        """Steer `world`."""
        self._world = world
        self._timeline = timeline
        self._events = events

    def add_price(
        self,
        name: str,
        amount: int,
        *,
        currency: str = "eur",
        interval: Interval | None = "month",
        trial_days: int | None = None,
    ) -> Object:
        """Create a product with one price (minor units); one-time when `interval` is None. Return the price."""
        product = catalog.create_product(self._world, {"name": name})
        recurring = {"recurring": {"interval": interval, "trial_period_days": trial_days}} if interval else {}
        params: Params = {"product": product["id"], "unit_amount": amount, "currency": currency, **recurring}
        price = catalog.create_price(self._world, params)
        self._world.update(product, event=None, default_price=price["id"])
        return price

    def open_checkout(self, price_id: str, **params: object) -> Object:
        """Open a Checkout Session for one price, as the seller's own site does. `params` are the API's."""
        price = self._world.get("price", price_id)
        given: Params = {
            "mode": "subscription" if price["recurring"] else "payment",
            "line_items": [{"price": price_id, "quantity": 1}],
            "success_url": f"{self._world.base_url}/done",
            **params,
        }
        return checkout.create(self._world, given)

    def buy(
        self, price_id: str, email: str, *, card: Card = Card.GOOD, name: str | None = None, **params: object
    ) -> Object:
        """Open a session and pay it, as a buyer does on the page; return the completed session."""
        return self.pay(self.open_checkout(price_id, **params)["id"], email, card=card, name=name)

    def pay(self, session_id: str, email: str, *, card: Card = Card.GOOD, name: str | None = None) -> Object:
        """Pay an open session: what the checkout page's buttons do."""
        session = self._world.get("checkout.session", session_id)
        try:
            return checkout.complete(self._world, session, card=card, email=email, name=name or email.partition("@")[0])
        finally:
            self._timeline.play(self._world.now())

    def settle_debits(self) -> int:
        """End all bank debits that are on their way, as time would; return how many there were."""
        waiting = [row for row in self._world.rows("payment_intent") if row["status"] == "processing"]
        for intent in waiting:
            settle_debit(self._world, intent)
        return len(waiting)

    def cancel_now(self, subscription_id: str) -> Object:
        """End a subscription at once."""
        return subscriptions.cancel(self._world, self._subscription(subscription_id))

    def cancel_at_period_end(self, subscription_id: str) -> Object:
        """Schedule the end as the customer portal does: on flexible billing only `cancel_at` is set."""
        subscription = self._subscription(subscription_id)
        return changes.schedule_end(self._world, subscription, subscriptions.first_period_end(subscription))

    def undo_cancel(self, subscription_id: str) -> Object:
        """Take back a scheduled end."""
        return changes.schedule_end(self._world, self._subscription(subscription_id), None)

    def fail_payment(self, subscription_id: str) -> Object:
        """Let the card fail on a charge now: `invoice.payment_failed`, the subscription is past due."""
        subscription = self._subscription(subscription_id)
        self._use_card(subscription, Card.DECLINED)
        invoice = billing.bill(self._world, subscription, reason="subscription_cycle")
        billing.collect(self._world, invoice)
        return subscription

    def recover_payment(self, subscription_id: str) -> Object:
        """Give a good card and pay what is open: `invoice.paid`, the subscription is active."""
        subscription = self._subscription(subscription_id)
        self._use_card(subscription, Card.GOOD)
        invoice = self._world.get("invoice", subscription["latest_invoice"])
        if invoice["status"] in ("draft", "open"):
            billing.collect(self._world, invoice)
        return subscription

    def refund(self, purchase_id: str, *, amount: int | None = None, status: str = "succeeded") -> Object:
        """Refund the last payment of a subscription, session or PaymentIntent; `status` may be pending or failed."""
        intent = self.payment_of(purchase_id)
        params: Params = {"payment_intent": intent["id"], "amount": amount, "reason": "requested_by_customer"}
        return refunds.create_refund(self._world, params, status=status)

    def settle_refund(self, refund_id: str, *, succeeded: bool) -> Object:
        """End a pending refund."""
        return refunds.settle_refund(self._world, self._world.get("refund", refund_id), succeeded=succeeded)

    def dispute(self, purchase_id: str, *, is_inquiry: bool = False) -> Object:
        """Open a dispute or an inquiry on the last payment of a subscription, session or PaymentIntent."""
        charge = self._world.get("charge", self.payment_of(purchase_id)["latest_charge"])
        return disputes.open_dispute(self._world, charge, is_inquiry=is_inquiry)

    def close_dispute(self, dispute_id: str, outcome: Outcome) -> Object:
        """End a dispute: won, lost, warning_closed or prevented."""
        return disputes.close_dispute(self._world, self._world.get("dispute", dispute_id), outcome)

    def pause(self, subscription_id: str) -> Object:
        """Pause a subscription: status `paused`."""
        return subscriptions.pause(self._world, self._subscription(subscription_id))

    def resume(self, subscription_id: str) -> Object:
        """Resume a paused subscription."""
        return subscriptions.resume(self._world, self._subscription(subscription_id), {})

    def pause_collection(self, subscription_id: str, behavior: str | None = "void") -> Object:
        """Pause or, with None, resume the collection of payments; the status stays as it is."""
        given = {"behavior": behavior} if behavior else None
        return changes.update(self._world, self._subscription(subscription_id), {"pause_collection": given})

    def change_price(self, subscription_id: str, price_id: str) -> Object:
        """Move the first item to another price: an upgrade or a downgrade."""
        subscription = self._subscription(subscription_id)
        item = subscription["items"]["data"][0]
        return changes.update(self._world, subscription, {"items": [{"id": item["id"], "price": price_id}]})

    def change_quantity(self, subscription_id: str, quantity: int) -> Object:
        """Change the number of seats of the first item."""
        subscription = self._subscription(subscription_id)
        item = subscription["items"]["data"][0]
        return changes.update(self._world, subscription, {"items": [{"id": item["id"], "quantity": quantity}]})

    async def bulk_subscriptions(self, count: int, price_id: str, **params: object) -> list[str]:
        """Create `count` active subscriptions of as many customers without any event; return their ids."""
        made: list[str] = []
        self._events.muted = True
        try:
            for index in range(count):
                made.append(self._silent_subscription(index, price_id, params))
                if index % _BATCH == _BATCH - 1:
                    await asyncio.sleep(0)
        finally:
            self._events.muted = False
        return made

    async def bulk_cancel(self, subscription_ids: list[str]) -> None:
        """End many subscriptions, with their events."""
        for index, subscription_id in enumerate(subscription_ids):
            self.cancel_now(subscription_id)
            if index % _BATCH == _BATCH - 1:
                await asyncio.sleep(0)

    def payment_of(self, purchase_id: str) -> Object:
        """Return the PaymentIntent that last paid a subscription, a Checkout Session, or is that id itself."""
        if purchase_id.startswith("cs_"):
            session = self._world.get("checkout.session", purchase_id)
            return self.payment_of(session["subscription"] or session["payment_intent"])
        if purchase_id.startswith("sub_"):
            return invoices.last_payment_of(self._world, self._subscription(purchase_id))
        return self._world.get("payment_intent", purchase_id)

    def _subscription(self, subscription_id: str) -> Object:
        return self._world.get("subscription", subscription_id)

    def _use_card(self, subscription: Object, card: Card) -> None:
        customer = self._world.get("customer", subscription["customer"])
        method = customers.make_method(self._world, card)
        customers.attach_method(self._world, method, customer)
        self._world.update(subscription, event=None, default_payment_method=method["id"])

    def _silent_subscription(self, index: int, price_id: str, params: dict[str, object]) -> str:
        email = f"member{index}@example.com"
        customer = customers.create_customer(self._world, {"email": email, "payment_method": "pm_card_visa"})
        given: Params = {**params, "customer": customer["id"], "items": [{"price": price_id}]}
        subscription = subscriptions.build(self._world, given)
        subscription["status"] = "active"
        self._world.add(subscription)
        found: str = subscription["id"]
        return found
