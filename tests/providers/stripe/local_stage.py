"""A local Stripe with a webhook receiver, and the provider between them: events come in signed and over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from membership.model import PurchaseSnapshot
from membership.ports import Reading
from providers.config import StripeSettings
from providers.registry import build_stripe
from providers.stripe import StripeProvider
from sandbox.clock import MovableClock
from sandbox.stripe.local import LocalStripe
from tests.providers.stripe.conftest import QUICK, NoRandomness

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY = "sk_test_sandbox"


@dataclass
class LocalStage:
    """What is on stage, and what the deliveries have told so far."""

    clock: MovableClock
    local: LocalStripe
    stripe: StripeProvider
    received: list[tuple[dict[str, str], bytes]]
    readings: list[Reading] = field(default_factory=list)
    known: dict[str, PurchaseSnapshot] = field(default_factory=dict)

    async def settle(self) -> None:
        """Deliver what is waiting and read it, as the intake does: what a read does not know stays as it was."""
        await self.local.deliver_pending()
        arrived, self.received[:] = list(self.received), []
        for headers, body in arrived:
            for event in self.stripe.verify(headers, body, now=self.clock.now()):
                reading = await self.stripe.read(event)
                self.readings.append(reading)
                for purchase in reading.purchases:
                    self._record(purchase)

    async def only(self) -> PurchaseSnapshot:
        """Settle, and return the one purchase there is."""
        await self.settle()
        (purchase,) = self.known.values()
        return purchase

    def _record(self, purchase: PurchaseSnapshot) -> None:
        before = self.known.get(purchase.external_id)
        if before is not None and purchase.refund is None:
            purchase = replace(purchase, refund=before.refund)
        if before is not None and purchase.dispute is None:
            purchase = replace(purchase, dispute=before.dispute)
        self.known[purchase.external_id] = purchase


@asynccontextmanager
async def local_stage(*, is_thin: bool = False, api_version: str | None = None) -> AsyncIterator[LocalStage]:
    """Open the stage; `is_thin` and `api_version` are how the endpoint gets its events."""
    clock = MovableClock(START)
    local = LocalStripe(clock, secret_key=KEY, seed=7)
    received: list[tuple[dict[str, str], bytes]] = []

    async def receive(request: web.Request) -> web.Response:
        received.append((dict(request.headers), await request.read()))
        return web.Response()

    receiver = web.Application()
    receiver.router.add_post("/webhooks/stripe", receive)
    async with TestServer(local.app()) as server, TestServer(receiver) as door:
        local.base_url = str(server.make_url("")).rstrip("/")
        secret = local.add_endpoint(str(door.make_url("/webhooks/stripe")), api_version=api_version, is_thin=is_thin)
        settings = StripeSettings(api_key=SecretStr(KEY), webhook_secret=SecretStr(secret), api_url=local.base_url)
        stripe = build_stripe(settings, clock=clock, randomness=NoRandomness(), patience=QUICK)
        try:
            yield LocalStage(clock, local, stripe, received)
        finally:
            await stripe.close()
            await local.close()
