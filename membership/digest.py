"""The daily digest: what a server's day came to, posted once per local date however often the clock asks.

Counts come from the audit and the payments of the day; what needs a person comes from the present state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from membership.desk import NotificationRule, NotifyMode
from membership.errors import Reason
from membership.events import EVENTS, route
from membership.ledgers import Transaction
from membership.model import GrantState, GuildId
from membership.records import AuditEntry, DigestRhythm, Draft, Guild
from membership.services import Services

MONDAY = 0
CHART_DAYS = 30
MOST_ENTRIES = 10_000
MOST_LOOKED_AT = 200
ACTIVE = (GrantState.DELIVERED, GrantState.PAST_DUE)
_COUNTED = ("grant.created", "grant.delivered", "grant.revoked", "grant.recovered", "grant.past_due")

Entries = Sequence[tuple[int, datetime, AuditEntry]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """The local days that a digest is about, `first` to `last`, and the moments they begin and end."""

    first: date
    last: date
    since: datetime
    until: datetime


async def post_due(services: Services) -> int:
    """Queue the digest of every active server whose hour has come today; return how many there were."""
    async with services.store.read() as tx:
        guilds = [guild for guild in await tx.guilds.all() if guild.is_active]
    posted = 0
    for guild in guilds:
        posted += await _post(services, guild)
    if posted:
        services.wake()
    return posted


def span_due(guild: Guild, now: datetime, last_day: str) -> Span | None:
    """Return what a digest is due about, None when it is not due; `last_day`: the local date of the last one.

    The day before, or the week before on a Monday. A day without that hour (summer time begins) has its digest later.
    """
    local = now.astimezone(zone_of(guild))
    today = local.date()
    if guild.digest is DigestRhythm.OFF or local.hour < guild.digest_hour or today.isoformat() <= last_day:
        return None
    if guild.digest is DigestRhythm.WEEKLY and today.weekday() != MONDAY:
        return None
    return span_before(guild, today, days=7 if guild.digest is DigestRhythm.WEEKLY else 1)


def span_before(guild: Guild, today: date, *, days: int) -> Span:
    """Return the local days before a date: from midnight to midnight, be they 23 or 25 hours long."""
    zone = zone_of(guild)
    first = today - timedelta(days=days)
    return Span(first=first, last=today - timedelta(days=1), since=_midnight(first, zone), until=_midnight(today, zone))


def zone_of(guild: Guild) -> ZoneInfo:
    """Return a server's time zone; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(guild.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


async def _post(services: Services, guild: Guild) -> int:
    now = services.clock.now()
    async with services.store.write() as tx:
        span = span_due(guild, now, await tx.cursors.get(_cursor(guild.id)) or "")
        if span is None:
            return 0
        today = span.last + timedelta(days=1)
        await tx.cursors.put(_cursor(guild.id), today.isoformat())
        facts = await gather(tx, guild, span, now)
        if guild.event_channel_id is None or not is_worth_posting(facts):
            return 0
        draft = Draft(
            dedupe_key=f"digest:{guild.id}:{today.isoformat()}",
            kind="post",
            target=str(guild.event_channel_id),
            template="digest",
            facts=facts,
        )
        return int(await tx.outbox.put(draft, now))


def is_worth_posting(facts: Mapping[str, object]) -> bool:
    """Say whether anything happened, or anything needs somebody."""
    return any(facts.get(name) for name in ("new", "ended", "income", "recovered", "past_due", "needs", "also"))


async def gather(tx: Transaction, guild: Guild, span: Span, now: datetime) -> dict[str, object]:
    """Add up a span of days; the words are in cogs/digest_texts.py."""
    charted = span_before(guild, span.last + timedelta(days=1), days=CHART_DAYS)
    entries = await tx.audit.recent(MOST_ENTRIES, guild_id=guild.id, events=_COUNTED, since=charted.since)
    within = [entry for entry in entries if span.since <= entry[1] < span.until]
    ended = Counter(_text(entry, "reason") for _, _, entry in within if entry.event == "grant.revoked")
    counts = await tx.purchases.grant_counts(guild.id)
    active = sum(count for (_, state), count in counts.items() if state in ACTIVE)
    return {
        "guild_id": str(guild.id),
        "first": span.first.isoformat(),
        "last": span.last.isoformat(),
        "at": now.isoformat(),
        "members": active,
        "joined": _count(within, "grant.delivered"),
        "left": _count(within, "grant.revoked"),
        "trend": trend(active, entries, charted, zone_of(guild)),
        "new": Counter(_text(entry, "plan") for _, _, entry in within if entry.event == "grant.created"),
        "ended": ended,
        "past_due": _count(within, "grant.past_due"),
        "recovered": _count(within, "grant.recovered"),
        "income": await _income(tx, guild.id, span),
        "speed": _speed(within),
        "needs": await _needs(tx, guild, now),
        "also": await _also(tx, guild, span),
    }


