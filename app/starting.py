"""What refuses a start: the failures of the checks that are made before it and, as it goes on, beside it.

The local ones come first and cost nothing. What only Discord or a payment platform knows is asked while everything
starts, so that a start that works waits for nobody; an outage there refuses no start, a clear no does.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TypeVar

from app.checks.every import examine
from app.checks.opening import open_examiner
from app.checks.patient import Part, Patient, Source
from app.process import Process, SystemClock, public_url
from app.settings import ROOT, Settings
from cogs.discord_side import open_discord
from membership.checks import Category, Outcome, Result, Skip

T = TypeVar("T")


async def refusals_before(settings: Settings) -> list[Result]:
    """Return why a start cannot work, as far as this machine knows."""
    return await _failures(
        Source(
            settings=settings,
            origins={},
            config_file=ROOT / "config.toml",
            clock=SystemClock(),
            database=_later(),
            services=_later(),
            examiner=_later(),
            commands=_later(),
            public_url=public_url(settings),
            is_starting=True,
        )
    )


async def refusals_beside(process: Process) -> list[Result]:
    """Return why the running start cannot work, as far as Discord and the payment platforms say so clearly."""
    async with AsyncExitStack() as stack:
        # Beside the bot's own login, whose failure ends in a log line and not in words.
        side = open_discord(process.settings.discord)
        stack.push_async_callback(side.port.close)
        return await _failures(
            Source(
                settings=process.settings,
                origins={},
                config_file=ROOT / "config.toml",
                clock=process.services.clock,
                database=Part(process.database),
                services=Part(process.services),
                examiner=await open_examiner(stack, side),
                commands=_later(),
                public_url=process.public_url,
                is_starting=True,
            )
        )


async def _failures(source: Source) -> list[Result]:
    results = await examine(Patient(source), Category.START)
    return [result for result in results if result.outcome is Outcome.FAIL]


def _later() -> Part[T]:
    return Part(why=Skip("it is not open yet"))
