"""People who had a role before it was sold: left alone, given the plan, or asked to leave it."""

from __future__ import annotations

import pytest

from membership import adoption, holds, undo
from membership.actors import Actor
from membership.adoption import Wish
from membership.desk import AdoptionPolicy
from membership.errors import Retry, UserError
from membership.model import GuildId, RoleId
from tests.usecases.world import ALICE, BOB, CHARLIE, DORA, GUILD, VIP, World

ALICE_ACTS = Actor(guild_id=GUILD, user_id=ALICE, name="Alice", can_staff=True, can_manage=True)


async def sold(world: World) -> adoption.Holders:
    """Let Bob and Dora have @VIP from before it was sold, and Charlie buy it."""
    world.joins(BOB, VIP)
    world.joins(DORA, VIP)
    await world.plan("vip", VIP)
    await world.member("vip", CHARLIE)
    return await adoption.holders_without_purchase(world.services, GUILD, VIP)


async def decides(
    world: World, policy: AdoptionPolicy, set_hash: str = "", *, notice_days: int = 7
) -> adoption.Adopted:
    adopted = await adoption.adopt(
        world.services, ALICE_ACTS, Wish(role_id=VIP, policy=policy, set_hash=set_hash, notice_days=notice_days)
    )
    await world.settle()
    return adopted


async def test_a_list_that_discord_does_not_finish_is_asked_for_again(world: World) -> None:
    world.discord.faults.fails("role_holders", TimeoutError())
    with pytest.raises(Retry, match="in time"):
        await sold(world)


async def test_holders_with_a_purchase_are_not_counted(world: World) -> None:
    assert (await sold(world)).user_ids == (BOB, DORA)


async def test_grandfathered_people_are_members_until_it_is_undone_and_keep_their_own_role(world: World) -> None:
    shown = await sold(world)
    adopted = await decides(world, AdoptionPolicy.GRANDFATHER, shown.set_hash)
    assert (await adoption.holders_without_purchase(world.services, GUILD, VIP)).user_ids == ()
    await undo.undo(world.services, ALICE_ACTS, adopted.change_id)
    await world.settle()
    assert (await adoption.holders_without_purchase(world.services, GUILD, VIP)).user_ids == (BOB, DORA)
    assert VIP in world.roles(BOB)


async def test_after_notice_the_brake_asks_once_more_before_the_role_goes(world: World) -> None:
    shown = await sold(world)
    await decides(world, AdoptionPolicy.REMOVE, shown.set_hash)
    assert {user for user, template in world.discord.messages if template == "adoption_notice"} == {BOB, DORA}
    await world.advance(days=7)
    assert VIP in world.roles(BOB)
    async with world.services.store.read() as tx:
        batch = (await tx.removals.open_batches(GUILD))[0]
    await holds.release(world.services, batch.id, batch.set_hash, "staff:1")
    await world.settle()
    assert VIP not in world.roles(BOB) | world.roles(DORA)
    assert VIP in world.roles(CHARLIE)


@pytest.mark.parametrize("way", ["undone", "left alone"])
async def test_nobody_is_asked_about_removals_that_are_no_longer_decided(world: World, way: str) -> None:
    shown = await sold(world)
    adopted = await decides(world, AdoptionPolicy.REMOVE, shown.set_hash, notice_days=1)
    await world.advance(days=1, minutes=1)
    if way == "undone":
        await undo.undo(world.services, ALICE_ACTS, adopted.change_id)
        await world.settle()
    else:
        await decides(world, AdoptionPolicy.LEAVE)
    async with world.services.store.read() as tx:
        assert await tx.removals.open_batches(GUILD) == []
    assert (await adoption.holders_without_purchase(world.services, GUILD, VIP)).user_ids == (BOB, DORA)
    assert VIP in world.roles(BOB) & world.roles(CHARLIE)


async def test_who_was_given_it_has_it_again_when_the_next_decision_is_undone(world: World) -> None:
    shown = await sold(world)
    await decides(world, AdoptionPolicy.GRANDFATHER, shown.set_hash)
    left_alone = await decides(world, AdoptionPolicy.LEAVE)
    assert (await adoption.holders_without_purchase(world.services, GUILD, VIP)).user_ids == (BOB, DORA)
    await undo.undo(world.services, ALICE_ACTS, left_alone.change_id)
    await world.settle()
    assert (await adoption.holders_without_purchase(world.services, GUILD, VIP)).user_ids == ()


async def test_nobody_is_touched_who_was_not_shown(world: World) -> None:
    shown = await sold(world)
    world.joins(ALICE, VIP)
    with pytest.raises(UserError, match="changed since"):
        await decides(world, AdoptionPolicy.GRANDFATHER, shown.set_hash)


async def test_a_role_of_another_server_is_no_role_here(world: World) -> None:
    elsewhere = Actor(guild_id=GuildId(999), user_id=ALICE, can_manage=True)
    with pytest.raises(UserError, match="no such role"):
        await adoption.adopt(world.services, elsewhere, Wish(role_id=RoleId(VIP), policy=AdoptionPolicy.LEAVE))
