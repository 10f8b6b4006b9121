"""The record of one server for staff: the ledger with its filters and permalinks, and what staff changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from membership import events
from membership.actors import Actor
from membership.desk import Change
from membership.errors import Gone
from membership.events import Group
from membership.listing_ledgers import Entry, EntryFilter, Page
from membership.model import UserId
from membership.services import Services

ROWS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks for in the record; empty for anything. `group` is a group's name, `event` one event's.

    `as_of`: the record as it stood at that moment, so that nothing later is shown.
    """

    group: str = ""
    event: str = ""
    user_id: UserId | None = None
    actor: str = ""
    since: datetime | None = None
    as_of: datetime | None = None


async def listed(services: Services, actor: Actor, wanted: Wanted, *, before: int = 0) -> Page[Entry]:
    """Return one page of the record of the actor's server, newest first; an unknown group has nothing."""
    entries = _filter(wanted)
    if entries is None:
        return Page(rows=())
    async with services.store.read() as tx:
        return await tx.listings.entries(actor.guild_id, entries, before=before, limit=ROWS)


async def look(services: Services, actor: Actor, number: int) -> Entry:
    """Return one entry by its number. Raises Gone("entry") when it is none of the actor's server."""
    async with services.store.read() as tx:
        found = await tx.listings.entry(number, actor.guild_id)
    if found is None:
        raise Gone("entry")
    return found


async def changes(services: Services, actor: Actor, *, by: str = "", before: int = 0) -> Page[Change]:
    """Return one page of what staff changed, with before and after, newest first; `by` is an actor as the audit has it.

    `Change.undone_at` says whether it was taken back; which ones the actor can take back is undo.recent's.
    """
    async with services.store.read() as tx:
        return await tx.listings.changes(actor.guild_id, actor=by, before=before, limit=ROWS)


def _filter(wanted: Wanted) -> EntryFilter | None:
    names: Collection[str] = ()
    if wanted.group:
        if wanted.group not in set(Group):
            return None
        names = tuple(event.name for event in events.in_group(Group(wanted.group)))
    if wanted.event:
        if names and wanted.event not in names:
            return None
        names = (wanted.event,)
    return EntryFilter(events=names, user_id=wanted.user_id, actor=wanted.actor, since=wanted.since, until=wanted.as_of)
