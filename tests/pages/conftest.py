"""A world per test, as the use-cases have it, with the real pages before it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.pages.stage import PageStage, pages_of
from tests.usecases.conftest import migrated, new_world, world
from tests.usecases.world import World

__all__ = ["migrated", "new_world", "world"]


@pytest.fixture
async def stage(world: World) -> AsyncIterator[PageStage]:
    async with pages_of(world) as opened:
        yield opened
