"""Waiting for what somebody pays for: told once, in time or not at all, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from cogs.arrivals import Arrivals, Awaited
from membership.model import MemberKey, Plan, UserId
from membership.shown import ShownGrant, ShownState
from tests.usecases.world import CHARLIE, DORA, GUILD, VIP, World

SOON = timedelta(milliseconds=5)
LONG = timedelta(seconds=5)


class Told:
    """What an answer was changed to."""

    def __init__(self) -> None:
        self.heard: list[ShownGrant | None] = []
        self.spoke = asyncio.Event()

    async def __call__(self, found: ShownGrant | None) -> None:
        self.heard.append(found)
        self.spoke.set()

    async def comes(self) -> ShownGrant | None:
        async with asyncio.timeout(5):
            await self.spoke.wait()
        return self.heard[0]


def awaited(world: World, plan: Plan, user: UserId = CHARLIE) -> Awaited:
    return Awaited(key=MemberKey(GUILD, user), plan_id=plan.id, since=world.clock.now())


async def test_what_arrives_is_told_and_what_somebody_had_before_is_not_taken_for_it(world: World) -> None:
    plan = await world.plan("vip", VIP)
    await world.member("vip")
    await world.advance(days=1)
    arrivals, told = Arrivals(world.services, patience=LONG), Told()
    arrivals.watch(awaited(world, plan), told)
    await asyncio.sleep(0.05)
    assert told.heard == []
    await world.links(await world.buys("vip", by="new"), CHARLIE)
    found = await told.comes()
    assert found is not None
    assert found.state is ShownState.ACTIVE
    await arrivals.close()


async def test_a_link_that_nobody_paid_through_grows_old(world: World) -> None:
    plan = await world.plan("vip", VIP)
    told = Told()
    Arrivals(world.services, patience=SOON, look_every=SOON).watch(awaited(world, plan), told)
    assert await told.comes() is None


async def test_a_newer_wish_takes_the_place_of_an_older_one_and_the_end_tells_nobody(world: World) -> None:
    plan = await world.plan("vip", VIP)
    arrivals, first, second, other = Arrivals(world.services, patience=LONG), Told(), Told(), Told()
    arrivals.watch(awaited(world, plan), first)
    arrivals.watch(awaited(world, plan), second)
    arrivals.watch(awaited(world, plan, DORA), other)
    world.joins(CHARLIE)
    await world.links(await world.buys("vip"), CHARLIE)
    assert await second.comes() is not None
    await arrivals.close()
    assert (first.heard, other.heard) == ([], [])
