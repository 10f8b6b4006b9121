"""The words of the event log in a server's channel (EXPERIENCE 5.2). Pure: facts in, an entry out; no discord.py.

Facts are plain JSON values, all optional: `user_id`, `name`, `plan`, `from_plan`, `role_ids`, `reason`, `detail`,
`fix`, `count`, `listed`, `limit`, `amount` + `currency` (minor units), `interval`, `next_at`, `until`, `seconds`,
`tries`, `grant_id`, `number`, `at`, `actor`, `summary`, `permission`, `channel_id`, `is_removal` (it was to take a
role), `change_id`, `batch_id`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from cogs.cards import Button, Style
from cogs.member_words import summary_text
from cogs.refusals import retry_text, staff_fix
from cogs.words import clock_time, code_text, date, money, reason_text, role_mentions
from membership.errors import Reason

GREEN, GREY, RED, AMBER, BLUE = 0x2E8B57, 0x8A8F98, 0xD64545, 0xE0A020, 0x3B7DD8

_RHYTHMS: Mapping[str, str] = {"day": "daily", "week": "weekly", "month": "monthly", "year": "yearly"}

Facts = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry as people see it. Its buttons ask again who presses them."""

    title: str
    lines: tuple[str, ...]
    colour: int
    footer: str
    at: datetime | None
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    icon: str
    colour: int
    title: Callable[[Facts], str]
    lines: Callable[[Facts], tuple[str, ...]]
    has_why: bool = False
    has_retry: bool = False


def entry(event: str, facts: Facts) -> Entry:
    """Word an event. A name without words of its own is shown as it is, never dropped."""
    kind = _KINDS.get(event) or _Kind(icon="🔵", colour=BLUE, title=lambda _: code_text(event), lines=_because)
    return Entry(
        title=f"{kind.icon} {kind.title(facts)}",
        lines=tuple(line for line in (*kind.lines(facts), _by(facts)) if line),
        colour=kind.colour,
        footer=_footer(facts),
        at=moment(facts.get("at")),
        buttons=tuple(_buttons(kind, facts)),
    )


def solved(facts: Facts) -> str:
    """Say in one line that a problem is over, and since when."""
    at = moment(facts.get("at"))
    time = f" {clock_time(at)}" if at else ""
    return f"✅ solved{time}" if facts.get("is_solved") else f"⚪ closed{time}"


def listing(facts: Facts) -> str:
    """Write the list that goes with a message about many, a line each; "" where there is none."""
    listed = facts.get("listed")
    if not isinstance(listed, list):
        return ""
    return "".join(f"{_listed(each)}\n" for each in listed if isinstance(each, Mapping))


def _listed(each: Facts) -> str:
    name, number = str(each.get("name") or ""), each.get("number")
    parts = (
        f"#{number}" if number else "",
        str(each.get("at") or ""),
        str(each.get("plan") or ""),
        " ".join(f"{name} ({each['user_id']})".split()) if each.get("user_id") else name,
        reason_text(each.get("reason")),
    )
    return " · ".join(part for part in parts if part)


def _buttons(kind: _Kind, facts: Facts) -> Iterator[Button]:
    user_id = "" if "count" in facts else facts.get("user_id", "")
    if facts.get("change_id"):
        yield Button(label="Undo", action="undo", args=(facts["change_id"],))
    if facts.get("batch_id"):
        yield Button(label="Review", action="brake-show", args=(facts["batch_id"],), style=Style.MAIN)
    if kind.has_retry and user_id:
        yield Button(label="Retry now", action="retry", args=(user_id,), style=Style.MAIN)
    if kind.has_why and user_id:
        yield Button(label="Why", action="member-why", args=(user_id,))


def _by(facts: Facts) -> str:
    kind, _, person = str(facts.get("actor") or "").partition(":")
    if kind == "staff" and facts.get("is_to_self"):
        return f"By <@{person}>, for themselves"
    return f"By <@{person}>" if kind == "staff" and person.isdecimal() else ""


def _footer(facts: Facts) -> str:
    parts = [
        f"#{facts['number']}" if "number" in facts else "",
        f"grant {facts['grant_id']}" if "grant_id" in facts else "",
        f"{facts['tries']} tries" if "tries" in facts else "",
    ]
    return " · ".join(part for part in parts if part)


def moment(value: object) -> datetime | None:
    """Read a moment of the facts, None for none."""
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
    if not facts.get("currency"):
        # What staff gave or a code gave has no price, and no payment to measure from.
        return _person(facts), _roles(facts)
    paid = f"Paid {money(facts)}" if "amount" in facts else ""
    interval = str(facts.get("interval") or "")
    interval = _RHYTHMS.get(interval, code_text(interval))
    following = f"next {date(facts['next_at'])}" if facts.get("next_at") else ""
    seconds = f"From payment to role: {float(str(facts['seconds'])):.1f} s" if "seconds" in facts else ""
    payment = " · ".join(part for part in (paid, interval, following) if part)
    return _person(facts), _roles(facts), payment, seconds


