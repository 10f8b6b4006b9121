"""The pulse of a server: the same numbers as the report, however the record was read."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from membership import pulse, reports
from membership.actors import Actor
from membership.model import PurchaseStatus, UserId
from membership.pulse import Pulse, Pulses
from tests.usecases.world import ALICE, CHARLIE, DORA, GUILD, VIP, World

ACTOR = Actor(guild_id=GUILD, user_id=ALICE, can_manage=True)


async def look(pulses: Pulses, world: World) -> Pulse:
    async with world.services.store.read() as tx:
        tallies = await tx.reports.tallies(GUILD)
    return await pulses.feel(world.services, await world.guild(), tallies)


def readers() -> list[asyncio.Task[None]]:
    return [task for task in asyncio.all_tasks() if task.get_name().startswith("pulse")]


async def test_it_tells_what_the_report_tells(world: World) -> None:
    await world.plan("vip", VIP)
    ended = await world.member("vip")
    await world.advance(days=3)
    await world.member("vip", user=DORA)
    await world.changes(ended, status=PurchaseStatus.ENDED)
    await world.advance(days=1)

    found = await look(Pulses(), world)

    assert found.members == await reports.members(world.services, ACTOR, pulse.DAYS)
    assert found.members is not None
    assert (found.members.active[-1], sum(found.members.ended)) == (1, 1)


async def test_it_follows_the_record_from_look_to_look(world: World) -> None:
    pulses = Pulses()
    await world.plan("vip", VIP)
    await look(pulses, world)
    for days in (0, 5, 40):
        world.clock.move(timedelta(days=days))
        await world.member("vip", user=CHARLIE)
        assert (await look(pulses, world)).members == await reports.members(world.services, ACTOR, pulse.DAYS)


async def test_it_measures_from_the_payment_to_the_role(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    bought = await world.buys("vip", by="slow")
    world.clock.move(timedelta(seconds=8))
    await world.links(bought, CHARLIE)
    speed = (await look(Pulses(), world)).speed
    assert speed is not None
    assert (speed.count, speed.slowest) == (1, 0)


async def test_a_long_record_is_read_beside_and_a_later_look_has_the_numbers(world: World) -> None:
    await world.plan("vip", VIP)
    for number in range(10, 13):
        await world.member("vip", user=UserId(number))
    pulses = Pulses(portion=1)

    first = await look(pulses, world)
    await asyncio.gather(*readers())
    found = await look(pulses, world)

    assert not first.is_through
    assert first.members is None
    assert found.members == await reports.members(world.services, ACTOR, pulse.DAYS)


async def test_it_stops_reading_when_it_is_closed(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    pulses = Pulses(portion=1)
    await look(pulses, world)
    assert len(readers()) == 1
    await pulses.close()
    assert readers() == []


async def test_a_server_without_a_record_has_a_level_line(world: World) -> None:
    found = await look(Pulses(), world)
    assert found.members is not None
    assert set(found.members.active) == {0}
    assert found.speed is None
