"""Provider events, stored raw and unique, each with its intake job. The fast door for webhooks is intake.py."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.model import Lane
from membership.ports import IncomingEvent
from membership.records import StoredEvent
from storage.jobs import mark_statement
from storage.ledgers import inbox_events
from storage.statements import insert_in_words_of

NEW = "new"
JOB_KIND = "intake"


class Inbox:
    """The events of all providers."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, provider: str, events: Sequence[IncomingEvent], now: datetime) -> int:
        """Store events that are new, each with an intake job in the same transaction; return how many were new."""
        return len(await store(self._connection, [(provider, event) for event in events], now))

    async def get(self, event_id: int) -> StoredEvent:
        """Return one event. Raises KeyError."""
        found = await self._connection.execute(select(inbox_events).where(inbox_events.c.id == event_id))
        row = found.one_or_none()
        if row is None:
            raise KeyError(event_id)
        event = IncomingEvent(
            external_id=row.external_id, type=row.type, body=row.body, is_live=row.is_live, account=row.account
        )
        return StoredEvent(id=row.id, provider=row.provider, event=event, received_at=row.received_at, state=row.state)

    async def newest_at(self, provider: str) -> datetime | None:
        """Return when a provider's newest event came in."""
        found = await self._connection.execute(
            select(inbox_events.c.received_at)
            .where(inbox_events.c.provider == provider)
            .order_by(inbox_events.c.id.desc())
            .limit(1)
        )
        received_at: datetime | None = found.scalar()
        return received_at

    async def settle(self, event_id: int, state: str, note: str = "") -> None:
        """Set the state: done, ignored or quarantined."""
        await self._connection.execute(
            update(inbox_events).where(inbox_events.c.id == event_id).values(state=state, note=note)
        )


async def store(
    connection: AsyncConnection, events: Sequence[tuple[str, IncomingEvent]], now: datetime
) -> set[tuple[str, str]]:
    """Store (provider, event) pairs with their jobs; return (provider, external id) of those that were new."""
    if not events:
        return set()
    rows = [_row(provider, event, now) for provider, event in events]
    stored = await connection.execute(_insert(connection.dialect.name), rows)
    new = stored.all()
    if new:
        jobs = [
            {
                "kind": JOB_KIND,
                "key": str(id_),
                "scope": provider,
                "lane": int(Lane.EVENT),
                "run_at": now,
                "due_at": now,
            }
            for id_, provider, _ in new
        ]
        await connection.execute(mark_statement(connection.dialect.name), jobs)
    return {(provider, external_id) for _, provider, external_id in new}


@cache
def _insert(dialect: str) -> Any:
    return (
        insert_in_words_of(dialect, inbox_events)
        .on_conflict_do_nothing(index_elements=[inbox_events.c.provider, inbox_events.c.external_id])
        .returning(inbox_events.c.id, inbox_events.c.provider, inbox_events.c.external_id)
    )


def _row(provider: str, event: IncomingEvent, now: datetime) -> dict[str, Any]:
    return {
        "provider": provider,
        "external_id": event.external_id,
        "type": event.type,
        "body": event.body,
        "is_live": event.is_live,
        "account": event.account,
        "received_at": now,
        "state": NEW,
        "note": "",
    }
