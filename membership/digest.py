"""The daily digest: what a server's day came to, posted once per local date however often the clock asks.

Counts come from the audit and the payments of the day; what needs a person comes from the present state.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from membership import record_walk
from membership.desk import NotificationRule, NotifyMode
from membership.errors import Reason
from membership.events import EVENTS, route
from membership.ledgers import Transaction
from membership.local_days import midnight, zone_of
from membership.model import GrantState, GuildId
from membership.records import DigestRhythm, Draft, Guild
from membership.report_ledgers import Happened
from membership.services import Services

MONDAY = 0
CHART_DAYS = 30
_COUNTED = ("grant.created", "grant.delivered", "grant.revoked", "grant.recovered", "grant.past_due")
_CHANGES = {"grant.delivered": 1, "grant.revoked": -1}


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
    return Span(first=first, last=today - timedelta(days=1), since=midnight(first, zone), until=midnight(today, zone))


async def _post(services: Services, guild: Guild) -> int:
    """Gather in short reads; then take the day and leave its message in one short write."""
    now = services.clock.now()
    async with services.store.read() as tx:
        span = span_due(guild, now, await tx.cursors.get(_cursor(guild.id)) or "")
    if span is None:
        return 0
    facts = {} if guild.event_channel_id is None else await gather(services, guild, span, now)
    today = span.last + timedelta(days=1)
    async with services.store.write() as tx:
        if span_due(guild, now, await tx.cursors.get(_cursor(guild.id)) or "") is None:
            return 0
        await tx.cursors.put(_cursor(guild.id), today.isoformat())
        if not is_worth_posting(facts):
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


async def gather(services: Services, guild: Guild, span: Span, now: datetime) -> dict[str, object]:
    """Add up a span of days, in short transactions; the words are in cogs/digest_texts.py."""
    charted = span_before(guild, span.last + timedelta(days=1), days=CHART_DAYS)
    told = Told(span=span, zone=zone_of(guild))
    async for portion in record_walk.walk(
        services, guild.id, _COUNTED, await record_walk.bounds(services, charted.since)
    ):
        told.add(portion)
    async with services.store.read() as tx:
        counts = await tx.purchases.active_counts(guild.id)
        income = await _income(tx, guild.id, span)
        needs = await _needs(tx, guild, now)
    async with services.store.read() as tx:
        also = await _also(tx, guild, span)
    active = sum(counts.values())
    return {
        "guild_id": str(guild.id),
        "first": span.first.isoformat(),
        "last": span.last.isoformat(),
        "at": now.isoformat(),
        "members": active,
        "joined": told.counts["grant.delivered"],
        "left": told.counts["grant.revoked"],
        "trend": trend(active, told.changes, charted),
        "new": told.new,
        "ended": told.ended,
        "past_due": told.counts["grant.past_due"],
        "recovered": told.counts["grant.recovered"],
        "income": income,
        "speed": {"median": median(told.seconds), "slowest": max(told.seconds)} if told.seconds else {},
        "needs": needs,
        "also": also,
    }


@dataclass(slots=True, kw_only=True)
class Told:
    """What the record tells of a span, portion by portion; `changes`: members more or less by local date."""

    span: Span
    zone: ZoneInfo
    counts: Counter[str] = field(default_factory=Counter)
    new: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    changes: Counter[date] = field(default_factory=Counter)

    def add(self, happened: Iterable[Happened]) -> None:
        """Take what happened next."""
        for each in happened:
            self.changes[each.at.astimezone(self.zone).date()] += _CHANGES.get(each.event, 0)
            if self.span.since <= each.at < self.span.until:
                self._add_within(each)

    def _add_within(self, each: Happened) -> None:
        self.counts[each.event] += 1
        if each.event == "grant.created":
            self.new[str(each.detail.get("plan") or "")] += 1
        elif each.event == "grant.revoked":
            self.ended[str(each.detail.get("reason") or "")] += 1
        if "seconds" in each.detail:
            self.seconds.append(float(str(each.detail["seconds"])))


def trend(active: int, changes: Mapping[date, int], span: Span) -> list[int]:
    """Return how many grants were active at the end of each day, counted back from now."""
    found: list[int] = []
    level = active - sum(change for day, change in changes.items() if day > span.last)
    for back in range((span.last - span.first).days + 1):
        found.append(max(level, 0))
        level -= changes.get(span.last - timedelta(days=back), 0)
    return found[::-1]


async def _income(tx: Transaction, guild_id: GuildId, span: Span) -> list[dict[str, object]]:
    totals = await tx.payments.totals(guild_id, span.since, span.until)
    return [
        {"kind": total.kind.value, "currency": total.currency, "count": total.count, "amount": total.amount}
        for total in totals
    ]


async def _needs(tx: Transaction, guild: Guild, now: datetime) -> list[dict[str, object]]:
    """Name what waits for a person, each with how many, and since when where that is known."""
    found: list[dict[str, object]] = []
    waiting = await tx.reports.waiting(guild.id, GrantState.PENDING, Reason.NOT_LINKED)
    if waiting.since is not None:
        found.append({"what": "not_connected", "count": waiting.count, "since": waiting.since.isoformat()})
    failed = await tx.reports.waiting(guild.id, GrantState.FAILED)
    if failed.count:
        found.append({"what": "not_delivered", "count": failed.count})
    trials = await tx.reports.trials_ending(guild.id, now, now + timedelta(days=1))
    if trials:
        found.append({"what": "trials_ending", "count": trials})
    batches = await tx.removals.open_batches(guild.id)
    if batches:
        held = sum(len(batch.removals) for batch in batches)
        found.append({"what": "held", "count": held, "batch_id": int(batches[0].id)})
    return found


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


def _cursor(guild_id: GuildId) -> str:
    return f"digest:{guild_id}"
