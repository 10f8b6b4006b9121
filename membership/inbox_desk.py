"""The inbox of provider events for staff: list them, look at one without what is private, have one worked off again.

Only events for seller accounts whose products the actor's own server may use are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from membership.actors import Actor
from membership.errors import Gone, UserError
from membership.ledgers import Transaction
from membership.listing_ledgers import EventFilter, EventLine, Page
from membership.model import Lane
from membership.records import Account, AuditEntry, JobStatus
from membership.redaction import redacted
from membership.services import Services

ROWS = 50
STATES = ("new", "done", "ignored", "quarantined")
PATIENCE = timedelta(seconds=6)
KIND = "intake"
_NEW = "new"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLook:
    """One event. `payload` is what may be shown of its body, "" when that is thrown away; `job`: how far it has come.

    `is_repeatable`: its body is still there, so that it can be worked off again.
    """

    line: EventLine
    payload: str
    is_repeatable: bool
    job: JobStatus | None


async def listed(services: Services, actor: Actor, wanted: EventFilter, *, before: int = 0) -> Page[EventLine]:
    """Return one page of the events that concern the actor's server, newest first."""
    async with services.store.read() as tx:
        return await tx.listings.events(await _accounts(tx, actor), wanted, before=before, limit=ROWS)


async def look(services: Services, actor: Actor, event_id: int) -> EventLook:
    """Return one event. Raises Gone("event") when it is none of the actor's server."""
    async with services.store.read() as tx:
        return await _look(tx, actor, event_id)


async def again(services: Services, actor: Actor, event_id: int) -> EventLook:
    """Work an event off once more and wait some seconds for it. Raises Gone("event") and UserError.

    It is a hint: what it points at is read at the provider now, and an older snapshot changes nothing (law 2).
    """
    now = services.clock.now()
    started = services.signals.tick()
    async with services.store.write() as tx:
        seen = await _look(tx, actor, event_id)
        if not seen.is_repeatable:
            raise UserError(
                "The content of this event is thrown away, so it cannot be processed again. Refresh the member: "
                "that asks the payment provider."
            )
        await tx.inbox.settle(event_id, _NEW)
        await tx.jobs.mark(KIND, str(event_id), lane=Lane.PERSON, run_at=now, scope=seen.line.provider)
        detail = {"event_id": event_id, "event_type": seen.line.type, "actor_name": actor.name}
        entry = AuditEntry(event="webhook.repeated", actor=str(actor), guild_id=actor.guild_id, detail=detail)
        await tx.audit.add(entry, now)
    services.wake()
    await services.signals.wait([str(event_id)], since=started, patience=PATIENCE)
    return await look(services, actor, event_id)


async def _look(tx: Transaction, actor: Actor, event_id: int) -> EventLook:
    found = await tx.listings.event(event_id, await _accounts(tx, actor))
    if found is None:
        raise Gone("event")
    line, stored = found
    return EventLook(
        line=line,
        payload=redacted(stored.event.body),
        is_repeatable=bool(stored.event.body),
        job=await tx.jobs.status(KIND, str(event_id)),
    )


async def _accounts(tx: Transaction, actor: Actor) -> Sequence[Account]:
    return await tx.guilds.accounts_of(actor.guild_id)
