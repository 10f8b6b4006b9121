"""Proven ties between payers and Discord users, and the single-purpose secrets that make them (only digests)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership import records
from membership.errors import Reason
from membership.model import CustomerId, Proof, PurchaseId, UserId
from storage.schema import claim_codes, claim_failures, customers, link_tokens, links
from storage.statements import row_count

_LINK = tuple(links.c[field.name] for field in fields(records.Link))
_TOKEN = tuple(link_tokens.c[field.name] for field in fields(records.LinkToken))
_CODE = tuple(claim_codes.c[field.name] for field in fields(records.StoredCode))


class Links:
    """Links and link tokens."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def active(self, customer_id: CustomerId) -> records.Link | None:
        """Return the live link of a payer."""
        found = await self._connection.execute(
            select(*_LINK).where(links.c.customer_id == customer_id, links.c.ended_at.is_(None))
        )
        row = found.mappings().one_or_none()
        return None if row is None else records.Link(**row)

    async def customers_of(self, user_id: UserId) -> Sequence[CustomerId]:
        """Return the payers linked to a Discord user."""
        found = await self._connection.execute(
            select(links.c.customer_id)
            .where(links.c.user_id == user_id, links.c.ended_at.is_(None))
            .order_by(links.c.customer_id)
        )
        return [CustomerId(customer_id) for customer_id in found.scalars()]

    async def bind(self, customer_id: CustomerId, user_id: UserId, proof: Proof, now: datetime) -> records.Link | None:
        """Link a payer; end the previous link (reason moved) and return it.

        None when there was none, or when it is to the same user.
        """
        # Two processes that bind one payer take turns at the payer's row (SQLite has one writer anyway).
        await self._connection.execute(select(customers.c.id).where(customers.c.id == customer_id).with_for_update())
        previous = await self.active(customer_id)
        if previous is not None and previous.user_id == user_id:
            return None
        if previous is not None:
            await self.end(customer_id, Reason.MOVED, now)
        await self._connection.execute(
            insert(links).values(customer_id=customer_id, user_id=user_id, proof=proof, created_at=now)
        )
        return previous

    async def end(self, customer_id: CustomerId, reason: Reason, now: datetime) -> records.Link | None:
        """End the live link and return it."""
        ended = await self._connection.execute(
            update(links)
            .where(links.c.customer_id == customer_id, links.c.ended_at.is_(None))
            .values(ended_at=now, end_reason=reason)
            .returning(*_LINK)
        )
        row = ended.mappings().one_or_none()
        return None if row is None else records.Link(**row)

    async def holders(self, customer_id: CustomerId) -> Sequence[records.Link]:
        """Return every link that a payer ever had, oldest first."""
        found = await self._connection.execute(
            select(*_LINK).where(links.c.customer_id == customer_id).order_by(links.c.id)
        )
        return [records.Link(**row) for row in found.mappings()]

    async def switched_at(self, customer_id: CustomerId, after: datetime) -> Sequence[datetime]:
        """Return when another Discord user followed the one before, however that one was taken off, oldest first."""
        made = await self.holders(customer_id)
        return [
            later.created_at
            for earlier, later in itertools.pairwise(made)
            if later.user_id != earlier.user_id and later.created_at > after
        ]

    async def issue_token(
        self, digest: str, purchase_id: PurchaseId | None, user_id: UserId | None, expires_at: datetime
    ) -> None:
        """Keep a link token's digest."""
        await self._connection.execute(
            insert(link_tokens).values(
                digest=digest, purchase_id=purchase_id, user_id=user_id, expires_at=expires_at, is_spent=False
            )
        )

    async def token(self, digest: str) -> records.LinkToken | None:
        """Look a token up."""
        found = await self._connection.execute(select(*_TOKEN).where(link_tokens.c.digest == digest))
        row = found.mappings().one_or_none()
        return None if row is None else records.LinkToken(**row)

    async def attach_token(self, digest: str, purchase_id: PurchaseId) -> None:
        """Tie a checkout's token to the purchase that came out of it."""
        await self._connection.execute(
            update(link_tokens).where(link_tokens.c.digest == digest).values(purchase_id=purchase_id)
        )

    async def expire_token(self, digest: str, now: datetime) -> None:
        """End a token whose checkout can no longer be paid; unknown ones are ignored."""
        await self._connection.execute(
            update(link_tokens)
            .where(link_tokens.c.digest == digest, link_tokens.c.expires_at > now)
            .values(expires_at=now)
        )

    async def spend_tokens(self, purchase_id: PurchaseId) -> None:
        """Mark all tokens of a purchase as spent."""
        await self._connection.execute(
            update(link_tokens).where(link_tokens.c.purchase_id == purchase_id).values(is_spent=True)
        )


class Codes:
    """Claim codes and the tries against them."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def issue(self, digest: str, purchase_id: PurchaseId, expires_at: datetime) -> None:
        """Keep a code's digest."""
        await self._connection.execute(
            insert(claim_codes).values(digest=digest, purchase_id=purchase_id, expires_at=expires_at)
        )

    async def get(self, digest: str) -> records.StoredCode | None:
        """Look a code up."""
        found = await self._connection.execute(select(*_CODE).where(claim_codes.c.digest == digest))
        row = found.mappings().one_or_none()
        return None if row is None else records.StoredCode(**row)

    async def use(self, digest: str, user_id: UserId, now: datetime) -> bool:
        """Use a code; exactly one caller ever gets True (a conditional update)."""
        used = await self._connection.execute(
            update(claim_codes)
            .where(claim_codes.c.digest == digest, claim_codes.c.used_by.is_(None), claim_codes.c.expires_at > now)
            .values(used_by=user_id, used_at=now)
        )
        return row_count(used) == 1

    async def record_failure(self, user_id: UserId, now: datetime) -> None:
        """Count a wrong try."""
        await self._connection.execute(insert(claim_failures).values(user_id=user_id, failed_at=now))

    async def failures(self, user_id: UserId, since: datetime) -> int:
        """Count wrong tries of a person."""
        found = await self._connection.execute(
            select(func.count())
            .select_from(claim_failures)
            .where(claim_failures.c.user_id == user_id, claim_failures.c.failed_at >= since)
        )
        return int(found.scalar_one())

    async def first_failure(self, user_id: UserId, since: datetime) -> datetime | None:
        """Return when the oldest of a person's wrong tries since a moment was."""
        found = await self._connection.execute(
            select(claim_failures.c.failed_at)
            .where(claim_failures.c.user_id == user_id, claim_failures.c.failed_at >= since)
            .order_by(claim_failures.c.failed_at)
            .limit(1)
        )
        return found.scalar_one_or_none()
