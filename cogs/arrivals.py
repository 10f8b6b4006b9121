"""Waits until what somebody pays for has arrived, and lets their answer in Discord say so.

An answer can be changed for fifteen minutes; whatever arrives later, arrives all the same. Nothing depends on a watch.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from cogs.errors import TRANSPORT_ERRORS
from membership import mine
from membership.errors import Retry
from membership.model import MemberKey, PlanId, UserId
from membership.services import Services
from membership.shown import ShownGrant

log = structlog.get_logger(__name__)

PATIENCE = timedelta(minutes=14)
"""A little less than an interaction's answer can be changed (15 minutes)."""
LOOK_EVERY = timedelta(seconds=20)
"""How long to rely on being told: with several processes the role may have been put by another."""
MOST_WATCHES = 200

Told = Callable[[ShownGrant | None], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """What a person pays for: a plan, opened for them since they asked."""

    key: MemberKey
    plan_id: PlanId
    since: datetime


class Arrivals:
    """Owns the watches, one for each person; `close` ends them all."""

    def __init__(
        self, services: Services, *, patience: timedelta = PATIENCE, look_every: timedelta = LOOK_EVERY
    ) -> None:
        """Take the services, how long to wait in all, and how often to look without being told."""
        self._services = services
        self._patience = patience
        self._look_every = look_every
        self._tasks: dict[UserId, asyncio.Task[None]] = {}

    def watch(self, awaited: Awaited, tell: Told) -> None:
        """Tell once what arrived, or None when nothing did; a newer watch of the same person takes its place.

        With MOST_WATCHES under way nobody is watched for; the answer stays as it is.
        """
        user_id = awaited.key.user_id
        earlier = self._tasks.pop(user_id, None)
        if earlier is not None:
            earlier.cancel()
        if len(self._tasks) >= MOST_WATCHES:
            log.warning("arrival_not_watched", most=MOST_WATCHES)
            return
        task = asyncio.create_task(self._run(awaited, tell), name=f"arrival:{user_id}")
        self._tasks[user_id] = task
        task.add_done_callback(lambda done: self._forget(user_id, done))

    async def close(self) -> None:
        """End every watch."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, user_id: UserId, done: asyncio.Task[None]) -> None:
        if self._tasks.get(user_id) is done:
            del self._tasks[user_id]
        if not done.cancelled() and (bug := done.exception()) is not None:
            log.error("arrival_watch_failed", exc_info=bug)

    async def _run(self, awaited: Awaited, tell: Told) -> None:
        arrived = None
        try:
            async with asyncio.timeout(self._patience.total_seconds()):
                arrived = await self._arrived(awaited)
        except TimeoutError:
            log.info("arrival_not_seen", user_id=awaited.key.user_id)
        try:
            await tell(arrived)
        except TRANSPORT_ERRORS as failure:
            # The person dismissed the answer, or Discord is away: the role is what counts.
            log.info("arrival_not_told", why=type(failure).__name__)

    async def _arrived(self, awaited: Awaited) -> ShownGrant:
        """Return what arrived; the caller bounds the wait."""
        while True:
            started = self._services.signals.tick()
            try:
                found = await mine.bought_since(self._services, awaited.key, awaited.plan_id, awaited.since)
            except Retry:
                found = None
            if found is not None:
                return found
            await self._services.signals.wait([str(awaited.key)], since=started, patience=self._look_every)
