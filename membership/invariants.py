"""What must never be true, checked every five minutes: work that somebody was promised and that no job remembers.

Each finding is loud (audit and log) and put right by marking; nothing here removes anything (threats I0-I22).
"""

from __future__ import annotations

import structlog

from membership import binding
from membership.model import Lane
from membership.records import AuditEntry
from membership.services import Services

log = structlog.get_logger()


async def check(services: Services) -> int:
    """Find forgotten events, messages and members, mark them again, and return how many there were."""
    now = services.clock.now()
    async with services.store.write() as tx:
        events = await tx.audit.forgotten_events()
        messages = await tx.audit.forgotten_messages()
        members = list(await tx.audit.forgotten_members(now))
        for event_id in events:
            await tx.jobs.mark("intake", str(event_id), lane=Lane.EVENT, run_at=now)
        for message_id in messages:
            await tx.jobs.mark("delivery", str(message_id), lane=Lane.EVENT, run_at=now)
        await binding.mark(tx, members, Lane.EVENT, now)
        found = {"events": len(events), "messages": len(messages), "members": len(members)}
        if any(found.values()):
            log.error("invariant_broken", **found)
            await tx.audit.add(AuditEntry(event="health.degraded", actor="doorlist", detail=found), now)
    services.wake()
    return sum(found.values())
