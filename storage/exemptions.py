"""Members whose roles we leave alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.desk import Exemption
from membership.model import GuildId, MemberKey
from storage.desk_tables import exemptions
from storage.statements import insert_into


class Exemptions:
    """Exemptions, one per member."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def put(self, exemption: Exemption) -> None:
        """Exempt a member, or change for how long."""
        terms: dict[str, Any] = {
            "until": exemption.until,
            "reason": exemption.reason,
            "actor": exemption.actor,
            "created_at": exemption.created_at,
        }
        await self._connection.execute(
            insert_into(self._connection, exemptions)
            .values(guild_id=exemption.key.guild_id, user_id=exemption.key.user_id, **terms)
            .on_conflict_do_update(index_elements=[exemptions.c.guild_id, exemptions.c.user_id], set_=terms)
        )

    async def get(self, key: MemberKey, now: datetime) -> Exemption | None:
        """Return the exemption in force."""
        found = await self._connection.execute(select(exemptions).where(_is_of(key), _is_in_force(now)))
        row = found.mappings().one_or_none()
        return None if row is None else _exemption(row)

    async def lift(self, key: MemberKey) -> Exemption | None:
        """End an exemption and return it."""
        ended = await self._connection.execute(delete(exemptions).where(_is_of(key)).returning(*exemptions.c))
        row = ended.mappings().one_or_none()
        return None if row is None else _exemption(row)

    async def of_guild(self, guild_id: GuildId, now: datetime, limit: int) -> Sequence[Exemption]:
        """Return a guild's exemptions in force, newest first."""
        found = await self._connection.execute(
            select(exemptions)
            .where(exemptions.c.guild_id == guild_id, _is_in_force(now))
            .order_by(exemptions.c.created_at.desc(), exemptions.c.user_id)
            .limit(limit)
        )
        return [_exemption(row) for row in found.mappings()]


def _is_of(key: MemberKey) -> ColumnElement[bool]:
    return (exemptions.c.guild_id == key.guild_id) & (exemptions.c.user_id == key.user_id)


def _is_in_force(now: datetime) -> ColumnElement[bool]:
    return or_(exemptions.c.until.is_(None), exemptions.c.until > now)


def _exemption(row: RowMapping) -> Exemption:
    terms = dict(row)
    key = MemberKey(terms.pop("guild_id"), terms.pop("user_id"))
    return Exemption(key=key, **terms)
