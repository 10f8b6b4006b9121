"""The composition root: builds every part, hands them to each other, runs them, and takes them down again.

Built from settings alone, so that the sandbox, the tests and the benchmarks run exactly what production runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from app.clocks import Clocks
from app.door import Door
from app.health import Doctor
from app.installation import ThisInstallation
from app.panel_doctor import PanelDoctor
from app.randomness import SystemRandomness
from app.settings import Settings
from app.watch import Desk, GuildWatch, StoredBudget, StoredHash
from cogs.discord_side import DiscordSide, open_discord
from cogs.paces import Paces
from cogs.parts import BotParts
from cogs.supervisor import Supervisor
from membership.ports import Clock
from membership.services import Operators, Sellers, Services
from membership.worker import Worker
from providers.base import USUAL_PATIENCE, Patience
from providers.registry import build_providers
from storage.intake import GroupCommit
from storage.store import Database
from web.app import build_app
from web.mail import SmtpMailer
from web.parts import DiscordApplication, Parts
from web.server import start_server

STOPPING_SECONDS = 8.0


class SystemClock:
    """The real time."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)


class Bell:
    """Lets the parts wake the worker, which is built after them."""

    def __init__(self) -> None:
        """Start with nobody listening."""
        self.listener: Callable[[], None] | None = None

    def ring(self) -> None:
        """Wake whoever listens."""
        if self.listener is not None:
            self.listener()


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """The running parts, for whoever holds them: the command line, the sandbox, tests."""

    settings: Settings
    services: Services
    database: Database
    worker: Worker
    clocks: Clocks
    supervisor: Supervisor
    discord: DiscordSide
    public_url: str


@asynccontextmanager
async def running(
    settings: Settings,
    clock: Clock | None = None,
    *,
    paces: Paces | None = None,
    patience: Patience = USUAL_PATIENCE,
) -> AsyncIterator[Process]:
    """Run everything until the block ends. Raises what `Database.open` raises, and OSError when the port is taken.

    The paces and the patience are for the real Discord and the real platforms; only where the outside runs on scaled
    time (tests, benchmarks) may they be others.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.database, clock)
        stack.push_async_callback(database.close)
        bell = Bell()
        discord = open_discord(settings.discord, paces)
        stack.push_async_callback(discord.port.close)
        ground = Ground(
            settings=settings, clock=clock, database=database, discord=discord, bell=bell, patience=patience
        )
        services = await open_services(stack, ground)
        worker = Worker(services)
        bell.listener = worker.wake
        process = _process(settings, services, database, worker, discord)
        await _start(stack, process)
        yield process


@asynccontextmanager
async def offline(settings: Settings) -> AsyncIterator[Services]:
    """Give one-off commands the use-cases over the stored data, with nothing running. Raises what `running` raises."""
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        database = await Database.open(settings.database, clock)
        stack.push_async_callback(database.close)
        discord = open_discord(settings.discord)
        stack.push_async_callback(discord.port.close)
        ground = Ground(settings=settings, clock=clock, database=database, discord=discord, bell=Bell())
        yield await open_services(stack, ground)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every other part stands on."""

    settings: Settings
    clock: Clock
    database: Database
    discord: DiscordSide
    bell: Bell
    patience: Patience = USUAL_PATIENCE


async def open_services(stack: AsyncExitStack, ground: Ground) -> Services:
    """Build the use-cases' services over an open database; the stack closes what they open."""
    settings, clock = ground.settings, ground.clock
    randomness = SystemRandomness()
    providers = build_providers(settings.payments, clock=clock, randomness=randomness, patience=ground.patience)
    for provider in providers.values():
        stack.push_async_callback(provider.close)
    intake = GroupCommit(ground.database, clock, on_commit=ground.bell.ring)
    stack.push_async_callback(intake.close)
    operators = Operators(settings.discord.operators)
    async with ground.database.read() as tx:
        operators.add(await tx.operators.all())
    return Services(
        store=ground.database,
        intake=intake,
        discord=ground.discord.port,
        sellers=Sellers(providers, ground.database, clock),
        mailer=SmtpMailer(settings.mail, clock, claim_command=settings.discord.claim_command),
        clock=clock,
        randomness=randomness,
        public_url=public_url(settings),
        wake=ground.bell.ring,
        policy=settings.policy,
        alerts_to=settings.mail.alerts_to,
        operators=operators,
    )


def public_url(settings: Settings) -> str:
    """Return the origin that people use: the configured one, or this machine's."""
    return settings.web.public_url or f"http://{settings.web.host}:{settings.web.port}"


def bot_parts(settings: Settings, services: Services, database: Database, discord: DiscordSide) -> BotParts:
    """Return what a bot needs of the rest."""
    return BotParts(
        events=GuildWatch(services),
        desk=Desk(services),
        budget=StoredBudget(database),
        command_hash=StoredHash(database),
        clock=services.clock,
        services=services,
        doctor=PanelDoctor(settings, services, database, discord),
        installation=ThisInstallation(settings, services, database),
    )


def _process(
    settings: Settings, services: Services, database: Database, worker: Worker, discord: DiscordSide
) -> Process:
    parts = bot_parts(settings, services, database, discord)
    claims = discord.claims(parts)
    return Process(
        settings=settings,
        services=services,
        database=database,
        worker=worker,
        clocks=Clocks(services, claims.answer_posted),
        supervisor=discord.supervisor(parts, claims, services.randomness.jitter),
        discord=discord,
        public_url=services.public_url,
    )


async def _start(stack: AsyncExitStack, process: Process) -> None:
    """Open the doors in the order in which they depend on each other; the stack closes them the other way round."""
    async with process.database.write() as tx:
        # We hold the instance lock: whoever leased these jobs is gone.
        await tx.jobs.release_all()
    tasks: set[asyncio.Task[None]] = set()
    stack.push_async_callback(_cancel, process, tasks)
    tasks.add(asyncio.create_task(process.worker.run(), name="worker"))
    runner = await start_server(build_app(_pages(process)), process.settings.web)
    stack.push_async_callback(runner.cleanup)
    tasks.add(asyncio.create_task(process.supervisor.run(), name="discord"))
    stack.push_async_callback(process.supervisor.close)
    process.clocks.start()
    stack.callback(process.clocks.stop)


def _pages(process: Process) -> Parts:
    settings, services = process.settings, process.services
    application = DiscordApplication(
        client_id=settings.discord.client_id,
        client_secret=settings.discord.client_secret.get_secret_value(),
        api_url=settings.discord.api_url,
        site_url=settings.discord.site_url,
    )
    doctor = Doctor(services, process.supervisor, process.worker, process.clocks)
    origins = (settings.payments.stripe.checkout_url, settings.payments.stripe.portal_url)
    return Parts(
        settings=settings.web,
        public_url=process.public_url,
        discord=application,
        services=services,
        store=process.database,
        intake=services.intake,
        providers=services.sellers.by_name,
        use_cases=Door(services, site_url=settings.discord.site_url, look=doctor.look),
        clock=services.clock,
        randomness=services.randomness,
        checkout_origins=origins,
        claim_command=settings.discord.claim_command,
        is_sandbox=settings.is_sandbox,
        doctor=PanelDoctor(settings, services, process.database, process.discord),
        origins=settings.origins,
    )


async def _cancel(process: Process, tasks: set[asyncio.Task[None]]) -> None:
    process.worker.stop()
    _, late = await asyncio.wait(tasks, timeout=STOPPING_SECONDS)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
