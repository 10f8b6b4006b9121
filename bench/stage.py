"""The stage of the benchmarks with Discord in them: Doorlist in this process, its outside world in a child.

Doorlist runs as in production; only Discord's windows are scaled, on both sides by the same factor.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog

from app.process import Process, running
from app.run import spare_collector
from app.settings import Settings, load_settings
from app.sources import Sources
from bench.child import Child, child
from cogs.gateway import CONNECTED_DEBOUNCE_SECONDS
from cogs.paces import Paces
from cogs.pacing import RoleLimits
from membership import plans
from membership.model import ChannelId, GuildId, OnPastDue, Plan, PlanId, PlanProduct, RoleId
from membership.worker import LONGEST_BACKOFF

READY_SECONDS = 15.0
LOOK_SECONDS = 0.05
UNLIMITED = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Both sides, and what the benchmarks need to know of the demo server."""

    world: Child
    process: Process
    guild_id: GuildId
    role_id: RoleId

    async def queries(self) -> int:
        """Return how many member queries Doorlist has sent."""
        return self.process.discord.queries.sent

    async def idle(self, *, within_seconds: float) -> None:
        """Wait until no job runs and none is due soon, as one that is tried again is. Raises TimeoutError."""
        await until(self._is_idle, within_seconds)

    async def _is_idle(self) -> bool:
        async with self.process.database.read() as tx:
            counts, next_run_at = await tx.jobs.counts(), await tx.jobs.next_run_at()
        soon = self.process.services.clock.now() + LONGEST_BACKOFF
        return counts["due"] == counts["leased"] == 0 and (next_run_at is None or next_run_at > soon)


@asynccontextmanager
async def stage(scale: float, **policy: object) -> AsyncIterator[Stage]:
    """Run both sides until the block ends, with a plan for the first thing the demo shop sells.

    `scale` multiplies Discord's windows; `policy` are settings of that section. Only errors are logged.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="doorlist-bench-")))
        world = await stack.enter_async_context(child("bench.world", str(folder / "doorlist.db"), str(scale)))
        about = await world.ask("about")
        settings = _settings(about["environment"], policy)
        paces = replace(Paces().faster(1 / scale), roles=RoleLimits(seconds=RoleLimits().seconds * scale))
        process = await stack.enter_async_context(running(settings, paces=paces))
        await until(lambda: _is_connected(process), READY_SECONDS)
        _lift_library_limit(process)
        both = Stage(
            world=world, process=process, guild_id=GuildId(about["guild_id"]), role_id=RoleId(about["role_id"])
        )
        await _open_shop(both, about)
        # A fresh connection is followed by a sweep, which is none of what is measured.
        await asyncio.sleep(CONNECTED_DEBOUNCE_SECONDS + LOOK_SECONDS)
        await both.idle(within_seconds=READY_SECONDS)
        spare_collector()
        yield both


async def until(is_so: Callable[[], Awaitable[bool]], within_seconds: float) -> None:
    """Wait until something is so. Raises TimeoutError."""
    async with asyncio.timeout(within_seconds):
        while not await is_so():  # noqa: ASYNC110 - what is asked is in another process or in the database
            await asyncio.sleep(LOOK_SECONDS)


def _settings(environment: dict[str, str], policy: dict[str, object]) -> Settings:
    """Read the settings as the command line does, and from nowhere else on this machine."""
    nowhere = Path("/nonexistent")
    assignments = [f"policy.{name}={value}" for name, value in policy.items()]
    sources = Sources(
        config_file=nowhere, own_secrets=nowhere, shared_secrets=(), environment=environment, assignments=assignments
    )
    return load_settings(sources).settings


async def _is_connected(process: Process) -> bool:
    return process.supervisor.health().is_connected


def _lift_library_limit(process: Process) -> None:
    """Lift discord.py's own limit of 110 gateway sends a minute: it knows nothing of our scaled minutes.

    The local Discord still closes the connection at 120 of them.
    """
    limiter = process.discord.connection.require().ws._rate_limiter
    limiter.max = limiter.remaining = UNLIMITED


async def _open_shop(both: Stage, about: dict[str, Any]) -> None:
    services = both.process.services
    async with services.store.write() as tx:
        guild = await tx.guilds.ensure(both.guild_id, about["guild_name"])
        claim_channel_id = ChannelId(about["claim_channel_id"])
        await tx.guilds.replace(replace(guild, is_active=True, claim_channel_id=claim_channel_id))
    account = await services.sellers.account("stripe")
    product = PlanProduct(account_id=account.id, product_id=about["product_id"])
    await plans.save(
        services,
        Plan(
            id=PlanId(0),
            guild_id=both.guild_id,
            name="VIP",
            slug="vip",
            roles=(both.role_id,),
            products=(product,),
            on_past_due=OnPastDue.KEEP,
        ),
    )
    await both.idle(within_seconds=READY_SECONDS)
