"""What every payment platform's adapter shares: careful readers for foreign JSON, patience and pace for requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

JsonObject = dict[str, Any]

# The year 9999: what datetime can still hold.
_LATEST_SECOND = 253402300799


def text(raw: JsonObject, name: str) -> str:
    """Return a text field, "" when it is absent, null or something else."""
    value = raw.get(name)
    return value if isinstance(value, str) else ""


def integer(raw: JsonObject, name: str) -> int | None:
    """Return a whole number, None when it is absent, null or something else."""
    value = raw.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def nested(raw: JsonObject, *names: str) -> JsonObject:
    """Follow `names` through objects and return the last one, {} when the way ends early."""
    node: Any = raw
    for name in names:
        node = node.get(name) if isinstance(node, dict) else None
    return node if isinstance(node, dict) else {}


def rows(raw: JsonObject, name: str) -> list[JsonObject]:
    """Return the objects of a list, given plainly or as `{"data": [...]}`; [] when there is none."""
    value = raw.get(name)
    if isinstance(value, dict):
        value = value.get("data")
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def reference(raw: JsonObject, name: str) -> str:
    """Return the id in a field that holds an id or the expanded object, "" when it holds neither."""
    value = raw.get(name)
    return text(value, "id") if isinstance(value, dict) else text(raw, name)


def moment(raw: JsonObject, name: str) -> datetime | None:
    """Return a field of Unix seconds as aware UTC, None when it is absent or no date."""
    seconds = integer(raw, name)
    if seconds is None or not 0 <= seconds <= _LATEST_SECOND:
        return None
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one call tries by itself before the job queue takes over, and how fast calls follow each other.

    The rate holds for each endpoint of an account; Stripe allows 25 a second.
    """

    tries: int = 4
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 5.0
    timeout_seconds: float = 20.0
    requests_per_second: float = 20.0


USUAL_PATIENCE = Patience()


class Pace:
    """Spaces requests, for each key on its own, so that no second meets the other side's limit.

    A token bucket kept as one number: when the next request would be due if all were evenly spaced. Up to `burst`
    requests may run ahead of that, so that a quiet hour is followed by no waiting.
    """

    def __init__(
        self,
        requests_per_second: float,
        *,
        burst: int,
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Take the rate and the clock that waiting is measured with (seconds that never go back)."""
        self._interval = 1 / requests_per_second
        self._lead = burst * self._interval
        self._monotonic = monotonic
        self._sleep = sleep
        self._due: dict[str, float] = {}

    async def turn(self, key: str) -> None:
        """Wait for this caller's turn; turns are given in the order of asking."""
        now = self._monotonic()
        due = max(now, self._due.get(key, now))
        self._due[key] = due + self._interval
        if due - self._lead > now:
            await self._sleep(due - self._lead - now)
