"""Carries events to the endpoints: signed anew for every attempt, retried on the sandbox clock, with trouble on demand.

Delivery rules: https://docs.stripe.com/webhooks (any 2xx is success, redirects are failures, retries for three days).
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp

from sandbox.stripe.shapes import Object
from sandbox.stripe.world import World

RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (5, 30, 120, 300, 600, 600, 720, 720, 720))
ATTEMPT_TIMEOUT_SECONDS = 10.0
_LOG_LENGTH = 50_000
_RESENDABLE = 1000
_MAX_ROUNDS = 1000
_IDLE_SECONDS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One line of the delivery log. `status` is None when no answer came; `at` is sandbox time."""

    event_id: str
    event_type: str
    endpoint_id: str
    number: int
    status: int | None
    at: datetime


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One event on its way to one endpoint."""

    event: Object
    endpoint: Object
    body: bytes
    due_at: datetime
    attempts: int = 0


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What goes wrong on the way. `is_held` keeps deliveries back until `release`; `drop` loses some."""

    copies: int = 1
    delay: timedelta = timedelta()
    is_held: bool = False
    is_outage: bool = False
    drop: Callable[[Object], bool] = field(default=lambda event: False)


def sign(body: bytes, secret: str, timestamp: int) -> str:
    """Return a `Stripe-Signature` header over the raw body: `t=...,v1=...`."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"t={timestamp},v1={digest.hexdigest()}"


class Deliveries:
    """The queue of deliveries and the log of every attempt."""

    def __init__(self, world: World) -> None:
        """Deliver for `world`; nothing is sent before `run` or `deliver_pending`."""
        self.trouble = Trouble()
        self.log: deque[Attempt] = deque(maxlen=_LOG_LENGTH)
        self.held: list[Delivery] = []
        self.parallel = 1
        self.retry_after: Sequence[timedelta] = RETRY_AFTER
        self._world = world
        self._queue: list[Delivery] = []
        self._sent: deque[Delivery] = deque(maxlen=_RESENDABLE)
        self._session: aiohttp.ClientSession | None = None
        self._sending = asyncio.Lock()
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Return how many deliveries are queued for now or for a retry, without the held ones."""
        return len(self._queue)

    def post(self, event: Object, endpoint: Object, body: bytes) -> None:
        """Queue an event for an endpoint, as the present trouble has it."""
        if self.trouble.drop(event):
            return
        due_at = self._world.wall_time() + self.trouble.delay
        target = self.held if self.trouble.is_held else self._queue
        for _ in range(self.trouble.copies):
            target.append(Delivery(event=event, endpoint=endpoint, body=body, due_at=due_at))
        self._wake.set()

    def release(self, order: Callable[[list[Object]], Sequence[Object]] | None = None) -> None:
        """Let held deliveries go, in the order that `order` gives to their events; as they came by default."""
        held, self.held = self.held, []
        self.trouble.is_held = False
        events = [delivery.event for delivery in held]
        ranks = {event["id"]: rank for rank, event in enumerate(order(events) if order else events)}
        self._queue.extend(sorted(held, key=lambda delivery: ranks.get(delivery.event["id"], len(ranks))))
        self._wake.set()

    def release_shuffled(self, seed: int) -> None:
        """Let held deliveries go in a random but repeatable order."""
        shuffler = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.release(lambda events: shuffler.sample(events, k=len(events)))

    def resend(self, event: Object) -> None:
        """Queue an event again for every endpoint, as the Dashboard's Resend button does: same id, same body."""
        sent = {one.endpoint["id"]: one for one in self._sent if one.event["id"] == event["id"]}
        for delivery in sent.values():
            self.post(event, delivery.endpoint, delivery.body)

    async def deliver_pending(self, *, including_retries: bool = False) -> None:
        """Send everything that is due, and what that causes, before returning; retries only when asked for."""
        for _ in range(_MAX_ROUNDS):
            if not await self._send_due(everything=including_retries):
                return
            including_retries = False

    async def run(self) -> None:
        """Deliver for ever: at once what is new, later what is due again."""
        while True:
            self._wake.clear()
            await self._send_due(everything=False)
            try:
                async with asyncio.timeout(_IDLE_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def wake(self) -> None:
        """Look at the queue again: the clock has moved."""
        self._wake.set()

    async def close(self) -> None:
        """Close the connections to the endpoints."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send_due(self, *, everything: bool) -> int:
        async with self._sending:
            now = self._world.wall_time()
            due = [delivery for delivery in self._queue if everything or delivery.due_at <= now]
            if not due:
                return 0
            chosen = {id(delivery) for delivery in due}
            self._queue = [delivery for delivery in self._queue if id(delivery) not in chosen]
            gate = asyncio.Semaphore(self.parallel)
            async with asyncio.TaskGroup() as group:
                for delivery in due:
                    group.create_task(self._attempt(delivery, gate))
            return len(due)

    async def _attempt(self, delivery: Delivery, gate: asyncio.Semaphore) -> None:
        async with gate:
            endpoint = delivery.endpoint
            if endpoint["status"] != "enabled":
                return
            delivery.attempts += 1
            self._sent.append(delivery)
            status = None if self.trouble.is_outage else await self._send(delivery)
            now = self._world.wall_time()
            self.log.append(
                Attempt(
                    event_id=delivery.event["id"],
                    event_type=delivery.event["type"],
                    endpoint_id=endpoint["id"],
                    number=delivery.attempts,
                    status=status,
                    at=now,
                )
            )
            if status is not None and 200 <= status < 300:
                delivery.event["pending_webhooks"] = max(0, delivery.event["pending_webhooks"] - 1)
            elif delivery.attempts <= len(self.retry_after):
                delivery.due_at = now + self.retry_after[delivery.attempts - 1]
                self._queue.append(delivery)

    async def _send(self, delivery: Delivery) -> int | None:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ATTEMPT_TIMEOUT_SECONDS))
        secret = self._world.secrets_of(delivery.endpoint["id"])["secret"]
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": sign(delivery.body, secret, int(self._world.wall_time().timestamp())),
        }
        url = delivery.endpoint["url"]
        try:
            async with self._session.post(url, data=delivery.body, headers=headers, allow_redirects=False) as answer:
                await answer.read()
                return answer.status
        except (aiohttp.ClientError, TimeoutError):
            return None
