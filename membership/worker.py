"""The one loop over the jobs table: claim what is due, run its use-case, settle it (DESIGN 6).

One job of a key runs at a time; jobs of one scope (a guild, an account) are bounded, so that a wave in one server
leaves room for the others; lane 0 is never held back. A failure of the outside is retried for ever, a bug is parked.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog

from membership import (
    adoption,
    delivery,
    importing,
    intake,
    invitations,
    mail_moments,
    mail_sign_in,
    plans,
    reconcile,
    resync,
    sweep,
)
from membership.errors import Blocked, Gone, Retry, UserError
from membership.ledgers import Transaction
from membership.model import GuildId, Lane, MemberKey, PlanId, PurchaseId
from membership.records import Job
from membership.services import Services

log = structlog.get_logger()

UseCase = Callable[[Services, Job], Awaitable[object]]

SLOTS = 64
SLOTS_PER_SCOPE = 4
SLOTS_FOR_PEOPLE = 8
"""Of all slots, those that only somebody who waits may take, so that slow work in the background never has them all."""
LEASE = timedelta(minutes=15)
BLOCKED_PATIENCE = timedelta(minutes=5)
FIRST_BACKOFF = timedelta(seconds=1)
LONGEST_BACKOFF = timedelta(minutes=5)
LONGEST_NAP_SECONDS = 30.0
SHORTEST_NAP_SECONDS = 0.02
ENDING_SECONDS = 3.0
SETTLE_WAITS_SECONDS = (0.1, 1.0, 5.0, 15.0)
DRAIN_ROUNDS = 10_000

USE_CASES: Mapping[str, UseCase] = {
    "intake": lambda services, job: intake.work_off(services, int(job.key)),
    "member": lambda services, job: reconcile.reconcile(services, MemberKey.parse(job.key), job.lane),
    "purchase": lambda services, job: resync.read_purchase(services, PurchaseId(int(job.key))),
    "reread": lambda services, job: resync.settle_money(services, PurchaseId(int(job.key))),
    "catalogue": lambda services, job: resync.read_catalogue(services, job.key),
    "sweep": lambda services, job: sweep.sweep(services, GuildId(int(job.key))),
    "invitation": lambda services, job: invitations.remind(services, PurchaseId(int(job.key))),
    "plan": lambda services, job: plans.reach(services, PlanId(int(job.key))),
    adoption.KIND: lambda services, job: adoption.carry_out(services, job.key),
    importing.KIND: lambda services, job: importing.carry_out(services, job.key),
    importing.UNDO_KIND: lambda services, job: importing.take_back(services, job.key),
    "delivery": lambda services, job: delivery.deliver(services, int(job.key)),
    mail_moments.KIND: lambda services, job: mail_moments.look(services, job.key),
    mail_sign_in.KIND: lambda services, job: mail_sign_in.send(services, job.key),
}


class Worker:
    """Runs jobs until it is cancelled. Create it with the services, call `wake` whenever something was marked."""

    def __init__(self, services: Services, use_cases: Mapping[str, UseCase] = USE_CASES) -> None:
        """Take the services and the use-case of every kind of job."""
        self._services = services
        self._use_cases = use_cases
        self._running: dict[tuple[str, str], asyncio.Task[None]] = {}
        self._scopes: Counter[str] = Counter()
        self._changed = asyncio.Event()
        self._is_stopping = False
        self.last_turn_at: datetime | None = None

    def wake(self) -> None:
        """Look for due jobs now."""
        self._changed.set()

    def stop(self) -> None:
        """Let `run` return: nothing more is started, and what runs has a few seconds to end."""
        self._is_stopping = True
        self._changed.set()

    async def run(self) -> None:
        """Run until `stop`. Jobs that do not end in time are let go; a later start takes back their leases."""
        try:
            while not self._is_stopping:
                await self._turn()
            if self._running:
                # Cutting a statement off would cost the database its connection.
                await asyncio.wait(self._running.values(), timeout=ENDING_SECONDS)
        finally:
            self._is_stopping = False
            tasks = list(self._running.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def drain(self) -> None:
        """Run until nothing is due any more; for tests, which have no loop. Raises RuntimeError if never."""
        for _ in range(DRAIN_ROUNDS):
            await self._start_due()
            if not self._running:
                return
            await asyncio.wait(self._running.values(), return_when=asyncio.FIRST_COMPLETED)
        raise RuntimeError("jobs keep becoming due")

    async def _turn(self) -> None:
        if not self._is_stopping:
            self._changed.clear()
        self.last_turn_at = self._services.clock.now()
        try:
            if await self._start_due() == 0:
                await self._nap()
        except Retry as failure:
            log.warning("jobs_unreadable", why=failure.why)
            await asyncio.sleep(1)

    async def _start_due(self) -> int:
        """Lease and start as many due jobs as there is room for; return how many."""
        room = SLOTS - len(self._running)
        if room <= 0:
            return 0
        common_room = room - SLOTS_FOR_PEOPLE
        slowest = Lane.BULK if common_room > 0 else Lane.PERSON
        limit = min(common_room if common_room > 0 else room, SLOTS_PER_SCOPE)
        now = self._services.clock.now()
        busy = [scope for scope, running in self._scopes.items() if scope and running >= SLOTS_PER_SCOPE]
        async with self._services.store.write() as tx:
            jobs = await tx.jobs.claim(now, now + LEASE, limit, busy, slowest=slowest)
            # The lease ran out (a laptop slept) or it was settled just now: neither run it twice nor wait a lease.
            overlapping = [job for job in jobs if (job.kind, job.key) in self._running]
            for job in overlapping:
                await tx.jobs.fail(job, "it still runs", not_before=now + FIRST_BACKOFF)
        for job in jobs:
            if job not in overlapping:
                self._start(job)
        return len(jobs)

    def _start(self, job: Job) -> None:
        task = asyncio.create_task(self._run_one(job), name=f"{job.kind} {job.key}")
        self._running[job.kind, job.key] = task
        self._scopes[job.scope] += 1
        task.add_done_callback(lambda _: self._finish(job))

    def _finish(self, job: Job) -> None:
        del self._running[job.kind, job.key]
        self._scopes[job.scope] -= 1
        if not self._scopes[job.scope]:
            del self._scopes[job.scope]
        self._changed.set()

    async def _nap(self) -> None:
        """Sleep until something was marked, a job finished, or the next one is due."""
        async with self._services.store.read() as tx:
            next_run_at = await tx.jobs.next_run_at()
        seconds = LONGEST_NAP_SECONDS
        if next_run_at is not None:
            seconds = min(seconds, (next_run_at - self._services.clock.now()).total_seconds())
        try:
            async with asyncio.timeout(max(SHORTEST_NAP_SECONDS, seconds)):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _run_one(self, job: Job) -> None:
        try:
            await self._use_cases[job.kind](self._services, job)
        except Retry as failure:
            await self._fail(job, failure.why, failure.after or self._backoff(job.attempts))
        except (Blocked, Gone, UserError) as failure:
            await self._fail(job, str(failure), BLOCKED_PATIENCE)
            # Whoever waits for it would wait for nothing.
            self._services.signals.done(job.key)
        except Exception as bug:
            log.exception("job_failed", kind=job.kind, key=job.key)
            is_poison = job.attempts + 1 >= self._services.policy.job_attempts
            await self._fail(job, repr(bug), None if is_poison else self._backoff(job.attempts))
        else:
            await self._settle(lambda tx: tx.jobs.done(job))
            self._services.signals.done(job.key)

    async def _fail(self, job: Job, error: str, wait: timedelta | None) -> None:
        log.info("job_put_off", kind=job.kind, key=job.key, why=error, wait_seconds=wait and wait.total_seconds())
        not_before = None if wait is None else self._services.clock.now() + wait
        await self._settle(lambda tx: tx.jobs.fail(job, error, not_before=not_before))

    async def _settle(self, write: Callable[[Transaction], Awaitable[None]]) -> None:
        """Write down how a job ended. A database that stays away leaves it to the lease: the job runs again."""
        for wait_seconds in SETTLE_WAITS_SECONDS:
            try:
                async with self._services.store.write() as tx:
                    await write(tx)
            except Retry as failure:
                log.warning("job_not_settled", why=failure.why)
                await asyncio.sleep(wait_seconds)
            else:
                return

    def _backoff(self, attempts: int) -> timedelta:
        """Double from one second to five minutes, with jitter of half, so that a crowd does not return at once."""
        ceiling: timedelta = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2.0 ** min(attempts, 10))
        return ceiling * (0.5 + self._services.randomness.jitter() / 2)
