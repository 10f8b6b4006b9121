"""Counts what each person types and presses, so that nobody floods Doorlist: the limits are in paces.py."""

from __future__ import annotations

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from cogs.paces import Paces
from cogs.rights import Right

SECONDS = 10


class Turnstile:
    """Lets people through, as often as they may: staff's things and everybody's are counted apart."""

    def __init__(self, paces: Paces) -> None:
        """Take the limits."""
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._of_staff = RateLimitItemPerSecond(paces.staff_presses, SECONDS, namespace="staff")
        self._of_members = RateLimitItemPerSecond(paces.member_presses, SECONDS, namespace="member")

    async def passes(self, user_id: int, right: Right) -> bool:
        """Count one press of something that needs a right; False when it was one too many."""
        limit = self._of_members if right is Right.MEMBER else self._of_staff
        return await self._window.hit(limit, str(user_id))
