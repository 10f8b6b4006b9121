"""How fast Discord may be called: a sliding window, and the window of one guild's role writes. Pure, time is given.

Measured numbers and why they are what they are: PUT and DELETE of a role share 10 per 10 s and guild; 50 requests per
second and bot over all; 120 gateway sends per 60 s and connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from membership.model import Lane


class Pace:
    """At most `limit` starts in any `seconds`. The caller asks for the delay, sleeps, asks again, then takes."""

    def __init__(self, limit: int, seconds: float) -> None:
        """Start with an empty window."""
        self._limit = limit
        self._seconds = seconds
        self._starts: deque[float] = deque(maxlen=limit)

    def delay(self, now: float, *, keep: int = 0) -> float:
        """Return the seconds until a start is allowed that leaves `keep` starts for others; 0.0 for now."""
        while self._starts and self._starts[0] <= now - self._seconds:
            self._starts.popleft()
        surplus = len(self._starts) - (self._limit - keep)
        if surplus < 0:
            return 0.0
        return self._starts[surplus] + self._seconds - now

    def take(self, now: float) -> None:
        """Count a start."""
        self._starts.append(now)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleLimits:
    """Discord's bucket for role writes in one guild, and how much of it each lane may use up without spreading out.

    `starts_per_second` is over all guilds, and leaves room for other calls below the 50 that a bot has.
    """

    writes: int = 10
    seconds: float = 10.0
    starts_per_second: int = 40
    unspread: Mapping[Lane, int] = field(
        default_factory=lambda: {Lane.PERSON: 10, Lane.EVENT: 7, Lane.PLAN: 3, Lane.BULK: 2}
    )


class RoleWindow:
    """Spreads a guild's role writes over Discord's fixed window, so that a person never waits for a new one.

    discord.py holds the call that takes the last token until the window resets. Bulk that spends ten tokens in the
    first second would therefore make a person wait nine; spread out, the last token goes in the last second, and the
    bucket is still used up.
    """

    def __init__(self, limits: RoleLimits) -> None:
        """Start with an unopened window."""
        self._limits = limits
        self._opened_at: float | None = None
        self._used = 0

    def delay(self, lane: Lane, now: float) -> float:
        """Return the seconds until a write of this lane should start; 0.0 for now."""
        limits = self._limits
        if self._opened_at is None or now >= self._opened_at + limits.seconds:
            return 0.0
        if lane is Lane.PERSON or self._used < limits.unspread[lane]:
            return 0.0
        turn = min(self._used, limits.writes) * limits.seconds / limits.writes
        return max(0.0, self._opened_at + turn - now)

    def take(self, now: float) -> None:
        """Count a write; the first one after the end of a window opens the next."""
        if self._opened_at is None or now >= self._opened_at + self._limits.seconds:
            self._opened_at = now
            self._used = 0
        self._used += 1
