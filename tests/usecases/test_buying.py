"""From a payment to a role: the happy ways, and what they cost."""

from __future__ import annotations

from membership.linking import Verdict
from tests.usecases.world import CHARLIE, GOLD, GUILD, VIP, World


async def test_a_purchase_becomes_a_role_with_one_look_and_one_role_call(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    bought = await world.buys("vip")
    assert world.roles(CHARLIE) == set()
    assert await world.connects(bought, CHARLIE) is Verdict.CONNECTED
    assert world.roles(CHARLIE) == {VIP}
    assert world.discord.faults.of("observe", "add_role") == [("observe", CHARLIE), ("add_role", CHARLIE, VIP)]
    assert await world.standing(bought) == ["delivered paid"]
