"""Long readings beside the pages that ask for them: a page waits for a moment, then says that it takes longer.

What is read, and what a page shows meanwhile, is the business of the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from aiohttp import web

MOMENT_SECONDS = 1.0
"""How long a page waits for what it shows."""
KEPT_FOR = timedelta(minutes=1)
MOST_KEPT = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading(Generic[T]):
    task: asyncio.Task[T]
    began_at: datetime


class Beside(Generic[T]):
    """Readings by a key, each read once for everybody who asks within a minute; to be closed at the end."""

    def __init__(self, moment_seconds: float = MOMENT_SECONDS) -> None:
        """Start with nothing read."""
        self._moment_seconds = moment_seconds
        self._readings: dict[Hashable, _Reading[T]] = {}

    def knows(self, key: Hashable) -> bool:
        """Say whether something is read, or was lately."""
        return key in self._readings

    def begin(self, key: Hashable, read: Callable[[], Coroutine[Any, Any, T]], now: datetime) -> None:
        """Begin to read, unless it is read already or was within a minute."""
        known = self._readings.get(key)
        if known is not None and (not known.task.done() or now - known.began_at < KEPT_FOR):
            return
        self._readings[key] = _Reading(task=asyncio.create_task(read(), name=f"beside {key}"), began_at=now)
        self._forget(now)

    async def result(self, key: Hashable, *, is_patient: bool = False) -> T | None:
        """Return what was read, None while it takes longer; whoever is patient waits. Raises what the reading raised.

        A failure is told once, and nothing of it is kept.
        """
        task = self._readings[key].task
        await asyncio.wait([task], timeout=None if is_patient else self._moment_seconds)
        if not task.done():
            return None
        if task.cancelled() or task.exception() is not None:
            self._readings.pop(key, None)
        return task.result()

    async def close(self, _: web.Application) -> None:
        """Stop whatever is read."""
        tasks = [reading.task for reading in self._readings.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _forget(self, now: datetime) -> None:
        """Let go of what is too old, and of the oldest where there is too much."""
        done = [key for key, reading in self._readings.items() if reading.task.done()]
        old = [key for key in done if now - self._readings[key].began_at >= KEPT_FOR]
        for key in old or done[: max(0, len(self._readings) - MOST_KEPT)]:
            del self._readings[key]
