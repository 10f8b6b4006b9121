"""What reports of money read: one row for each time that money moved or should have."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.desk import Payment, PaymentTotal
from membership.model import GuildId, PurchaseId
from storage.desk_tables import payments
from storage.schema import grants
from storage.statements import insert_into, unindexed


class Payments:
    """Payments."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, payment: Payment) -> bool:
        """Write a payment down unless its key is known (its id is ignored); say whether it is new."""
        values = {column.name: getattr(payment, column.name) for column in payments.c if column.name != "id"}
        stored = await self._connection.execute(
            insert_into(self._connection, payments)
            .values(values)
            .on_conflict_do_nothing(index_elements=[payments.c.key])
            .returning(payments.c.id)
        )
        return stored.first() is not None

    async def in_guild(
        self, guild_id: GuildId, since: datetime, until: datetime, *, after: int = 0, limit: int
    ) -> Sequence[Payment]:
        """Return payments for purchases with a grant in a guild, by rising id after `after`, in [since, until)."""
        found = await self._connection.execute(
            select(payments)
            .where(payments.c.id > after, *_is_within(guild_id, since, until))
            .order_by(payments.c.id)
            .limit(limit)
        )
        return [Payment(**row) for row in found.mappings()]

    async def totals(self, guild_id: GuildId, since: datetime, until: datetime) -> Sequence[PaymentTotal]:
        """Sum them up by kind and currency."""
        columns = (payments.c.kind, payments.c.currency)
        found = await self._connection.execute(
            select(*columns, func.count().label("count"), func.sum(payments.c.amount).label("amount"))
            .where(*_is_within(guild_id, since, until))
            .group_by(*columns)
            .order_by(*columns)
        )
        return [
            PaymentTotal(kind=row["kind"], currency=row["currency"], count=row["count"], amount=int(row["amount"]))
            for row in found.mappings()
        ]

    async def of_purchase(self, purchase_id: PurchaseId) -> Sequence[Payment]:
        """Return a purchase's payments, oldest first."""
        found = await self._connection.execute(
            select(payments).where(payments.c.purchase_id == purchase_id).order_by(payments.c.at, payments.c.id)
        )
        return [Payment(**row) for row in found.mappings()]


def _is_within(guild_id: GuildId, since: datetime, until: datetime) -> tuple[ColumnElement[bool], ...]:
    """Say that a payment is of a guild and a time; a purchase that opens several plans there counts once."""
    is_here = unindexed(grants.c.guild_id) == guild_id
    is_theirs = select(grants.c.id).where(grants.c.purchase_id == payments.c.purchase_id, is_here)
    return payments.c.at >= since, payments.c.at < until, is_theirs.exists()
