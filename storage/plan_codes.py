"""Codes that give a plan (only digests), and who used them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import case, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.desk import PlanCode, PlanCodeLabel, PlanCodeUse
from membership.model import GuildId, UserId
from storage.desk_tables import plan_code_uses, plan_codes
from storage.statements import CHUNK, insert_into, row_count


class PlanCodes:
    """Codes and their uses."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, code: PlanCode) -> None:
        """Keep a code's digest and terms."""
        await self._connection.execute(insert(plan_codes).values(asdict(code)))

    async def find(self, digest: str) -> PlanCode | None:
        """Return a code by its digest, of whatever guild: whoever redeems it checks where."""
        found = await self._connection.execute(select(plan_codes).where(plan_codes.c.digest == digest))
        row = found.mappings().one_or_none()
        return None if row is None else PlanCode(**row)

    async def of_guild(self, guild_id: GuildId, limit: int, *, label: str = "", after: int = 0) -> Sequence[PlanCode]:
        """Return a guild's codes, newest first, with this label when asked, leaving out the first `after`."""
        query = select(plan_codes).where(plan_codes.c.guild_id == guild_id)
        if label:
            query = query.where(plan_codes.c.label == label)
        newest = query.order_by(plan_codes.c.created_at.desc(), plan_codes.c.digest).offset(after).limit(limit)
        return [PlanCode(**row) for row in (await self._connection.execute(newest)).mappings()]

    async def named(self, digests: Sequence[str], guild_id: GuildId) -> Sequence[PlanCode]:
        """Return those of these codes that are a guild's."""
        found: list[PlanCode] = []
        for start in range(0, len(digests), CHUNK):
            these = plan_codes.c.digest.in_(digests[start : start + CHUNK])
            rows = await self._connection.execute(select(plan_codes).where(these, plan_codes.c.guild_id == guild_id))
            found += [PlanCode(**row) for row in rows.mappings()]
        return found

    async def labels(self, guild_id: GuildId, limit: int) -> Sequence[PlanCodeLabel]:
        """Return what a guild's codes come to by label, the newest label first."""
        found = await self._connection.execute(
            select(
                plan_codes.c.label,
                func.count().label("codes"),
                func.sum(case((plan_codes.c.is_void, 1), else_=0)).label("void"),
                func.sum(plan_codes.c.uses).label("uses"),
                func.sum(plan_codes.c.max_uses).label("max_uses"),
            )
            .where(plan_codes.c.guild_id == guild_id)
            .group_by(plan_codes.c.label)
            .order_by(func.max(plan_codes.c.created_at).desc(), plan_codes.c.label)
            .limit(limit)
        )
        return [PlanCodeLabel(**row) for row in found.mappings()]

    async def use(self, use: PlanCodeUse) -> bool:
        """Use a code once per person, while it is in force and has uses left; say whether it was (one statement each).

        The purchase has to be there already: without a True, roll its transaction back.
        """
        counted = await self._connection.execute(
            update(plan_codes)
            .where(
                plan_codes.c.digest == use.digest,
                ~plan_codes.c.is_void,
                plan_codes.c.uses < plan_codes.c.max_uses,
                or_(plan_codes.c.expires_at.is_(None), plan_codes.c.expires_at > use.used_at),
            )
            .values(uses=plan_codes.c.uses + 1)
        )
        if row_count(counted) != 1:
            return False
        used = await self._connection.execute(
            insert_into(self._connection, plan_code_uses).values(asdict(use)).on_conflict_do_nothing()
        )
        return row_count(used) == 1

    async def uses(self, digest: str, limit: int) -> Sequence[PlanCodeUse]:
        """Return who used a code, newest first."""
        found = await self._connection.execute(
            select(plan_code_uses)
            .where(plan_code_uses.c.digest == digest)
            .order_by(plan_code_uses.c.used_at.desc(), plan_code_uses.c.user_id)
            .limit(limit)
        )
        return [PlanCodeUse(**row) for row in found.mappings()]

    async def use_by(self, digest: str, user_id: UserId) -> PlanCodeUse | None:
        """Return a person's use of a code."""
        found = await self._connection.execute(
            select(plan_code_uses).where(plan_code_uses.c.digest == digest, plan_code_uses.c.user_id == user_id)
        )
        row = found.mappings().one_or_none()
        return None if row is None else PlanCodeUse(**row)

    async def set_void(self, digests: Sequence[str], guild_id: GuildId, *, is_void: bool) -> int:
        """Switch a guild's codes off or on; return how many that changed."""
        changed = 0
        for start in range(0, len(digests), CHUNK):
            these = plan_codes.c.digest.in_(digests[start : start + CHUNK])
            switched = await self._connection.execute(
                update(plan_codes)
                .where(these, plan_codes.c.guild_id == guild_id, plan_codes.c.is_void != is_void)
                .values(is_void=is_void)
            )
            changed += row_count(switched)
        return changed
