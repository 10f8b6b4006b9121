"""A plan in words for staff: its rules, its roles, and why something happens to somebody. Pure, no discord.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cogs.words import code_text, reason_text
from membership.model import GrantState, OnEnd, OnPastDue, Plan, RoleId
from membership.plan_effects import EXEMPT, NEW_ROLE

ENDS: Mapping[OnEnd, str] = {
    OnEnd.REMOVE_ROLES: "remove role",
    OnEnd.NOTHING: "keep everything",
    OnEnd.KICK: "kick",
    OnEnd.REMOVE_ALL_ROLES: "remove all roles",
}
LATE: Mapping[OnPastDue, str] = {
    OnPastDue.KEEP: "keep the role",
    OnPastDue.KEEP_AND_ROLE: "keep it, and add the past-due role",
    OnPastDue.SWAP: "swap it for the past-due role",
    OnPastDue.REMOVE: "remove it at once",
}
STATES: Mapping[GrantState, str] = {
    GrantState.DELIVERED: "active",
    GrantState.PAST_DUE: "past due",
    GrantState.PENDING: "waiting",
    GrantState.FAILED: "failed",
    GrantState.HELD: "held",
    GrantState.REVOKED: "ended",
}
_OBSTACLES: Mapping[str, str] = {
    EXEMPT: "exempt: left alone",
    "not_in_server": "not in the server",
    "above_bot": "the role is above my own",
    "no_permission": "I am missing Manage Roles",
    "role_deleted": "the role was deleted",
    "": "nothing gives it any more",
}


def why_text(why: str) -> str:
    """Say why an effect happens, or what is in its way."""
    return _OBSTACLES.get(why) or reason_text(why)


def roles_text(roles: Iterable[RoleId], plan_name: str) -> str:
    """Write roles as mentions; the one that is not made yet by the name it will have."""
    named = (f"**@{code_text(plan_name)}** (new)" if role == NEW_ROLE else f"<@&{role}>" for role in roles)
    return " ".join(named)


def rule_lines(plan: Plan) -> list[tuple[str, str]]:
    """Return a plan's rules as (what it is about, what happens)."""
    late = LATE[plan.on_past_due]
    if plan.on_past_due in (OnPastDue.KEEP_AND_ROLE, OnPastDue.SWAP) and plan.past_due_role_id is not None:
        late = f"{late} <@&{plan.past_due_role_id}>"
    if plan.on_past_due is not OnPastDue.REMOVE:
        late = f"{late}, for {days_text(plan.grace_days)}"
    return [
        ("When it ends", ENDS[plan.on_end]),
        ("After a refund or lost dispute", ENDS[plan.on_refund] if plan.on_refund else "the same as when it ends"),
        ("Payment failed", late),
        ("In trial", f"<@&{plan.trial_role_id}> instead" if plan.trial_role_id else "the plan's roles"),
        ("Paused", "keeps access" if plan.paused_grants else "access ends"),
        ("One-time purchase lasts", days_text(plan.duration_days) if plan.duration_days else "for ever"),
    ]


def changed_lines(before: Plan, after: Plan) -> list[str]:
    """Say what differs between two forms of a plan, one line each."""
    lines = [_change("Name", code_text(before.name), code_text(after.name))]
    lines.append(_change("Roles", _roles(before), _roles(after)))
    added = len(set(after.products) - set(before.products))
    gone = len(set(before.products) - set(after.products))
    if added or gone:
        lines.append(f"**Products:** {added} added, {gone} taken out")
    pairs = zip(rule_lines(before), rule_lines(after), strict=True)
    lines += [_change(name, old, new) for (name, old), (_, new) in pairs]
    if before.is_archived != after.is_archived:
        lines.append("**Archived:** nobody new gets it" if after.is_archived else "**On sale again**")
    return [line for line in lines if line]


def days_text(days: int) -> str:
    """Write a number of days."""
    return "1 day" if days == 1 else f"{days} days"


def people_text(number: int) -> str:
    """Write a number of members."""
    return "1 member" if number == 1 else f"{number:,} members"


def _roles(plan: Plan) -> str:
    return roles_text(plan.roles, plan.name) or "none: membership of the server alone"


def _change(name: str, before: str, after: str) -> str:
    return "" if before == after else f"**{name}:** {before} → {after}"
