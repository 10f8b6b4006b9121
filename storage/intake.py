"""Group commit: webhooks that arrive while a commit runs share the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple

from membership.errors import Retry
from membership.ports import Clock, IncomingEvent
from storage import inbox
from storage.store import Database

LARGEST_BATCH = 256
LONGEST_QUEUE = 10_000
"""Requests that may wait. Above it the disk has lost, and a provider that is told so comes back later."""


class _Request(NamedTuple):
    provider: str
    events: Sequence[IncomingEvent]
    answer: asyncio.Future[int]


class GroupCommit:
    """The fast door for webhooks. Used from one event loop."""

    def __init__(self, database: Database, clock: Clock, on_commit: Callable[[], None]) -> None:
        """Take the store and whom to wake when events were stored."""
        self._database = database
        self._clock = clock
        self._on_commit = on_commit
        self._waiting: list[_Request] = []
        self._committing: asyncio.Task[None] | None = None
        self._is_closed = False

    async def accept(self, provider: str, events: Sequence[IncomingEvent]) -> int:
        """Store events with their jobs and return how many were new, after the commit.

        Raises Retry: nothing is stored, the provider should send them again.
        """
        if self._is_closed:
            raise Retry("Doorlist is shutting down")
        if len(self._waiting) >= LONGEST_QUEUE:
            raise Retry("too many events are waiting to be stored")
        request = _Request(provider, events, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_waiting())
        return await request.answer

    async def close(self) -> None:
        """Accept nothing more and finish what waits."""
        self._is_closed = True
        if self._committing is not None:
            await asyncio.wait([self._committing])

    async def _commit_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
                await self._commit(batch)
        finally:
            self._committing = None
            # Only a cancelled loop leaves somebody behind: they must not wait for ever.
            _refuse(self._waiting, Retry("Doorlist is shutting down"))
            self._waiting = []

    async def _commit(self, batch: Sequence[_Request]) -> None:
        """Store a batch in one transaction; whatever happens, everybody in it gets an answer."""
        try:
            await self._store(batch)
        except Retry as failure:
            _refuse(batch, failure)
        except asyncio.CancelledError:
            _refuse(batch, Retry("Doorlist is shutting down"))
            raise
        except Exception as bug:  # noqa: BLE001 - handed to the waiter whose event it is, never swallowed
            if len(batch) == 1:
                _refuse(batch, bug)
                return
            # One row that the database refuses must not cost the others theirs.
            for request in batch:
                await self._commit([request])

    async def _store(self, batch: Sequence[_Request]) -> None:
        events = [(request.provider, event) for request in batch for event in request.events]
        async with self._database.write() as tx:
            new = await inbox.store(tx.connection, events, self._clock.now())
        is_news = bool(new)
        for request in batch:
            if not request.answer.done():  # its waiter may have gone away meanwhile
                request.answer.set_result(_count(request, new))
        if is_news:
            self._on_commit()


def _count(request: _Request, new: set[tuple[str, str]]) -> int:
    """Count a request's new events and cross them off: in a later request of the batch they are duplicates."""
    count = 0
    for event in request.events:
        key = (request.provider, event.external_id)
        if key in new:
            new.remove(key)
            count += 1
    return count


def _refuse(batch: Sequence[_Request], failure: Exception) -> None:
    for request in batch:
        if not request.answer.done():
            request.answer.set_exception(failure)
