"""What servers decided about people who hold a role without a purchase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.desk import Adoption
from membership.model import GuildId, RoleId
from storage.desk_tables import adoptions
from storage.statements import insert_into


class Adoptions:
    """Decisions, one per role."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, adoption: Adoption) -> None:
        """Set the decision about a role."""
        values = asdict(adoption)
        await self._connection.execute(
            insert_into(self._connection, adoptions)
            .values(values)
            .on_conflict_do_update(index_elements=[adoptions.c.guild_id, adoptions.c.role_id], set_=values)
        )

    async def get(self, guild_id: GuildId, role_id: RoleId) -> Adoption | None:
        """Return the decision about a role."""
        found = await self._connection.execute(
            select(adoptions).where(adoptions.c.guild_id == guild_id, adoptions.c.role_id == role_id)
        )
        row = found.mappings().one_or_none()
        return None if row is None else Adoption(**row)

    async def of_guild(self, guild_id: GuildId) -> Sequence[Adoption]:
        """Return a guild's decisions."""
        found = await self._connection.execute(
            select(adoptions).where(adoptions.c.guild_id == guild_id).order_by(adoptions.c.role_id)
        )
        return [Adoption(**row) for row in found.mappings()]

    async def clear(self, guild_id: GuildId, role_id: RoleId) -> None:
        """Forget a decision."""
        await self._connection.execute(
            delete(adoptions).where(adoptions.c.guild_id == guild_id, adoptions.c.role_id == role_id)
        )
