"""The words of the event log in a server's channel (EXPERIENCE 5.2). Pure: facts in, an entry out; no discord.py.

Facts are plain JSON values, all optional: `user_id`, `name`, `plan`, `from_plan`, `role_ids`, `reason`, `detail`,
`fix`, `count`, `limit`, `amount` + `currency` (minor units), `interval`, `next_at`, `until`, `seconds`, `tries`,
`grant_id`, `number`, `at`, `is_removal` (what failed was to take a role).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cogs.words import code_text, date, money, reason_text, role_mentions

GREEN, GREY, RED, AMBER, BLUE = 0x2E8B57, 0x8A8F98, 0xD64545, 0xE0A020, 0x3B7DD8

Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as people see it. `is_loud`: it may make a sound, somebody has to act."""

    title: str
    lines: tuple[str, ...]
    colour: int
    footer: str
    at: datetime | None
    is_loud: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    icon: str
    colour: int
    title: Callable[[Facts], str]
    lines: Callable[[Facts], tuple[str, ...]]
    is_loud: bool = False


def entry(event: str, facts: Facts) -> Entry:
    """Word an event. A name without words of its own is shown as it is, never dropped."""
    kind = _KINDS.get(event) or _Kind(icon="🔵", colour=BLUE, title=lambda _: code_text(event), lines=_because)
    return Entry(
        title=f"{kind.icon} {kind.title(facts)}",
        lines=tuple(line for line in kind.lines(facts) if line),
        colour=kind.colour,
        footer=_footer(facts),
        at=_moment(facts.get("at")),
        is_loud=kind.is_loud,
    )


def _footer(facts: Facts) -> str:
    parts = [
        f"#{facts['number']}" if "number" in facts else "",
        f"grant {facts['grant_id']}" if "grant_id" in facts else "",
        f"{facts['tries']} tries" if "tries" in facts else "",
    ]
    return " · ".join(part for part in parts if part)


