"""People who had a role before it was sold: left alone, given the plan, or asked to leave it."""

from __future__ import annotations

import pytest

from membership import adoption, holds, undo
from membership.actors import Actor
from membership.adoption import Wish
from membership.desk import AdoptionPolicy
from membership.errors import UserError
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


async def decides(world: World, policy: AdoptionPolicy, set_hash: str) -> adoption.Adopted:
    adopted = await adoption.adopt(
        world.services, ALICE_ACTS, Wish(role_id=VIP, policy=policy, set_hash=set_hash, notice_days=7)
    )
    await world.settle()
    return adopted


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


async def test_nobody_is_touched_who_was_not_shown(world: World) -> None:
    shown = await sold(world)
    world.joins(ALICE, VIP)
    with pytest.raises(UserError, match="changed since"):
        await decides(world, AdoptionPolicy.GRANDFATHER, shown.set_hash)


async def test_a_role_of_another_server_is_no_role_here(world: World) -> None:
    elsewhere = Actor(guild_id=GuildId(999), user_id=ALICE, can_manage=True)
    with pytest.raises(UserError, match="no such role"):
        await adoption.adopt(world.services, elsewhere, Wish(role_id=RoleId(VIP), policy=AdoptionPolicy.LEAVE))
