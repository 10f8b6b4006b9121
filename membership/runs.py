"""The passes of scheduled work for staff: the five-minute, hourly and nightly ones, and what changed meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from membership.actors import Actor
from membership.browsing import Run
from membership.errors import Gone
from membership.listing_ledgers import Entry, EntryFilter, Page
from membership.services import Services

ROWS = 50
MOST_HAPPENED = 100
AFTERMATH = timedelta(minutes=1)
"""A pass only marks members: what comes of it happens right after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLook:
    """One pass with what happened in the server between its beginning and shortly after its end, newest first.

    `counts` is by event, of all that happened; the entries are the newest of them.
    """

    run: Run
    counts: Mapping[str, int]
    entries: tuple[Entry, ...]
    until: datetime


async def listed(services: Services, actor: Actor, *, before: int = 0) -> Page[Run]:
    """Return one page of the passes over the actor's server and over everything, newest first."""
    async with services.store.read() as tx:
        found = await tx.runs.recent(actor.guild_id, ROWS + 1, before=before)
    is_more = len(found) > ROWS
    return Page(rows=tuple(found[:ROWS]), next_before=found[ROWS - 1].id if is_more else None)


async def look(services: Services, actor: Actor, number: int) -> RunLook:
    """Return one pass. Raises Gone("run") when it is another server's."""
    now = services.clock.now()
    async with services.store.read() as tx:
        run = await tx.runs.get(number, actor.guild_id)
        if run is None:
            raise Gone("run")
        until = (run.ended_at or now) + AFTERMATH
        wanted = EntryFilter(since=run.started_at, until=until)
        entries = await tx.listings.entries(actor.guild_id, wanted, limit=MOST_HAPPENED)
        counts = await tx.audit.counts(actor.guild_id, run.started_at, until)
    return RunLook(run=run, counts=counts, entries=entries.rows, until=until)