def _taken(facts: Facts) -> tuple[str, ...]:
    return *_because(facts), _roles(facts)


def _not_given(facts: Facts) -> tuple[str, ...]:
    fix = code_text(str(facts.get("fix") or "")) or _known_fix(facts)
    return *_because(facts), _roles(facts), f"Fix: {fix}" if fix else ""


def _known_fix(facts: Facts) -> str:
    """Say what staff do about a refusal of Discord's, and when it is tried again; "" for anything else."""
    reason, role_ids = str(facts.get("reason") or ""), facts.get("role_ids")
    if reason not in set(Reason):
        return ""
    role_id = role_ids[0] if isinstance(role_ids, list) and len(role_ids) == 1 else ""
    fix = staff_fix(Reason(reason), {**facts, "role_id": role_id})
    return f"{fix} {retry_text(Reason(reason))}".strip() if fix else ""


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


def _summary(facts: Facts) -> tuple[str, ...]:
    summary = summary_text(str(facts.get("summary") or ""))
    detail = code_text(str(facts.get("detail") or ""))
    reason = f"Reason: {reason_text(facts['reason'])}" if facts.get("reason") else ""
    return _person(facts), summary, detail, reason


def _paused(facts: Facts) -> tuple[str, ...]:
    return "No role changes until somebody uses /doorlist resume.", *_summary(facts)


def _unheard(facts: Facts) -> tuple[str, ...]:
    return (
        *_summary(facts),
        "Nothing is lost: I ask the payment provider every hour. /doorlist doctor says what is wrong.",
    )


def _unusable(facts: Facts) -> tuple[str, ...]:
    dangers = facts.get("dangers")
    named = ", ".join(str(each) for each in dangers) if isinstance(dangers, list) else ""
    return *_not_given(facts), f"Dangerous permissions: {named}" if named else ""


def _no_channel(facts: Facts) -> tuple[str, ...]:
    why = reason_text(facts.get("reason")) if facts.get("reason") != "channel_gone" else "the channel was deleted"
    where = f"<#{facts['channel_id']}>" if facts.get("channel_id") else ""
    return (
        where,
        f"Because: {why}",
        "I send you what needs somebody; the rest is in /doorlist digest and the audit.",
        "Fix: choose another channel with /doorlist settings, or let me view it, send messages and embed links there.",
    )


