"""The clocks: every five minutes, every hour, every night (DESIGN 6). They only start use-cases."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from membership import binding, digest, invariants, offline_claims, passes, resync, role_watch, syncing
from membership.browsing import Run
from membership.errors import DoorlistError
from membership.ports import ChannelMessage
from membership.services import Services

log = structlog.get_logger(__name__)

NIGHT_HOUR = 3
HOUR = timedelta(hours=1)
KEPT = timedelta(days=90)
PRUNED_AT_ONCE = 500
MOST_PORTIONS = 1000
LAST_RUN = syncing.LAST_RUNS["five-minute"]
"""The cursor that says when the last five-minute run began, for whoever asks beside this process."""


class Clocks:
    """Runs what is due by the clock. One run of each kind at a time; a missed one is not made up for twice."""

    def __init__(self, services: Services, answer: Callable[[ChannelMessage], Awaitable[None]]) -> None:
        """Take the services, and what answers a claim that was posted while the bot was away."""
        self._services = services
        self._answer = answer
        self._scheduler = AsyncIOScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
        self.last_run_at: datetime | None = None

    def start(self) -> None:
        """Start ticking; the events missed while Doorlist was down are polled at once."""
        minutes = IntervalTrigger(minutes=self._services.policy.reconcile_minutes)
        self._scheduler.add_job(self.five_minutes, minutes, id="five_minutes")
        self._scheduler.add_job(self.hourly, IntervalTrigger(hours=1), id="hourly")
        self._scheduler.add_job(self.nightly, CronTrigger(hour=NIGHT_HOUR), id="nightly")
        self._scheduler.add_job(self.hourly, id="start")
        self._scheduler.start()

    def stop(self) -> None:
        """Stop ticking."""
        self._scheduler.shutdown(wait=False)

    async def five_minutes(self) -> None:
        """Sweep every guild, answer the claims posted while offline, and check the invariants."""
        now = self._services.clock.now()
        async with self._services.store.write() as tx:
            guilds = [guild.id for guild in await tx.guilds.all()]
            for guild_id in guilds:
                await binding.mark_sweep(tx, guild_id, now)
            await tx.sessions.prune(now)
            await tx.sign_ins.prune(now)
            await tx.cursors.put(LAST_RUN, now.isoformat())
        self._services.wake()
        for guild_id in guilds:
            await self._try("claims", offline_claims.catch_up(self._services, guild_id, self._answer))
            await self._try("roles", role_watch.look(self._services, guild_id))
        await self._try("invariants", invariants.check(self._services))
        await self._try("digest", digest.post_due(self._services))
        self.last_run_at = now

    async def hourly(self) -> None:
        """Poll every provider for events that no webhook brought."""
        await self._try("noting", self._note_run("hourly"))
        for name in self._services.sellers.by_name:
            await self._try("poll", self._poll(name))

    async def nightly(self) -> None:
        """List everything at every provider; then throw away what is older than 90 days."""
        await self._try("noting", self._note_run("nightly"))
        for name in self._services.sellers.by_name:
            await self._try("resync", self._list(name))
        await self._try("retention", self._prune())

    async def after_jump(self, before: datetime, now: datetime) -> None:
        """Run what a jump of the sandbox's clock passed over."""
        await self.five_minutes()
        if now - before >= HOUR:
            await self.hourly()
        if now.date() > before.date():
            await self.nightly()

    async def _note_run(self, name: str) -> None:
        async with self._services.store.write() as tx:
            await tx.cursors.put(syncing.LAST_RUNS[name], self._services.clock.now().isoformat())

    async def _poll(self, name: str) -> None:
        async with passes.recorded(self._services, self._run(passes.HOURLY, name)) as tally:
            tally.changed = await resync.poll_events(self._services, name)

    async def _list(self, name: str) -> None:
        async with passes.recorded(self._services, self._run(passes.NIGHTLY, name)) as tally:
            tally.looked_at = await resync.list_everything(self._services, name)

    async def _prune(self) -> None:
        """Go in portions, between which others have their turn at the database; the next night does the rest."""
        before = self._services.clock.now() - KEPT
        async with passes.recorded(self._services, self._run(passes.RETENTION)) as tally:
            for _ in range(MOST_PORTIONS):
                async with self._services.store.write() as tx:
                    pruned = await tx.retention.prune(before, PRUNED_AT_ONCE)
                    pruned += await tx.runs.prune(before, PRUNED_AT_ONCE)
                if pruned == 0:
                    return
                tally.changed += pruned

    def _run(self, kind: str, subject: str = "") -> Run:
        return Run(kind=kind, subject=subject, started_at=self._services.clock.now())

    async def _try(self, what: str, run: Awaitable[object]) -> None:
        """Await one run; a failure of the outside is noted and the next run tries again."""
        try:
            await run
        except DoorlistError as failure:
            log.warning("run_failed", run=what, why=str(failure))
