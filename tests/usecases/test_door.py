"""What the pages are told while a role is on its way, and the permit to be added to the server meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from app.door import Door
from membership.errors import Audience, Blocked, Reason, Retry
from membership.linking import Verdict
from membership.model import MemberKey
from tests.usecases.world import CHARLIE, GUILD, VIP, World
from web.parts import AccessState, Health

HICCUP = Retry("connection reset")


async def loses_patience(world: World, bought: str, call: str, *, may_join: bool) -> Verdict:
    """Connect while Discord stutters: the page stops waiting as soon as Discord was asked in vain."""
    tries = len(world.discord.faults.of(call))
    connecting = asyncio.create_task(world.connects(bought, CHARLIE, may_join=may_join))
    async with asyncio.timeout(5):
        while len(world.discord.faults.of(call)) == tries:  # noqa: ASYNC110 - the outside has no signal to wait for
            await asyncio.sleep(0.01)
    world.services.signals.done(str(MemberKey(GUILD, CHARLIE)))
    return await connecting


async def states(world: World, bought: str) -> list[AccessState]:
    async def look() -> Health:
        return Health(checks={})

    door = Door(world.services, site_url="https://discord.example", look=look)
    progress = await door.progress((await world.purchase(bought)).id)
    return [each.state for each in progress.access]


def permit(world: World) -> str | None:
    return world.services.permits.of(CHARLIE, world.clock.now())


async def test_a_stutter_that_outlasts_the_page_still_ends_in_the_server(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    world.discord.faults.fails("join", HICCUP)
    assert await loses_patience(world, bought, "join", may_join=True) is Verdict.CONNECTED
    await world.advance(seconds=30)
    assert world.roles(CHARLIE) == {VIP}


async def test_the_permit_is_thrown_away_when_the_role_is_there(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    world.discord.faults.fails("join", HICCUP)
    await loses_patience(world, bought, "join", may_join=True)
    assert permit(world) is not None
    await world.advance(seconds=30)
    assert permit(world) is None


async def test_a_second_tab_does_not_throw_away_what_the_first_still_needs(world: World) -> None:
    await world.plan("vip", VIP)
    first, second = await world.buys("vip", by="charlie"), await world.buys("vip", by="work")
    world.discord.faults.fails("join", HICCUP, HICCUP)
    await loses_patience(world, first, "join", may_join=True)
    await loses_patience(world, second, "join", may_join=False)
    await world.advance(minutes=2)
    assert world.roles(CHARLIE) == {VIP}


async def test_a_permit_ends_after_ten_minutes_even_when_nobody_could_be_added(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    world.discord.faults.fails_always("join", HICCUP)
    await loses_patience(world, bought, "join", may_join=True)
    await world.advance(minutes=11)
    world.discord.faults.mend()
    await world.five_minutes()
    assert CHARLIE not in world.discord.guilds[GUILD].members


@pytest.mark.parametrize("call", ["observe", "join"])
async def test_a_first_delivery_that_is_still_tried_reads_as_under_way(world: World, call: str) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    assert await states(world, bought) == [AccessState.WAITING_FOR_LINK]
    world.discord.faults.fails(call, HICCUP)
    await loses_patience(world, bought, call, may_join=True)
    assert await states(world, bought) == [AccessState.WORKING]
    await world.advance(seconds=30)
    assert await states(world, bought) == [AccessState.DELIVERED]


async def test_who_did_not_let_us_add_them_is_asked_to_join_at_once(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    await world.connects(bought, CHARLIE)
    assert await states(world, bought) == [AccessState.JOIN_NEEDED]


async def test_whoever_is_inside_is_not_asked_to_join_where_the_role_is_refused(world: World) -> None:
    await world.plan("vip", VIP)
    refusal = Blocked(Reason.MISSING_PERMISSION, audience=Audience.OWNER, detail="403")
    world.discord.faults.fails_always("add_role", refusal)
    bought = await world.member("vip")
    assert await states(world, bought) == [AccessState.FAILED]
    assert world.discord.faults.of("invite") == []
