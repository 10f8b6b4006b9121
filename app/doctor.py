"""The `doctor` command: looks at everything, says what is wrong and what to do, and repairs what it can when asked.

Works beside a running Doorlist and while none runs. The looking is in app/checks, the words on the screen in
membership/check_words.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from app.checks.every import examine
from app.checks.opening import open_database, open_examiner
from app.checks.patient import Part, Patient, Source
from app.process import Bell, Ground, SystemClock, bot_parts, open_services, public_url
from app.settings import Loaded, Settings
from app.sources import SettingsError
from cogs.discord_side import DiscordSide, open_discord
from cogs.examination import Json
from cogs.examiner import Examiner
from membership.check_words import as_json, as_text
from membership.checks import Area, Category, Finding, Outcome, Result, Skip, by_check, in_words
from membership.errors import DoorlistError
from membership.ports import Clock
from membership.services import Services
from storage.store import Database

FINE, FOUND_PROBLEMS, WRONG_USE, UNREACHABLE = 0, 1, 2, 3
_SANDBOX = "nothing is configured yet; the sandbox brings its own Discord, Stripe and mail while it runs"
_CONFIGURATION = "C01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the operator asked for. `areas` empty: all of them. `is_sure`: repair without asking."""

    areas: Collection[Area] = ()
    wants_repair: bool = False
    is_sure: bool = False
    wants_json: bool = False


def run_doctor(loaded: Loaded | SettingsError, config_file: Path, wish: Wish) -> int:
    """Look, print, repair where wanted; return the exit code."""
    # discord.py warns of voice, and of the gateway that is not wanted here.
    logging.getLogger("discord").setLevel(logging.ERROR)
    return asyncio.run(_run(loaded, config_file, wish))


def exit_code(results: Sequence[Result]) -> int:
    """Return 1 when something failed, 3 when somebody else did not answer so that we cannot know, else 0."""
    if Outcome.FAIL in by_check(results).values():
        return FOUND_PROBLEMS
    return UNREACHABLE if any(result.is_unreachable for result in results) else FINE


def areas_named(names: Sequence[str]) -> list[Area]:
    """Return the areas that somebody wrote. Raises click.UsageError for one that does not exist."""
    known = {area.value.lower(): area for area in Area if area is not Area.PLAN}
    if wrong := [name for name in names if name.lower() not in known]:
        raise click.UsageError(f"there is no area {wrong[0]}; choose from {', '.join(known)}")
    return [known[name.lower()] for name in names]


async def _run(loaded: Loaded | SettingsError, config_file: Path, wish: Wish) -> int:
    if isinstance(loaded, SettingsError):
        results = unreadable(loaded)
        click.echo(as_json(results) if wish.wants_json else as_text(results), nl=False)
        return exit_code(results)
    async with AsyncExitStack() as stack:
        patient = await stack.enter_async_context(open_patient(loaded, config_file))
        results = await examine(patient, Category.CLI, wish.areas)
        click.echo(as_json(results) if wish.wants_json else as_text(results), nl=False)
        if wish.wants_repair and await _repair(results, is_sure=wish.is_sure):
            click.echo("\nLooking again …\n")
            async with open_patient(loaded, config_file) as again:
                results = await examine(again, Category.CLI, wish.areas)
                click.echo(as_json(results) if wish.wants_json else as_text(results), nl=False)
    return exit_code(results)


def unreadable(error: SettingsError) -> list[Result]:
    """Return the results when the configuration cannot be read: nothing else can be known."""
    fix = "python3 bot.py config example        shows every setting with its default"
    return [
        Result(
            id=_CONFIGURATION,
            area=Area.CONFIGURATION,
            outcome=Outcome.FAIL,
            what="The configuration",
            cause=problem,
            fix=fix,
        )
        for problem in error.problems
    ]


@asynccontextmanager
async def open_patient(loaded: Loaded, config_file: Path, clock: Clock | None = None) -> AsyncIterator[Patient]:
    """Open every part that can be opened. In the sandbox that is none: its world ends with its process."""
    settings, clock = loaded.settings, clock or SystemClock()
    async with AsyncExitStack() as stack:
        database: Part[Database] = Part(why=Skip(_SANDBOX))
        examiner: Part[Examiner] = Part(why=Skip(_SANDBOX))
        services: Part[Services] = Part(why=Skip(_SANDBOX))
        commands: Part[Sequence[Json]] = Part(why=Skip(_SANDBOX))
        flaws: Mapping[str, Finding] = {}
        if not settings.is_sandbox:
            side = open_discord(settings.discord)
            stack.push_async_callback(side.port.close)
            opened = await open_database(stack, settings.database, clock)
            database, flaws = opened.database, opened.flaws
            examiner = await open_examiner(stack, side)
            services, commands = await _open_rest(stack, settings, side, opened.database, clock)
        yield Patient(
            Source(
                settings=settings,
                origins=loaded.origins,
                config_file=config_file,
                clock=clock,
                database=database,
                services=services,
                examiner=examiner,
                commands=commands,
                public_url=public_url(settings),
                flaws=flaws,
            )
        )


async def _open_rest(
    stack: AsyncExitStack, settings: Settings, side: DiscordSide, database: Part[Database], clock: Clock
) -> tuple[Part[Services], Part[Sequence[Json]]]:
    """Build the services over the database, and the slash commands over the services."""
    try:
        opened = database.get()
    except (Skip, DoorlistError) as why:
        return Part(why=why), Part(why=why)
    ground = Ground(settings=settings, clock=clock, database=opened, discord=side, bell=Bell())
    services = await open_services(stack, ground)
    return Part(services), Part(await side.commands(bot_parts(settings, services, opened, side)))


async def _repair(results: Sequence[Result], *, is_sure: bool) -> bool:
    """Offer each repair; say whether any was made."""
    repaired, seen = False, set[tuple[str, str]]()
    for result in results:
        if result.repair is None or (result.id, result.cause) in seen:
            continue
        seen.add((result.id, result.cause))
        click.echo(f"\n{result.id}  {result.cause}")
        if not is_sure and not click.confirm("  Repair this?", default=False):
            continue
        try:
            click.echo(f"  ✓ {await result.repair()}")
            repaired = True
        except DoorlistError as failure:
            click.echo(f"  ✗ That did not work: {in_words(failure)}")
    if not seen:
        click.echo("\nThere is nothing that I can repair by myself.")
    return repaired
