"""Passes of scheduled work: when they began, how they ended, what they found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.browsing import Run
from membership.model import GuildId
from storage.statements import row_count
from storage.web_tables import runs


class Runs:
    """Runs, one row each."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def begin(self, run: Run) -> int:
        """Write down that a pass began, and return its number."""
        values = asdict(run)
        del values["id"]
        made = await self._connection.execute(insert(runs).values(values).returning(runs.c.id))
        return int(made.scalar_one())

    async def finish(self, run: Run) -> None:
        """Write down how a pass ended."""
        values = {
            "ended_at": run.ended_at,
            "looked_at": run.looked_at,
            "changed": run.changed,
            "trouble": run.trouble,
        }
        await self._connection.execute(update(runs).where(runs.c.id == run.id).values(values))

    async def recent(self, guild_id: GuildId, limit: int, *, before: int = 0) -> Sequence[Run]:
        """Return a server's passes and those that concern no server, newest first."""
        query = select(runs).where(or_(runs.c.guild_id == guild_id, runs.c.guild_id.is_(None)))
        if before:
            query = query.where(runs.c.id < before)
        found = await self._connection.execute(query.order_by(runs.c.id.desc()).limit(limit))
        return [Run(**row) for row in found.mappings()]

    async def get(self, number: int, guild_id: GuildId) -> Run | None:
        """Return a pass of a server, or one that concerns none."""
        found = await self._connection.execute(
            select(runs).where(runs.c.id == number, or_(runs.c.guild_id == guild_id, runs.c.guild_id.is_(None)))
        )
        row = found.mappings().one_or_none()
        return None if row is None else Run(**row)

    async def prune(self, before: datetime, limit: int) -> int:
        """Delete at most `limit` passes that began before a moment; return how many."""
        old = select(runs.c.id).where(runs.c.started_at < before).order_by(runs.c.started_at).limit(limit)
        return row_count(await self._connection.execute(delete(runs).where(runs.c.id.in_(old))))
