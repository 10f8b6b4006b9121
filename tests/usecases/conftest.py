"""A fresh world per test. Its database is copied from one that was migrated once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest

from membership.policy import Policy
from storage.store import Database
from tests.usecases.world import MovableClock, World, database_settings

Builder = Callable[..., Awaitable[World]]


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("usecases") / "migrated.db"

    async def migrate() -> None:
        await (await Database.open(database_settings(path), MovableClock())).close()

    asyncio.run(migrate())
    return path


@pytest.fixture
async def new_world(migrated: Path, tmp_path: Path) -> AsyncIterator[Builder]:
    """Build a world under a policy of its own."""
    numbers = count(1)
    async with AsyncExitStack() as stack:

        async def build(**policy: object) -> World:
            path = tmp_path / f"doorlist{next(numbers)}.db"
            shutil.copyfile(migrated, path)
            world = World(path, Policy(**policy))  # type: ignore[arg-type]
            await world.start()
            stack.push_async_callback(world.close)
            await world.open_server()
            return world

        yield build


@pytest.fixture
async def world(new_world: Builder) -> World:
    return await new_world()
