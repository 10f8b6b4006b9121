"""The one clock of a sandbox: real time plus an offset that people and tests move forward.

Everything in the sandbox that asks the time asks here; Doorlist is handed the same object as its own clock.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

Listener = Callable[[datetime], Awaitable[None]]


class MovableClock:
    """Aware UTC time that only moves forward."""

    def __init__(self, start: datetime | None = None) -> None:
        """Start at `start` (aware) and run on from there; at the real time when None."""
        self._offset = (start - datetime.now(UTC)) if start else timedelta()
        self._listeners: list[Listener] = []

    def now(self) -> datetime:
        """Return the current sandbox time, aware, in UTC."""
        return datetime.now(UTC) + self._offset

    def on_advance(self, listener: Listener) -> None:
        """Call `listener(now)` after every jump, in the order of registration."""
        self._listeners.append(listener)

    async def advance(self, by: timedelta) -> None:
        """Jump forward and tell the listeners. Raises ValueError for a negative step."""
        if by < timedelta():
            raise ValueError("the sandbox clock only moves forward")
        self._offset += by
        for listener in self._listeners:
            await listener(self.now())
