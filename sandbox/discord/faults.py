"""Trouble on demand: which requests are answered wrongly, late or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from sandbox.discord.world import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a route (or a fault) answers. A `body` of None is no body; `text` is sent as it is, for broken JSON."""

    status: int = 204
    body: Json | list[Json] | None = None
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def rate_limited(retry_after_seconds: float, *, is_global: bool = False) -> Answer:
    """Return a 429 as Discord sends it."""
    scope = {"X-RateLimit-Scope": "global" if is_global else "user"}
    body: Json = {"message": "You are being rate limited.", "retry_after": retry_after_seconds, "global": is_global}
    headers = {"Via": "1.1 google", "Retry-After": str(max(1, round(retry_after_seconds)))} | scope
    return Answer(status=429, body=body | {"code": 0}, headers=headers)


def refused(status: int, code: int, message: str = "Refused") -> Answer:
    """Return a refusal with one of Discord's error codes."""
    return Answer(status=status, body={"message": message, "code": code})


@dataclass(slots=True, kw_only=True)
class Fault:
    """A rule: the next `times` requests that fit are answered with `answer`; None `times` is until removed.

    `path` is a regular expression searched in the path below the API prefix, e.g. `/members/1/roles/`.
    "reset" cuts the connection, "hang" never answers, "lie" says 2xx and does nothing; None only delays.
    With `after_effect` the request is carried out first and then answered like this.
    """

    method: str = ".*"
    path: str = ".*"
    answer: Answer | Literal["reset", "hang", "lie"] | None = None
    delay_seconds: float = 0.0
    times: int | None = 1
    after_effect: bool = False

    def fits(self, method: str, path: str) -> bool:
        """Say whether the rule is for this request and still has turns."""
        has_turns = self.times is None or self.times > 0
        return has_turns and bool(re.fullmatch(self.method, method) and re.search(self.path, path))


class Faults:
    """The rules in force, first fit first."""

    def __init__(self) -> None:
        self._rules: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a rule in force and return it, so that it can be removed."""
        self._rules.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Take a rule back, spent or not."""
        self._rules = [each for each in self._rules if each is not fault]

    def clear(self) -> None:
        """Take all rules back."""
        self._rules.clear()

    def take(self, method: str, path: str) -> Fault | None:
        """Return the rule for a request and use up one of its turns."""
        for fault in self._rules:
            if fault.fits(method, path):
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        self.remove(fault)
                return fault
        return None
