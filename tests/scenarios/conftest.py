"""Every scenario plays on a stage of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenarios.stage import Stage, stage


@pytest.fixture
async def s(tmp_path: Path) -> AsyncIterator[Stage]:
    """Set the stage on SQLite."""
    async with stage(tmp_path) as both:
        yield both


@pytest.fixture(params=["sqlite", "postgres"])
async def both_stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """Set the stage on SQLite, then on PostgreSQL."""
    async with stage(tmp_path, database=request.param) as both:
        yield both
