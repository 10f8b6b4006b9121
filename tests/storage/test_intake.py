"""Group commit: what is acknowledged is stored, and nobody spoils it for the others."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import func, select

from membership.errors import Retry
from storage.intake import GroupCommit
from storage.ledgers import inbox_events, jobs
from storage.store import Database
from tests.storage.builders import an_event
from tests.storage.databases import MovableClock

ROOT = Path(__file__).parents[2]


class Bell:
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
async def intake(database: Database, clock: MovableClock, bell: Bell) -> AsyncIterator[GroupCommit]:
    intake = GroupCommit(database, clock, bell.ring)
    yield intake
    await intake.close()


async def stored(database: Database) -> tuple[int, int]:
    """Return how many events and jobs there are."""
    async with database.read() as tx:
        events = (await tx.connection.execute(select(func.count()).select_from(inbox_events))).scalar_one()
        marked = (await tx.connection.execute(select(func.count()).select_from(jobs))).scalar_one()
    return events, marked


async def test_an_accepted_event_is_stored_with_its_job(intake: GroupCommit, database: Database, bell: Bell) -> None:
    assert await intake.accept("stripe", [an_event()]) == 1
    assert await stored(database) == (1, 1)
    assert bell.rings == 1


async def test_a_duplicate_is_accepted_and_wakes_nobody(intake: GroupCommit, database: Database, bell: Bell) -> None:
    await intake.accept("stripe", [an_event()])
    assert await intake.accept("stripe", [an_event()]) == 0
    assert await stored(database) == (1, 1)
    assert bell.rings == 1


async def test_duplicates_within_a_batch_are_new_once(intake: GroupCommit, database: Database) -> None:
    counts = await asyncio.gather(*(intake.accept("stripe", [an_event("same")]) for _ in range(20)))
    assert sum(counts) == 1
    assert await stored(database) == (1, 1)


async def test_requests_that_wait_share_a_commit(intake: GroupCommit, database: Database, bell: Bell) -> None:
    await asyncio.gather(*(intake.accept("stripe", [an_event(str(number))]) for number in range(200)))
    assert await stored(database) == (200, 200)
    assert bell.rings <= 2


async def test_an_empty_request_is_fine(intake: GroupCommit, database: Database) -> None:
    assert await intake.accept("stripe", []) == 0


async def test_one_bad_row_does_not_cost_the_others_theirs(intake: GroupCommit, database: Database) -> None:
    requests = [an_event("a"), an_event("\ud800 is no text"), an_event("b")]
    results = await asyncio.gather(*(intake.accept("stripe", [event]) for event in requests), return_exceptions=True)
    assert (results[0], results[2]) == (1, 1)
    assert isinstance(results[1], Exception)
    assert await stored(database) == (2, 2)


async def test_a_cancelled_waiter_does_not_break_its_batch(intake: GroupCommit, database: Database) -> None:
    waiters = [asyncio.create_task(intake.accept("stripe", [an_event(str(number))])) for number in range(10)]
    await asyncio.sleep(0)
    waiters[0].cancel()
    waiters[5].cancel()
    results = await asyncio.gather(*waiters, return_exceptions=True)
    assert [result for result in results if result == 1] == [1] * 8
    assert await intake.accept("stripe", [an_event("next")]) == 1


async def test_when_the_database_is_locked_everybody_is_told_to_come_back(
    sqlite: Database, tmp_path: Path, clock: MovableClock, bell: Bell
) -> None:
    intake = GroupCommit(sqlite, clock, bell.ring)
    async with sqlite.write() as tx:
        await tx.connection.exec_driver_sql("SELECT 1")
    with closing(sqlite3.connect(tmp_path / "doorlist.db", isolation_level=None)) as other:
        async with sqlite.read() as tx:
            await tx.connection.exec_driver_sql("PRAGMA busy_timeout = 1")
        other.execute("BEGIN IMMEDIATE")
        requests = (intake.accept("stripe", [an_event(str(number))]) for number in range(5))
        results = await asyncio.gather(*requests, return_exceptions=True)
        assert all(isinstance(result, Retry) for result in results)
        other.execute("ROLLBACK")
    assert await intake.accept("stripe", [an_event("1")]) == 1
    assert await stored(sqlite) == (1, 1)


async def test_a_closed_door_refuses_and_has_stored_what_waited(
    database: Database, clock: MovableClock, bell: Bell
) -> None:
    intake = GroupCommit(database, clock, bell.ring)
    waiters = [asyncio.create_task(intake.accept("stripe", [an_event(str(number))])) for number in range(10)]
    await asyncio.sleep(0)
    await intake.close()
    assert await asyncio.gather(*waiters) == [1] * 10
    with pytest.raises(Retry):
        await intake.accept("stripe", [an_event("late")])


@pytest.mark.parametrize("life_seconds", [0.05, 0.12, 0.2, 0.33])
async def test_a_killed_process_loses_nothing_that_it_acknowledged(
    tmp_path: Path, sqlite: Database, life_seconds: float
) -> None:
    await sqlite.close()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.storage.acknowledger",
        str(tmp_path / "doorlist.db"),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    first = await asyncio.wait_for(process.stdout.readline(), 30)
    await asyncio.sleep(life_seconds)
    os.kill(process.pid, signal.SIGKILL)
    rest = await process.stdout.read()
    await process.wait()
    lines = (first + rest).decode().split("\n")
    acknowledged = set(lines[:-1])  # the last line may have been cut off by the kill
    with closing(sqlite3.connect(tmp_path / "doorlist.db")) as connection:
        kept = {row[0] for row in connection.execute("SELECT external_id FROM inbox_events")}
        orphans = connection.execute(
            "SELECT count(*) FROM inbox_events LEFT JOIN jobs ON jobs.key = inbox_events.id WHERE jobs.key IS NULL"
        ).fetchone()[0]
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert acknowledged
    assert acknowledged <= kept
    assert orphans == 0
