"""Ends that take more than the plan's roles: kick, and remove_all_roles."""

from __future__ import annotations

from membership import presence
from membership.errors import Audience, Blocked, Reason, Retry
from membership.model import GrantState, MemberKey, OnEnd, PurchaseStatus
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
    assert world.discord.messages == [(CHARLIE, "ended")]


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


async def a_kick_that_is_refused(world: World) -> str:
    await world.plan("vip", VIP, on_end=OnEnd.KICK)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    world.discord.faults.fails_always("kick", Blocked(Reason.MISSING_PERMISSION, audience=Audience.OWNER))
    await world.advance(days=1)
    assert await world.standing(bought) == ["failed missing_permission"]
    return bought


async def test_a_refused_kick_is_told_once_and_tried_again_at_every_sweep(world: World) -> None:
    bought = await a_kick_that_is_refused(world)
    for _ in range(3):
        await world.five_minutes()
    assert len(world.discord.faults.of("kick")) == 4
    world.discord.faults.mend()
    await world.five_minutes()
    assert not is_there(world)
    assert await world.standing(bought) == ["revoked cancelled"]
    told = [event for event, _ in world.discord.posts]
    assert told == ["grant.delivered", "grant.revoked", "grant.failed", "member.kicked"]
    assert world.mailer.templates().count("ended") == 1


async def test_a_refused_kick_is_tried_again_when_permissions_change(world: World) -> None:
    await a_kick_that_is_refused(world)
    world.discord.faults.mend()
    await presence.roles_changed(world.services, GUILD)
    await world.settle()
    assert not is_there(world)


async def test_who_pays_again_after_a_refused_kick_has_a_new_membership(world: World) -> None:
    bought = await a_kick_that_is_refused(world)
    world.discord.faults.mend()
    await world.changes(bought, status=PurchaseStatus.ACTIVE)
    (grant,) = await world.grants(bought)
    assert (grant.state, grant.episode, grant.ended_at, grant.kick_at) == (GrantState.DELIVERED, 2, None, None)


async def test_who_left_by_themselves_is_not_kicked_when_they_come_back(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.KICK)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    del world.discord.guilds[GUILD].members[CHARLIE]
    await presence.member_came_or_went(world.services, MemberKey(GUILD, CHARLIE))
    await world.settle()
    assert (await world.grants(bought))[0].kick_at is None
    await world.advance(days=60)
    world.joins(CHARLIE)
    await presence.member_came_or_went(world.services, MemberKey(GUILD, CHARLIE))
    await world.settle()
    assert is_there(world)


async def test_the_list_for_an_undo_names_each_role_once_though_the_answers_are_lost(world: World) -> None:
    await world.plan("vip", VIP, on_end=OnEnd.REMOVE_ALL_ROLES)
    bought = await world.member("vip")
    world.roles(CHARLIE).update({FRIEND, GOLD})
    world.discord.faults.fails("remove_role", Retry("reset"), Retry("reset"), late=True)
    await world.changes(bought, status=PurchaseStatus.ENDED)
    for _ in range(5):
        await world.advance(seconds=5)
    assert world.roles(CHARLIE) == set()
    entries = await world.audit("roles.stripped")
    assert [entry.detail for entry in entries] == [{"role_ids": [str(GOLD), str(FRIEND)]}]
