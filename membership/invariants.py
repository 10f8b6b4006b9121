"""What must never be true, checked every five minutes: work that somebody was promised and that no job remembers.

Each finding is loud (audit and log) and put right by marking; nothing here removes anything (threats I0-I22).
"""

from __future__ import annotations

import structlog

from membership import binding, notices
from membership.model import Lane
from membership.services import Services

log = structlog.get_logger()

HEALTH = "health"
"""The cursor that says since when something is wrong, and the problem that posts about it share."""


async def check(services: Services) -> int:
    """Find forgotten events, messages and members, mark them again, and return how many there were.

    Servers hear of it when it begins and when it is over.
    """
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
        is_broken, was_broken = any(found.values()), bool(await tx.cursors.get(HEALTH))
        if is_broken:
            log.error("invariant_broken", **found)
        if is_broken is not was_broken:
            await tx.cursors.put(HEALTH, now.isoformat() if is_broken else "")
            event = "health.degraded" if is_broken else "health.recovered"
            summary = "Work was forgotten and is taken up again." if is_broken else "No work is forgotten."
            await notices.tell_everybody(tx, event, {"summary": summary, **found}, now, problem=HEALTH)
    services.wake()
    return sum(found.values())
