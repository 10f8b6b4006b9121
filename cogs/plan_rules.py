"""What `/plan rules` asks to change about a plan, and what that means for members who are late today. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from cogs.plan_words import days_text, people_text, roles_text
from membership.errors import UserError
from membership.model import OnEnd, OnPastDue, Plan, Purchase, RoleId

SAME = "same"
"""The choice "same as cancel" for refunds."""
MOST_LINES = 5
_DAY = timedelta(days=1)


class Clear(StrEnum):
    """What can be taken out of a plan's rules."""

    PAST_DUE_ROLE = "past_due_role"
    TRIAL_ROLE = "trial_role"
    DURATION = "duration"


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesWish:
    """What somebody filled in; what they left out stays as it is."""

    on_cancel: str = ""
    on_refund: str = ""
    past_due: str = ""
    clear: str = ""
    grace_days: int | None = None
    duration_days: int | None = None
    past_due_role_id: RoleId | None = None
    trial_role_id: RoleId | None = None
    paused_grants: bool | None = None

    @property
    def is_empty(self) -> bool:
        """Say whether nothing was filled in."""
        return self == RulesWish()


def with_rules(plan: Plan, wish: RulesWish) -> Plan:
    """Return a plan with the rules that somebody wishes. Raises UserError."""
    changed = replace(
        plan,
        grace_days=plan.grace_days if wish.grace_days is None else wish.grace_days,
        duration_days=wish.duration_days or plan.duration_days,
        past_due_role_id=wish.past_due_role_id or plan.past_due_role_id,
        trial_role_id=wish.trial_role_id or plan.trial_role_id,
        paused_grants=plan.paused_grants if wish.paused_grants is None else wish.paused_grants,
    )
    try:
        changed = replace(
            changed,
            on_end=OnEnd(wish.on_cancel or plan.on_end),
            on_refund=plan.on_refund if not wish.on_refund else _refund_rule(wish.on_refund),
            on_past_due=OnPastDue(wish.past_due) if wish.past_due else _late_rule(plan, wish),
        )
        return _cleared(changed, Clear(wish.clear)) if wish.clear else changed
    except ValueError as error:
        raise UserError("There is no such rule. Pick one from the list.") from error


def late_lines(before: Plan, after: Plan, late: Iterable[Purchase], now: datetime) -> list[str]:
    """Say for whom of those who are late today the end of grace moves, and to when."""
    moved: Counter[tuple[int, int]] = Counter()
    for purchase in late:
        old, new = (_days_left(plan, purchase, now) for plan in (before, after))
        if old != new:
            moved[old, new] += 1
    roles = roles_text(after.roles, after.name) or "their place"
    return [
        f"{people_text(number)} past due would lose {roles} {_in(new)} instead of {_in(old)}"
        for (old, new), number in moved.most_common(MOST_LINES)
    ]


def _late_rule(plan: Plan, wish: RulesWish) -> OnPastDue:
    """Take a past-due role without a word on what it is for as one that is added."""
    is_unused = plan.on_past_due in (OnPastDue.KEEP, OnPastDue.REMOVE)
    return OnPastDue.KEEP_AND_ROLE if wish.past_due_role_id is not None and is_unused else plan.on_past_due


def _refund_rule(text: str) -> OnEnd | None:
    return None if text == SAME else OnEnd(text)


def _cleared(plan: Plan, clear: Clear) -> Plan:
    match clear:
        case Clear.PAST_DUE_ROLE:
            return replace(plan, past_due_role_id=None, on_past_due=OnPastDue.KEEP)
        case Clear.TRIAL_ROLE:
            return replace(plan, trial_role_id=None)
        case Clear.DURATION:
            return replace(plan, duration_days=None)


def _days_left(plan: Plan, purchase: Purchase, now: datetime) -> int:
    """Return the days of grace that are left, rounded up; 0: it is over."""
    if plan.on_past_due is OnPastDue.REMOVE:
        return 0
    ends_at = (purchase.past_due_since or purchase.read_at) + plan.grace_days * _DAY
    return max(0, -((now - ends_at) // _DAY))


def _in(days: int) -> str:
    return "now" if days == 0 else f"in {days_text(days)}"
