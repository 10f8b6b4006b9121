"""The durable queue: marks, claims, leases, parking, lanes and scopes."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from membership.model import Lane
from membership.records import Job
from storage.store import Database
from tests.storage.databases import NOON, MovableClock, postgres_database

MINUTE = timedelta(minutes=1)


async def mark(
    database: Database, key: str, *, lane: Lane = Lane.EVENT, at: timedelta = -MINUTE, scope: str = ""
) -> None:
    async with database.write() as tx:
        await tx.jobs.mark("member", key, lane=lane, run_at=NOON + at, scope=scope)


async def claim(
    database: Database, *, at: timedelta = timedelta(0), limit: int = 10, busy: tuple[str, ...] = ()
) -> list[Job]:
    async with database.write() as tx:
        return list(await tx.jobs.claim(NOON + at, NOON + at + MINUTE, limit, busy))


async def claim_keys(
    database: Database, *, at: timedelta = timedelta(0), limit: int = 10, busy: tuple[str, ...] = ()
) -> list[str]:
    return [job.key for job in await claim(database, at=at, limit=limit, busy=busy)]


async def done(database: Database, job: Job) -> None:
    async with database.write() as tx:
        await tx.jobs.done(job)


async def test_it_claims_the_lowest_lane_first_then_the_earliest(database: Database) -> None:
    await mark(database, "bulk", lane=Lane.BULK, at=-9 * MINUTE)
    await mark(database, "later", at=-MINUTE)
    await mark(database, "earlier", at=-2 * MINUTE, scope="other")
    await mark(database, "person", lane=Lane.PERSON, at=timedelta(0))
    assert await claim_keys(database) == ["person", "earlier", "later", "bulk"]


async def test_it_claims_no_more_than_asked(database: Database) -> None:
    for number in range(5):
        await mark(database, str(number), at=-MINUTE * (9 - number), scope=str(number % 2))
    assert await claim_keys(database, limit=3) == ["0", "1", "2"]


async def test_it_leaves_jobs_that_are_not_due(database: Database) -> None:
    await mark(database, "tomorrow", at=timedelta(days=1))
    assert await claim_keys(database) == []


async def test_the_failed_jobs_of_a_scope_are_hastened_and_no_others(database: Database) -> None:
    for key, scope in (("here", "1"), ("there", "2")):
        await mark(database, key, scope=scope)
    for job in await claim(database):
        async with database.write() as tx:
            await tx.jobs.fail(job, "paused", not_before=NOON + MINUTE)
    async with database.write() as tx:
        assert await tx.jobs.hasten("1") == 1
    assert await claim_keys(database) == ["here"]


async def test_it_keeps_away_from_busy_scopes_except_where_a_person_waits(database: Database) -> None:
    await mark(database, "event", scope="1")
    await mark(database, "person", lane=Lane.PERSON, scope="1")
    await mark(database, "other", scope="2")
    assert await claim_keys(database, busy=("1",)) == ["person", "other"]


async def test_a_leased_job_is_not_claimed_twice(database: Database) -> None:
    await mark(database, "1")
    await claim(database)
    assert await claim_keys(database) == []


async def test_an_expired_lease_is_due_again_and_counts_as_an_attempt(database: Database) -> None:
    await mark(database, "1")
    await claim(database)
    (job,) = await claim(database, at=2 * MINUTE)
    assert job.attempts == 1


async def test_a_mark_takes_the_earliest_moment_and_the_lowest_lane(database: Database) -> None:
    await mark(database, "1", lane=Lane.BULK, at=-MINUTE)
    await mark(database, "1", lane=Lane.PERSON, at=MINUTE)
    await mark(database, "1", lane=Lane.PLAN, at=2 * MINUTE)
    (job,) = await claim(database)
    assert (job.lane, job.run_at, job.generation) == (Lane.PERSON, NOON - MINUTE, 3)


async def test_a_mark_without_a_scope_keeps_the_one_that_was_known(database: Database) -> None:
    await mark(database, "1", scope="7")
    await mark(database, "1")
    (job,) = await claim(database)
    assert job.scope == "7"


async def test_a_done_job_is_gone(database: Database) -> None:
    await mark(database, "1")
    (job,) = await claim(database)
    await done(database, job)
    assert await claim_keys(database, at=5 * MINUTE) == []


async def test_a_job_that_was_marked_while_it_ran_runs_again(database: Database) -> None:
    await mark(database, "1")
    (job,) = await claim(database)
    await mark(database, "1", at=timedelta(0))
    assert await claim_keys(database) == [], "one run per key at a time"
    await done(database, job)
    assert await claim_keys(database) == ["1"]


async def test_a_job_may_mark_its_own_next_run_without_running_again_at_once(database: Database) -> None:
    await mark(database, "1")
    (job,) = await claim(database)
    await mark(database, "1", at=10 * MINUTE)
    await done(database, job)
    assert await claim_keys(database, at=9 * MINUTE) == []
    assert await claim_keys(database, at=10 * MINUTE) == ["1"]


async def test_a_failed_job_waits_and_counts_its_attempts(database: Database) -> None:
    await mark(database, "1")
    (job,) = await claim(database)
    async with database.write() as tx:
        await tx.jobs.fail(job, "timeout", not_before=NOON + 5 * MINUTE)
    assert await claim_keys(database, at=4 * MINUTE) == []
    (again,) = await claim(database, at=5 * MINUTE)
    assert (again.attempts, again.run_at) == (1, NOON - MINUTE)


async def test_a_parked_job_is_visible_and_waits_for_a_mark(database: Database) -> None:
    await mark(database, "1")
    (job,) = await claim(database)
    async with database.write() as tx:
        await tx.jobs.fail(job, "poison", not_before=None)
        assert (await tx.jobs.counts())["parked"] == 1
    assert await claim_keys(database, at=60 * MINUTE) == []
    await mark(database, "1")
    (again,) = await claim(database)
    assert again.attempts == 0


async def test_a_job_that_was_marked_while_it_failed_is_not_parked(database: Database) -> None:
    await mark(database, "1")
    (job,) = await claim(database)
    await mark(database, "1", at=timedelta(0))
    async with database.write() as tx:
        await tx.jobs.fail(job, "poison", not_before=None)
    assert await claim_keys(database) == ["1"]


async def test_a_cancelled_job_is_gone(database: Database) -> None:
    await mark(database, "1")
    async with database.write() as tx:
        await tx.jobs.cancel("member", "1")
    assert await claim_keys(database) == []


async def test_it_says_when_the_next_job_is_due(database: Database) -> None:
    await mark(database, "later", at=2 * MINUTE)
    await mark(database, "sooner", at=MINUTE)
    async with database.read() as tx:
        assert await tx.jobs.next_run_at() == NOON + MINUTE


async def test_nothing_is_due_when_there_is_nothing(database: Database) -> None:
    async with database.read() as tx:
        assert await tx.jobs.next_run_at() is None


async def test_it_counts_jobs_by_state(database: Database, clock: MovableClock) -> None:
    await mark(database, "leased")
    await claim(database)
    await mark(database, "due")
    await mark(database, "waiting", at=MINUTE)
    async with database.read() as tx:
        assert await tx.jobs.counts() == {"due": 1, "waiting": 1, "leased": 1, "parked": 0}


async def test_marking_many_keeps_each_scope(database: Database) -> None:
    async with database.write() as tx:
        await tx.jobs.mark_many("member", [("1:1", "1"), ("2:1", "2"), ("1:1", "1")], lane=Lane.PLAN, run_at=NOON)
    assert {(job.key, job.scope) for job in await claim(database)} == {("1:1", "1"), ("2:1", "2")}


async def test_two_processes_never_claim_the_same_job() -> None:
    async with postgres_database() as database:
        for number in range(40):
            await mark(database, str(number), scope=str(number % 4))
        claimed = await asyncio.gather(*(claim_keys(database, limit=10) for _ in range(8)))
        keys = [key for keys in claimed for key in keys]
        assert len(keys) == len(set(keys))


@pytest.mark.parametrize("rows", [100_000])
async def test_a_busy_scope_with_many_jobs_in_front_does_not_slow_the_others(database: Database, rows: int) -> None:
    pairs = [(str(number), "crowded") for number in range(rows)]
    async with database.write() as tx:
        await tx.jobs.mark_many("member", pairs, lane=Lane.EVENT, run_at=NOON - MINUTE)
    await mark(database, "small", lane=Lane.BULK, scope="quiet")
    await claim(database, busy=("crowded",), at=-2 * MINUTE)
    started = time.perf_counter()
    assert await claim_keys(database, busy=("crowded",)) == ["small"]
    assert time.perf_counter() - started < 0.05


async def test_failed_jobs_of_one_owner_are_listed_those_given_up_first(database: Database) -> None:
    for key in ("10:1", "10:2", "10:3", "100:1"):
        await mark(database, key, scope=key.partition(":")[0])
    jobs = {job.key: job for job in await claim(database)}
    async with database.write() as tx:
        await tx.jobs.fail(jobs["10:1"], "busy", not_before=NOON + MINUTE)
        await tx.jobs.fail(jobs["10:2"], "broken", not_before=None)
        await tx.jobs.fail(jobs["100:1"], "busy", not_before=NOON + MINUTE)
        troubled = await tx.jobs.troubled(("member",), "10", 10)
        assert [(job.key, job.last_error, job.is_parked) for job in troubled] == [
            ("10:2", "broken", True),
            ("10:1", "busy", False),
        ]
        assert await tx.jobs.troubled(("sweep",), "10", 10) == []
        assert (await tx.jobs.counts("10"))["parked"] == 1
