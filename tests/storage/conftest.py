"""Every test that asks for `database` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.store import Database
from tests.storage.databases import MovableClock, postgres_database, sqlite_database


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path, clock: MovableClock) -> AsyncIterator[Database]:
    opened = sqlite_database(tmp_path, clock) if request.param == "sqlite" else postgres_database(clock)
    async with opened as database:
        yield database


@pytest.fixture
async def sqlite(tmp_path: Path, clock: MovableClock) -> AsyncIterator[Database]:
    async with sqlite_database(tmp_path, clock) as database:
        yield database