def _moment(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        return None
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _who(facts: Facts) -> str:
    # A title does not render mentions: it has the name, and the first line below has the mention.
    if "count" in facts:
        return f"{facts['count']} members"
    return f"@\u200b{code_text(str(facts['name']))}" if facts.get("name") else "a member"


def _person(facts: Facts) -> str:
    return f"<@{facts['user_id']}>" if "user_id" in facts else ""


def _done(facts: Facts) -> str:
    return "taken from" if facts.get("is_removal") else "given to"


def _plan(facts: Facts) -> str:
    return code_text(str(facts.get("plan") or "The role"))


def _roles(facts: Facts) -> str:
    return role_mentions(facts.get("role_ids"))


def _because(facts: Facts) -> tuple[str, ...]:
    reason = reason_text(facts.get("reason"))
    detail = code_text(str(facts.get("detail") or ""))
    return _person(facts), f"Because: {reason}" if reason else "", detail


def _given(facts: Facts) -> tuple[str, ...]:
    paid = f"Paid {money(facts)}" if "amount" in facts else ""
    interval = str(facts.get("interval") or "")
    following = f"next {date(facts['next_at'])}" if facts.get("next_at") else ""
    seconds = f"From payment to role: {float(str(facts['seconds'])):.1f} s" if "seconds" in facts else ""
    payment = " · ".join(part for part in (paid, interval, following) if part)
    return _person(facts), _roles(facts), payment, seconds


def _taken(facts: Facts) -> tuple[str, ...]:
    return *_because(facts), _roles(facts)


def _not_given(facts: Facts) -> tuple[str, ...]:
    fix = code_text(str(facts.get("fix") or ""))
    return *_because(facts), _roles(facts), f"Fix: {fix}" if fix else ""


def _held(facts: Facts) -> tuple[str, ...]:
    limit = f"The limit is {facts['limit']} in 24 hours. " if "limit" in facts else ""
    return f"{limit}Everyone keeps access until you decide.", *_because(facts)


def _until(facts: Facts) -> tuple[str, ...]:
    until = f"Access until {date(facts['until'])}" if facts.get("until") else ""
    return *_because(facts), until


def _swapped(facts: Facts) -> tuple[str, ...]:
    before = f"Before: {code_text(str(facts['from_plan']))}" if facts.get("from_plan") else ""
    return _person(facts), before, _roles(facts)


def _held_title(facts: Facts) -> str:
    return f"{facts['count']} removals held" if "count" in facts else "Removals are held"


_KINDS: Mapping[str, _Kind] = {
    "grant.created": _Kind(icon="🔵", colour=BLUE, title=lambda f: f"{_plan(f)} bought", lines=_given),
    "grant.delivered": _Kind(icon="✅", colour=GREEN, title=lambda f: f"{_plan(f)} given to {_who(f)}", lines=_given),
    "grant.revoked": _Kind(
        icon="⚪", colour=GREY, title=lambda f: f"{_plan(f)} taken back from {_who(f)}", lines=_taken
    ),
    "grant.changed": _Kind(icon="🔵", colour=BLUE, title=lambda f: f"{_plan(f)} now for {_who(f)}", lines=_swapped),
    "grant.failed": _Kind(
        icon="⚠️", colour=RED, title=lambda f: f"{_plan(f)} not {_done(f)} {_who(f)}", lines=_not_given, is_loud=True
    ),
    "grant.held": _Kind(
        icon="🛑", colour=AMBER, title=lambda f: f"{_plan(f)} left as it is for {_who(f)}", lines=_because, is_loud=True
    ),
    "grant.past_due": _Kind(icon="🟠", colour=AMBER, title=lambda f: f"{_plan(f)}: payment failed", lines=_until),
    "grant.recovered": _Kind(icon="✅", colour=GREEN, title=lambda f: f"{_plan(f)}: payment recovered", lines=_given),
    "grant.ending": _Kind(icon="🔵", colour=BLUE, title=lambda f: f"{_plan(f)} is ending", lines=_until),
    "grant.paused": _Kind(icon="⏸️", colour=GREY, title=lambda f: f"{_plan(f)} paused", lines=_taken),
    "grant.resumed": _Kind(icon="✅", colour=GREEN, title=lambda f: f"{_plan(f)} resumed", lines=_given),
    "role.added": _Kind(icon="✅", colour=GREEN, title=lambda f: f"Role given to {_who(f)}", lines=_taken),
    "role.removed": _Kind(icon="⚪", colour=GREY, title=lambda f: f"Role taken from {_who(f)}", lines=_taken),
    "role.drift_fixed": _Kind(icon="🔵", colour=BLUE, title=lambda f: f"Role put right for {_who(f)}", lines=_taken),
    "role.manual_change": _Kind(
        icon="🔵", colour=BLUE, title=lambda f: f"Role changed by hand for {_who(f)}", lines=_taken
    ),
    "role.deleted": _Kind(
        icon="⚠️", colour=RED, title=lambda f: f"The role of {_plan(f)} was deleted", lines=_not_given, is_loud=True
    ),
    "member.kicked": _Kind(icon="⚪", colour=GREY, title=lambda f: f"Kicked: {_who(f)}", lines=_because),
    "member.joined_with_grant": _Kind(icon="🔵", colour=BLUE, title=lambda _: "A paying member joined", lines=_given),
    "member.left_with_grant": _Kind(icon="⚪", colour=GREY, title=lambda _: "A paying member left", lines=_because),
    "link.created": _Kind(icon="🔵", colour=BLUE, title=lambda _: "Purchase connected", lines=_because),
    "link.moved": _Kind(icon="🔵", colour=BLUE, title=lambda _: "Purchase moved to another account", lines=_because),
    "link.removed": _Kind(icon="⚪", colour=GREY, title=lambda _: "Purchase disconnected", lines=_because),
    "payment.failed": _Kind(icon="🟠", colour=AMBER, title=lambda f: f"{_plan(f)}: payment failed", lines=_until),
    "payment.refunded": _Kind(icon="⚪", colour=GREY, title=lambda f: f"{_plan(f)} refunded", lines=_because),
    "payment.disputed": _Kind(
        icon="🔴", colour=RED, title=lambda f: f"{_plan(f)}: payment disputed", lines=_because, is_loud=True
    ),
    "brake.held": _Kind(icon="🛑", colour=AMBER, title=_held_title, lines=_held, is_loud=True),
    "brake.released": _Kind(
        icon="🔵", colour=BLUE, title=lambda f: f"{f.get('count', 'Held')} removals released", lines=_because
    ),
    "bot.lost_permission": _Kind(
        icon="⚠️", colour=RED, title=lambda _: "I am missing a permission", lines=_not_given, is_loud=True
    ),
    "claim.failed_often": _Kind(icon="🟠", colour=AMBER, title=lambda _: "Many wrong codes", lines=_because),
}
