"""A world per test, as the use-cases have it, with the real pages before it; and a furnished world for all to copy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.pages.rich import Furnished, furnished_world
from tests.pages.rich_stage import RichStage, rich_stage
from tests.pages.stage import PageStage, pages_of
from tests.usecases.conftest import migrated, new_world, world
from tests.usecases.world import World

__all__ = ["migrated", "new_world", "world"]


@pytest.fixture
async def stage(world: World) -> AsyncIterator[PageStage]:
    async with pages_of(world) as opened:
        yield opened


@pytest.fixture(scope="session")
def furnished(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Furnished:
    return asyncio.run(furnished_world(migrated, tmp_path_factory.mktemp("furnished")))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def rich(furnished: Furnished, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RichStage]:
    """One furnished world for all tests of a module, which leave it as it is."""
    async with rich_stage(furnished, tmp_path_factory.mktemp("rich")) as opened:
        yield opened
