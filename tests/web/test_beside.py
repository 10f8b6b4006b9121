"""Long readings beside the pages: read once, kept for a minute, waited for only a moment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from membership.errors import UserError
from web.beside import KEPT_FOR, MOST_KEPT, Beside

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class Record:
    """Something to read, which takes until it is let go, and counts how often that is done."""

    def __init__(self) -> None:
        self.is_let_go = asyncio.Event()
        self.times = 0

    async def read(self) -> int:
        self.times += 1
        await self.is_let_go.wait()
        return self.times


async def test_a_page_waits_only_a_moment_and_a_later_one_has_the_result() -> None:
    record, beside = Record(), Beside[int](moment_seconds=0.01)
    beside.begin("a", record.read, NOW)
    assert await beside.result("a") is None
    record.is_let_go.set()
    beside.begin("a", record.read, NOW)
    assert await beside.result("a", is_patient=True) == 1


async def test_it_is_read_again_after_a_minute() -> None:
    record, beside = Record(), Beside[int]()
    record.is_let_go.set()
    seen = []
    for moment in (NOW, NOW + KEPT_FOR - timedelta(seconds=1), NOW + KEPT_FOR):
        beside.begin("a", record.read, moment)
        seen.append(await beside.result("a"))
    assert seen == [1, 1, 2]


async def test_a_failure_is_told_and_not_kept() -> None:
    async def fail() -> int:
        raise UserError("There is no such plan.")

    beside = Beside[int]()
    beside.begin("a", fail, NOW)
    with pytest.raises(UserError):
        await beside.result("a")
    assert not beside.knows("a")


async def test_it_keeps_no_more_than_it_may() -> None:
    record, beside = Record(), Beside[int]()
    record.is_let_go.set()
    for number in range(2 * MOST_KEPT):
        beside.begin(number, record.read, NOW)
        await beside.result(number)
    assert sum(beside.knows(number) for number in range(2 * MOST_KEPT)) == MOST_KEPT
