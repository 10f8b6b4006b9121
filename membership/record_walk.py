"""Walks a server's record from a moment on, in portions that are short transactions each: there may be millions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from membership.model import GuildId, PlanId
from membership.report_ledgers import Happened
from membership.services import Services

PORTION = 1000
MOST_PORTIONS = 4000
"""Audit entries looked at in one go, and how often: four million in all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """The numbers that the portions of the record end with, oldest first. `is_cut`: there were too many."""

    since: datetime
    ends: tuple[int, ...]
    is_cut: bool


async def bounds(services: Services, since: datetime) -> Bounds:
    """Find the portions of the record since a moment."""
    ends: list[int] = []
    async with services.store.read() as tx:
        upto = await tx.reports.newest_entry()
    while len(ends) < MOST_PORTIONS:
        async with services.store.read() as tx:
            written_at = await tx.reports.written_at(upto)
        if written_at is None or written_at < since:
            return Bounds(since=since, ends=tuple(ends[::-1]), is_cut=False)
        ends.append(upto)
        upto -= PORTION
    return Bounds(since=since, ends=tuple(ends[::-1]), is_cut=True)


async def walk(
    services: Services, guild_id: GuildId, events: Collection[str], within: Bounds, *, plan_id: PlanId | None = None
) -> AsyncIterator[Sequence[Happened]]:
    """Yield what happened to a guild's grants (of one plan), oldest first. None of it is kept."""
    for upto in within.ends:
        async with services.store.read() as tx:
            found = await tx.reports.happened(guild_id, events, above=upto - PORTION, upto=upto, plan_id=plan_id)
        yield [each for each in found if each.at >= within.since]
