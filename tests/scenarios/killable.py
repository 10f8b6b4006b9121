"""Doorlist as a process of its own on a stage's database, so that it can be killed at any instruction."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
from pydantic import BaseModel, SecretStr

from app.settings import Settings
from tests.scenarios.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0
LOOK_SECONDS = 0.02


@asynccontextmanager
async def own_process(s: Stage) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `bot.py run` against the stage's outside, whose own Doorlist is closed; at the end it is killed."""
    environment = {**os.environ, **dict(_variables(s.settings)), "DOORLIST_MODE": "live"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "bot.py",
        "run",
        cwd=ROOT,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _online(f"{s.outside.doorlist_url}/health/ready")
        yield process
    finally:
        await kill(process)


async def kill(process: asyncio.subprocess.Process) -> None:
    """Kill the process: no cleanup, no goodbye."""
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


async def _online(url: str) -> None:
    async with asyncio.timeout(START_SECONDS), aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError):
                async with session.get(url) as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(LOOK_SECONDS)


def _variables(settings: Settings) -> Iterator[tuple[str, str]]:
    """Spell the settings that are no defaults as environment variables."""
    for name in ("discord", "web", "mail", "database", "payments"):
        yield from _spelled(getattr(settings, name), f"DOORLIST_{name.upper()}")


def _spelled(section: BaseModel, prefix: str) -> Iterator[tuple[str, str]]:
    for name in section.model_fields_set:
        value, key = getattr(section, name), f"{prefix}__{name.upper()}"
        if isinstance(value, BaseModel):
            yield from _spelled(value, key)
        else:
            yield key, value.get_secret_value() if isinstance(value, SecretStr) else str(value)
