"""How the process is, part by part, without asking the outside (EXPERIENCE 7.4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.clocks import Clocks
from cogs.supervisor import Supervisor
from membership.errors import Retry
from membership.ledgers import Store
from membership.services import Services
from membership.worker import Worker
from web.parts import Check, Health

LATE_RUNS = 3
LONGEST_TURN = timedelta(minutes=2)


class Doctor:
    """Looks at database, gateway, worker and the five-minute run."""

    def __init__(self, services: Services, supervisor: Supervisor, worker: Worker, clocks: Clocks) -> None:
        """Take the parts to look at."""
        self._services = services
        self._supervisor = supervisor
        self._worker = worker
        self._clocks = clocks

    async def look(self) -> Health:
        """Return every part's health. A provider that is away is left out: that is no reason to stop serving."""
        gateway = self._supervisor.health()
        minutes = LATE_RUNS * self._services.policy.reconcile_minutes
        return Health(
            checks={
                "database": await _database(self._services.store),
                "discord": Check(is_ok=gateway.is_connected, text=gateway.text, since=gateway.since),
                "jobs": self._fresh(self._worker.last_turn_at, LONGEST_TURN, "no job was looked for lately"),
                "run": self._fresh(self._clocks.last_run_at, timedelta(minutes=minutes), "the five-minute run is late"),
            }
        )

    def _fresh(self, last: datetime | None, patience: timedelta, complaint: str) -> Check:
        is_late = last is not None and self._services.clock.now() - last > patience
        return Check(is_ok=not is_late, text=complaint if is_late else "in time", since=last)


async def _database(store: Store) -> Check:
    try:
        async with store.read() as tx:
            jobs = await tx.jobs.counts()
    except Retry as failure:
        return Check(is_ok=False, text=failure.why)
    return Check(is_ok=True, text=f"{jobs['due']} jobs due, {jobs['parked']} parked")
