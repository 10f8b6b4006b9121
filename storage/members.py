"""Members, their holdings, and the drift between desired and observed."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Row,
    Select,
    Subquery,
    bindparam,
    case,
    delete,
    func,
    literal,
    select,
    text,
    union,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.model import (
    CustomerId,
    GuildId,
    HoldingState,
    MemberFacts,
    MemberKey,
    RoleId,
    UserId,
)
from membership.records import MemberRow
from storage import facts
from storage.columns import NEVER, Moment
from storage.customers import search_key
from storage.schema import grants, holdings, links, members, purchases
from storage.statements import CHUNK, PART, insert_into, unindexed

REPAIR_WINDOW = timedelta(hours=24)
# Written as in the partial index, so that the planner sees that it applies. Who is not in the guild can hold nothing.
_DRIFTED = text("desired <> observed AND is_present")


class Members:
    """Members and holdings."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def facts(self, key: MemberKey) -> MemberFacts:
        """Read everything `decide` needs: claims through live and ended links, and holdings."""
        return await facts.read(self._connection, key)

    async def keys_of_customer(self, customer_id: CustomerId) -> Sequence[MemberKey]:
        """Return the members that a payer's grants bear on, through live or ended links."""
        return await self._keys(
            select(grants.c.guild_id, links.c.user_id)
            .join(purchases, purchases.c.id == grants.c.purchase_id)
            .join(links, links.c.customer_id == purchases.c.customer_id)
            .where(purchases.c.customer_id == customer_id)
            .distinct()
        )

    async def keys_of_guild(self, guild_id: GuildId, after: UserId, limit: int) -> Sequence[MemberKey]:
        """Return the members of a guild that a grant or a holding bears on, by rising user id after `after`."""
        bought = select(grants.c.id).join(purchases, purchases.c.id == grants.c.purchase_id)
        is_here = unindexed(grants.c.guild_id) == guild_id
        is_theirs = bought.where(purchases.c.customer_id == links.c.customer_id, is_here).exists()
        # Each half is cut by itself, so that a page walks along an index instead of sorting the whole guild.
        entitled = _page(select(links.c.user_id).where(is_theirs), links.c.user_id, after, limit)
        is_held_here = holdings.c.guild_id == guild_id
        holding = _page(select(holdings.c.user_id).where(is_held_here), holdings.c.user_id, after, limit)
        everybody = union(select(entitled), select(holding)).subquery()
        return await self._keys(
            select(literal(guild_id), everybody.c.user_id).order_by(everybody.c.user_id).limit(limit)
        )

    async def get(self, key: MemberKey) -> MemberRow | None:
        """Return what was last wanted and seen of a member, None when they were never looked at."""
        found = await self._connection.execute(
            select(members).where(members.c.guild_id == key.guild_id, members.c.user_id == key.user_id)
        )
        row = found.one_or_none()
        return None if row is None else _member(row)

    async def count_present(self, guild_id: GuildId) -> int:
        """Count the members we look after who are in the guild."""
        found = await self._connection.execute(
            select(func.count()).select_from(members).where(members.c.guild_id == guild_id, members.c.is_present)
        )
        return int(found.scalar_one())

    async def own(
        self, key: MemberKey, role_id: RoleId, state: HoldingState, now: datetime, *, is_repair: bool = False
    ) -> None:
        """Write a holding (upsert). A repair counts within 24 hours of the first."""
        new: dict[str, Any] = {"state": state, "changed_at": now}
        changed = dict(new)
        if is_repair:
            is_recent = holdings.c.repairs_since > now - REPAIR_WINDOW
            changed["repairs"] = case((is_recent, holdings.c.repairs + 1), else_=1)
            changed["repairs_since"] = case((is_recent, holdings.c.repairs_since), else_=literal(now, Moment()))
        await self._connection.execute(
            insert_into(self._connection, holdings)
            .values(
                guild_id=key.guild_id,
                user_id=key.user_id,
                role_id=role_id,
                repairs=1 if is_repair else 0,
                repairs_since=now if is_repair else None,
                **new,
            )
            .on_conflict_do_update(
                index_elements=[holdings.c.guild_id, holdings.c.user_id, holdings.c.role_id], set_=changed
            )
        )

    async def disown(self, key: MemberKey, role_id: RoleId) -> None:
        """Forget a holding."""
        await self._connection.execute(
            delete(holdings).where(
                holdings.c.guild_id == key.guild_id, holdings.c.user_id == key.user_id, holdings.c.role_id == role_id
            )
        )

    async def settle(self, row: MemberRow, next_check_at: datetime | None) -> None:
        """Store what was wanted and seen. `observed_at` None means: written since, look again at the next sweep."""
        seen = {
            "desired": row.desired,
            "observed": row.observed,
            "is_present": row.is_present,
            "observed_at": row.observed_at or NEVER,
            "next_check_at": next_check_at,
        }
        # Discord does not always say a name: the last one stays.
        # Of somebody who is connected to nothing, no name is kept: they never were, have gone, or were erased.
        is_linked = select(links.c.id).where(links.c.user_id == row.key.user_id, links.c.ended_at.is_(None)).exists()
        new = {"name": row.name, "name_key": search_key(row.name.removeprefix("@"))}
        # Discord does not always say a name: the last one stays.
        known = new if row.name else {name: members.c[name] for name in new}
        await self._connection.execute(
            insert_into(self._connection, members)
            .values(
                guild_id=row.key.guild_id,
                user_id=row.key.user_id,
                **{name: case((is_linked, value), else_="") for name, value in new.items()},
                **seen,
            )
            .on_conflict_do_update(
                index_elements=[members.c.guild_id, members.c.user_id],
                set_={**seen, **{name: case((is_linked, value), else_="") for name, value in known.items()}},
            )
        )

    async def record_seen(
        self, guild_id: GuildId, seen: Mapping[UserId, tuple[frozenset[RoleId], bool]], now: datetime
    ) -> Sequence[MemberKey]:
        """Store what a sweep saw (managed roles, presence) of many members; return those that now differ from desired.

        Members without a row are nobody's business yet and stay without one.
        """
        if not seen:
            return []
        await self._connection.execute(
            update(members)
            .where(members.c.guild_id == guild_id, members.c.user_id == bindparam("seen_user_id"))
            .values(observed=bindparam("seen_roles"), is_present=bindparam("seen_present"), observed_at=now),
            [
                {"seen_user_id": user_id, "seen_roles": roles, "seen_present": is_present}
                for user_id, (roles, is_present) in seen.items()
            ],
        )
        drifted: list[MemberKey] = []
        user_ids = list(seen)
        for start in range(0, len(user_ids), CHUNK):
            of_these = members.c.user_id.in_(user_ids[start : start + CHUNK])
            found = select(members.c.guild_id, members.c.user_id).where(
                members.c.guild_id == guild_id, of_these, _DRIFTED
            )
            drifted += await self._keys(found)
        return drifted

    async def drifted(self, guild_id: GuildId, limit: int) -> Sequence[MemberKey]:
        """Return members whose observed differs from desired, by the partial index."""
        return await self._keys(
            select(members.c.guild_id, members.c.user_id)
            .where(members.c.guild_id == guild_id, _DRIFTED)
            .order_by(members.c.user_id)
            .limit(limit)
        )

    async def due(self, guild_id: GuildId, now: datetime, limit: int) -> Sequence[MemberKey]:
        """Return members whose next_check_at has passed."""
        return await self._keys(
            select(members.c.guild_id, members.c.user_id)
            .where(members.c.guild_id == guild_id, members.c.next_check_at <= now)
            .order_by(members.c.next_check_at)
            .limit(limit)
        )

    async def least_recently_seen(
        self, guild_id: GuildId, before: datetime, limit: int, *, leaving_out: Collection[UserId] = ()
    ) -> Sequence[MemberRow]:
        """Return managed members by oldest observed_at (never first), seen before `before`; without `leaving_out`."""
        found = await self._connection.execute(
            select(members)
            .where(
                members.c.guild_id == guild_id, members.c.observed_at < before, members.c.user_id.not_in(leaving_out)
            )
            .order_by(members.c.observed_at)
            .limit(limit)
        )
        return [_member(row) for row in found]

    async def _keys(self, statement: Any) -> list[MemberKey]:
        found = await self._connection.execute(statement)
        keys: list[MemberKey] = []
        for part in found.partitions(PART):
            keys += [MemberKey(GuildId(guild_id), UserId(user_id)) for guild_id, user_id in part]
            await asyncio.sleep(0)
        return keys


def _member(row: Row[Any]) -> MemberRow:
    return MemberRow(
        key=MemberKey(row.guild_id, row.user_id),
        desired=row.desired,
        observed=row.observed,
        is_present=row.is_present,
        observed_at=None if row.observed_at == NEVER else row.observed_at,
        name=row.name,
    )


def _page(query: Select[Any], column: Column[Any], after: int, limit: int) -> Subquery:
    return query.where(column > after).order_by(column).distinct().limit(limit).subquery()
