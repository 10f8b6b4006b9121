"""What a server's record comes to: members, revenue and delivery over a period of the server's own days.

Storage answers in small portions, and adding them up is pure; no row is kept, however many there are.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import Enum
from math import ceil
from zoneinfo import ZoneInfo

from membership import record_walk
from membership.actors import Actor
from membership.desk import PaymentKind
from membership.errors import UserError
from membership.local_days import midnight, zone_of
from membership.model import GrantId, GrantState, Plan, PlanId
from membership.records import Guild
from membership.report_ledgers import Happened, Taken
from membership.services import Services


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
FOLLOWED = tuple(_AFTER)
"""The events that tell how memberships stand, and how quickly they were delivered."""
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
        return self.until if number >= len(self.days) else midnight(self.days[number], self.zone)


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
    tally = Tally(scope.days)
    bounds = await record_walk.bounds(services, scope.days.since)
    async for portion in record_walk.walk(services, actor.guild_id, FOLLOWED, bounds, plan_id=plan_id):
        tally.add(portion)
    async with services.store.read() as tx:
        counts = await tx.purchases.active_counts(actor.guild_id)
    now: Counter[GrantState] = Counter()
    for (plan, state), count in counts.items():
        now[state] += count if plan_id in (None, plan) else 0
    return tally.report(replace(scope, is_cut=bounds.is_cut), active=now.total(), late=now[GrantState.PAST_DUE])


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
    speeds = Speeds()
    bounds = await record_walk.bounds(services, scope.days.since)
    async for portion in record_walk.walk(services, actor.guild_id, ("grant.delivered", "grant.failed"), bounds):
        speeds.add(portion)
    return await asyncio.to_thread(speeds.report, replace(scope, is_cut=bounds.is_cut))


def days_of(guild: Guild, now: datetime, count: int) -> Days:
    """Return a server's last days, today with them, in its time zone; UTC for one that this machine does not know."""
    zone = zone_of(guild)
    today = now.astimezone(zone).date()
    days = tuple(today - timedelta(days=count - 1 - number) for number in range(count))
    return Days(zone=zone, days=days, since=midnight(days[0], zone), until=now)


class Tally:
    """Follows every grant through what happened to it, portion by portion, and counts back from how many there are."""

    def __init__(self, days: Days) -> None:
        """Start with nothing known."""
        size = len(days.days)
        self._days = days
        self._began, self._ended, self._late = [0] * size, [0] * size, [0] * size
        self._lives: dict[GrantId, _Life] = {}

    def add(self, happened: Iterable[Happened]) -> None:
        """Take what happened next."""
        for each in happened:
            before = self._lives.get(each.grant_id, _BEFORE_FIRST.get(each.event, _Life.ACTIVE))
            after = self._lives[each.grant_id] = _AFTER[each.event]
            number = self._days.number(each.at)
            self._began[number] += before is _Life.OUT and after is not _Life.OUT
            self._ended[number] += before is not _Life.OUT and after is _Life.OUT
            self._late[number] += (after is _Life.LATE) - (before is _Life.LATE)

    def report(self, scope: Scope, *, active: int, late: int) -> MembersReport:
        """Return the report, given how many are active and late now."""
        changes = [come - gone for come, gone in zip(self._began, self._ended, strict=True)]
        return MembersReport(
            scope=scope,
            active=_levels(active, changes),
            late=_levels(late, self._late),
            began=tuple(self._began),
            ended=tuple(self._ended),
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


class Speeds:
    """Gathers how long first deliveries took, and what kept others from being delivered, portion by portion."""

    def __init__(self) -> None:
        """Start with nothing measured."""
        self._seconds: list[float] = []
        self._failures: Counter[str] = Counter()

    def add(self, happened: Iterable[Happened]) -> None:
        """Take what happened next."""
        for each in happened:
            if each.event == "grant.failed":
                # A role that could not be taken away is no failed delivery.
                self._failures[str(each.detail.get("reason") or "")] += not each.detail.get("is_removal")
            elif "seconds" in each.detail:
                self._seconds.append(float(str(each.detail["seconds"])))

    def report(self, scope: Scope) -> DeliveryReport:
        """Return the report."""
        causes = {reason: count for reason, count in self._failures.most_common() if count}
        return DeliveryReport(scope=scope, seconds=tuple(sorted(self._seconds)), failures=causes)


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
