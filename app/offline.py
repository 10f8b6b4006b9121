"""One-off commands over the stored data while nothing runs: opens the use-cases and words the failures."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import click
from pydantic import ValidationError

from app.process import offline
from app.settings import Settings
from membership.errors import DoorlistError, UserError
from membership.services import Services
from storage.lock import AlreadyRunning

FINE, FOUND_PROBLEMS, WRONG_USE = 0, 1, 2

Work = Callable[[Services], Awaitable[int]]


def answer(settings: Settings, work: Work) -> int:
    """Run a command and return its exit code; a failure is a line that says what, why and what to do."""
    try:
        return asyncio.run(_with_services(settings, work))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors()]
        return _complain(lines, WRONG_USE)
    except AlreadyRunning as refusal:
        return _complain([str(refusal)], WRONG_USE)
    except UserError as refusal:
        return _complain([refusal.text], WRONG_USE)
    except DoorlistError as failure:
        return _complain([str(failure)], FOUND_PROBLEMS)


async def _with_services(settings: Settings, work: Work) -> int:
    async with offline(settings) as services:
        return await work(services)


def _complain(lines: list[str], code: int) -> int:
    for line in lines:
        click.echo(f"✗ {line}", err=True)
    return code
