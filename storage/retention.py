"""What is thrown away when it is old: bodies, tries, spent secrets. What keeps things from happening twice stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.desk_tables import previews
from storage.inbox import NEW
from storage.ledgers import deliveries, inbox_events, outbox_messages
from storage.outbox import WAITING
from storage.schema import claim_codes, claim_failures, handled_messages, link_tokens
from storage.statements import row_count

EMPTY = b""


class Retention:
    """Prunes in portions, so that no transaction is long."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def prune(self, before: datetime, limit: int) -> int:
        """Empty or delete at most `limit` rows of each kind that are older than a moment; return how many there were.

        An event keeps its row and a message its dedupe key; what is not settled keeps everything. Secrets stay known
        as expired until `before`, so that whoever brings one can be told so.
        """
        waiting = select(outbox_messages.c.id).where(outbox_messages.c.state == WAITING)
        is_settled = deliveries.c.message_id.not_in(waiting)
        return (
            await self._empty_bodies(before, limit)
            + await self._delete(deliveries.c.id, (deliveries.c.tried_at < before) & is_settled, limit)
            + await self._delete(link_tokens.c.digest, link_tokens.c.expires_at < before, limit)
            + await self._delete(claim_codes.c.digest, claim_codes.c.expires_at < before, limit)
            + await self._delete(claim_failures.c.id, claim_failures.c.failed_at < before, limit)
            + await self._delete(previews.c.id, previews.c.expires_at < before, limit)
            + await self._delete(handled_messages.c.message_id, handled_messages.c.handled_at < before, limit)
        )

    async def _empty_bodies(self, before: datetime, limit: int) -> int:
        is_old = (inbox_events.c.received_at < before) & (inbox_events.c.state != NEW)
        old = select(inbox_events.c.id).where(is_old, func.length(inbox_events.c.body) > 0).limit(limit)
        emptied = await self._connection.execute(
            update(inbox_events).where(inbox_events.c.id.in_(old)).values(body=EMPTY)
        )
        return row_count(emptied)

    async def _delete(self, key: Column[Any], condition: ColumnElement[bool], limit: int) -> int:
        old = select(key).where(condition).limit(limit)
        return row_count(await self._connection.execute(delete(key.table).where(key.in_(old))))
