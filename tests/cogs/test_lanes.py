"""The queue in front of Discord, without Discord: order, sharing, breakers, and what a caller is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from cogs.lanes import Action, Lanes, Write
from cogs.pacing import RoleLimits
from membership.errors import Audience, Blocked, DoorlistError, Reason, Retry
from membership.model import GuildId, Lane, MemberKey, RoleId, UserId

WIDE = RoleLimits(writes=1000, seconds=1.0, unspread=dict.fromkeys(Lane, 1000))


@dataclass
class Outside:
    """Plays Discord: records writes, waits while `gate` is closed, refuses the roles in `refusals`."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    made: list[tuple[Action, int]] = field(default_factory=list)
    refusals: dict[int, Exception] = field(default_factory=dict)
    in_flight: int = 0
    most_in_flight: dict[int, int] = field(default_factory=dict)

    async def perform(self, write: Write) -> None:
        guild_id, user_id = write.key
        self.in_flight += 1
        self.most_in_flight[guild_id] = max(self.most_in_flight.get(guild_id, 0), self.in_flight)
        await self.gate.wait()
        self.in_flight -= 1
        self.made.append((write.action, user_id))
        if write.role_id in self.refusals:
            raise self.refusals[write.role_id]


@asynccontextmanager
async def lanes_and_outside(*, is_open: bool = True) -> AsyncIterator[tuple[Lanes, Outside]]:
    outside = Outside()
    if is_open:
        outside.gate.set()
    lanes = Lanes(outside.perform, WIDE)
    try:
        yield lanes, outside
    finally:
        await lanes.close()


def a_write(user: int, action: Action = Action.ADD, *, role: int | None = 7, guild: int = 1) -> Write:
    role_id = None if role is None or action is Action.KICK else RoleId(role)
    return Write(key=MemberKey(GuildId(guild), UserId(user)), action=action, role_id=role_id, why="test")


async def start(lanes: Lanes, write: Write, lane: Lane) -> asyncio.Task[None]:
    task = asyncio.create_task(lanes.submit(write, lane))
    await asyncio.sleep(0)
    return task


async def test_a_person_goes_before_bulk_that_came_earlier() -> None:
    async with lanes_and_outside(is_open=False) as (lanes, outside):
        tasks = [await start(lanes, a_write(user), Lane.BULK) for user in range(1, 5)]
        tasks.append(await start(lanes, a_write(99), Lane.PERSON))
        outside.gate.set()
        await asyncio.gather(*tasks)
        # The first was in flight already.
        assert [user for _, user in outside.made] == [1, 99, 2, 3, 4]


async def test_one_guild_has_one_write_in_flight_and_guilds_do_not_wait_for_each_other() -> None:
    async with lanes_and_outside(is_open=False) as (lanes, outside):
        tasks = [await start(lanes, a_write(user, guild=guild), Lane.EVENT) for guild in (1, 2) for user in (1, 2)]
        await asyncio.sleep(0.01)
        assert outside.in_flight == 2
        outside.gate.set()
        await asyncio.gather(*tasks)
        assert len(outside.made) == 4


async def test_identical_wishes_share_one_call_and_its_result() -> None:
    async with lanes_and_outside(is_open=False) as (lanes, outside):
        first = await start(lanes, a_write(1), Lane.BULK)
        same = [await start(lanes, a_write(2), Lane.BULK) for _ in range(3)]
        outside.gate.set()
        await asyncio.gather(first, *same)
        assert outside.made == [(Action.ADD, 1), (Action.ADD, 2)]


async def test_an_opposite_wish_replaces_the_waiting_one_whose_caller_observes_again() -> None:
    async with lanes_and_outside(is_open=False) as (lanes, outside):
        busy = await start(lanes, a_write(1), Lane.BULK)
        add = await start(lanes, a_write(2), Lane.BULK)
        remove = await start(lanes, a_write(2, Action.REMOVE), Lane.BULK)
        with pytest.raises(Retry):
            await add
        outside.gate.set()
        await asyncio.gather(busy, remove)
        assert outside.made == [(Action.ADD, 1), (Action.REMOVE, 2)]


