"""How a server fared in its last thirty days, followed along its record: what was read once is not read again.

For a page that is opened often. A look reads what the record gained since the last one. Where that is much, as at the
first look at a long record, it is read beside, in short portions, and a later look has the numbers.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median

import structlog

from membership import record_walk
from membership.errors import DoorlistError
from membership.local_days import midnight, zone_of
from membership.model import GrantState, GuildId
from membership.records import Guild
from membership.report_ledgers import Happened, Tallies, gives_access
from membership.reports import FOLLOWED, Days, MembersReport, Scope, Tally, days_of
from membership.services import Services

log = structlog.stdlib.get_logger()

DAYS = 30
LASTS = 2 * DAYS
"""After so many days a new count is begun: what it remembers of single memberships would only grow."""
MOST_SERVERS = 20
PORTION = 250
AT_ONCE = 4
"""Portions of the record that a look waits for: some 20 ms."""
PAUSE_SECONDS = 0.01
"""Between two portions that are read beside, so that whoever waits for a page has the database more than half of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """How long roles took to arrive after the payment, in seconds."""

    count: int
    median: float
    slowest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """The last thirty days. `is_through` False: the record is still being read, and the numbers are not there yet."""

    is_through: bool
    members: MembersReport | None = None
    speed: Speed | None = None


@dataclass(slots=True, kw_only=True)
class _Followed:
    """What is known of one server, up to an entry of the record. `seconds`: of deliveries, by the number of the day."""

    days: Days
    tally: Tally
    upto: int
    seconds: dict[int, list[float]] = field(default_factory=dict)


class Pulses:
    """Remembers how far the record of each server was read; one for the whole process, to be closed at its end."""

    def __init__(self, portion: int = PORTION) -> None:
        """Start with nothing read; a portion is so many entries of the record, of whatever server."""
        self._portion = portion
        self._known: dict[GuildId, _Followed] = {}
        self._readers: dict[GuildId, asyncio.Task[None]] = {}
        self._last: dict[GuildId, Pulse] = {}

    async def feel(self, services: Services, guild: Guild, tallies: Tallies) -> Pulse:
        """Read on in a server's record, and say how it fared; `tallies` are its grants as they stand now.

        While much is read beside, it says what it said last.
        """
        before = self._last.get(guild.id, Pulse(is_through=False))
        if guild.id in self._readers:
            return before
        now = services.clock.now()
        async with services.turns.of(f"pulse:{guild.id}"):
            followed = await self._followed(services, guild, now)
            async with services.store.read() as tx:
                newest = await tx.reports.newest_entry()
            if newest - followed.upto > AT_ONCE * self._portion:
                self._read_beside(services, guild, followed)
                return before
            await _read_on(services, guild.id, followed, self._portion)
        self._last[guild.id] = await _pulse(services, guild, followed, tallies, now)
        return self._last[guild.id]

    async def close(self) -> None:
        """Stop whatever is read."""
        readers = list(self._readers.values())
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)

    async def _followed(self, services: Services, guild: Guild, now: datetime) -> _Followed:
        known = self._known.pop(guild.id, None)
        followed = known if known is not None and _fits(known, guild, now) else await _begin(services, guild, now)
        self._known[guild.id] = followed
        if len(self._known) > MOST_SERVERS:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._last.pop(oldest, None)
        return followed

    def _read_beside(self, services: Services, guild: Guild, followed: _Followed) -> None:
        reader = asyncio.create_task(self._catch_up(services, guild.id, followed), name=f"pulse {guild.id}")
        self._readers[guild.id] = reader
        reader.add_done_callback(lambda _: self._readers.pop(guild.id, None))

    async def _catch_up(self, services: Services, guild_id: GuildId, followed: _Followed) -> None:
        try:
            await _read_on(services, guild_id, followed, self._portion, pause_seconds=PAUSE_SECONDS)
        except DoorlistError as failure:
            log.info("pulse_not_read", guild_id=guild_id, why=str(failure))  # the next look goes on from here


def _fits(followed: _Followed, guild: Guild, now: datetime) -> bool:
    """Say whether today is among the days that are followed, and the server's midnight is still when it was."""
    today = now.astimezone(followed.days.zone).date()
    return followed.days.zone == zone_of(guild) and today <= followed.days.days[-1]


async def _begin(services: Services, guild: Guild, now: datetime) -> _Followed:
    past = days_of(guild, now, DAYS)
    ahead = tuple(past.days[-1] + timedelta(days=number + 1) for number in range(LASTS - DAYS))
    days = Days(zone=past.zone, days=(*past.days, *ahead), since=past.since, until=midnight(ahead[-1], past.zone))
    async with services.store.read() as tx:
        upto = await record_walk.last_before(tx, past.since)
    return _Followed(days=days, tally=Tally(days), upto=upto)


async def _read_on(
    services: Services, guild_id: GuildId, followed: _Followed, portion: int, *, pause_seconds: float = 0
) -> None:
    """Read to the end of the record, a portion at a time, between which others have their turn at the database."""
    async with services.store.read() as tx:
        newest = await tx.reports.newest_entry()
    while followed.upto < newest:
        upto = min(followed.upto + portion, newest)
        async with services.store.read() as tx:
            found = await tx.reports.happened(guild_id, FOLLOWED, above=followed.upto, upto=upto)
        followed.tally.add(found)
        for each in found:
            _note_speed(followed, each)
        followed.upto = upto
        await asyncio.sleep(pause_seconds)


def _note_speed(followed: _Followed, each: Happened) -> None:
    if "seconds" in each.detail:
        followed.seconds.setdefault(followed.days.number(each.at), []).append(float(str(each.detail["seconds"])))


async def _pulse(services: Services, guild: Guild, followed: _Followed, tallies: Tallies, now: datetime) -> Pulse:
    async with services.store.read() as tx:
        record_since = await tx.reports.first_at(guild.id)
    late = sum(count for (state, _), count in tallies.items() if state is GrantState.PAST_DUE)
    active = sum(count for (state, reason), count in tallies.items() if gives_access(state, reason))
    last = followed.days.number(now) + 1
    first = last - DAYS
    whole = followed.tally.report(
        Scope(days=followed.days, plan=None, record_since=record_since), active=active, late=late
    )
    shown = Days(
        zone=followed.days.zone,
        days=followed.days.days[first:last],
        since=followed.days.begin(first),
        until=now,
    )
    members = MembersReport(
        scope=Scope(days=shown, plan=None, record_since=record_since),
        active=whole.active[first:last],
        late=whole.late[first:last],
        began=whole.began[first:last],
        ended=whole.ended[first:last],
    )
    seconds = [each for number in range(first, last) for each in followed.seconds.get(number, ())]
    return Pulse(is_through=True, members=members, speed=_speed(seconds))


def _speed(seconds: list[float]) -> Speed | None:
    if not seconds:
        return None
    return Speed(count=len(seconds), median=median(seconds), slowest=max(seconds))
