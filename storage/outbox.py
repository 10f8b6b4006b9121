"""Messages that must go out once, and every try to send them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, case, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.model import Lane
from membership.records import Draft, Message, Tries
from storage.jobs import Jobs
from storage.ledgers import deliveries, outbox_messages
from storage.statements import insert_into, row_count

WAITING = "waiting"
SENT = "sent"
FAILED = "failed"
UNANSWERED = "unanswered"
FOLDED = "folded"
JOB_KIND = "delivery"

_MESSAGE = (
    outbox_messages.c.id,
    outbox_messages.c.kind,
    outbox_messages.c.target,
    outbox_messages.c.template,
    outbox_messages.c.facts,
    outbox_messages.c.created_at,
)


class Outbox:
    """Messages and their deliveries."""

    def __init__(self, connection: AsyncConnection, jobs: Jobs) -> None:
        self._connection = connection
        self._jobs = jobs

    async def put(self, draft: Draft, now: datetime) -> bool:
        """Queue a message with its delivery job unless the key was ever used; say whether it is new."""
        stored = await self._connection.execute(
            insert_into(self._connection, outbox_messages)
            .values(
                dedupe_key=draft.dedupe_key,
                kind=draft.kind,
                target=draft.target,
                template=draft.template,
                facts=draft.facts,
                created_at=now,
                state=WAITING,
            )
            .on_conflict_do_nothing(index_elements=[outbox_messages.c.dedupe_key])
            .returning(outbox_messages.c.id)
        )
        message_id = stored.scalar_one_or_none()
        if message_id is None:
            return False
        # The kind is the scope: a mail server that hangs must not hold up direct messages.
        await self._jobs.mark(JOB_KIND, str(message_id), lane=Lane.EVENT, run_at=now, scope=draft.kind)
        return True

    async def get(self, message_id: int) -> Message | None:
        """Return a message that still waits, None when it is settled."""
        found = await self._connection.execute(
            select(*_MESSAGE).where(outbox_messages.c.id == message_id, outbox_messages.c.state == WAITING)
        )
        row = found.mappings().one_or_none()
        return None if row is None else Message(**row)

    async def alike(self, message: Message, limit: int) -> Sequence[Message]:
        """Return what waits for the same target with the same template, the message itself too, oldest first."""
        found = await self._connection.execute(
            select(*_MESSAGE)
            .where(*_is_alike(message), outbox_messages.c.settled_at.is_(None))
            .order_by(outbox_messages.c.id)
            .limit(limit)
        )
        return [Message(**row) for row in found.mappings()]

    async def sent_alike(self, message: Message, since: datetime) -> int:
        """Count what was sent to the same target with the same template since a moment."""
        found = await self._connection.execute(
            select(func.count())
            .select_from(outbox_messages)
            .where(*_is_alike(message), outbox_messages.c.settled_at >= since, outbox_messages.c.state == SENT)
        )
        return int(found.scalar_one())

    async def fold(self, message_id: int, others: Sequence[int], facts: Mapping[str, object], now: datetime) -> None:
        """Let one waiting message tell what others waited to tell: it gets these facts, and they are settled."""
        await self._connection.execute(
            update(outbox_messages)
            .where(outbox_messages.c.id == message_id, outbox_messages.c.state == WAITING)
            .values(facts=facts)
        )
        await self._connection.execute(
            update(outbox_messages)
            .where(outbox_messages.c.id.in_(others), outbox_messages.c.state == WAITING)
            .values(state=FOLDED, settled_at=now)
        )

    async def settle(self, message_id: int, state: str, detail: str, now: datetime) -> None:
        """Record the outcome (sent, dropped) with its delivery row; the first outcome stands."""
        settled = await self._connection.execute(
            update(outbox_messages)
            .where(outbox_messages.c.id == message_id, outbox_messages.c.state == WAITING)
            .values(state=state, settled_at=now)
        )
        if row_count(settled):
            await self._record(message_id, state, detail, now)

    async def record_try(self, message_id: int, detail: str, now: datetime, *, is_answered: bool) -> Tries:
        """Record a failed try and return what was tried so far; the message keeps waiting."""
        await self._record(message_id, FAILED if is_answered else UNANSWERED, detail, now)
        is_unanswered = case((deliveries.c.state == UNANSWERED, 1), else_=0)
        found = await self._connection.execute(
            select(
                func.min(deliveries.c.tried_at).label("first_at"), func.sum(is_unanswered).label("unanswered")
            ).where(deliveries.c.message_id == message_id)
        )
        return Tries(**found.mappings().one())

    async def sent_to(self, kind: str, target: str, since: datetime) -> int:
        """Count messages sent to one target, and the tries that may have reached it."""
        is_theirs = (outbox_messages.c.kind == kind) & (outbox_messages.c.target == target)
        is_sent = (outbox_messages.c.settled_at >= since) & (outbox_messages.c.state == SENT)
        sent = select(func.count()).select_from(outbox_messages).where(is_theirs, is_sent).scalar_subquery()
        perhaps = (
            select(func.count())
            .select_from(deliveries)
            .join(outbox_messages)
            .where(is_theirs, deliveries.c.tried_at >= since, deliveries.c.state == UNANSWERED)
            .scalar_subquery()
        )
        found = await self._connection.execute(select(sent + perhaps))
        return int(found.scalar_one())

    async def _record(self, message_id: int, state: str, detail: str, now: datetime) -> None:
        await self._connection.execute(
            insert(deliveries).values(message_id=message_id, tried_at=now, state=state, detail=detail)
        )


def _is_alike(message: Message) -> tuple[ColumnElement[bool], ...]:
    return (
        outbox_messages.c.kind == message.kind,
        outbox_messages.c.target == message.target,
        outbox_messages.c.template == message.template,
    )
