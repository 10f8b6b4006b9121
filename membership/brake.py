"""The brake: which removals may go on and which wait for a person (law 6). Pure. Grants never come here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from membership.policy import Policy
from membership.records import RemovalCounts

WINDOW = timedelta(hours=24)


class Verdict(StrEnum):
    """Whether one removal goes on, or why it waits."""

    ALLOW = "allow"
    UNEVIDENCED = "unevidenced"
    TOO_MANY_REMOVALS = "too_many_removals"
    TOO_MANY_KICKS = "too_many_kicks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """One removal before the act: a role, or the whole member when `is_kick`.

    `is_released`: a person said yes to this very removal. `is_counted`: an earlier try of it was counted already, so
    that a retry takes no second place in the window.
    """

    is_kick: bool
    is_evidenced: bool
    is_released: bool
    is_counted: bool = False


def brake(proposed: Proposed, counts: RemovalCounts, policy: Policy) -> Verdict:
    """Judge one removal against what the rolling 24 hours of its guild have already seen (`counts`, without it)."""
    if proposed.is_released:
        return Verdict.ALLOW
    if not proposed.is_evidenced:
        return Verdict.UNEVIDENCED
    if proposed.is_counted:
        return Verdict.ALLOW
    if proposed.is_kick:
        allowed = max(policy.brake_kicks, counts.paying * policy.brake_kick_percent // 100)
        return Verdict.ALLOW if counts.kicks < allowed else Verdict.TOO_MANY_KICKS
    allowed = max(policy.brake_removals, counts.paying * policy.brake_removal_percent // 100)
    return Verdict.ALLOW if counts.roles < allowed else Verdict.TOO_MANY_REMOVALS
