"""Write down that a pass of scheduled work began and how it ended. What passes do is the use-cases' that run in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from membership.browsing import Run
from membership.errors import DoorlistError
from membership.services import Services

FIVE_MINUTES, HOURLY, NIGHTLY, RETENTION = "five-minute", "hourly", "nightly", "retention"
LONGEST_TROUBLE = 300
KINDS = (FIVE_MINUTES, HOURLY, NIGHTLY, RETENTION)


@dataclass(slots=True)
class Tally:
    """What a pass has found so far; whoever runs it counts."""

    looked_at: int = 0
    changed: int = 0


@asynccontextmanager
async def recorded(services: Services, run: Run) -> AsyncIterator[Tally]:
    """Record the block as a pass; a failure of the outside is written down and goes on.

    What ends otherwise (a bug, the end of the process) leaves a pass without an end: it was cut off.
    """
    async with services.store.write() as tx:
        begun = replace(run, id=await tx.runs.begin(run))
    tally = Tally()
    try:
        yield tally
    except DoorlistError as failure:
        await _finish(services, begun, tally, trouble=str(failure))
        raise
    await _finish(services, begun, tally, trouble="")


async def _finish(services: Services, begun: Run, tally: Tally, *, trouble: str) -> None:
    ended = replace(
        begun,
        ended_at=services.clock.now(),
        looked_at=tally.looked_at,
        changed=tally.changed,
        trouble=trouble[:LONGEST_TROUBLE],
    )
    async with services.store.write() as tx:
        await tx.runs.finish(ended)
