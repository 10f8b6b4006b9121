"""`boot`: how long `python3 bot.py` takes from nothing to ready, and how much memory it then holds.

It runs a copy of the source files, so that the configuration and the data of this folder play no part.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from app.sandboxed import HOST, free_port
from bench.child import ROOT, child
from bench.probe import resident_mb
from bench.results import last_line, verdict

FIRST_PORT = 19400
LONGEST_START_SECONDS = 60.0
LOOK_SECONDS = 0.01
READY_SECONDS, SANDBOX_MB, ALONE_MB = 2.0, 150.0, 100.0
NOT_COPIED = (".*", "data", "secrets", "config.toml", "tests", "docs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """One start: seconds until /health/ready said yes, and the memory some seconds later."""

    seconds: float
    resident_mb: float


@click.command()
@click.option("--starts", default=7, show_default=True, help="Fresh processes of each kind; the results are medians.")
@click.option("--settle", default=2.0, show_default=True, help="Seconds from ready to the look at the memory.")
def command(starts: int, settle: float) -> None:
    """Start the sandbox, and the bot alone against an outside world in another process, again and again."""
    with tempfile.TemporaryDirectory(prefix="doorlist-bench-") as folder:
        copy = Path(folder) / "doorlist"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
        sandbox, alone = asyncio.run(_measure(Starts(copy=copy, settle_seconds=settle), starts))
    seconds, sandbox_mb = _medians(sandbox)
    alone_seconds, alone_mb = _medians(alone)
    click.echo(f"{starts} starts of each kind, packages installed")
    text = f"sandbox ready after {seconds:.2f} s (≤ {READY_SECONDS:g})"
    click.echo(verdict(is_met=seconds <= READY_SECONDS, text=text))
    text = f"bot alone ready after {alone_seconds:.2f} s (≤ {READY_SECONDS:g})"
    click.echo(verdict(is_met=alone_seconds <= READY_SECONDS, text=text))
    click.echo(verdict(is_met=sandbox_mb <= SANDBOX_MB, text=f"sandbox holds {sandbox_mb:.0f} MB (≤ {SANDBOX_MB:g})"))
    click.echo(verdict(is_met=alone_mb <= ALONE_MB, text=f"bot alone holds {alone_mb:.0f} MB (≤ {ALONE_MB:g})"))
    click.echo(
        last_line(
            "boot", sandbox_seconds=seconds, alone_seconds=alone_seconds, sandbox_mb=sandbox_mb, alone_mb=alone_mb,
            slowest_seconds=max(one.seconds for one in (*sandbox, *alone)), starts=starts,
        )
    )  # fmt: skip


async def _measure(kinds: Starts, starts: int) -> tuple[list[Boot], list[Boot]]:
    # The first start of each compiles what changed, makes the database, and reads files that no cache holds yet.
    await kinds.sandbox()
    sandbox = [await kinds.sandbox() for _ in range(starts)]
    async with child("bench.world", str(kinds.copy / "data" / "live.db"), "1") as world:
        environment = (await world.ask("about"))["environment"]
        await kinds.alone(environment)
        return sandbox, [await kinds.alone(environment) for _ in range(starts)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Starts:
    """Starts processes of the copied source files."""

    copy: Path
    settle_seconds: float

    async def sandbox(self) -> Boot:
        """Start with no configuration: the sandbox with everything in one process."""
        port = free_port(FIRST_PORT)
        # The outside world takes the port, Doorlist the next free one.
        return await self._boot({"DOORLIST_WEB__PORT": str(port)}, free_port(port + 1))

    async def alone(self, environment: dict[str, str]) -> Boot:
        """Start live, against an outside world that is another process."""
        return await self._boot(environment, int(environment["DOORLIST_WEB__PORT"]))

    async def _boot(self, environment: dict[str, str], port: int) -> Boot:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("DOORLIST_")}
        started = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(self.copy / "bot.py"),
            cwd=self.copy,
            env=inherited | environment,
            stdout=asyncio.subprocess.DEVNULL,
        )
        async with _ended(process):
            await _ready(process, port)
            seconds = time.perf_counter() - started
            await asyncio.sleep(self.settle_seconds)
            return Boot(seconds=seconds, resident_mb=resident_mb(process.pid))


async def _ready(process: asyncio.subprocess.Process, port: int) -> None:
    """Ask /health/ready until it says yes. Raises RuntimeError when the process ended, TimeoutError."""
    async with asyncio.timeout(LONGEST_START_SECONDS):
        while not await _is_ready(port):
            if process.returncode is not None:
                raise RuntimeError(f"bot.py ended with exit code {process.returncode} instead of starting")
            await asyncio.sleep(LOOK_SECONDS)


async def _is_ready(port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(HOST, port)
    except ConnectionError:
        return False
    try:
        writer.write(f"GET /health/ready HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
        return (await reader.readline()).startswith(b"HTTP/1.1 200 ")
    except ConnectionError:
        return False
    finally:
        writer.close()


@asynccontextmanager
async def _ended(process: asyncio.subprocess.Process) -> AsyncIterator[None]:
    """End the process after the block, as Ctrl+C would."""
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _medians(boots: list[Boot]) -> tuple[float, float]:
    return statistics.median(one.seconds for one in boots), statistics.median(one.resident_mb for one in boots)
