"""A payment platform and a mail server in memory. They implement membership.ports.Provider and Mailer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from membership.errors import Gone, UserError
from membership.model import PurchaseKind, PurchaseSnapshot, PurchaseStatus
from membership.ports import CheckoutOrder, Clock, Examination, IncomingEvent, Invoice, Mail, Price, Reading
from tests.usecases.faults import Faults, Fuse

MONTH = timedelta(days=30)


class FakeProvider:
    """What was bought, as the platform knows it: a subscription renews by itself unless its end is set."""

    name = "stripe"
    can_receive = True

    def __init__(self, clock: Clock, fuse: Fuse) -> None:
        self.bought: dict[str, PurchaseSnapshot] = {}
        self.readings: dict[str, Reading] = {}
        self.events: list[IncomingEvent] = []
        self.catalogue: list[Price] = []
        self.orders: list[CheckoutOrder] = []
        self.listed: list[str] | None = None
        """The ids a listing shows; None: all of them."""
        self.oldest_event: int = 0
        self.examination = Examination(is_live=True)
        self.repaired: list[tuple[str, str]] = []
        self.bills: dict[str, list[Invoice]] = {}
        """What `invoices` shows, by customer, newest first."""
        self.faults = Faults(fuse)
        self._clock = clock

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: object) -> Sequence[IncomingEvent]:
        raise NotImplementedError("the signature is the web's business")

    async def account(self) -> tuple[str, bool]:
        self.faults.after("account", self.faults.before("account"))
        return "acct_1", True

    async def read(self, event: IncomingEvent) -> Reading:
        fault = self.faults.before("read", event.external_id)
        reading = self.readings.get(event.external_id) or Reading(purchases=(self._now(event.body.decode()),))
        self.faults.after("read", fault)
        return reading

    async def fetch(self, external_id: str) -> PurchaseSnapshot:
        fault = self.faults.before("fetch", external_id)
        found = [bought for bought in self.bought.values() if external_id in (bought.external_id, bought.checkout_id)]
        if not found:
            raise Gone("purchase")
        snapshot = self._now(found[0].external_id)
        self.faults.after("fetch", fault)
        return snapshot

    async def purchases(self) -> AsyncIterator[PurchaseSnapshot]:
        """Show the listing; an ordered fault strikes after the first purchase, in the middle of the page."""
        for number, external_id in enumerate(list(self.bought if self.listed is None else self.listed)):
            if number:
                self.faults.after("list", self.faults.before("list", external_id))
            yield self._now(external_id)

    async def newest_event(self) -> str:
        self.faults.after("newest_event", self.faults.before("newest_event"))
        return self.events[-1].external_id if self.events else ""

    async def events_after(self, cursor: str) -> AsyncIterator[IncomingEvent]:
        ids = [event.external_id for event in self.events]
        if cursor not in ids[self.oldest_event :]:
            raise Gone("cursor")
        for event in self.events[ids.index(cursor) + 1 :]:
            self.faults.after("events", self.faults.before("events", event.external_id))
            yield event

    async def prices(self) -> Sequence[Price]:
        self.faults.after("prices", self.faults.before("prices"))
        return self.catalogue

    async def checkout(self, order: CheckoutOrder) -> tuple[str, str]:
        self.faults.after("checkout", self.faults.before("checkout", order.price_id))
        self.orders.append(order)
        return f"cs_{len(self.orders)}", f"https://pay.example/cs_{len(self.orders)}"

    async def portal(self, customer_id: str, return_url: str, task: str = "") -> str:
        self.faults.after("portal", self.faults.before("portal", customer_id, task))
        return f"{return_url}#{task}" if task else return_url

    async def end_at_period(self, external_id: str, *, is_ending: bool) -> PurchaseSnapshot:
        fault = self.faults.before("end_at_period", external_id, is_ending)
        if external_id not in self.bought:
            raise Gone("purchase")
        snapshot = self._now(external_id)
        if snapshot.kind is PurchaseKind.ONE_TIME:
            raise UserError("This was paid once and does not renew: there is nothing to cancel.")
        if snapshot.status is PurchaseStatus.ENDED and not is_ending:
            raise UserError("This subscription has ended.")
        if snapshot.status is not PurchaseStatus.ENDED:
            self.bought[external_id] = replace(snapshot, ends_at=snapshot.period_ends_at if is_ending else None)
        self.faults.after("end_at_period", fault)
        return self._now(external_id)

    async def invoices(self, customer_id: str, limit: int) -> Sequence[Invoice]:
        fault = self.faults.before("invoices", customer_id)
        self.faults.after("invoices", fault)
        return self.bills.get(customer_id, [])[:limit]

    async def examine(self) -> Examination:
        self.faults.after("examine", self.faults.before("examine"))
        return self.examination

    async def repair_webhook(self, external_id: str, url: str) -> None:
        self.repaired.append((external_id, url))

    async def close(self) -> None:
        """Have nothing to close."""

    def _now(self, external_id: str) -> PurchaseSnapshot:
        """Return what the platform says of a purchase at this moment."""
        now, snapshot = self._clock.now(), self.bought[external_id]
        if snapshot.kind is PurchaseKind.SUBSCRIPTION and snapshot.status is PurchaseStatus.ACTIVE:
            if snapshot.ends_at is not None and snapshot.ends_at <= now:
                snapshot = replace(snapshot, status=PurchaseStatus.ENDED, raw_status="canceled")
            elif snapshot.ends_at is None:
                while snapshot.period_ends_at is not None and snapshot.period_ends_at <= now:
                    snapshot = replace(snapshot, period_ends_at=snapshot.period_ends_at + MONTH)
            self.bought[external_id] = snapshot
        return replace(snapshot, read_at=now)


class FakeMailer:
    """A mail server: it accepts what it is given, and mailboxes show one mail per Message-ID."""

    def __init__(self, fuse: Fuse) -> None:
        self.is_configured = True
        self.faults = Faults(fuse)
        self.sent: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        fault = self.faults.before("send", mail.to, mail.template)
        self.sent.append(mail)
        self.faults.after("send", fault)

    def templates(self) -> list[str]:
        """Return the templates of the accepted mails, in order."""
        return [mail.template for mail in self.sent]
