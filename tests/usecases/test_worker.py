"""The worker over the real queue: lanes, scopes, backoff, parking, leases, signals; and the invariants behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from membership import invariants, sweep
from membership.errors import Audience, Blocked, Reason, Retry
from membership.model import Lane, MemberKey, Proof, PurchaseStatus
from membership.records import Draft, Job, MemberRow
from membership.services import Services
from membership.worker import SLOTS, SLOTS_FOR_PEOPLE, SLOTS_PER_SCOPE, Worker
from tests.usecases.conftest import Builder
from tests.usecases.world import CHARLIE, DORA, GUILD, VIP, World

MINUTE = timedelta(minutes=1)


class Bench:
    """Handles jobs of the kind "try": notes the runs, fails on demand, and can hold jobs up."""

    def __init__(self, world: World) -> None:
        self.runs: list[str] = []
        self.at_once = 0
        self.most_at_once = 0
        self.failure: Callable[[], Exception] | None = None
        self.gate: asyncio.Event | None = None
        self.worker = Worker(world.services, {"try": self._handle})

    async def _handle(self, _services: Services, job: Job) -> None:
        self.runs.append(job.key)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.failure is not None:
                raise self.failure()
        finally:
            self.at_once -= 1


async def test_a_person_goes_before_an_event_before_a_plan_before_the_bulk(world: World) -> None:
    bench = Bench(world)
    for lane in reversed(Lane):
        await world.mark("try", lane.name, lane=lane)
    await bench.worker.drain()
    assert bench.runs == ["PERSON", "EVENT", "PLAN", "BULK"]


async def test_one_server_s_wave_leaves_room_for_others_and_for_people(world: World) -> None:
    bench = Bench(world)
    bench.gate = asyncio.Event()
    for number in range(20):
        await world.mark("try", f"wave{number}", scope="100", lane=Lane.EVENT)
    draining = asyncio.create_task(bench.worker.run())
    await until(lambda: bench.at_once == SLOTS_PER_SCOPE)
    await world.mark("try", "other", scope="200", lane=Lane.BULK)
    await world.mark("try", "person", scope="100", lane=Lane.PERSON)
    bench.worker.wake()
    await until(lambda: {"other", "person"} <= set(bench.runs))
    assert bench.most_at_once == SLOTS_PER_SCOPE + 2
    draining.cancel()
    await asyncio.gather(draining, return_exceptions=True)


async def test_work_in_the_background_leaves_room_for_people_whatever_its_size(world: World) -> None:
    bench = Bench(world)
    bench.gate = asyncio.Event()
    for number in range(SLOTS + 1):
        await world.mark("try", f"bulk{number}", scope=f"{number}", lane=Lane.BULK)
    working = asyncio.create_task(bench.worker.run())
    await until(lambda: bench.at_once == SLOTS - SLOTS_FOR_PEOPLE)
    for number in range(SLOTS_FOR_PEOPLE):
        await world.mark("try", f"person{number}", scope="100", lane=Lane.PERSON)
    bench.worker.wake()
    await until(lambda: bench.at_once == SLOTS)
    assert len([key for key in bench.runs if key.startswith("person")]) == SLOTS_FOR_PEOPLE
    working.cancel()
    await asyncio.gather(working, return_exceptions=True)


async def test_one_key_never_runs_twice_at_a_time_and_a_mark_meanwhile_runs_it_again(world: World) -> None:
    bench = Bench(world)
    bench.gate = asyncio.Event()
    await world.mark("try", "a")
    draining = asyncio.create_task(bench.worker.drain())
    await until(lambda: bench.at_once == 1)
    await world.mark("try", "a")
    bench.gate.set()
    await draining
    assert (bench.runs, bench.most_at_once) == (["a", "a"], 1)


async def test_a_failure_of_the_outside_is_retried_for_ever_with_a_growing_wait(world: World) -> None:
    bench = Bench(world)
    bench.failure = lambda: Retry("503")
    await world.mark("try", "a")
    await bench.worker.drain()
    waits = []
    for _ in range(20):
        async with world.services.store.read() as tx:
            next_run_at = await tx.jobs.next_run_at()
        assert next_run_at is not None
        waits.append((next_run_at - world.clock.now()).total_seconds())
        world.clock.move(next_run_at - world.clock.now())
        await bench.worker.drain()
    assert waits[:4] == [0.75, 1.5, 3.0, 6.0]
    assert waits[-1] == 225.0
    assert (await world.jobs())["parked"] == 0


async def test_the_outside_s_own_wait_is_kept_to_the_second(world: World) -> None:
    bench = Bench(world)
    bench.failure = lambda: Retry("429", after=timedelta(seconds=37))
    await world.mark("try", "a")
    await bench.worker.drain()
    world.clock.move(timedelta(seconds=36))
    await bench.worker.drain()
    assert len(bench.runs) == 1
    world.clock.move(timedelta(seconds=1))
    await bench.worker.drain()
    assert len(bench.runs) == 2


async def test_what_is_blocked_is_tried_again_after_five_minutes(world: World) -> None:
    bench = Bench(world)
    bench.failure = lambda: Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR)
    await world.mark("try", "a")
    await bench.worker.drain()
    world.clock.move(5 * MINUTE)
    await bench.worker.drain()
    assert len(bench.runs) == 2


async def test_poison_is_parked_visible_and_a_new_mark_frees_it(new_world: Builder) -> None:
    world = await new_world(job_attempts=3)
    bench = Bench(world)
    bench.failure = lambda: ZeroDivisionError("a bug")
    await world.mark("try", "a")
    await world.mark("try", "b")
    for _ in range(5):
        await bench.worker.drain()
        world.clock.move(5 * MINUTE)
    assert sorted(bench.runs) == ["a"] * 3 + ["b"] * 3
    assert (await world.jobs())["parked"] == 2
    bench.failure = None
    await world.mark("try", "a")
    await bench.worker.drain()
    assert (await world.jobs()) == {"due": 0, "waiting": 0, "leased": 0, "parked": 1}


async def test_a_lease_of_a_dead_process_runs_out(world: World) -> None:
    await world.mark("try", "a")
    async with world.services.store.write() as tx:
        await tx.jobs.claim(world.clock.now(), world.clock.now() + 15 * MINUTE, 1, [])
    bench = Bench(world)
    await bench.worker.drain()
    assert bench.runs == []
    world.clock.move(15 * MINUTE)
    await bench.worker.drain()
    assert bench.runs == ["a"]


async def test_a_start_takes_the_leases_of_the_dead_back_at_once(world: World) -> None:
    await world.mark("try", "a")
    async with world.services.store.write() as tx:
        await tx.jobs.claim(world.clock.now(), world.clock.now() + 15 * MINUTE, 1, [])
    await world.restart()
    bench = Bench(world)
    await bench.worker.drain()
    assert bench.runs == ["a"]


async def test_a_cancelled_worker_ends_its_jobs_and_loses_none(world: World) -> None:
    bench = Bench(world)
    bench.gate = asyncio.Event()
    await world.mark("try", "a")
    running = asyncio.create_task(bench.worker.run())
    await until(lambda: bench.at_once == 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert bench.at_once == 0
    assert (await world.jobs())["leased"] == 1


async def test_a_job_that_outlives_its_lease_never_runs_twice_at_once_and_runs_again_soon_after(world: World) -> None:
    bench = Bench(world)
    bench.gate = asyncio.Event()
    await world.mark("try", "a")
    running = asyncio.create_task(bench.worker.run())
    await until(lambda: bench.at_once == 1)
    await world.mark("try", "a")
    world.clock.move(16 * MINUTE)
    bench.worker.wake()
    await until_jobs(world, "waiting", 1)
    bench.gate.set()
    await until(lambda: bench.at_once == 0)
    world.clock.move(MINUTE)
    bench.worker.wake()
    await until(lambda: len(bench.runs) > 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert (bench.runs, bench.most_at_once) == (["a", "a"], 1)


async def test_who_waits_for_a_job_hears_when_it_has_run(world: World) -> None:
    bench = Bench(world)
    since = world.services.signals.tick()
    await world.mark("try", "a")
    assert not await world.services.signals.wait(["a"], since=since, patience=timedelta(0))
    await bench.worker.drain()
    assert await world.services.signals.wait(["a"], since=since, patience=timedelta(0))
    since = world.services.signals.tick()
    assert not await world.services.signals.wait(["a"], since=since, patience=timedelta(0))


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not is_so():  # noqa: ASYNC110 - what is waited for is anybody's state
            await asyncio.sleep(0.005)


async def until_jobs(world: World, state: str, count: int) -> None:
    async with asyncio.timeout(5):
        while (await world.jobs())[state] != count:  # noqa: ASYNC110 - the queue is in the database
            await asyncio.sleep(0.005)


# ---------------------------------------------------------------------------------------------------- invariants


async def test_a_healthy_world_has_nothing_forgotten(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    await world.buys("vip", by="dora")
    await world.advance(minutes=20)
    assert await invariants.check(world.services) == 0


@pytest.mark.parametrize("kind", ["events", "messages", "members"])
async def test_forgotten_work_is_found_said_and_done(world: World, kind: str) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    bought = world.pays("vip") if kind == "events" else await world.buys("vip")
    await forget(world, kind, bought)
    await world.advance(minutes=11)
    assert await invariants.check(world.services) == 1
    await world.settle()
    (entry,) = await world.audit("health.degraded")
    assert entry.detail is not None
    assert entry.detail[kind] == 1
    if kind == "members":
        assert world.roles(CHARLIE) == {VIP}
    else:
        assert {"events": "connect", "messages": "link_again"}[kind] in world.mailer.templates()
    assert await invariants.check(world.services) == 0


async def forget(world: World, kind: str, bought: str) -> None:
    """Leave work behind without the job that does it, as only a bug could."""
    now = world.clock.now()
    if kind == "events":
        await world.webhook(bought)
        async with world.services.store.write() as tx:
            await tx.jobs.cancel("intake", "1")
        return
    customer_id = (await world.purchase(bought)).customer_id
    async with world.services.store.write() as tx:
        if kind == "messages":
            draft = Draft(dedupe_key="lost", kind="mail", target=str(customer_id), template="link_again", facts={})
            await tx.outbox.put(draft, now)
            await tx.jobs.cancel("delivery", "2")
        else:
            await tx.links.bind(customer_id, CHARLIE, Proof.STAFF, now)


@pytest.mark.parametrize("status", [PurchaseStatus.ACTIVE, PurchaseStatus.PAST_DUE])
async def test_waits_grow_whether_or_not_the_member_has_a_known_moment_ahead(
    world: World, status: PurchaseStatus
) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip", status=status)
    world.joins(CHARLIE)
    world.discord.faults.fails_always("add_role", Retry("503"))
    await world.links(bought, CHARLIE)
    for _ in range(60):
        await world.advance(seconds=1)
    assert len(world.discord.faults.of("add_role")) < 10
    world.discord.faults.mend()
    await world.advance(minutes=5)
    assert world.roles(CHARLIE) == {VIP}


async def test_a_sweep_does_not_look_at_those_it_has_marked_to_be_looked_at(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    await world.member("vip", DORA)
    drifted = MemberRow(
        key=MemberKey(GUILD, CHARLIE), desired=frozenset({VIP}), observed=frozenset(), is_present=True, observed_at=None
    )
    async with world.services.store.write() as tx:
        await tx.members.settle(drifted, None)
    world.clock.move(5 * MINUTE)
    world.discord.calls.clear()
    assert await sweep.sweep(world.services, GUILD) == 1
    assert world.discord.faults.of("observe") == [("observe", DORA)]
    await world.settle()
    assert world.discord.faults.of("observe") == [("observe", DORA), ("observe", CHARLIE)]
