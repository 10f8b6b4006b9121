"""Grants: one purchase's hold on one plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.errors import Reason
from membership.model import Grant, GrantId, GrantState, GuildId, Plan, PlanId, Purchase, PurchaseId, PurchaseStatus
from storage.schema import grants
from storage.statements import insert_into

GRANT = tuple(grants.c[field.name] for field in fields(Grant))


class Grants:
    """The half of the purchases aggregate that is about plans."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def open_grant(self, purchase: Purchase, plan: Plan, now: datetime) -> Grant:
        """Return the purchase's grant on a plan, opening it as pending at first.

        What unlocked it is kept up to date while the grant lives.
        """
        item = plan.unlocked_by(purchase)
        is_unpaid = purchase.status is PurchaseStatus.PENDING
        await self._connection.execute(
            insert_into(self._connection, grants)
            .values(
                purchase_id=purchase.id,
                plan_id=plan.id,
                guild_id=plan.guild_id,
                product_id=item.product_id if item else "",
                price_id=item.price_id if item else "",
                state=GrantState.PENDING,
                reason=Reason.WAITING_FOR_PAYMENT if is_unpaid else Reason.NOT_LINKED,
                episode=1,
                opened_at=now,
            )
            .on_conflict_do_nothing(index_elements=[grants.c.purchase_id, grants.c.plan_id])
        )
        key = (grants.c.purchase_id == purchase.id) & (grants.c.plan_id == plan.id)
        if item is not None:
            await self._connection.execute(
                update(grants)
                .where(key, grants.c.state != GrantState.REVOKED)
                .values(product_id=item.product_id, price_id=item.price_id)
            )
        found = await self._connection.execute(select(*GRANT).where(key))
        return Grant(**found.mappings().one())

    async def grants(self, purchase_id: PurchaseId) -> Sequence[Grant]:
        """Return a purchase's grants."""
        found = await self._connection.execute(
            select(*GRANT).where(grants.c.purchase_id == purchase_id).order_by(grants.c.id)
        )
        return [Grant(**row) for row in found.mappings()]

    async def grant_in_guild(self, grant_id: GrantId, guild_id: GuildId) -> Grant | None:
        """Return one grant if it is in this guild."""
        found = await self._connection.execute(
            select(*GRANT).where(grants.c.id == grant_id, grants.c.guild_id == guild_id)
        )
        row = found.mappings().one_or_none()
        return None if row is None else Grant(**row)

    async def grant_counts(self, guild_id: GuildId) -> Mapping[tuple[PlanId, GrantState], int]:
        """Count a guild's grants by plan and state."""
        return await self._counts(grants.c.guild_id == guild_id)

    async def active_counts(self, guild_id: GuildId) -> Mapping[tuple[PlanId, GrantState], int]:
        """Count a guild's grants that give access now: delivered, late, or kept by the brake, not everything held."""
        is_kept = and_(grants.c.state == GrantState.HELD, grants.c.reason == Reason.BRAKE)
        is_active = grants.c.state.in_((GrantState.DELIVERED, GrantState.PAST_DUE))
        return await self._counts(and_(grants.c.guild_id == guild_id, or_(is_active, is_kept)))

    async def _counts(self, condition: ColumnElement[bool]) -> Mapping[tuple[PlanId, GrantState], int]:
        found = await self._connection.execute(
            select(grants.c.plan_id, grants.c.state, func.count())
            .where(condition)
            .group_by(grants.c.plan_id, grants.c.state)
        )
        return {(PlanId(plan_id), state): int(count) for plan_id, state, count in found}

    async def set_grant(self, grant: Grant) -> None:
        """Store a grant's state, reason, episode, ended_at, kick_at and revoke_at."""
        await self._connection.execute(
            update(grants)
            .where(grants.c.id == grant.id)
            .values(
                state=grant.state,
                reason=grant.reason,
                episode=grant.episode,
                ended_at=grant.ended_at,
                kick_at=grant.kick_at,
                revoke_at=grant.revoke_at,
            )
        )

    async def grants_in_state(
        self, guild_id: GuildId, state: GrantState, reason: Reason | None, limit: int
    ) -> Sequence[Grant]:
        """Return a guild's grants in one state (and for one reason)."""
        conditions = [grants.c.guild_id == guild_id, grants.c.state == state]
        if reason is not None:
            conditions.append(grants.c.reason == reason)
        found = await self._connection.execute(select(*GRANT).where(*conditions).order_by(grants.c.id).limit(limit))
        return [Grant(**row) for row in found.mappings()]