_KINDS: Mapping[str, _Kind] = {
    "grant.created": _Kind(icon="🔵", colour=BLUE, title=lambda f: f"{_plan(f)}: subscription created", lines=_given),
    "grant.trial_started": _Kind(icon="🔵", colour=BLUE, title=lambda f: f"{_plan(f)}: trial started", lines=_until),
    "grant.delivered": _Kind(icon="✅", colour=GREEN, title=lambda f: f"{_plan(f)} given to {_who(f)}", lines=_given),
    "grant.revoked": _Kind(
        icon="⚪", colour=GREY, title=lambda f: f"{_plan(f)} taken back from {_who(f)}", lines=_taken, has_why=True
    ),
    "grant.changed": _Kind(icon="🔵", colour=BLUE, title=lambda f: f"{_plan(f)} now for {_who(f)}", lines=_swapped),
    "grant.failed": _Kind(
        icon="⚠️",
        colour=RED,
        title=lambda f: f"{_plan(f)} not {_done(f)} {_who(f)}",
        lines=_not_given,
        has_why=True,
        has_retry=True,
    ),
    "grant.held": _Kind(
        icon="🛑",
        colour=AMBER,
        title=lambda f: f"{_plan(f)} left as it is for {_who(f)}",
        lines=_because,
        has_why=True,
        has_retry=True,
    ),
    "grant.past_due": _Kind(
        icon="🟠", colour=AMBER, title=lambda f: f"{_plan(f)}: payment overdue", lines=_until, has_why=True
    ),
    "grant.recovered": _Kind(icon="✅", colour=GREEN, title=lambda f: f"{_plan(f)}: payment recovered", lines=_given),
    "grant.ending": _Kind(icon="🔵", colour=BLUE, title=lambda f: f"{_plan(f)} cancelled", lines=_until),
    "grant.paused": _Kind(icon="⏸️", colour=GREY, title=lambda f: f"{_plan(f)} paused", lines=_taken),
    "grant.resumed": _Kind(icon="✅", colour=GREEN, title=lambda f: f"{_plan(f)} resumed", lines=_given),
    "role.added": _Kind(icon="✅", colour=GREEN, title=lambda f: f"Role given to {_who(f)}", lines=_taken),
    "role.removed": _Kind(icon="⚪", colour=GREY, title=lambda f: f"Role taken from {_who(f)}", lines=_taken),
    "role.drift_fixed": _Kind(icon="🔵", colour=BLUE, title=lambda f: f"Role put right for {_who(f)}", lines=_taken),
    "role.manual_change": _Kind(
        icon="🔵", colour=BLUE, title=lambda f: f"Role {_done(f)} {_who(f)} by hand", lines=_taken, has_why=True
    ),
    "role.deleted": _Kind(
        icon="⚠️", colour=RED, title=lambda f: f"The role of {_plan(f)} was deleted", lines=_not_given
    ),
    "member.kicked": _Kind(icon="⚪", colour=GREY, title=lambda f: f"Kicked: {_who(f)}", lines=_because),
    "member.joined_with_grant": _Kind(icon="🔵", colour=BLUE, title=lambda _: "A paying member joined", lines=_given),
    "member.left_with_grant": _Kind(icon="⚪", colour=GREY, title=lambda _: "A paying member left", lines=_because),
    "link.created": _Kind(icon="🔵", colour=BLUE, title=lambda _: "Purchase connected", lines=_because),
    "link.moved": _Kind(icon="🔵", colour=BLUE, title=lambda _: "Purchase moved to another account", lines=_because),
    "link.removed": _Kind(icon="⚪", colour=GREY, title=lambda _: "Purchase disconnected", lines=_because),
    "payment.succeeded": _Kind(icon="💶", colour=GREEN, title=lambda f: f"{_plan(f)} paid", lines=_given),
    "payment.failed": _Kind(icon="🟠", colour=AMBER, title=lambda f: f"{_plan(f)}: payment failed", lines=_given),
    "payment.refunded": _Kind(icon="⚪", colour=GREY, title=lambda f: f"{_plan(f)} refunded", lines=_given),
    "payment.dispute_closed": _Kind(
        icon="🔵", colour=BLUE, title=lambda f: f"{_plan(f)}: dispute closed", lines=_because
    ),
    "payment.disputed": _Kind(icon="🔴", colour=RED, title=lambda f: f"{_plan(f)}: payment disputed", lines=_because),
    "brake.held": _Kind(icon="🛑", colour=AMBER, title=_held_title, lines=_held),
    "brake.released": _Kind(
        icon="🔵", colour=BLUE, title=lambda f: f"{f.get('count', 'Held')} removals released", lines=_because
    ),
    "bot.lost_permission": _Kind(icon="⚠️", colour=RED, title=lambda _: "I am missing a permission", lines=_not_given),
    "claim.failed_often": _Kind(icon="🟠", colour=AMBER, title=lambda _: "Many wrong codes", lines=_because),
    "brake.discarded": _Kind(icon="⚪", colour=GREY, title=lambda _: "Held removals dropped", lines=_because),
    "staff.action": _Kind(icon="🔵", colour=BLUE, title=lambda _: "Done by staff", lines=_summary),
    "settings.changed": _Kind(icon="🔵", colour=BLUE, title=lambda _: "Settings changed", lines=_summary),
    "staff.undo": _Kind(icon="↩️", colour=BLUE, title=lambda _: "Taken back", lines=_summary),
    "pause.on": _Kind(icon="⏸️", colour=AMBER, title=lambda _: "Doorlist is paused", lines=_paused),
    "pause.off": _Kind(icon="▶️", colour=GREEN, title=lambda _: "Doorlist goes on", lines=_summary),
    "health.degraded": _Kind(icon="⚠️", colour=RED, title=lambda _: "Doorlist has trouble", lines=_summary),
    "health.recovered": _Kind(icon="✅", colour=GREEN, title=lambda _: "Doorlist is well again", lines=_summary),
    "webhook.failing": _Kind(icon="⚠️", colour=RED, title=lambda _: "Webhooks do not arrive", lines=_unheard),
    "key.expiring": _Kind(icon="🟠", colour=AMBER, title=lambda _: "A key runs out", lines=_until),
    "role.unusable": _Kind(
        icon="⚠️", colour=RED, title=lambda f: f"I can no longer give the role of {_plan(f)}", lines=_unusable
    ),
    "backup.late": _Kind(icon="🟠", colour=AMBER, title=lambda _: "The backup is late", lines=_summary),
    "update.available": _Kind(icon="🔵", colour=BLUE, title=lambda _: "An update is available", lines=_summary),
    "channel.trouble": _Kind(icon="⚠️", colour=RED, title=lambda _: "I cannot post my event log", lines=_no_channel),
}
