"""What people chose for themselves."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.desk import MemberSettings
from membership.model import UserId
from storage.desk_tables import member_settings
from storage.statements import insert_into


class MembersSettings:
    """Settings, one row per person who ever chose."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, user_id: UserId) -> MemberSettings:
        """Return a person's settings, the defaults when they never chose."""
        found = await self._connection.execute(select(member_settings).where(member_settings.c.user_id == user_id))
        row = found.mappings().one_or_none()
        return MemberSettings(user_id=user_id) if row is None else MemberSettings(**row)

    async def put(self, settings: MemberSettings) -> None:
        """Store a person's settings."""
        values = asdict(settings)
        await self._connection.execute(
            insert_into(self._connection, member_settings)
            .values(values)
            .on_conflict_do_update(index_elements=[member_settings.c.user_id], set_=values)
        )
