"""Ends that take more than the plan's roles: kick, and remove_all_roles."""

from __future__ import annotations

from membership.errors import Audience, Blocked, Reason
from membership.model import OnEnd, PurchaseStatus
from tests.usecases.conftest import Builder
from tests.usecases.world import ADMIN, CHARLIE, FRIEND, GOLD, GUILD, VIP, World


def is_there(world: World) -> bool:
    return CHARLIE in world.discord.guilds[GUILD].members


async def test_a_kick_takes_the_roles_at_once_and_the_place_a_day_later(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.KICK)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == set()
    assert world.discord.messages == [(CHARLIE, "kick")]
    await world.advance(hours=23, minutes=59)
    assert is_there(world)
    await world.advance(minutes=1)
    assert not is_there(world)
    assert [call[0] for call in world.discord.faults.of("direct_message", "kick")] == ["direct_message", "kick"]
    assert len(await world.audit("member.kicked")) == 1


async def test_closed_direct_messages_do_not_stop_a_kick(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.KICK)
    bought = await world.member("vip")
    world.discord.faults.fails_always("direct_message", Blocked(Reason.DMS_CLOSED, audience=Audience.MEMBER))
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.advance(hours=24)
    assert not is_there(world)


async def test_another_purchase_in_time_cancels_the_kick(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.KICK)
    await world.plan("gold", GOLD)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.advance(hours=12)
    await world.member("gold")
    await world.advance(hours=48)
    assert world.roles(CHARLIE) == {GOLD}
    assert (await world.grants(bought))[0].kick_at is None


async def test_another_live_purchase_in_the_same_server_prevents_the_kick(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.KICK)
    await world.plan("gold", GOLD)
    bought = await world.member("vip")
    await world.member("gold")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.advance(hours=48)
    assert world.roles(CHARLIE) == {GOLD}
    assert world.discord.messages == []


async def test_the_provider_is_asked_again_right_before_a_kick(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.KICK)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    world.now_reads(bought, status=PurchaseStatus.ACTIVE)
    await world.advance(hours=24)
    assert world.roles(CHARLIE) == {VIP}


async def test_kicks_beyond_the_brake_wait_for_a_person(new_world: Builder) -> None:
    world = await new_world(brake_kicks=0)
    await world.plan("vip", VIP, on_end=OnEnd.KICK)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.advance(hours=24)
    assert is_there(world)
    async with world.services.store.read() as tx:
        (batch,) = await tx.removals.open_batches(GUILD)
    assert (batch.cause, [removal.role_id for removal in batch.removals]) == ("too_many_kicks", [None])


async def test_remove_all_roles_takes_what_the_bot_can_and_keeps_the_list(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.REMOVE_ALL_ROLES)
    world.joins(CHARLIE, FRIEND, GOLD, ADMIN)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == {ADMIN}
    (entry,) = await world.audit("roles.stripped")
    assert entry.detail == {"role_ids": [str(GOLD), str(FRIEND)]}
    assert await world.standing(bought) == ["revoked cancelled"]


async def test_roles_given_after_everything_was_taken_stay(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.REMOVE_ALL_ROLES)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    world.roles(CHARLIE).add(FRIEND)
    await world.webhook(bought)
    await world.five_minutes()
    assert world.roles(CHARLIE) == {FRIEND}


async def test_remove_all_roles_spares_who_has_another_plan(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.REMOVE_ALL_ROLES)
    await world.plan("gold", GOLD)
    world.joins(CHARLIE, FRIEND)
    bought = await world.member("vip")
    await world.member("gold")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == {GOLD, FRIEND}
