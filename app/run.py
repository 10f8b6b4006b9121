"""The `run` command: the process until Ctrl+C or SIGTERM, live or in the sandbox, with what it prints at the start."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.console import configure_log
from app.settings import ROOT, Settings
from membership.check_words import printable
from membership.checks import Result

if TYPE_CHECKING:
    from app.process import Process

SANDBOX_DATABASE = ROOT / "data" / "sandbox.db"
FIRST_PORT = 8080
CONNECT_SECONDS, LOOK_SECONDS = 5.0, 0.02
FINE, WRONG_USE, UNREACHABLE = 0, 2, 3


def run_process(settings: Settings) -> int:
    """Run until asked to stop. Return an exit code: 0 fine, 2 wrong use, 3 cannot reach something."""
    configure_log()
    # A start makes many objects and hardly any garbage; `spare_collector` switches the collector on again.
    gc.disable()
    from membership.errors import Retry
    from storage.lock import AlreadyRunning
    from storage.migrate import NewerSchema
    from storage.secrets import BadKey, WrongKey

    try:
        return asyncio.run(_sandbox(settings) if settings.is_sandbox else _live(settings))
    except (AlreadyRunning, NewerSchema, BadKey, WrongKey) as refusal:
        return _complain(str(refusal), WRONG_USE)
    except Retry as failure:
        return _complain(f"The start failed: {failure.why}. Try again.", UNREACHABLE)
    except OSError as failure:
        return _complain(f"The start failed: {failure.strerror or failure}.", UNREACHABLE)


async def _live(settings: Settings) -> int:
    started = time.monotonic()
    from app.process import running
    from app.starting import refusals_before

    if refusals := await refusals_before(settings):
        return _refuse(refusals)
    async with running(settings) as process:
        _print_head("LIVE", started)
        click.echo(f"  Pages   {process.public_url}")
        click.echo(f"  Staff   {process.public_url}/admin        at first: python3 bot.py admin-link")
        click.echo(f"  Health  {process.public_url}/health/ready")
        click.echo("  Stop with Ctrl+C\n")
        spare_collector()
        return _refuse(await _stopped_or_refused(process))


async def _sandbox(settings: Settings) -> int:
    started = time.monotonic()
    from app.sandboxed import free_port, sandbox
    from sandbox.clock import MovableClock

    wanted = settings.web.port or FIRST_PORT
    port = free_port(wanted)
    if port != wanted:
        click.echo(f"Port {wanted} is in use by another program, using {port}.")
    await _begin_anew()
    async with sandbox(settings, database=SANDBOX_DATABASE, port=port, clock=MovableClock()) as both:
        await _connected(both.process)
        _print_head("SANDBOX — nothing here is real", started)
        click.echo(f"  Open    {both.outside.url}/sandbox        the guided tour: press “Do it all for me”")
        click.echo(f"  Pages   {both.process.public_url}                what buyers see")
        click.echo(f"  Staff   {both.process.public_url}/admin          sign in as Olga, the owner, or Sam, her staff")
        click.echo(f"  Data    {SANDBOX_DATABASE.relative_to(ROOT)}                      made anew at every start")
        click.echo('\n  Ready for your own server?   see README.md, "Your own server"')
        click.echo("  Stop with Ctrl+C\n")
        spare_collector()
        await _stopped()
    return FINE


async def _begin_anew() -> None:
    """Reset the sandbox, unless one is running: its database is not ours to delete. Raises AlreadyRunning."""
    from storage.lock import FileLock

    SANDBOX_DATABASE.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock.take(SANDBOX_DATABASE)
    reset_sandbox()
    await lock.release()


def reset_sandbox() -> None:
    """Delete the sandbox's database: its outside world is gone with the process, so what it knew is, too."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{SANDBOX_DATABASE}{suffix}").unlink(missing_ok=True)


def spare_collector() -> None:
    """Leave what the start has made out of later garbage collections: a full one stopped the event loop for 70 ms."""
    gc.collect()
    gc.freeze()
    gc.enable()


async def _connected(process: Process) -> None:
    """Wait until the bot is at Discord, so that the first press of a button is answered; say so where it takes long."""
    for _ in range(int(CONNECT_SECONDS / LOOK_SECONDS)):
        if process.supervisor.health().is_connected:
            return
        await asyncio.sleep(LOOK_SECONDS)
    click.echo("Still connecting to Discord.")


def _print_head(mode: str, started: float) -> None:
    from app.cli import project_version

    seconds = time.monotonic() - started
    click.echo(f"\n  doorlist {project_version()}   {mode}                       ready in {seconds:.1f} s\n")
    sys.stdout.flush()


def _complain(text: str, code: int) -> int:
    click.echo(f"✗ {text}", err=True)
    return code


def _refuse(refusals: Sequence[Result]) -> int:
    """Say what cannot work, with its fix; nothing to say is fine."""
    for result in refusals:
        click.echo(f"✗ {result.id}  {printable(result.cause)}\n  Fix: {printable(result.fix)}", err=True)
    return WRONG_USE if refusals else FINE


async def _stopped_or_refused(process: Process) -> Sequence[Result]:
    """Wait until somebody stops us; return early with what turned out not to work."""
    from app.starting import refusals_beside

    looking = asyncio.create_task(refusals_beside(process), name="start checks")
    stopping = asyncio.create_task(_stopped(), name="stop")
    try:
        await asyncio.wait({looking, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not stopping.done() and (refusals := await looking):
            return refusals
        await stopping
        return ()
    finally:
        looking.cancel()
        stopping.cancel()
        await asyncio.gather(looking, stopping, return_exceptions=True)


async def _stopped() -> None:
    """Wait for Ctrl+C or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    await stop.wait()
    click.echo("\nStopping …")
