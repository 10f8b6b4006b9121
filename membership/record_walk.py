"""Walks a server's record from a moment on, in portions that are short transactions each: there may be millions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from membership.ledgers import Transaction
from membership.model import GuildId, PlanId
from membership.report_ledgers import Happened
from membership.services import Services

PORTION = 250
MOST_PORTIONS = 16_000
"""Audit entries looked at in one go, and how often: four million in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The numbers that the portions of the record end with, oldest first. `is_cut`: there were too many."""

    since: datetime
    ends: tuple[int, ...]
    is_cut: bool


async def bounds(services: Services, since: datetime) -> Bounds:
    """Find the portions of the record since a moment."""
    async with services.store.read() as tx:
        newest = await tx.reports.newest_entry()
        before = await last_before(tx, since)
    ends = tuple(range(newest, before, -PORTION)[:MOST_PORTIONS])[::-1]
    return Bounds(since=since, ends=ends, is_cut=newest - before > MOST_PORTIONS * PORTION)


async def last_before(tx: Transaction, moment: datetime) -> int:
    """Return the number of the last entry before a moment: numbers rise with time, so that halving finds it."""
    low, high = 0, await tx.reports.newest_entry()
    while low < high:
        middle = (low + high + 1) // 2
        written_at = await tx.reports.written_at(middle)
        low, high = (middle, high) if written_at is None or written_at < moment else (low, middle - 1)
    return low


async def walk(
    services: Services, guild_id: GuildId, events: Collection[str], within: Bounds, *, plan_id: PlanId | None = None
) -> AsyncIterator[Sequence[Happened]]:
    """Yield what happened to a guild's grants (of one plan), oldest first. None of it is kept."""
    for upto in within.ends:
        async with services.store.read() as tx:
            found = await tx.reports.happened(guild_id, events, above=upto - PORTION, upto=upto, plan_id=plan_id)
        yield [each for each in found if each.at >= within.since]
