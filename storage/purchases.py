"""Snapshots of what was bought. The grants they carry are in grants.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.model import (
    AccountId,
    CustomerId,
    Dispute,
    GuildId,
    Item,
    Plan,
    PlanProduct,
    Purchase,
    PurchaseId,
    PurchaseSnapshot,
    PurchaseStatus,
    Refund,
)
from storage.grants import Grants
from storage.schema import customers, grants, purchase_items, purchases
from storage.statements import CHUNK

MAY_GIVE_ACCESS = frozenset(
    {
        PurchaseStatus.TRIALING,
        PurchaseStatus.ACTIVE,
        PurchaseStatus.PAST_DUE,
        PurchaseStatus.PAUSED,
        PurchaseStatus.UNKNOWN,
    }
)
"""The statuses under which a member may hold something, so that their silence at the provider is worth a question."""

PURCHASE = tuple(purchases.c[field.name] for field in fields(Purchase) if field.name != "items")
_COPIED = tuple(
    field.name for field in fields(PurchaseSnapshot) if field.name in purchases.c and field.name != "checkout_id"
)


class Purchases(Grants):
    """Purchases, and through `Grants` what they are worth."""

    async def record(
        self, account_id: AccountId, customer_id: CustomerId, snapshot: PurchaseSnapshot
    ) -> tuple[Purchase | None, Purchase]:
        """Write a snapshot down; return (before, after).

        A snapshot older than the stored one changes nothing (after == before). `past_due_since` is set to
        `snapshot.read_at` at the first sight of past_due and cleared when the status leaves it.
        """
        # Two processes may bring the first two snapshots of one purchase: the payer's row makes them take turns.
        await self._connection.execute(select(customers.c.id).where(customers.c.id == customer_id).with_for_update())
        before = await self._locked(account_id, snapshot.external_id)
        if before is not None and snapshot.read_at < before.read_at:
            return before, before
        values = _values(account_id, customer_id, snapshot, before)
        if before is None:
            stored = await self._connection.execute(insert(purchases).values(values).returning(purchases.c.id))
            purchase_id = PurchaseId(stored.scalar_one())
        else:
            purchase_id = before.id
            await self._connection.execute(update(purchases).where(purchases.c.id == purchase_id).values(values))
        if before is None or before.items != snapshot.items:
            await self._write_items(purchase_id, snapshot.items)
        return before, await self.get(purchase_id)

    async def get(self, purchase_id: PurchaseId) -> Purchase:
        """Return one purchase. Raises KeyError."""
        found = await self._where(purchases.c.id == purchase_id)
        if not found:
            raise KeyError(purchase_id)
        return found[0]

    async def in_guild(self, purchase_id: PurchaseId, guild_id: GuildId) -> Purchase | None:
        """Return one purchase if it has a grant in this guild."""
        is_there = select(grants.c.id).where(grants.c.purchase_id == purchases.c.id, grants.c.guild_id == guild_id)
        found = await self._where(purchases.c.id == purchase_id, is_there.exists())
        return found[0] if found else None

    async def find(self, account_id: AccountId, external_id: str) -> Purchase | None:
        """Return a purchase by the provider's id."""
        found = await self._where(purchases.c.account_id == account_id, purchases.c.external_id == external_id)
        return found[0] if found else None

    async def by_checkout(self, checkout_id: str) -> Purchase | None:
        """Return the purchase that came out of a checkout."""
        found = await self._where(purchases.c.checkout_id == checkout_id, purchases.c.checkout_id != "", limit=1)
        return found[0] if found else None

    async def of_customer(self, customer_id: CustomerId) -> Sequence[Purchase]:
        """Return a payer's purchases, newest first."""
        found = await self._where(purchases.c.customer_id == customer_id)
        return sorted(found, key=lambda purchase: (purchase.started_at, purchase.id), reverse=True)

    async def live_unseen(
        self, account_id: AccountId, read_before: datetime, after: PurchaseId, limit: int
    ) -> Sequence[Purchase]:
        """Return purchases stored as live that no snapshot has confirmed since `read_before`, by rising id."""
        return await self._where(
            purchases.c.account_id == account_id,
            purchases.c.may_give_access,
            purchases.c.read_at < read_before,
            purchases.c.id > after,
            limit=limit,
        )

    async def matching(self, plan: Plan, after: PurchaseId, limit: int) -> Sequence[Purchase]:
        """Return purchases with an item that unlocks a plan, by rising id after `after`."""
        if not plan.products:
            return []
        bought = or_(*(_is_bought(product) for product in plan.products))
        matching = select(purchase_items.c.purchase_id).where(bought)
        return await self._where(purchases.c.id > after, purchases.c.id.in_(matching), limit=limit)

    async def _locked(self, account_id: AccountId, external_id: str) -> Purchase | None:
        key = (purchases.c.account_id == account_id) & (purchases.c.external_id == external_id)
        await self._connection.execute(select(purchases.c.id).where(key).with_for_update())
        return await self.find(account_id, external_id)

    async def _where(self, *conditions: Any, limit: int | None = None) -> list[Purchase]:
        found = await self._connection.execute(
            select(*PURCHASE).where(*conditions).order_by(purchases.c.id).limit(limit)
        )
        rows = found.mappings().all()
        items = await items_of(self._connection, [row["id"] for row in rows])
        return [Purchase(**row, items=items.get(row["id"], ())) for row in rows]

    async def _write_items(self, purchase_id: PurchaseId, items: Sequence[Item]) -> None:
        await self._connection.execute(delete(purchase_items).where(purchase_items.c.purchase_id == purchase_id))
        if items:
            await self._connection.execute(
                insert(purchase_items),
                [
                    {
                        "purchase_id": purchase_id,
                        "position": position,
                        "product_id": item.product_id,
                        "price_id": item.price_id,
                        "quantity": item.quantity,
                        "period_ends_at": item.period_ends_at,
                    }
                    for position, item in enumerate(items)
                ],
            )


