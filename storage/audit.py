"""The append-only record of who changed what, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.model import GuildId, UserId
from membership.records import AuditEntry
from storage.ledgers import audit_entries

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
        self, limit: int, *, guild_id: GuildId | None = None, user_id: UserId | None = None
    ) -> Sequence[tuple[int, datetime, AuditEntry]]:
        """Return the newest entries, newest first."""
        query = select(audit_entries).order_by(audit_entries.c.id.desc()).limit(limit)
        if guild_id is not None:
            query = query.where(audit_entries.c.guild_id == guild_id)
        if user_id is not None:
            query = query.where(audit_entries.c.user_id == user_id)
        found = await self._connection.execute(query)
        return [(row["id"], row["at"], AuditEntry(**{name: row[name] for name in _ENTRY})) for row in found.mappings()]
