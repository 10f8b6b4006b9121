"""What a server's record comes to: members, revenue and delivery over a period of the server's own days.

Storage answers in small portions; adding up is pure, and runs in a thread where there may be many rows.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from itertools import chain
from math import ceil
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from membership.actors import Actor
from membership.desk import PaymentKind
from membership.errors import UserError
from membership.model import GrantId, GrantState, GuildId, Plan, PlanId
from membership.records import Guild
from membership.report_ledgers import Happened, Taken
from membership.services import Services

PORTION = 2000
MOST_PORTIONS = 2000
"""Audit entries looked at in one go, and how often: four million in all."""

_ACTIVE = (GrantState.DELIVERED, GrantState.PAST_DUE)


class _Life(Enum):
    """How a grant stands after something happened to it."""

    OUT = "out"
    ACTIVE = "active"
    LATE = "late"


_AFTER: Mapping[str, _Life] = {
    "grant.delivered": _Life.ACTIVE,
    "grant.recovered": _Life.ACTIVE,
    "grant.resumed": _Life.ACTIVE,
    "grant.past_due": _Life.LATE,
    "grant.paused": _Life.OUT,
    "grant.failed": _Life.OUT,
    "grant.revoked": _Life.OUT,
    "member.left_with_grant": _Life.OUT,
}
_BEFORE_FIRST: Mapping[str, _Life] = {
    "grant.delivered": _Life.OUT,
    "grant.recovered": _Life.LATE,
    "grant.resumed": _Life.OUT,
    "grant.failed": _Life.OUT,
}
"""How a grant stood before the first that is told of it; it was active where nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """The local days of a report, today the last; `since` is the first one's midnight, `until` is now."""

    zone: ZoneInfo
    days: tuple[date, ...]
    since: datetime
    until: datetime

    def number(self, moment: datetime) -> int:
        """Return which of the days a moment is in, counted from 0; what lies outside belongs to the nearest."""
        number = (moment.astimezone(self.zone).date() - self.days[0]).days
        return min(max(number, 0), len(self.days) - 1)

    def begin(self, number: int) -> datetime:
        """Return the midnight that a day begins with; past the last day, the moment of the report."""
        if number >= len(self.days):
            return self.until
        day = self.days[number]
        return datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a report is about. `record_since`: when the server's record begins; `plan` None: all plans."""

    days: Days
    plan: Plan | None
    record_since: datetime | None
    is_cut: bool = False

    @property
    def is_short(self) -> bool:
        """Say whether the record does not reach back to the first day."""
        return self.record_since is None or self.record_since > self.days.begin(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersReport:
    """Memberships at the end of each day, and those that began and ended on it. Who has two plans counts twice."""

    scope: Scope
    active: tuple[int, ...]
    late: tuple[int, ...]
    began: tuple[int, ...]
    ended: tuple[int, ...]


@dataclass(slots=True)
class Sums:
    """Money of one currency: per day in minor units, and how often."""

    currency: str
    paid: list[int]
    refunded: list[int]
    counts: Counter[PaymentKind] = field(default_factory=Counter)
    unsaid_refunds: int = 0
    plans: dict[PlanId, int] = field(default_factory=lambda: defaultdict(int))


@dataclass(frozen=True, slots=True, kw_only=True)
class RevenueReport:
    """What was paid and went back, a currency each, the one with the most payments first. Never add them up."""

    scope: Scope
    sums: tuple[Sums, ...]
    plan_names: Mapping[PlanId, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """How long roles took after the payment (seconds, rising), and why others did not come (reasons, counted)."""

    scope: Scope
    seconds: tuple[float, ...]
    failures: Mapping[str, int]

    def quantile(self, share: float) -> float:
        """Return how long the quickest `share` of the deliveries took at most, by the nearest rank."""
        return self.seconds[max(ceil(share * len(self.seconds)), 1) - 1]


async def members(services: Services, actor: Actor, days: int, plan_id: PlanId | None = None) -> MembersReport:
    """Count memberships over the last days, of one plan when asked. Raises UserError."""
    scope = await _scope(services, actor, days, plan_id)
    happened, is_cut = await _happened(services, actor.guild_id, tuple(_AFTER), scope)
    async with services.store.read() as tx:
        counts = await tx.purchases.grant_counts(actor.guild_id)
    now = {
        state: sum(count for (plan, each), count in counts.items() if each is state and plan_id in (None, plan))
        for state in _ACTIVE
    }
    told = Scope(days=scope.days, plan=scope.plan, record_since=scope.record_since, is_cut=is_cut)
    return await asyncio.to_thread(count_members, told, happened, sum(now.values()), now[GrantState.PAST_DUE])


async def revenue(services: Services, actor: Actor, days: int) -> RevenueReport:
    """Sum up the money of the last days. Raises UserError."""
    scope = await _scope(services, actor, days, None)
    taken: list[Sequence[Taken]] = []
    for number in range(len(scope.days.days)):
        async with services.store.read() as tx:
            taken.append(await tx.reports.taken(actor.guild_id, scope.days.begin(number), scope.days.begin(number + 1)))
    async with services.store.read() as tx:
        names = {plan.id: plan.name for plan in await tx.plans.all(actor.guild_id)}
    return RevenueReport(scope=scope, sums=sum_up(taken), plan_names=names)


async def delivery(services: Services, actor: Actor, days: int) -> DeliveryReport:
    """Measure the deliveries of the last days. Raises UserError."""
    scope = await _scope(services, actor, days, None)
    happened, is_cut = await _happened(services, actor.guild_id, ("grant.delivered", "grant.failed"), scope)
    told = Scope(days=scope.days, plan=None, record_since=scope.record_since, is_cut=is_cut)
    return await asyncio.to_thread(measure, told, happened)


def days_of(guild: Guild, now: datetime, count: int) -> Days:
    """Return a server's last days, today with them, in its time zone; UTC for one that this machine does not know."""
    try:
        zone = ZoneInfo(guild.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    today = now.astimezone(zone).date()
    days = tuple(today - timedelta(days=count - 1 - number) for number in range(count))
    since = datetime(days[0].year, days[0].month, days[0].day, tzinfo=zone).astimezone(UTC)
    return Days(zone=zone, days=days, since=since, until=now)


def count_members(scope: Scope, happened: Iterable[Happened], active_now: int, late_now: int) -> MembersReport:
    """Follow every grant through what happened to it, and count back from how many there are now."""
    size = len(scope.days.days)
    began, ended, late_change = [0] * size, [0] * size, [0] * size
    lives: dict[GrantId, _Life] = {}
    for each in happened:
        before = lives.get(each.grant_id, _BEFORE_FIRST.get(each.event, _Life.ACTIVE))
        after = lives[each.grant_id] = _AFTER[each.event]
        number = scope.days.number(each.at)
        began[number] += before is _Life.OUT and after is not _Life.OUT
        ended[number] += before is not _Life.OUT and after is _Life.OUT
        late_change[number] += (after is _Life.LATE) - (before is _Life.LATE)
    changes = [come - gone for come, gone in zip(began, ended, strict=True)]
    return MembersReport(
        scope=scope,
        active=_levels(active_now, changes),
        late=_levels(late_now, late_change),
        began=tuple(began),
        ended=tuple(ended),
    )


def sum_up(taken: Sequence[Sequence[Taken]]) -> tuple[Sums, ...]:
    """Sum up the payments of each day by currency, the currency with the most payments first."""
    found: dict[str, Sums] = {}
    for number, day in enumerate(taken):
        for each in day:
            sums = found.setdefault(
                each.currency, Sums(currency=each.currency, paid=[0] * len(taken), refunded=[0] * len(taken))
            )
            sums.counts[each.kind] += each.count
            if each.kind is PaymentKind.REFUND:
                sums.refunded[number] += each.amount
                sums.unsaid_refunds += each.unsaid
                sums.plans[each.plan_id] -= each.amount
            elif each.kind is not PaymentKind.FAILED:
                sums.paid[number] += each.amount
                sums.plans[each.plan_id] += each.amount
    return tuple(sorted(found.values(), key=lambda sums: (-sums.counts.total(), sums.currency)))


def measure(scope: Scope, happened: Iterable[Happened]) -> DeliveryReport:
    """Gather how long first deliveries took, and what kept others from being delivered."""
    seconds: list[float] = []
    failures: Counter[str] = Counter()
    for each in happened:
        if each.event == "grant.failed":
            # A role that could not be taken away is no failed delivery.
            failures[str(each.detail.get("reason") or "")] += not each.detail.get("is_removal")
        elif "seconds" in each.detail:
            seconds.append(float(str(each.detail["seconds"])))
    causes = {reason: count for reason, count in failures.most_common() if count}
    return DeliveryReport(scope=scope, seconds=tuple(sorted(seconds)), failures=causes)


def _levels(now: int, changes: Sequence[int]) -> tuple[int, ...]:
    """Return the level at the end of each day, from the present one and each day's change."""
    levels: list[int] = []
    for change in reversed(changes):
        levels.append(max(now, 0))
        now -= change
    return tuple(reversed(levels))


async def _scope(services: Services, actor: Actor, days: int, plan_id: PlanId | None) -> Scope:
    async with services.store.read() as tx:
        guild = await tx.guilds.get(actor.guild_id)
        plan = None if plan_id is None else await tx.plans.in_guild(plan_id, actor.guild_id)
        record_since = await tx.reports.first_at(actor.guild_id)
    if guild is None or (plan_id is not None and plan is None):
        raise UserError("There is no such plan in this server. Choose one from the list.")
    return Scope(days=days_of(guild, services.clock.now(), days), plan=plan, record_since=record_since)


async def _happened(
    services: Services, guild_id: GuildId, events: Collection[str], scope: Scope
) -> tuple[Iterable[Happened], bool]:
    """Return what happened since the first day, oldest first, and whether that was too much to read all of it."""
    plan_id = None if scope.plan is None else scope.plan.id
    portions: list[Sequence[Happened]] = []
    async with services.store.read() as tx:
        upto = await tx.reports.newest_entry()
    for _ in range(MOST_PORTIONS):
        async with services.store.read() as tx:
            written_at = await tx.reports.written_at(upto)
            if written_at is None or written_at < scope.days.since:
                break
            portion = await tx.reports.happened(guild_id, events, above=upto - PORTION, upto=upto, plan_id=plan_id)
        portions.append([each for each in portion if each.at >= scope.days.since])
        upto -= PORTION
    else:
        return chain.from_iterable(reversed(portions)), True
    return chain.from_iterable(reversed(portions)), False
