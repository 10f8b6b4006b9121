"""Plans, their roles and what unlocks them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.errors import UserError
from membership.model import AccountId, GuildId, Plan, PlanId, PlanProduct, RoleId
from storage.schema import plan_products, plan_roles, plans
from storage.statements import insert_into

_RULES = tuple(column.name for column in plans.c if column.name != "id")


class Plans:
    """Plans and what unlocks them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def create(self, plan: Plan) -> Plan:
        """Store a new plan (its id is ignored) and return it with its id. Raises UserError when the slug is taken."""
        stored = await self._connection.execute(
            insert_into(self._connection, plans)
            .values(_rules(plan))
            .on_conflict_do_nothing(index_elements=[plans.c.slug])
            .returning(plans.c.id)
        )
        plan_id = stored.scalar_one_or_none()
        if plan_id is None:
            raise UserError(f"There is already a plan with the short name {plan.slug}. Choose another one.")
        await self._write_parts(PlanId(plan_id), plan)
        return await self.get(PlanId(plan_id))

    async def replace(self, plan: Plan) -> None:
        """Store a plan's new form. Raises UserError when another plan has the slug."""
        other = await self.by_slug(plan.slug)
        if other is not None and other.id != plan.id:
            raise UserError(f"There is already a plan with the short name {plan.slug}. Choose another one.")
        await self._connection.execute(update(plans).where(plans.c.id == plan.id).values(_rules(plan)))
        await self._connection.execute(delete(plan_roles).where(plan_roles.c.plan_id == plan.id))
        await self._connection.execute(delete(plan_products).where(plan_products.c.plan_id == plan.id))
        await self._write_parts(plan.id, plan)

    async def get(self, plan_id: PlanId) -> Plan:
        """Return one plan. Raises KeyError."""
        return (await self.by_ids([plan_id]))[plan_id]

    async def in_guild(self, plan_id: PlanId, guild_id: GuildId) -> Plan | None:
        """Return one plan if it is of this guild."""
        found = await self._where(plans.c.id == plan_id, plans.c.guild_id == guild_id)
        return found[0] if found else None

    async def by_slug(self, slug: str) -> Plan | None:
        """Return a plan by its slug."""
        found = await self._where(plans.c.slug == slug)
        return found[0] if found else None

    async def all(self, guild_id: GuildId | None = None) -> Sequence[Plan]:
        """Return the plans, of one guild when asked."""
        return await self._where(*(() if guild_id is None else (plans.c.guild_id == guild_id,)))

    async def unlocked_by(self, account_id: AccountId, product_ids: Sequence[str]) -> Sequence[Plan]:
        """Return plans that are not archived and that one of the products may unlock."""
        unlocked = select(plan_products.c.plan_id).where(
            plan_products.c.account_id == account_id, plan_products.c.product_id.in_(product_ids)
        )
        return await self._where(plans.c.id.in_(unlocked), ~plans.c.is_archived)

    async def by_ids(self, plan_ids: Sequence[PlanId]) -> dict[PlanId, Plan]:
        """Return plans by their ids; what does not exist is missing."""
        return {plan.id: plan for plan in await self._where(plans.c.id.in_(plan_ids))}

    async def _where(self, *conditions: Any) -> list[Plan]:
        found = await self._connection.execute(select(plans).where(*conditions).order_by(plans.c.id))
        rows = found.mappings().all()
        if not rows:
            return []
        ids = [row["id"] for row in rows]
        roles = await self._roles(ids)
        products = await self._products(ids)
        return [Plan(**row, roles=tuple(roles[row["id"]]), products=tuple(products[row["id"]])) for row in rows]

    async def _roles(self, plan_ids: Sequence[int]) -> dict[int, list[RoleId]]:
        found = await self._connection.execute(
            select(plan_roles.c.plan_id, plan_roles.c.role_id)
            .where(plan_roles.c.plan_id.in_(plan_ids))
            .order_by(plan_roles.c.plan_id, plan_roles.c.position)
        )
        roles: dict[int, list[RoleId]] = defaultdict(list)
        for plan_id, role_id in found:
            roles[plan_id].append(RoleId(role_id))
        return roles

    async def _products(self, plan_ids: Sequence[int]) -> dict[int, list[PlanProduct]]:
        found = await self._connection.execute(
            select(plan_products)
            .where(plan_products.c.plan_id.in_(plan_ids))
            .order_by(plan_products.c.plan_id, plan_products.c.position)
        )
        products: dict[int, list[PlanProduct]] = defaultdict(list)
        for row in found:
            products[row.plan_id].append(
                PlanProduct(account_id=row.account_id, product_id=row.product_id, price_id=row.price_id)
            )
        return products

    async def _write_parts(self, plan_id: PlanId, plan: Plan) -> None:
        if plan.roles:
            # A role named twice is one role; the first mention keeps its place.
            await self._connection.execute(
                insert(plan_roles),
                [
                    {"plan_id": plan_id, "role_id": role_id, "position": position}
                    for position, role_id in enumerate(dict.fromkeys(plan.roles))
                ],
            )
        if plan.products:
            await self._connection.execute(
                insert(plan_products),
                [
                    {
                        "plan_id": plan_id,
                        "position": position,
                        "account_id": product.account_id,
                        "product_id": product.product_id,
                        "price_id": product.price_id,
                    }
                    for position, product in enumerate(plan.products)
                ],
            )


def _rules(plan: Plan) -> dict[str, object]:
    return {name: getattr(plan, name) for name in _RULES}
