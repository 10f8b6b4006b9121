"""The append-only record of who changed what, and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime, timedelta

from sqlalchemy import Column, ColumnElement, String, cast, exists, func, insert, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.model import GrantState, GuildId, MemberKey, UserId
from membership.records import AuditEntry
from storage.inbox import NEW
from storage.ledgers import audit_entries, inbox_events, jobs, outbox_messages
from storage.outbox import JOB_KIND, WAITING
from storage.schema import grants, guilds, links, members, purchases

PATIENCE = timedelta(minutes=10)
_ENTRY = tuple(field.name for field in fields(AuditEntry))


class Audit:
    """Audit entries."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: AuditEntry, now: datetime) -> int:
        """Write an entry and return its number."""
        values = {name: getattr(entry, name) for name in _ENTRY}
        stored = await self._connection.execute(
            insert(audit_entries).values(at=now, **values).returning(audit_entries.c.id)
        )
        return int(stored.scalar_one())

    async def recent(
        self,
        limit: int,
        *,
        guild_id: GuildId | None = None,
        user_id: UserId | None = None,
        events: Collection[str] = (),
        since: datetime | None = None,
    ) -> Sequence[tuple[int, datetime, AuditEntry]]:
        """Return the newest entries, newest first; of these events only, when some are named."""
        query = select(audit_entries).order_by(audit_entries.c.id.desc()).limit(limit)
        if guild_id is not None:
            query = query.where(audit_entries.c.guild_id == guild_id)
        if user_id is not None:
            query = query.where(audit_entries.c.user_id == user_id)
        if events:
            query = query.where(audit_entries.c.event.in_(events))
        if since is not None:
            query = query.where(audit_entries.c.at >= since)
        found = await self._connection.execute(query)
        return [(row["id"], row["at"], AuditEntry(**{name: row[name] for name in _ENTRY})) for row in found.mappings()]

    async def counts(self, guild_id: GuildId, since: datetime, until: datetime) -> Mapping[str, int]:
        """Count a guild's entries in [since, until) by event."""
        found = await self._connection.execute(
            select(audit_entries.c.event, func.count())
            .where(audit_entries.c.guild_id == guild_id, audit_entries.c.at >= since, audit_entries.c.at < until)
            .group_by(audit_entries.c.event)
        )
        return {event: int(count) for event, count in found}

    async def forgotten_events(self) -> Sequence[int]:
        """Return inbox events that are new and have no job."""
        return await self._without_job(inbox_events.c.id, _is_state(inbox_events.c.state, NEW), "intake")

    async def forgotten_messages(self) -> Sequence[int]:
        """Return outbox messages that wait and have no job."""
        return await self._without_job(outbox_messages.c.id, _is_state(outbox_messages.c.state, WAITING), JOB_KIND)

    async def forgotten_members(self, now: datetime) -> Sequence[MemberKey]:
        """Return linked members with a grant that has waited ten minutes to be looked at for the first time.

        Only of active guilds: in the others everybody waits.
        """
        key = cast(grants.c.guild_id, String) + ":" + cast(links.c.user_id, String)
        has_job = exists().where(jobs.c.kind == "member", jobs.c.key == key)
        was_seen = exists().where(members.c.guild_id == grants.c.guild_id, members.c.user_id == links.c.user_id)
        found = await self._connection.execute(
            select(grants.c.guild_id, links.c.user_id)
            .distinct()
            .join_from(grants, purchases, grants.c.purchase_id == purchases.c.id)
            .join(links, (links.c.customer_id == purchases.c.customer_id) & links.c.ended_at.is_(None))
            .join(guilds, (guilds.c.id == grants.c.guild_id) & guilds.c.is_active)
            .where(grants.c.state == GrantState.PENDING, grants.c.opened_at < now - PATIENCE, ~has_job, ~was_seen)
        )
        return [MemberKey(guild_id, user_id) for guild_id, user_id in found]

    async def _without_job(self, row_id: Column[int], condition: ColumnElement[bool], kind: str) -> Sequence[int]:
        has_job = exists().where(jobs.c.kind == kind, jobs.c.key == cast(row_id, String))
        found = await self._connection.execute(select(row_id).where(condition, ~has_job))
        return list(found.scalars())


def _is_state(column: Column[str], state: str) -> ColumnElement[bool]:
    """Compare with the state spelled out: a partial index is not used for a bound parameter."""
    return column == literal_column(f"'{state}'")