async def items_of(connection: AsyncConnection, purchase_ids: Sequence[int]) -> Mapping[int, tuple[Item, ...]]:
    """Return the items of many purchases, in the provider's order."""
    items: dict[int, list[Item]] = defaultdict(list)
    for start in range(0, len(purchase_ids), CHUNK):
        found = await connection.execute(
            select(purchase_items)
            .where(purchase_items.c.purchase_id.in_(purchase_ids[start : start + CHUNK]))
            .order_by(purchase_items.c.purchase_id, purchase_items.c.position)
        )
        for row in found:
            item = Item(
                product_id=row.product_id,
                price_id=row.price_id,
                quantity=row.quantity,
                period_ends_at=row.period_ends_at,
            )
            items[row.purchase_id].append(item)
    return {purchase_id: tuple(found) for purchase_id, found in items.items()}


def _is_bought(product: PlanProduct) -> ColumnElement[bool]:
    is_product = purchase_items.c.product_id == product.product_id
    is_price = true() if product.price_id is None else purchase_items.c.price_id == product.price_id
    return and_(purchases.c.account_id == product.account_id, is_product, is_price)


def _values(
    account_id: AccountId, customer_id: CustomerId, snapshot: PurchaseSnapshot, before: Purchase | None
) -> dict[str, object]:
    return {name: getattr(snapshot, name) for name in _COPIED} | {
        "account_id": account_id,
        "customer_id": customer_id,
        # A provider names the checkout in some events only.
        "checkout_id": snapshot.checkout_id or (before.checkout_id if before else ""),
        "past_due_since": _past_due_since(snapshot, before),
        # None: this read could not know, so what is stored stays.
        "refund": snapshot.refund or (before.refund if before else Refund.NONE),
        "dispute": snapshot.dispute or (before.dispute if before else Dispute.NONE),
        "may_give_access": snapshot.status in MAY_GIVE_ACCESS,
    }


def _past_due_since(snapshot: PurchaseSnapshot, before: Purchase | None) -> datetime | None:
    if snapshot.status is not PurchaseStatus.PAST_DUE:
        return None
    return (before.past_due_since if before else None) or snapshot.read_at