def trend(active: int, entries: Entries, span: Span, zone: ZoneInfo) -> list[int]:
    """Return how many grants were active at the end of each day, counted back from now."""
    changes: Counter[date] = Counter()
    for _, at, entry in entries:
        changes[at.astimezone(zone).date()] += {"grant.delivered": 1, "grant.revoked": -1}.get(entry.event, 0)
    found: list[int] = []
    level = active - sum(change for day, change in changes.items() if day > span.last)
    for back in range((span.last - span.first).days + 1):
        found.append(max(level, 0))
        level -= changes[span.last - timedelta(days=back)]
    return found[::-1]


async def _income(tx: Transaction, guild_id: GuildId, span: Span) -> list[dict[str, object]]:
    totals = await tx.payments.totals(guild_id, span.since, span.until)
    return [
        {"kind": total.kind.value, "currency": total.currency, "count": total.count, "amount": total.amount}
        for total in totals
    ]


def _speed(entries: Entries) -> dict[str, float]:
    seconds = [
        float(str(entry.detail["seconds"])) for _, _, entry in entries if entry.detail and "seconds" in entry.detail
    ]
    return {"median": median(seconds), "slowest": max(seconds)} if seconds else {}


async def _needs(tx: Transaction, guild: Guild, now: datetime) -> list[dict[str, object]]:
    """Name what waits for a person, each with how many, and since when where that is known."""
    found: list[dict[str, object]] = []
    waiting = await tx.purchases.grants_in_state(guild.id, GrantState.PENDING, Reason.NOT_LINKED, MOST_ENTRIES)
    if waiting:
        oldest = min(grant.opened_at for grant in waiting)
        found.append({"what": "not_connected", "count": len(waiting), "since": oldest.isoformat()})
    failed = await tx.purchases.grants_in_state(guild.id, GrantState.FAILED, None, MOST_ENTRIES)
    if failed:
        found.append({"what": "not_delivered", "count": len(failed)})
    trials = await _trials_ending(tx, guild.id, now)
    if trials:
        found.append({"what": "trials_ending", "count": trials})
    batches = await tx.removals.open_batches(guild.id)
    if batches:
        held = sum(len(batch.removals) for batch in batches)
        found.append({"what": "held", "count": held, "batch_id": int(batches[0].id)})
    return found


async def _trials_ending(tx: Transaction, guild_id: GuildId, now: datetime) -> int:
    trials = await tx.purchases.grants_in_state(guild_id, GrantState.DELIVERED, Reason.TRIAL, MOST_LOOKED_AT)
    ends = [(await tx.purchases.get(grant.purchase_id)).trial_ends_at for grant in trials]
    return sum(1 for end in ends if end is not None and now <= end < now + timedelta(days=1))


async def _also(tx: Transaction, guild: Guild, span: Span) -> dict[str, int]:
    """Count the other events that this server wants in its digest."""
    rules: Sequence[NotificationRule] = await tx.rules.of_guild(guild.id)
    counts = await tx.audit.counts(guild.id, span.since, span.until)
    return {
        event.title: counts[event.name]
        for event in EVENTS.values()
        if counts.get(event.name)
        and event.name not in _COUNTED
        and route(event, rules, guild).mode is NotifyMode.DIGEST
    }


def _count(entries: Entries, event: str) -> int:
    return sum(1 for _, _, entry in entries if entry.event == event)


def _text(entry: AuditEntry, name: str) -> str:
    return str((entry.detail or {}).get(name) or "")


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # In UTC, for moments of one zone are subtracted as if no hour were ever missing.
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def _cursor(guild_id: GuildId) -> str:
    return f"digest:{guild_id}"
