"""The brake's ledger: which removals were counted, and the batches that wait for a person."""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, literal, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.brake import WINDOW
from membership.errors import UserError
from membership.model import BatchId, GuildId, HoldingState, MemberKey, RoleId, UserId
from membership.records import Batch, HeldRemoval, RemovalCounts
from storage.ledgers import removal_batch_items, removal_batches, removals
from storage.schema import holdings
from storage.statements import PART, insert_into

RELEASE_LASTS = timedelta(minutes=30)
HELD = "held"
RELEASED = "released"
DISCARDED = "discarded"
DISSOLVED = "dissolved"
"""Nobody is left in it. The row stays: a number that came again would name an earlier batch's post."""
_KICK = 0
"""What stands for "no role" in the tables: NULL is never equal to NULL."""


class Removals:
    """Counted removals and held batches."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def counts(self, guild_id: GuildId, since: datetime) -> RemovalCounts:
        """Count reserved and done removals since a moment. Released ones do not count; `paying` stays 0."""
        is_kick = removals.c.role_id == _KICK
        found = await self._connection.execute(
            select(func.count().filter(~is_kick), func.count().filter(is_kick)).where(
                removals.c.guild_id == guild_id, removals.c.reserved_at >= since, ~removals.c.is_confirmed
            )
        )
        roles, kicks = found.one()
        return RemovalCounts(roles=roles, kicks=kicks)

    async def paying(self, guild_id: GuildId, since: datetime) -> int:
        """Count the members on whom we hold a role, or took one since a moment. Walks all holders of the guild.

        What is only remembered of somebody who left, in case it comes back with them, makes nobody a paying member.
        """
        members = union(
            select(holdings.c.user_id).where(
                holdings.c.guild_id == guild_id, holdings.c.state != HoldingState.REMOVING
            ),
            select(removals.c.user_id).where(removals.c.guild_id == guild_id, removals.c.reserved_at >= since),
        ).subquery()
        counted = await self._connection.execute(select(func.count()).select_from(members))
        return int(counted.scalar_one())

    async def reserve(self, key: MemberKey, role_id: RoleId | None, now: datetime, *, is_confirmed: bool) -> None:
        """Count a removal before the act; a repeated try of the same removal within the window counts once."""
        if await self.is_reserved(HeldRemoval(key=key, role_id=role_id), now - WINDOW):
            return
        await self._connection.execute(
            insert(removals).values(
                guild_id=key.guild_id,
                user_id=key.user_id,
                role_id=role_id or _KICK,
                reserved_at=now,
                is_confirmed=is_confirmed,
            )
        )

    async def is_reserved(self, removal: HeldRemoval, since: datetime) -> bool:
        """Say whether this very removal was counted since a moment, so that a retry of it goes on."""
        found = await self._connection.execute(
            select(removals.c.id).where(_is_same(removals, removal), removals.c.reserved_at > since).limit(1)
        )
        return found.first() is not None

    async def hold(self, guild_id: GuildId, held: Sequence[HeldRemoval], cause: str, now: datetime) -> BatchId:
        """Add removals to the guild's open batch for this cause, opening one; the set hash follows."""
        is_open = (
            (removal_batches.c.guild_id == guild_id)
            & (removal_batches.c.cause == cause)
            & (removal_batches.c.state == HELD)
        )
        await self._connection.execute(
            insert_into(self._connection, removal_batches)
            .values(guild_id=guild_id, cause=cause, state=HELD, created_at=now, decided_by="")
            .on_conflict_do_nothing()
        )
        found = await self._connection.execute(select(removal_batches.c.id).where(is_open).with_for_update())
        batch_id = BatchId(found.scalar_one())
        await self._add_items(batch_id, held)
        return batch_id

    async def release(
        self, guild_id: GuildId, agreed: Sequence[HeldRemoval], cause: str, actor: str, now: datetime
    ) -> None:
        """Release removals that a person has agreed to before anything held them, as a batch of their own."""
        batch_id = await self._open_released(guild_id, cause, actor, now, created_at=now)
        await self._add_items(batch_id, agreed)

    async def _open_released(
        self, guild_id: GuildId, cause: str, actor: str, now: datetime, *, created_at: datetime
    ) -> BatchId:
        made = await self._connection.execute(
            insert(removal_batches)
            .values(
                guild_id=guild_id,
                cause=cause,
                state=RELEASED,
                created_at=created_at,
                decided_at=now,
                decided_by=actor,
            )
            .returning(removal_batches.c.id)
        )
        return BatchId(made.scalar_one())

    async def _add_items(self, batch_id: BatchId, added: Sequence[HeldRemoval]) -> None:
        for start in range(0, len(added), PART):
            await self._connection.execute(
                insert_into(self._connection, removal_batch_items).on_conflict_do_nothing(),
                [{"batch_id": batch_id, **_columns(removal)} for removal in added[start : start + PART]],
            )

    async def held_of(self, key: MemberKey) -> frozenset[RoleId | None]:
        """Return the roles of a member whose removal is held; None stands for a kick."""
        items, batches = removal_batch_items, removal_batches
        found = await self._connection.execute(
            select(items.c.role_id)
            .join(batches, batches.c.id == items.c.batch_id)
            .where(items.c.guild_id == key.guild_id, items.c.user_id == key.user_id, batches.c.state == HELD)
        )
        return frozenset(None if role_id == _KICK else RoleId(role_id) for role_id in found.scalars())

    async def is_released(self, removal: HeldRemoval, now: datetime) -> bool:
        """Say whether a release covers this removal and is younger than 30 minutes."""
        verdict = await self._last_verdict(removal)
        return verdict is not None and verdict.state == RELEASED and verdict.decided_at > now - RELEASE_LASTS

    async def is_discarded(self, removal: HeldRemoval) -> bool:
        """Say whether a person decided that this member keeps it."""
        verdict = await self._last_verdict(removal)
        return verdict is not None and verdict.state == DISCARDED

    async def drop(self, key: MemberKey, role_ids: Collection[RoleId], *, is_live: bool = False) -> Sequence[BatchId]:
        """Take removals that are no longer wanted out of the open batches; return those in which nobody is left.

        Decisions to keep them are forgotten with them: the end of a new life is a new question. `is_live`: something
        speaks for the member's place again, so that a kick is not wanted, and what was kept is no longer asked for.
        """
        items, batches = removal_batch_items, removal_batches
        wanted = items.c.role_id.in_([*role_ids, _KICK] if is_live else role_ids)
        is_ours = select(holdings.c.role_id).where(_is_holding_of(items)).exists()
        is_kept_for_good = literal(is_live) & (batches.c.state == DISCARDED) & ~is_ours
        concerned = select(batches.c.id).where(
            batches.c.id == items.c.batch_id,
            (wanted & batches.c.state.in_((HELD, DISCARDED))) | is_kept_for_good,
        )
        dropped = await self._connection.execute(
            delete(items)
            .where(
                items.c.guild_id == key.guild_id, items.c.user_id == key.user_id, concerned.correlate(items).exists()
            )
            .returning(items.c.batch_id)
        )
        touched = set(dropped.scalars())
        if not touched:
            return []
        is_empty = ~select(items.c.batch_id).where(items.c.batch_id == batches.c.id).exists()
        dissolved = await self._connection.execute(
            update(batches)
            .where(batches.c.id.in_(touched), batches.c.state == HELD, is_empty)
            .values(state=DISSOLVED)
            .returning(batches.c.id)
        )
        return [BatchId(each) for each in dissolved.scalars()]

    async def open_batches(self, guild_id: GuildId | None = None) -> Sequence[Batch]:
        """Return the held batches."""
        conditions = [removal_batches.c.state == HELD]
        if guild_id is not None:
            conditions.append(removal_batches.c.guild_id == guild_id)
        return await self._batches(*conditions)

    async def decide(self, batch_id: BatchId, set_hash: str, verdict: str, actor: str, now: datetime) -> Batch:
        """Decide a batch; `verdict` is released or discarded. Raises UserError when the set is not the one shown."""
        if verdict not in (RELEASED, DISCARDED):
            raise ValueError(f"{verdict} is no verdict")
        batch = await self._shown(batch_id, set_hash)
        await self._connection.execute(
            update(removal_batches)
            .where(removal_batches.c.id == batch_id)
            .values(state=verdict, decided_at=now, decided_by=actor)
        )
        return batch

    async def release_one(self, batch_id: BatchId, set_hash: str, actor: str, now: datetime) -> Batch:
        """Release the first removal of a batch as a batch of its own; the rest stays held. Raises as `decide`."""
        batch = await self._shown(batch_id, set_hash)
        if len(batch.removals) == 1:
            return await self.decide(batch_id, set_hash, RELEASED, actor, now)
        own_id = await self._open_released(batch.guild_id, batch.cause, actor, now, created_at=batch.created_at)
        first = batch.removals[0]
        is_first = (removal_batch_items.c.batch_id == batch_id) & _is_same(removal_batch_items, first)
        await self._connection.execute(update(removal_batch_items).where(is_first).values(batch_id=own_id))
        return replace(batch, id=own_id, removals=(first,), set_hash=hash_of([first]))

    async def _shown(self, batch_id: BatchId, set_hash: str) -> Batch:
        """Return a held batch and keep others from it. Raises UserError when it is not what a person was shown."""
        is_this = removal_batches.c.id == batch_id
        await self._connection.execute(select(removal_batches.c.id).where(is_this).with_for_update())
        found = await self._batches(is_this, removal_batches.c.state == HELD)
        if not found:
            raise UserError("Somebody has already decided this, or the removals are no longer needed.")
        if found[0].set_hash != set_hash:
            raise UserError("The list has changed since it was shown to you. Look at it again, then decide.")
        return found[0]

    async def _last_verdict(self, removal: HeldRemoval) -> Any:
        """Return the state and moment of the newest decision on this removal."""
        found = await self._connection.execute(
            select(removal_batches.c.state, removal_batches.c.decided_at)
            .join(removal_batch_items, removal_batch_items.c.batch_id == removal_batches.c.id)
            .where(_is_same(removal_batch_items, removal), removal_batches.c.decided_at.is_not(None))
            .order_by(removal_batches.c.decided_at.desc(), removal_batches.c.id.desc())
            .limit(1)
        )
        return found.first()

    async def _batches(self, *conditions: Any) -> list[Batch]:
        found = await self._connection.execute(
            select(removal_batches).where(*conditions).order_by(removal_batches.c.id)
        )
        rows = found.all()
        removed: dict[int, list[HeldRemoval]] = defaultdict(list)
        items = await self._connection.execute(
            select(removal_batch_items)
            .where(removal_batch_items.c.batch_id.in_([row.id for row in rows]))
            .order_by(removal_batch_items.c.user_id, removal_batch_items.c.role_id)
        )
        for part in items.partitions(PART):
            for item in part:
                key = MemberKey(GuildId(item.guild_id), UserId(item.user_id))
                role_id = None if item.role_id == _KICK else RoleId(item.role_id)
                removed[item.batch_id].append(HeldRemoval(key=key, role_id=role_id))
            await asyncio.sleep(0)
        return [
            Batch(
                id=BatchId(row.id),
                guild_id=GuildId(row.guild_id),
                cause=row.cause,
                removals=tuple(removed[row.id]),
                # In a thread: a batch can name a hundred thousand.
                set_hash=await asyncio.to_thread(hash_of, removed[row.id]),
                created_at=row.created_at,
            )
            for row in rows
        ]


def hash_of(held: Iterable[HeldRemoval]) -> str:
    """Name exactly this set of removals, in whatever order it comes."""
    lines = sorted(f"{removal.key}:{removal.role_id or _KICK}" for removal in held)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _is_holding_of(items: Any) -> Any:
    """Match the holding of the role that an item is about."""
    is_member = (holdings.c.guild_id == items.c.guild_id) & (holdings.c.user_id == items.c.user_id)
    return is_member & (holdings.c.role_id == items.c.role_id)


def _columns(removal: HeldRemoval) -> dict[str, int]:
    return {
        "guild_id": removal.key.guild_id,
        "user_id": removal.key.user_id,
        "role_id": removal.role_id or _KICK,
    }


def _is_same(table: Any, removal: HeldRemoval) -> Any:
    wanted = _columns(removal)
    return (
        (table.c.guild_id == wanted["guild_id"])
        & (table.c.user_id == wanted["user_id"])
        & (table.c.role_id == wanted["role_id"])
    )
