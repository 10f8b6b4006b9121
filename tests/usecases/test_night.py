"""What the night does: it lists everything, and throws away what is old."""

from __future__ import annotations

from datetime import timedelta

from app.clocks import Clocks
from membership.ports import ChannelMessage
from tests.usecases.world import VIP, World


async def nobody(message: ChannelMessage) -> None:
    raise AssertionError(message)


async def test_the_body_of_an_event_is_kept_for_ninety_days(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    bodies = []
    for days in (89, 2):
        world.clock.move(timedelta(days=days))
        await Clocks(world.services, nobody).nightly()
        async with world.services.store.read() as tx:
            bodies.append((await tx.inbox.get(1)).event.body)
    assert bodies == [bought.encode(), b""]