async def test_fifty_changes_of_mind_cost_one_call() -> None:
    async with lanes_and_outside(is_open=False) as (lanes, outside):
        busy = await start(lanes, a_write(1), Lane.BULK)
        flips = [await start(lanes, a_write(2, list(Action)[n % 2]), Lane.BULK) for n in range(50)]
        outside.gate.set()
        await asyncio.gather(busy, *flips, return_exceptions=True)
        assert len(outside.made) == 2


async def test_a_waiting_wish_becomes_urgent_when_a_person_asks_for_the_same() -> None:
    async with lanes_and_outside(is_open=False) as (lanes, outside):
        tasks = [await start(lanes, a_write(user), Lane.BULK) for user in (1, 2, 3)]
        tasks.append(await start(lanes, a_write(3), Lane.PERSON))
        outside.gate.set()
        await asyncio.gather(*tasks)
        assert [user for _, user in outside.made] == [1, 3, 2]


async def test_a_hundred_writes_of_a_refused_role_cost_one_refusal() -> None:
    async with lanes_and_outside() as (lanes, outside):
        outside.refusals[7] = Blocked(Reason.MISSING_PERMISSION, audience=Audience.OWNER)
        results = await asyncio.gather(
            *(lanes.submit(a_write(user), Lane.BULK) for user in range(100)), return_exceptions=True
        )
        assert all(isinstance(result, Blocked) for result in results)
        assert len(outside.made) == 1


async def test_another_role_of_the_same_guild_goes_on() -> None:
    async with lanes_and_outside() as (lanes, outside):
        outside.refusals[7] = Blocked(Reason.MISSING_PERMISSION, audience=Audience.OWNER)
        with suppress(DoorlistError):
            await lanes.submit(a_write(1), Lane.BULK)
        await lanes.submit(a_write(1, role=8), Lane.BULK)
        assert len(outside.made) == 2


async def test_a_reset_lets_a_refused_role_be_tried_again() -> None:
    async with lanes_and_outside() as (lanes, outside):
        outside.refusals[7] = Blocked(Reason.MISSING_PERMISSION, audience=Audience.OWNER)
        with pytest.raises(Blocked):
            await lanes.submit(a_write(1), Lane.BULK)
        outside.refusals.clear()
        lanes.reset(GuildId(1))
        await lanes.submit(a_write(1), Lane.BULK)
        assert len(outside.made) == 2


async def test_a_bug_reaches_its_caller_and_the_queue_goes_on() -> None:
    async with lanes_and_outside() as (lanes, outside):
        outside.refusals[7] = KeyError("bug")
        bad = await start(lanes, a_write(1), Lane.BULK)
        good = await start(lanes, a_write(2, role=8), Lane.BULK)
        with pytest.raises(KeyError):
            await bad
        await good


async def test_a_caller_who_gives_up_does_not_stop_the_others_who_share() -> None:
    async with lanes_and_outside(is_open=False) as (lanes, outside):
        busy = await start(lanes, a_write(1), Lane.BULK)
        quitter = await start(lanes, a_write(2), Lane.BULK)
        patient = await start(lanes, a_write(2), Lane.BULK)
        quitter.cancel()
        outside.gate.set()
        await asyncio.gather(busy, patient)
        assert (Action.ADD, 2) in outside.made


async def test_at_the_end_whoever_waits_is_told_to_observe_again() -> None:
    async with lanes_and_outside(is_open=False) as (lanes, _outside):
        tasks = [await start(lanes, a_write(user), Lane.BULK) for user in (1, 2)]
        await lanes.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, Retry) for result in results)


async def test_a_kick_of_somebody_above_the_bot_does_not_block_other_kicks() -> None:
    async with lanes_and_outside() as (lanes, outside):
        outside.refusals[None] = Blocked(Reason.MISSING_PERMISSION, audience=Audience.OWNER)  # type: ignore[index]
        with pytest.raises(Blocked):
            await lanes.submit(a_write(1, Action.KICK), Lane.EVENT)
        outside.refusals.clear()
        await lanes.submit(a_write(2, Action.KICK), Lane.EVENT)
        assert outside.made == [(Action.KICK, 1), (Action.KICK, 2)]
