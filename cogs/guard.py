"""What keeps us from hammering Discord with calls it refuses: breakers per subject, and a limit on refusals over all.

Discord bans an address for a while after 10,000 invalid answers (401, 403, 429) in 10 minutes; we stop long before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from datetime import timedelta

from membership.errors import Audience, Blocked, DoorlistError, Gone, Reason, Retry

BREAKER_SECONDS = 3600.0
MOST_REFUSALS = 1000
REFUSAL_WINDOW_SECONDS = 600.0
MOST_UNAUTHORIZED = 3

_TRIPPING = {Reason.MISSING_PERMISSION, Reason.MISSING_ACCESS, Reason.ROLE_ABOVE_BOT}


class Breakers:
    """Remembers for an hour what Discord refused for good, so that each refusal is asked for once (threats D01)."""

    def __init__(self) -> None:
        """Start with every breaker closed."""
        self._open: dict[tuple[int, Hashable], tuple[DoorlistError, float]] = {}

    def refusal(self, guild_id: int, subject: Hashable, now: float) -> DoorlistError | None:
        """Return a fresh copy of the remembered refusal, None when the call may be tried."""
        failure, until = self._open.get((guild_id, subject), (None, 0.0))
        if failure is None:
            return None
        if until <= now:
            del self._open[guild_id, subject]
            return None
        return _again(failure)

    def note(self, guild_id: int, subject: Hashable, failure: DoorlistError, now: float) -> None:
        """Open the breaker if the failure stays until somebody changes roles or permissions."""
        if isinstance(failure, Blocked) and failure.reason in _TRIPPING:
            self._open[guild_id, subject] = failure, now + BREAKER_SECONDS
        if isinstance(failure, Gone) and failure.what == "role":
            self._open[guild_id, subject] = failure, now + BREAKER_SECONDS

    def reset(self, guild_id: int) -> None:
        """Close every breaker of a guild: its roles or our permissions changed."""
        self._open = {key: kept for key, kept in self._open.items() if key[0] != guild_id}


class Refusals:
    """Counts the answers that lead to a ban, and stops calling before Discord does (threats D16, D17)."""

    def __init__(self) -> None:
        """Start with nothing refused."""
        self._times: deque[float] = deque(maxlen=MOST_REFUSALS)
        self._unauthorized = 0

    def check(self, now: float) -> None:
        """Raise Blocked after three 401 in a row, Retry at 1,000 refusals in ten minutes; return when we may call."""
        if self._unauthorized >= MOST_UNAUTHORIZED:
            detail = "Discord no longer accepts the bot's token"
            raise Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR, detail=detail)
        if len(self._times) == MOST_REFUSALS:
            wait = self._times[0] + REFUSAL_WINDOW_SECONDS - now
            if wait > 0:
                raise Retry("Discord refused too many calls, waiting", after=timedelta(seconds=wait))

    def note(self, status: int, now: float) -> None:
        """Count an answer by its HTTP status; a good one ends a row of 401."""
        if status in (401, 403, 429):
            self._times.append(now)
        self._unauthorized = self._unauthorized + 1 if status == 401 else 0

    def forgive(self) -> None:
        """Allow calls again after a new login succeeded."""
        self._unauthorized = 0


def _again(failure: DoorlistError) -> DoorlistError:
    """Copy a failure: one exception object must not be raised in two places, its traceback would grow."""
    match failure:
        case Blocked():
            return Blocked(failure.reason, audience=failure.audience, detail=failure.detail)
        case Gone():
            return Gone(failure.what)
        case _:
            raise TypeError(f"{failure!r} does not open a breaker")
