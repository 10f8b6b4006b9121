"""Faults on demand for the API, and the log of what was asked: tests assert the read budget with its counters."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Answer = Literal["status", "empty", "half", "garbage", "truncated", "reset", "hang", "delay"]

_LOG_LENGTH = 20_000


@dataclass(slots=True, kw_only=True)
class Fault:
    """What to do with matching requests instead of, or on top of, the true answer.

    `status` answers with `status`/`body`; `empty` and `half` cut a true list; `truncated` breaks off inside the body;
    `reset` closes the connection; `hang` stays silent and `delay` waits for `seconds`. `times=None` means for ever.
    """

    answer: Answer
    method: str = "*"
    path: str = ".*"
    status: int = 500
    body: str = '{"error": {"type": "api_error", "message": "An unknown error occurred"}}'
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 60.0
    times: int | None = None

    def matches(self, method: str, path: str) -> bool:
        """Say whether a request is meant."""
        return self.method in ("*", method) and re.search(self.path, path) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One request and the status it got (0 when there was no answer)."""

    method: str
    path: str
    query: str
    status: int
    at: datetime


class Faults:
    """The faults in force, tried in the order in which they were added."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force and return it."""
        self._rules.append(fault)
        return fault

    def rate_limit(self, reason: str = "endpoint-rate", *, path: str = ".*", times: int | None = None) -> Fault:
        """Answer 429 the way Stripe does: the reason stands in a header only."""
        body = '{"error": {"type": "invalid_request_error", "code": "rate_limit", "message": "Rate limit exceeded."}}'
        headers = {"Stripe-Rate-Limited-Reason": reason}
        return self.add(Fault(answer="status", status=429, body=body, headers=headers, path=path, times=times))

    def remove(self, fault: Fault) -> None:
        """Take a fault out of force; one that has used itself up is no error."""
        self._rules = [rule for rule in self._rules if rule is not fault]

    def clear(self) -> None:
        """Answer everything truly again."""
        self._rules.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the fault for a request and count it; None for a true answer."""
        for rule in self._rules:
            if not rule.matches(method, path):
                continue
            if rule.times is not None:
                rule.times -= 1
                if rule.times <= 0:
                    self.remove(rule)
            return rule
        return None


class RequestLog:
    """The last requests, and counters by `METHOD /path/{id}` that never forget until `reset`."""

    def __init__(self) -> None:
        self.lines: deque[Line] = deque(maxlen=_LOG_LENGTH)
        self.counts: Counter[str] = Counter()

    def note(self, line: Line, template: str) -> None:
        """Write a request down."""
        self.lines.append(line)
        self.counts[template] += 1

    def reads(self) -> int:
        """Return how many GETs there were: what Stripe's read allocation counts."""
        return sum(number for template, number in self.counts.items() if template.startswith("GET "))

    def reset(self) -> None:
        """Forget everything."""
        self.lines.clear()
        self.counts.clear()
