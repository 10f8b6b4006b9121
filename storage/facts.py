"""Everything `decide` may know about one member, in six indexed queries. Runs for every reconcile."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.errors import Reason
from membership.model import Claim, Grant, Holding, MemberFacts, MemberKey, Purchase
from storage.grants import GRANT
from storage.plans import Plans
from storage.purchases import PURCHASE, items_of
from storage.schema import grants, holdings, links, purchases


async def read(connection: AsyncConnection, key: MemberKey) -> MemberFacts:
    """Read the claims through live and ended links, and the holdings."""
    rows = await _claim_rows(connection, key)
    claims: tuple[Claim, ...] = ()
    if rows:
        purchase_ids = list({row.purchase_id for row in rows})
        items = await items_of(connection, purchase_ids)
        plans = await Plans(connection).by_ids(list({row.plan_id for row in rows}))
        claims = tuple(
            Claim(
                grant=Grant(**_part(row, "grant_")),
                purchase=Purchase(**_part(row, "purchase_of_"), items=items.get(row.purchase_id, ())),
                plan=plans[row.plan_id],
                is_linked=row.ended_at is None,
                unlink_reason=row.end_reason or Reason.MOVED,
            )
            for row in rows
        )
    return MemberFacts(key=key, claims=claims, holdings=await _holdings(connection, key))


async def _claim_rows(connection: AsyncConnection, key: MemberKey) -> list[Row[Any]]:
    """Return one row per grant: a live link speaks before an ended one, the last ended one before older ones."""
    found = await connection.execute(
        select(
            links.c.ended_at,
            links.c.end_reason,
            grants.c.purchase_id,
            grants.c.plan_id,
            *(column.label(f"grant_{column.name}") for column in GRANT),
            *(column.label(f"purchase_of_{column.name}") for column in PURCHASE),
        )
        .select_from(links)
        .join(purchases, purchases.c.customer_id == links.c.customer_id)
        .join(grants, grants.c.purchase_id == purchases.c.id)
        .where(links.c.user_id == key.user_id)
        .order_by(grants.c.id, links.c.id)
    )
    # The guild is chosen here: named in the query, SQLite would begin with all grants of the guild, not with the links.
    # The later link of one payer and user is the live one, if any is: only the last of them can be.
    rows = {row.grant_id: row for row in found if row.grant_guild_id == key.guild_id}
    return list(rows.values())


async def _holdings(connection: AsyncConnection, key: MemberKey) -> tuple[Holding, ...]:
    found = await connection.execute(
        select(holdings.c.role_id, holdings.c.state, holdings.c.repairs, holdings.c.repairs_since)
        .where(holdings.c.guild_id == key.guild_id, holdings.c.user_id == key.user_id)
        .order_by(holdings.c.role_id)
    )
    return tuple(Holding(**row) for row in found.mappings())


def _part(row: Row[Any], prefix: str) -> dict[str, Any]:
    """Cut one record out of a joined row."""
    return {name.removeprefix(prefix): value for name, value in row._mapping.items() if name.startswith(prefix)}
