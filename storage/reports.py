"""Portions of the record, of money and of memberships, for reports, exports and imports: many rows, a few at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.errors import Reason
from membership.model import AccountId, BatchId, Grant, GrantId, GrantState, GuildId, PlanId, PurchaseId
from membership.report_ledgers import Happened, Held, Imported, Membership, Taken, Tallies, Waiting
from storage.desk_tables import payments
from storage.grants import GRANT
from storage.ledgers import audit_entries, removal_batch_items, removal_batches
from storage.removals import HELD
from storage.schema import accounts, customers, grants, links, purchase_items, purchases
from storage.statements import unindexed


class Reports:
    """Reports and exports."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def newest_entry(self) -> int:
        """Return the number of the newest audit entry, 0 when there is none."""
        return int((await self._connection.execute(select(func.max(audit_entries.c.id)))).scalar_one() or 0)

    async def written_at(self, number: int) -> datetime | None:
        """Return when the newest audit entry up to a number was written, None when there is none."""
        newest = select(audit_entries.c.at).where(audit_entries.c.id <= number).order_by(audit_entries.c.id.desc())
        return (await self._connection.execute(newest.limit(1))).scalar_one_or_none()

    async def first_at(self, guild_id: GuildId) -> datetime | None:
        """Return when a guild's record begins."""
        oldest = select(audit_entries.c.at).where(audit_entries.c.guild_id == guild_id).order_by(audit_entries.c.id)
        return (await self._connection.execute(oldest.limit(1))).scalar_one_or_none()

    async def happened(
        self, guild_id: GuildId, events: Collection[str], *, above: int, upto: int, plan_id: PlanId | None = None
    ) -> Sequence[Happened]:
        """Return a guild's entries about grants (of one plan) with these numbers, oldest first."""
        entry = audit_entries.c
        # By number alone: the portion is then as small as it says, whatever else the guild's record holds.
        query = (
            select(entry.at, entry.event, entry.grant_id, entry.detail)
            .where(entry.id > above, entry.id <= upto, unindexed(entry.guild_id) == guild_id)
            .where(entry.event.in_(events), entry.grant_id.is_not(None))
            .order_by(entry.id)
        )
        if plan_id is not None:
            query = query.join(grants, grants.c.id == entry.grant_id).where(unindexed(grants.c.plan_id) == plan_id)
        found = await self._connection.execute(query)
        return [
            Happened(at=row.at, event=row.event, grant_id=GrantId(row.grant_id), detail=row.detail or {})
            for row in found
        ]

    async def taken(self, guild_id: GuildId, since: datetime, until: datetime) -> Sequence[Taken]:
        """Sum up the payments in [since, until); a purchase of several plans counts for the first of them."""
        plan_id = (
            select(func.min(grants.c.plan_id))
            .where(grants.c.purchase_id == payments.c.purchase_id, unindexed(grants.c.guild_id) == guild_id)
            .scalar_subquery()
        )
        paid = (
            select(payments.c.kind, payments.c.currency, payments.c.amount, plan_id.label("plan_id"))
            .where(payments.c.at >= since, payments.c.at < until)
            .subquery()
        )
        group = (paid.c.kind, paid.c.currency, paid.c.plan_id)
        unsaid = func.sum(case((paid.c.amount == 0, 1), else_=0))
        found = await self._connection.execute(
            select(*group, func.count().label("count"), func.sum(paid.c.amount).label("amount"), unsaid.label("unsaid"))
            .where(paid.c.plan_id.is_not(None))
            .group_by(*group)
            .order_by(*group)
        )
        return [
            Taken(
                kind=row["kind"],
                currency=row["currency"],
                plan_id=PlanId(row["plan_id"]),
                count=int(row["count"]),
                amount=int(row["amount"]),
                unsaid=int(row["unsaid"]),
            )
            for row in found.mappings()
        ]

    async def waiting(self, guild_id: GuildId, state: GrantState, reason: Reason | None = None) -> Waiting:
        """Count a guild's grants in one state (and for one reason)."""
        query = select(func.count(), func.min(grants.c.opened_at)).where(
            grants.c.guild_id == guild_id, grants.c.state == state
        )
        found = await self._connection.execute(query if reason is None else query.where(grants.c.reason == reason))
        count, since = found.one()
        return Waiting(count=int(count), since=since)

    async def tallies(self, guild_id: GuildId) -> Tallies:
        """Count a guild's grants by state and reason, from an index alone."""
        found = await self._connection.execute(
            select(grants.c.state, grants.c.reason, func.count())
            .where(grants.c.guild_id == guild_id)
            .group_by(grants.c.state, grants.c.reason)
        )
        return {(state, reason): int(count) for state, reason, count in found}

    async def held(self, guild_id: GuildId) -> Sequence[Held]:
        """Return the held batches of a guild without their lists, oldest first."""
        batch = removal_batches.c
        found = await self._connection.execute(
            select(batch.id, batch.cause, batch.created_at, func.count())
            .join(removal_batch_items, removal_batch_items.c.batch_id == batch.id)
            .where(batch.guild_id == guild_id, batch.state == HELD)
            .group_by(batch.id, batch.cause, batch.created_at)
            .order_by(batch.id)
        )
        return [
            Held(batch_id=BatchId(batch_id), cause=cause, created_at=created_at, count=int(count))
            for batch_id, cause, created_at, count in found
        ]

    async def refused_mail(self, guild_id: GuildId, limit: int) -> Sequence[Grant]:
        """Return grants that wait for their buyer to connect, and whose buyer's address refuses mail, oldest first."""
        found = await self._connection.execute(
            select(*GRANT)
            .join(purchases, purchases.c.id == grants.c.purchase_id)
            .join(customers, customers.c.id == purchases.c.customer_id)
            .where(
                grants.c.guild_id == guild_id,
                grants.c.state == GrantState.PENDING,
                grants.c.reason == Reason.NOT_LINKED,
                customers.c.is_mail_refused,
            )
            .order_by(grants.c.id)
            .limit(limit)
        )
        return [Grant(**row) for row in found.mappings()]

    async def trials_ending(self, guild_id: GuildId, since: datetime, until: datetime) -> int:
        """Count a guild's delivered trials that end in [since, until)."""
        found = await self._connection.execute(
            select(func.count())
            .select_from(grants)
            .join(purchases, purchases.c.id == grants.c.purchase_id)
            .where(
                grants.c.guild_id == guild_id,
                grants.c.state == GrantState.DELIVERED,
                grants.c.reason == Reason.TRIAL,
                purchases.c.trial_ends_at >= since,
                purchases.c.trial_ends_at < until,
            )
        )
        return int(found.scalar_one())

    async def imported(self, account_id: AccountId, external_ids: Sequence[str]) -> Mapping[str, Imported]:
        """Return which of at most 500 purchases are there, by their external id."""
        found = await self._connection.execute(
            select(
                purchases.c.id.label("purchase_id"),
                purchases.c.external_id,
                purchases.c.status,
                purchases.c.ends_at,
                purchase_items.c.product_id,
            )
            .join(purchase_items, (purchase_items.c.purchase_id == purchases.c.id) & (purchase_items.c.position == 0))
            .where(purchases.c.account_id == account_id, purchases.c.external_id.in_(external_ids))
        )
        return {row["external_id"]: Imported(**row) for row in found.mappings()}

    async def written_by(
        self, account_id: AccountId, prefix: str, read_at: datetime, limit: int
    ) -> Sequence[PurchaseId]:
        """Return purchases whose external id begins like this and that nothing changed since this very moment."""
        found = await self._connection.execute(
            select(purchases.c.id)
            .where(
                purchases.c.account_id == account_id,
                purchases.c.external_id.startswith(prefix, autoescape=True),
                purchases.c.read_at == read_at,
            )
            .order_by(purchases.c.id)
            .limit(limit)
        )
        return [PurchaseId(purchase_id) for purchase_id in found.scalars()]

    async def memberships(
        self,
        guild_id: GuildId,
        *,
        after: GrantId,
        limit: int,
        states: Collection[GrantState],
        plan_id: PlanId | None = None,
    ) -> Sequence[Membership]:
        """Return a guild's grants in these states by rising id after `after`."""
        query = (
            select(
                grants.c.id.label("grant_id"),
                grants.c.plan_id,
                grants.c.state,
                grants.c.reason,
                grants.c.opened_at,
                purchases.c.kind,
                purchases.c.status,
                func.coalesce(grants.c.revoke_at, purchases.c.ends_at, purchases.c.period_ends_at).label("ends_at"),
                purchases.c.external_id.label("purchase"),
                accounts.c.provider,
                customers.c.email,
                customers.c.name,
                links.c.user_id,
            )
            .join(purchases, purchases.c.id == grants.c.purchase_id)
            .join(customers, customers.c.id == purchases.c.customer_id)
            .join(accounts, accounts.c.id == purchases.c.account_id)
            .outerjoin(links, (links.c.customer_id == customers.c.id) & links.c.ended_at.is_(None))
            .where(grants.c.id > after, unindexed(grants.c.guild_id) == guild_id, grants.c.state.in_(states))
            .order_by(grants.c.id)
            .limit(limit)
        )
        if plan_id is not None:
            query = query.where(unindexed(grants.c.plan_id) == plan_id)
        found = await self._connection.execute(query)
        return [Membership(**row) for row in found.mappings()]
