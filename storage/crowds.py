"""Many members at once: whom a plan bears on, and pages of what `decide` may know, in a handful of queries each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.crowds import People, Standing
from membership.errors import Reason
from membership.model import (
    AccountId,
    Claim,
    Grant,
    GrantState,
    GuildId,
    Holding,
    MemberFacts,
    MemberKey,
    Plan,
    PlanId,
    PlanProduct,
    Purchase,
    PurchaseStatus,
    RoleId,
    UserId,
)
from membership.records import MemberRow
from storage.columns import NEVER
from storage.desk_tables import exemptions
from storage.grants import GRANT
from storage.plans import Plans
from storage.purchases import PURCHASE, items_of
from storage.schema import grants, holdings, links, members, plans, purchase_items, purchases
from storage.statements import PART

_ENDED = (PurchaseStatus.ENDED, PurchaseStatus.EXPIRED)
_GRANT = tuple(column.label(f"grant_{column.name}") for column in GRANT)
_PURCHASE = tuple(column.label(f"purchase_of_{column.name}") for column in PURCHASE)


class Crowds:
    """Questions about many members."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def granted(self, plan_id: PlanId, after: int) -> People:
        """Return users on whom a grant on a plan bears, through live or ended links, oldest grant first."""
        return await self._of_grants(plan_id, after, is_meant=true(), is_theirs=true())

    async def linked(self, plan_id: PlanId, after: int) -> People:
        """Return linked users with a grant on a plan, in whatever state."""
        return await self._of_grants(plan_id, after, is_meant=true(), is_theirs=links.c.ended_at.is_(None))

    async def entitled(self, plan_id: PlanId, after: int) -> People:
        """Return linked users with a grant on a plan that has not ended."""
        is_meant = grants.c.state != GrantState.REVOKED
        return await self._of_grants(plan_id, after, is_meant=is_meant, is_theirs=links.c.ended_at.is_(None))

    async def buyers(self, plan: Plan, after: int) -> People:
        """Return linked users with a purchase that unlocks a plan and has no grant on it yet, oldest first."""
        if not plan.products or plan.is_archived:
            return People(user_ids=(), next_after=None)
        is_open = select(grants.c.id).where(grants.c.purchase_id == purchases.c.id, grants.c.plan_id == plan.id)
        found = await self._connection.execute(
            select(purchases.c.id, links.c.user_id)
            .join(purchase_items, purchase_items.c.purchase_id == purchases.c.id)
            .join(links, links.c.customer_id == purchases.c.customer_id)
            .where(purchases.c.id > after, _is_bought(plan), links.c.ended_at.is_(None), ~is_open.exists())
            .order_by(purchases.c.id)
            .limit(PART)
        )
        # What a page leaves out of its last purchase are more items of it, and so the same user.
        rows = found.all()
        return People(
            user_ids=tuple(UserId(row.user_id) for row in rows),
            next_after=rows[-1].id if len(rows) == PART else None,
        )

    async def holders(self, guild_id: GuildId, role_id: RoleId, after: int) -> People:
        """Return members on whom we hold a role."""
        found = await self._connection.execute(
            select(holdings.c.user_id)
            .where(holdings.c.guild_id == guild_id, holdings.c.role_id == role_id, holdings.c.user_id > after)
            .order_by(holdings.c.user_id)
            .limit(PART)
        )
        users = tuple(UserId(user_id) for user_id in found.scalars())
        return People(user_ids=users, next_after=users[-1] if len(users) == PART else None)

    async def count_holders(self, guild_id: GuildId, role_id: RoleId) -> int:
        """Count the members on whom we hold a role."""
        found = await self._connection.execute(
            select(func.count())
            .select_from(holdings)
            .where(holdings.c.guild_id == guild_id, holdings.c.role_id == role_id)
        )
        return int(found.scalar_one())

    async def standings(self, guild_id: GuildId, user_ids: Sequence[UserId], now: datetime) -> Sequence[Standing]:
        """Return what is known of at most 500 users, in their order."""
        rows = await self._claim_rows(user_ids)
        items = await items_of(self._connection, sorted({row["purchase_of_id"] for row in rows}))
        known_plans = await self._plans(guild_id)
        claims: dict[int, list[Claim]] = defaultdict(list)
        others: dict[int, dict[int, Purchase]] = defaultdict(dict)
        for row in rows:
            purchase = Purchase(**_part(row, "purchase_of_"), items=items.get(row["purchase_of_id"], ()))
            if row["ended_at"] is None:
                others[row["user_id"]][purchase.id] = purchase
            if row["grant_guild_id"] == guild_id:
                claims[row["user_id"]].append(_claim(row, purchase, known_plans))
        held = await self._holdings(guild_id, user_ids)
        looked_at = await self._rows(guild_id, user_ids)
        exempt = await self._exempt(guild_id, user_ids, now)
        return [
            Standing(
                facts=MemberFacts(
                    key=MemberKey(guild_id, user_id), claims=tuple(claims[user_id]), holdings=tuple(held[user_id])
                ),
                others=tuple(others[user_id].values()),
                row=looked_at.get(user_id),
                is_exempt=user_id in exempt,
            )
            for user_id in user_ids
        ]

    async def unlinked(self, plan: Plan) -> int:
        """Count the purchases that unlock a plan and that nobody is linked to."""
        if not plan.products:
            return 0
        is_linked = select(links.c.id).where(links.c.customer_id == purchases.c.customer_id, links.c.ended_at.is_(None))
        found = await self._connection.execute(
            select(func.count(purchases.c.id.distinct()))
            .select_from(purchase_items)
            .join(purchases, purchases.c.id == purchase_items.c.purchase_id)
            .where(_is_bought(plan), purchases.c.may_give_access, ~is_linked.exists())
        )
        return int(found.scalar_one())

    async def past_due(self, plan_id: PlanId, limit: int) -> Sequence[Purchase]:
        """Return linked purchases with a grant on a plan whose payment failed, the longest late first."""
        return await self._purchases(
            select(*PURCHASE)
            .join(grants, grants.c.purchase_id == purchases.c.id)
            .join(links, links.c.customer_id == purchases.c.customer_id)
            .where(
                grants.c.plan_id == plan_id,
                purchases.c.status == PurchaseStatus.PAST_DUE,
                links.c.ended_at.is_(None),
            )
            .order_by(purchases.c.past_due_since, purchases.c.id)
            .limit(limit)
        )

    async def named(self, account_id: AccountId, prefix: str, limit: int) -> Sequence[Purchase]:
        """Return an account's purchases whose external id begins like this and that have not ended."""
        return await self._purchases(
            select(*PURCHASE)
            .where(
                purchases.c.account_id == account_id,
                purchases.c.external_id.startswith(prefix, autoescape=True),
                purchases.c.status.not_in(_ENDED),
            )
            .order_by(purchases.c.id)
            .limit(limit)
        )

    async def _of_grants(
        self, plan_id: PlanId, after: int, *, is_meant: ColumnElement[bool], is_theirs: ColumnElement[bool]
    ) -> People:
        """Return whom a page of a plan's grants is tied to; a page of grants with nobody has another one after it."""
        page = (
            select(grants.c.id, grants.c.purchase_id)
            .where(grants.c.plan_id == plan_id, grants.c.id > after, is_meant)
            .order_by(grants.c.id)
            .limit(PART)
            .subquery()
        )
        found = await self._connection.execute(
            select(page.c.id, links.c.user_id)
            .join(purchases, purchases.c.id == page.c.purchase_id)
            .outerjoin(links, and_(links.c.customer_id == purchases.c.customer_id, is_theirs))
            .order_by(page.c.id)
        )
        rows = found.all()
        users = tuple(UserId(row.user_id) for row in rows if row.user_id is not None)
        return People(user_ids=users, next_after=rows[-1].id if rows else None)

    async def _purchases(self, statement: Select[Any]) -> list[Purchase]:
        rows = (await self._connection.execute(statement)).mappings().all()
        items = await items_of(self._connection, [row["id"] for row in rows])
        return [Purchase(**row, items=items.get(row["id"], ())) for row in rows]

    async def _claim_rows(self, user_ids: Sequence[UserId]) -> list[Mapping[Any, Any]]:
        """Return a row per purchase and grant; of the links between one payer and one user only the last speaks."""
        found = await self._connection.execute(
            select(links.c.user_id, links.c.ended_at, links.c.end_reason, *_GRANT, *_PURCHASE)
            .select_from(links)
            .join(purchases, purchases.c.customer_id == links.c.customer_id)
            .outerjoin(grants, grants.c.purchase_id == purchases.c.id)
            .where(links.c.user_id.in_(user_ids))
            .order_by(links.c.user_id, grants.c.id, links.c.id)
        )
        last = {(row["user_id"], row["purchase_of_id"], row["grant_id"]): row for row in found.mappings()}
        return list(last.values())

    async def _plans(self, guild_id: GuildId) -> dict[int, Plan]:
        ids = (await self._connection.execute(select(plans.c.id).where(plans.c.guild_id == guild_id))).scalars().all()
        return {int(plan_id): plan for plan_id, plan in (await Plans(self._connection).by_ids(list(ids))).items()}

    async def _holdings(self, guild_id: GuildId, user_ids: Sequence[UserId]) -> dict[int, list[Holding]]:
        found = await self._connection.execute(
            select(holdings)
            .where(holdings.c.guild_id == guild_id, holdings.c.user_id.in_(user_ids))
            .order_by(holdings.c.user_id, holdings.c.role_id)
        )
        held: dict[int, list[Holding]] = defaultdict(list)
        for row in found:
            held[row.user_id].append(
                Holding(role_id=row.role_id, state=row.state, repairs=row.repairs, repairs_since=row.repairs_since)
            )
        return held

    async def _rows(self, guild_id: GuildId, user_ids: Sequence[UserId]) -> dict[int, MemberRow]:
        found = await self._connection.execute(
            select(members).where(members.c.guild_id == guild_id, members.c.user_id.in_(user_ids))
        )
        return {
            row.user_id: MemberRow(
                key=MemberKey(guild_id, UserId(row.user_id)),
                desired=row.desired,
                observed=row.observed,
                is_present=row.is_present,
                observed_at=None if row.observed_at == NEVER else row.observed_at,
            )
            for row in found
        }

    async def _exempt(self, guild_id: GuildId, user_ids: Sequence[UserId], now: datetime) -> frozenset[int]:
        is_in_force = or_(exemptions.c.until.is_(None), exemptions.c.until > now)
        found = await self._connection.execute(
            select(exemptions.c.user_id).where(
                exemptions.c.guild_id == guild_id, exemptions.c.user_id.in_(user_ids), is_in_force
            )
        )
        return frozenset(found.scalars())


def _is_bought(plan: Plan) -> Any:
    return or_(*(_is_product(product) for product in plan.products))


def _is_product(product: PlanProduct) -> Any:
    is_price = true() if product.price_id is None else purchase_items.c.price_id == product.price_id
    is_here = purchases.c.account_id == product.account_id
    return and_(is_here, purchase_items.c.product_id == product.product_id, is_price)


def _claim(row: Mapping[Any, Any], purchase: Purchase, known: Mapping[int, Plan]) -> Claim:
    return Claim(
        grant=Grant(**_part(row, "grant_")),
        purchase=purchase,
        plan=known[row["grant_plan_id"]],
        is_linked=row["ended_at"] is None,
        unlink_reason=row["end_reason"] or Reason.MOVED,
    )


def _part(row: Mapping[Any, Any], prefix: str) -> dict[str, Any]:
    """Cut one record out of a joined row."""
    return {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
