"""The face of the local Stripe: one object to mount, start, steer and close."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime

from aiohttp import web

from sandbox.clock import MovableClock
from sandbox.stripe import endpoints, pages
from sandbox.stripe.api import Api
from sandbox.stripe.control import Control
from sandbox.stripe.deliveries import Deliveries
from sandbox.stripe.events import EventLog
from sandbox.stripe.faults import Fault, Faults, RequestLog
from sandbox.stripe.keys import Key, Keyring, Permission
from sandbox.stripe.settings import Settings
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.timeline import Timeline
from sandbox.stripe.world import World

_TICK_SECONDS = 1.0
_SLICE = 20
_MAX_SLICES = 20_000


class LocalStripe:
    """A Stripe account on this machine: mount `app()`, set `base_url`, `await start()`, at the end `await close()`."""

    def __init__(
        self,
        clock: MovableClock,
        *,
        secret_key: str = "sk_test_sandbox",
        seed: int | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Start empty. The mode (test, live) is that of `secret_key`; `seed` makes the ids repeatable."""
        key = Key(secret=secret_key)
        self.world = World(clock, settings=settings or Settings(), livemode=key.is_live, seed=seed)
        self.keys = Keyring(key)
        self.deliveries = Deliveries(self.world)
        self.events = EventLog(self.world, self.deliveries)
        self.timeline = Timeline(self.world)
        self.control = Control(self.world, self.timeline, self.events)
        self._api = Api(self.world, self.timeline, self.keys)
        self._tasks: set[asyncio.Task[None]] = set()
        self._outage: Fault | None = None
        self._open_account()
        clock.on_advance(self._advanced)

    @property
    def base_url(self) -> str:
        """Return the address of the mounted app, without a slash at the end: what an SDK takes as its API base."""
        return self.world.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.world.base_url = url.rstrip("/")

    @property
    def settings(self) -> Settings:
        """Return the account's settings; they may be changed at any time."""
        return self.world.settings

    @property
    def faults(self) -> Faults:
        """Return the faults of the API."""
        return self._api.faults

    @property
    def requests(self) -> RequestLog:
        """Return what was asked of the API."""
        return self._api.requests

    @property
    def account_id(self) -> str:
        """Return the id of the account."""
        found: str = self.world.rows("account")[0]["id"]
        return found

    def app(self) -> web.Application:
        """Return a new application with the API, the checkout page, the invoice page and the portal."""
        app = web.Application(client_max_size=1024**2)
        app.router.add_route("*", "/v1/{path:.*}", self._api.serve)
        pages.Pages(self.world, self.control, self.deliveries).add_to(app)
        return app

    def add_endpoint(
        self, url: str, *, events: Sequence[str] = ("*",), api_version: str | None = None, is_thin: bool = False
    ) -> str:
        """Register a webhook endpoint and return its signing secret."""
        params = {"url": url, "enabled_events": list(events), "api_version": api_version}
        endpoint = endpoints.create_endpoint(self.world, params)
        self.world.secrets_of(endpoint["id"])["thin"] = is_thin
        secret: str = endpoint["secret"]
        return secret

    def add_restricted_key(self, secret: str, permissions: dict[str, Permission]) -> None:
        """Accept a restricted key. Scopes are those of the routes: customers, subscriptions, checkout_sessions, ..."""
        self.keys.add(Key(secret=secret, permissions=permissions))

    async def start(self) -> None:
        """Begin to deliver events and to watch the clock."""
        for work in (self.deliveries.run(), self._watch_clock()):
            task = asyncio.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop delivering, let hanging requests go and close the connections."""
        self._api.closing.set()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.deliveries.close()

    async def deliver_pending(self, *, including_retries: bool = False) -> None:
        """Send everything that is due and return when it has been answered; retries at once only when asked for."""
        await self.deliveries.deliver_pending(including_retries=including_retries)

    def start_outage(self) -> None:
        """Make Stripe unreachable: API connections are reset, deliveries fail and are retried later."""
        self.deliveries.trouble.is_outage = True
        self._outage = self.faults.add(Fault(answer="reset"))

    def end_outage(self) -> None:
        """Make Stripe reachable again."""
        self.deliveries.trouble.is_outage = False
        if self._outage is not None:
            self.faults.remove(self._outage)
            self._outage = None

    def attempts_of(self, event_type: str) -> int:
        """Return how many delivery attempts there were for events of a type."""
        return sum(line.event_type == event_type for line in self.deliveries.log)

    def _open_account(self) -> None:
        account: Object = blank("account", id=self.world.new_id("acct_", 16), created=self.world.now())
        account["settings"]["dashboard"]["display_name"] = "Sandbox"
        account["business_profile"]["name"] = "Sandbox"
        self.world.add(account, event=None)
        endpoints.open_portal(self.world)

    async def _advanced(self, now: datetime) -> None:
        # In slices: thousands of renewals must not keep the event loop from answering.
        for _ in range(_MAX_SLICES):
            if not self.timeline.play(int(now.timestamp()), at_most=_SLICE):
                break
            await asyncio.sleep(0)
        self.deliveries.wake()

    async def _watch_clock(self) -> None:
        while True:
            self.timeline.play(self.world.now())
            await asyncio.sleep(_TICK_SECONDS)
