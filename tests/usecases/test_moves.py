"""One purchase, one Discord account: moving it, and how often."""

from __future__ import annotations

from membership.linking import Verdict
from membership.model import PurchaseStatus
from tests.usecases.conftest import Builder
from tests.usecases.world import BOB, CHARLIE, DORA, VIP, World


async def a_delivered_purchase(world: World) -> str:
    await world.plan("vip", VIP)
    world.joins(BOB)
    world.joins(DORA)
    return await world.member("vip")


async def test_the_old_account_loses_the_role_in_the_same_pass(world: World) -> None:
    bought = await a_delivered_purchase(world)
    assert await world.connects(bought, DORA, may_move=True) is Verdict.CONNECTED
    await world.settle()
    assert (world.roles(CHARLIE), world.roles(DORA)) == (set(), {VIP})
    assert await world.standing(bought) == ["delivered paid"]
    assert world.mailer.templates() == ["connect", "moved"]


async def test_a_purchase_is_not_moved_unasked(world: World) -> None:
    bought = await a_delivered_purchase(world)
    assert await world.connects(bought, DORA) is Verdict.NEEDS_MOVE
    assert (world.roles(CHARLIE), world.roles(DORA)) == ({VIP}, set())


async def test_a_purchase_moves_twice_in_thirty_days_and_no_more(world: World) -> None:
    bought = await a_delivered_purchase(world)
    assert await world.connects(bought, DORA, may_move=True) is Verdict.CONNECTED
    assert await world.connects(bought, BOB, may_move=True) is Verdict.CONNECTED
    assert await world.connects(bought, CHARLIE, may_move=True) is Verdict.MOVES_USED_UP
    await world.advance(days=31)
    assert await world.connects(bought, CHARLIE, may_move=True) is Verdict.CONNECTED
    assert world.roles(CHARLIE) == {VIP}


async def test_connecting_the_same_account_again_changes_nothing(world: World) -> None:
    bought = await a_delivered_purchase(world)
    assert await world.connects(bought, CHARLIE) is Verdict.CONNECTED
    assert len(world.discord.faults.of("add_role")) == 1
    assert "moved" not in world.mailer.templates()


async def test_an_ended_purchase_cannot_be_connected(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert await world.connects(bought, CHARLIE) is Verdict.NOT_AVAILABLE


async def test_a_move_passes_the_brake_as_a_person_s_own_wish(new_world: Builder) -> None:
    world = await new_world(brake_removals=1, brake_removal_percent=0)
    bought = await a_delivered_purchase(world)
    await world.connects(bought, DORA, may_move=True)
    assert world.roles(CHARLIE) == set()
