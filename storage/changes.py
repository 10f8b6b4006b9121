"""What people changed and can take back, and what they were shown before they changed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.desk import Change, Preview
from membership.model import ChangeId, GuildId
from storage.desk_tables import changes, previews
from storage.statements import row_count


class Changes:
    """Changes."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, change: Change) -> ChangeId:
        """Write a change down (its id is ignored) and return its id."""
        values = {column.name: getattr(change, column.name) for column in changes.c if column.name != "id"}
        stored = await self._connection.execute(insert(changes).values(values).returning(changes.c.id))
        return ChangeId(stored.scalar_one())

    async def get(self, change_id: ChangeId, guild_id: GuildId) -> Change | None:
        """Return a change of this guild."""
        found = await self._connection.execute(
            select(changes).where(changes.c.id == change_id, changes.c.guild_id == guild_id)
        )
        row = found.mappings().one_or_none()
        return None if row is None else Change(**row)

    async def recent(self, guild_id: GuildId, since: datetime, limit: int) -> Sequence[Change]:
        """Return a guild's changes since a moment, newest first, those taken back too."""
        found = await self._connection.execute(
            select(changes)
            .where(changes.c.guild_id == guild_id, changes.c.at >= since)
            .order_by(changes.c.at.desc(), changes.c.id.desc())
            .limit(limit)
        )
        return [Change(**row) for row in found.mappings()]

    async def mark_undone(self, change_id: ChangeId, now: datetime) -> bool:
        """Say that a change was taken back; exactly one caller ever gets True."""
        undone = await self._connection.execute(
            update(changes).where(changes.c.id == change_id, changes.c.undone_at.is_(None)).values(undone_at=now)
        )
        return row_count(undone) == 1


class Previews:
    """Previews."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, preview: Preview) -> None:
        """Keep a preview."""
        await self._connection.execute(insert(previews).values(asdict(preview)))

    async def get(self, preview_id: str, guild_id: GuildId, now: datetime) -> Preview | None:
        """Return a live preview of this guild."""
        found = await self._connection.execute(
            select(previews).where(
                previews.c.id == preview_id, previews.c.guild_id == guild_id, previews.c.expires_at > now
            )
        )
        row = found.mappings().one_or_none()
        return None if row is None else Preview(**row)

    async def take(self, preview_id: str, guild_id: GuildId, now: datetime) -> Preview | None:
        """Return and delete a live preview in one step, so that it serves once."""
        taken = await self._connection.execute(
            delete(previews)
            .where(previews.c.id == preview_id, previews.c.guild_id == guild_id, previews.c.expires_at > now)
            .returning(*previews.c)
        )
        row = taken.mappings().one_or_none()
        return None if row is None else Preview(**row)
