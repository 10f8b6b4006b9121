"""The `sandbox tour` command: plays buy, mail, connect, role, cancel, role gone, headless, a tick per step."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from pathlib import Path

import click

from app.run import FINE
from app.run import reset_sandbox as delete_sandbox
from app.settings import Settings

FOUND_PROBLEMS = 1
TOUR_PORT = 18080


def play_tour() -> int:
    """Play the tour in a sandbox of its own and return 0, or 1 when a step did not come true."""
    from app.console import configure_log

    configure_log(level=logging.WARNING)
    return asyncio.run(_play())


def reset_sandbox() -> int:
    """Delete the sandbox's data."""
    delete_sandbox()
    click.echo("The sandbox begins anew at the next start.")
    return FINE


async def _play() -> int:
    from app.sandboxed import free_port, sandbox
    from sandbox.clock import MovableClock
    from sandbox.tour import TourFailed, steps

    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="doorlist-tour-") as folder:
        database, port = Path(folder) / "tour.db", free_port(TOUR_PORT)
        async with sandbox(Settings(mode="sandbox"), database=database, port=port, clock=MovableClock()) as both:
            try:
                async for step in steps(both.outside):
                    click.echo(f"✓ {step.title:<10} {step.detail}  ({step.seconds:.2f} s)")
            except TourFailed as failure:
                click.echo(f"✗ {failure}", err=True)
                return FOUND_PROBLEMS
    click.echo(f"Buy to role and back in {time.monotonic() - started:.1f} s, over the wire.")
    return FINE
