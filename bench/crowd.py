"""Many linked members in no time: rows that production code wrote for one member, copied in SQL for a crowd."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.stage import Stage
from membership.model import CustomerId, CustomerSnapshot, Proof, UserId
from storage.schema import customers, grants, holdings, links, members, purchase_items, purchases

FIRST_NUMBER = 1_000_000
"""Copies are numbered from here on, in every table: a copied purchase has the number of its copied customer."""

_NUMBER = f"{FIRST_NUMBER} + crowd.number"
_LINKED: dict[Table, Mapping[str, str]] = {
    customers: {"id": _NUMBER, "external_id": "crowd.external_id"},
    links: {"id": _NUMBER, "customer_id": _NUMBER, "user_id": "crowd.user_id"},
}
_SERVED: dict[Table, Mapping[str, str]] = {
    purchases: {"id": _NUMBER, "customer_id": _NUMBER, "external_id": "'sub_' || crowd.external_id"},
    purchase_items: {"purchase_id": _NUMBER},
    grants: {"id": _NUMBER, "purchase_id": _NUMBER},
    members: {"user_id": "crowd.user_id"},
    holdings: {"user_id": "crowd.user_id"},
}


async def link_crowd(both: Stage, user_ids: Sequence[int], customer_ids: Sequence[str]) -> None:
    """Let Doorlist know each user as one Stripe customer. The first of them is linked by production code."""
    await link_one(both, user_ids[0], customer_ids[0])
    async with both.process.database.write() as tx:
        await _copy(tx.connection, _LINKED, user_ids, customer_ids)


async def copy_served(both: Stage, user_ids: Sequence[int]) -> None:
    """Copy the first user, whom Doorlist has served, for all others: purchase, grant, member and holding included."""
    customer_ids = [f"cus_crowd_{number}" for number in range(len(user_ids))]
    async with both.process.database.write() as tx:
        await _copy(tx.connection, _LINKED | _SERVED, user_ids, customer_ids)


async def link_one(both: Stage, user_id: int, customer: str) -> CustomerId:
    """Link one Stripe customer as production code does: just now and by themselves, so that nobody is written to."""
    services = both.process.services
    account = await services.sellers.account("stripe")
    async with both.process.database.write() as tx:
        snapshot = CustomerSnapshot(external_id=customer, email=f"{customer}@example.com")
        customer_id = await tx.customers.record(account.id, snapshot)
        await tx.links.bind(customer_id, UserId(user_id), Proof.OAUTH, services.clock.now())
    return customer_id


async def _copy(
    connection: AsyncConnection,
    tables: Mapping[Table, Mapping[str, str]],
    user_ids: Sequence[int],
    customer_ids: Sequence[str],
) -> None:
    """Copy the rows of the first user for all others."""
    await connection.execute(text("CREATE TEMP TABLE crowd (number INTEGER PRIMARY KEY, user_id, external_id)"))
    people = [
        {"number": number, "user_id": user_id, "external_id": customer}
        for number, (user_id, customer) in enumerate(zip(user_ids, customer_ids, strict=True))
        if number
    ]
    if people:
        await connection.execute(text("INSERT INTO crowd VALUES (:number, :user_id, :external_id)"), people)
    customer_id = "SELECT customer_id FROM links WHERE user_id = :user_id"
    purchase_id = f"SELECT id FROM purchases WHERE customer_id IN ({customer_id})"  # noqa: S608 - nothing comes in
    is_first = {
        customers: f"customers.id IN ({customer_id})",
        purchases: f"purchases.id IN ({purchase_id})",
        purchase_items: f"purchase_items.purchase_id IN ({purchase_id})",
        grants: f"grants.purchase_id IN ({purchase_id})",
    }
    for table, changes in tables.items():
        chosen = [changes.get(column.name, f"{table.name}.{column.name}") for column in table.columns]
        where = is_first.get(table, f"{table.name}.user_id = :user_id")
        names = ", ".join(column.name for column in table.columns)
        copy = f"INSERT INTO {table.name} ({names}) SELECT {', '.join(chosen)} FROM {table.name}, crowd WHERE {where}"  # noqa: S608 - names of the schema
        await connection.execute(text(copy), {"user_id": user_ids[0]})
    await connection.execute(text("DROP TABLE crowd"))
