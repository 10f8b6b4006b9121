"""Seller accounts, their catalogue, and the small named values that survive a restart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership import records
from membership.model import AccountId
from membership.ports import Price
from storage.ledgers import cursors
from storage.schema import accounts, prices, products
from storage.statements import insert_into

ACCOUNT = (accounts.c.id, accounts.c.provider, accounts.c.external_id, accounts.c.is_live)
_PRICE = (
    prices.c.external_id,
    prices.c.product_id,
    products.c.name.label("product_name"),
    prices.c.amount,
    prices.c.currency,
    prices.c.interval,
    prices.c.trial_days,
    prices.c.is_active,
)


class Accounts:
    """Seller accounts and what they sell."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ensure(self, provider: str, external_id: str, is_live: bool, now: datetime) -> records.Account:
        """Return the account, making it at first sight."""
        row = {"provider": provider, "external_id": external_id, "is_live": is_live, "created_at": now}
        await self._connection.execute(insert_into(self._connection, accounts).values(row).on_conflict_do_nothing())
        found = await self._connection.execute(
            select(*ACCOUNT).where(
                accounts.c.provider == provider,
                accounts.c.external_id == external_id,
                accounts.c.is_live == is_live,
            )
        )
        return records.Account(**found.mappings().one())

    async def get(self, account_id: AccountId) -> records.Account:
        """Return one account. Raises KeyError."""
        found = await self._connection.execute(select(*ACCOUNT).where(accounts.c.id == account_id))
        row = found.mappings().one_or_none()
        if row is None:
            raise KeyError(account_id)
        return records.Account(**row)

    async def all(self) -> Sequence[records.Account]:
        """Return every account."""
        found = await self._connection.execute(select(*ACCOUNT).order_by(accounts.c.id))
        return [records.Account(**row) for row in found.mappings()]

    async def record_prices(self, account_id: AccountId, listed: Sequence[Price]) -> None:
        """Write the catalogue down; a price that is no longer listed stays, inactive: old purchases keep their words.

        An empty listing changes nothing.
        """
        if not listed:
            return
        await self._connection.execute(update(prices).where(prices.c.account_id == account_id).values(is_active=False))
        names = {price.product_id: price.product_name for price in listed}
        statement = insert_into(self._connection, products)
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[products.c.account_id, products.c.external_id], set_={"name": statement.excluded.name}
            ),
            [{"account_id": account_id, "external_id": product, "name": name} for product, name in names.items()],
        )
        statement = insert_into(self._connection, prices)
        changing = ("product_id", "amount", "currency", "interval", "trial_days", "is_active")
        await self._connection.execute(
            statement.on_conflict_do_update(
                index_elements=[prices.c.account_id, prices.c.external_id],
                set_={name: statement.excluded[name] for name in changing},
            ),
            [
                {"account_id": account_id, "external_id": price.external_id}
                | {name: getattr(price, name) for name in changing}
                for price in listed
            ],
        )

    async def prices(self, account_id: AccountId) -> Sequence[Price]:
        """Return the stored catalogue."""
        found = await self._connection.execute(
            select(*_PRICE)
            .join(products)
            .where(prices.c.account_id == account_id)
            .order_by(products.c.name, prices.c.amount, prices.c.external_id)
        )
        return [Price(**row) for row in found.mappings()]


class Cursors:
    """Small named values."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, name: str) -> str | None:
        """Return a value, None when never set."""
        found = await self._connection.execute(select(cursors.c.value).where(cursors.c.name == name))
        return found.scalar_one_or_none()

    async def put(self, name: str, value: str) -> None:
        """Set a value."""
        await self._connection.execute(
            insert_into(self._connection, cursors)
            .values(name=name, value=value)
            .on_conflict_do_update(index_elements=[cursors.c.name], set_={"value": value})
        )
