"""Rate limits: per-route buckets, the global limit, and the count of invalid requests.

Windows are fixed and run on real time, since clients sleep in real time; `time_scale` shrinks them all.
The numbers of RULES are not in Discord's documentation; three independent tables agree on them.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

INVALID_REQUEST_LIMIT = 10_000
INVALID_REQUEST_WINDOW_SECONDS = 600.0
BUCKETS_KEPT = 4_096


@dataclass(frozen=True, slots=True)
class Rule:
    """So many requests in so many seconds, counted per major parameter (guild, channel, webhook)."""

    limit: int
    seconds: float


RULES: dict[str, Rule] = {
    "member-role": Rule(10, 10),
    "member-patch": Rule(10, 10),
    "member-join": Rule(10, 10),
    "member-get": Rule(5, 1),
    "member-list": Rule(10, 10),
    "member-kick": Rule(5, 1),
    "message-post": Rule(5, 5),
    "follow-up": Rule(5, 2),
    "other": Rule(50, 1),
}
GLOBAL = Rule(50, 1)
OUTSIDE_GLOBAL = frozenset({"follow-up"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one request against its bucket; `retry_after_seconds` is None when it may pass."""

    headers: dict[str, str]
    retry_after_seconds: float | None = None
    is_global: bool = False


@dataclass(slots=True)
class _Window:
    ends_at: float
    used: int = 0


class Buckets:
    """All windows of one bot."""

    def __init__(
        self, *, time_scale: float = 1.0, is_enforced: bool = True, now: Callable[[], float] = time.monotonic
    ) -> None:
        """Scale every window by `time_scale`; without enforcement nothing is refused and no limit is told."""
        self.time_scale = time_scale
        self.is_enforced = is_enforced
        self.rules = dict(RULES)
        self.global_rule = GLOBAL
        self._now = now
        self._windows: dict[tuple[str, str], _Window] = {}
        self._global = _Window(ends_at=0.0)
        self._invalid_at: deque[float] = deque(maxlen=INVALID_REQUEST_LIMIT)

    def take(self, bucket: str, major: str) -> Verdict:
        """Count a request. `bucket` names a rule or a route of its own (which then has the rule "other")."""
        if not self.is_enforced:
            return Verdict({})
        if bucket not in OUTSIDE_GLOBAL and (wait := self._take_global()):
            return Verdict(_limited_headers(wait, scope="global") | {"X-RateLimit-Global": "true"}, wait, True)
        rule = self.rules.get(bucket, self.rules["other"])
        window = self._window(self._windows.get((bucket, major)), rule)
        self._windows[bucket, major] = window
        self._forget_old()
        left = max(0.0, window.ends_at - self._now())
        if window.used >= rule.limit:
            headers = _headers(bucket, rule, window, left) | _limited_headers(left, scope="user")
            return Verdict(headers, left)
        window.used += 1
        return Verdict(_headers(bucket, rule, window, left))

    def count_invalid(self) -> None:
        """Count an answer of 401, 403 or 429."""
        self._invalid_at.append(self._now())

    @property
    def invalid_requests(self) -> int:
        """Return how many invalid requests were made in the running ten minutes."""
        since = self._now() - INVALID_REQUEST_WINDOW_SECONDS * self.time_scale
        while self._invalid_at and self._invalid_at[0] <= since:
            self._invalid_at.popleft()
        return len(self._invalid_at)

    @property
    def is_banned(self) -> bool:
        """Say whether Cloudflare turns every request of this address away."""
        return self.is_enforced and self.invalid_requests >= INVALID_REQUEST_LIMIT

    def _take_global(self) -> float:
        self._global = self._window(self._global, self.global_rule)
        if self._global.used >= self.global_rule.limit:
            return max(0.001, self._global.ends_at - self._now())
        self._global.used += 1
        return 0.0

    def _window(self, old: _Window | None, rule: Rule) -> _Window:
        now = self._now()
        if old is None or now >= old.ends_at:
            return _Window(ends_at=now + rule.seconds * self.time_scale)
        return old

    def _forget_old(self) -> None:
        if len(self._windows) > BUCKETS_KEPT:
            now = self._now()
            self._windows = {key: each for key, each in self._windows.items() if each.ends_at > now}


def _headers(bucket: str, rule: Rule, window: _Window, left: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(rule.limit),
        "X-RateLimit-Remaining": str(max(0, rule.limit - window.used)),
        "X-RateLimit-Reset": f"{time.time() + left:.3f}",
        "X-RateLimit-Reset-After": f"{left:.3f}",
        "X-RateLimit-Bucket": _bucket_hash(bucket),
    }


def _limited_headers(wait: float, *, scope: str) -> dict[str, str]:
    # Without Via, discord.py takes a 429 for a ban by Cloudflare.
    return {"Via": "1.1 google", "Retry-After": str(max(1, round(wait))), "X-RateLimit-Scope": scope}


@cache
def _bucket_hash(bucket: str) -> str:
    return hashlib.sha256(bucket.encode()).hexdigest()[:32]
