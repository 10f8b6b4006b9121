"""A program for the crash test: stores events through GroupCommit and prints each id once it was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import os
import sys

from storage.intake import GroupCommit
from storage.store import Database
from tests.storage.builders import an_event
from tests.storage.databases import MovableClock, settings

WRITERS = 32


async def main(path: str) -> None:
    """Write until killed."""
    clock = MovableClock()
    database = await Database.open(settings(f"sqlite:///{path}"), clock)
    intake = GroupCommit(database, clock, lambda: None)

    async def write(writer: int) -> None:
        for number in itertools.count():
            name = f"evt_{writer}_{number}"
            await intake.accept("stripe", [an_event(name, body=b"x" * 4096)])
            os.write(sys.stdout.fileno(), f"{name}\n".encode())

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
