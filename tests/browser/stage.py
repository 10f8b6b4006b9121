"""Both sides of the sandbox, for browser tests: the outside world and the real Doorlist."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.sandboxed import free_port, sandbox
from app.settings import Settings
from sandbox.clock import MovableClock
from sandbox.parts import Outside
from tests.scenarios.stage import FIRST_PORT


@asynccontextmanager
async def both_sides(directory: Path) -> AsyncIterator[Outside]:
    """Run the outside world and the real Doorlist on a new database in `directory`."""
    port = free_port(FIRST_PORT)
    async with sandbox(
        Settings(mode="sandbox"), database=directory / "tour.db", port=port, clock=MovableClock()
    ) as both:
        yield both.outside
