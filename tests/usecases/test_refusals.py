"""What Discord and people's hands do to roles: refusals with their reasons, lies, hand-given and hand-removed roles."""

from __future__ import annotations

import pytest

from membership.errors import Audience, Blocked, Gone, Reason, Retry
from membership.model import MemberKey, PurchaseStatus
from membership.presence import member_came_or_went, roles_changed
from tests.usecases.world import CHARLIE, GOLD, GUILD, VIP, World


@pytest.mark.parametrize(
    "reason",
    [Reason.MISSING_PERMISSION, Reason.MISSING_ACCESS, Reason.ROLE_ABOVE_BOT, Reason.TWO_FACTOR_REQUIRED],
)
async def test_a_refused_role_fails_the_grant_with_its_reason_and_one_post(world: World, reason: Reason) -> None:
    await world.plan("vip", VIP)
    world.discord.faults.fails_always("add_role", Blocked(reason, audience=Audience.OWNER, detail="403"))
    bought = await world.member("vip")
    await world.five_minutes()
    await world.five_minutes()
    assert await world.standing(bought) == [f"failed {reason}"]
    assert [(event, facts["reason"]) for event, facts in world.discord.posts] == [("grant.failed", reason.value)]


async def test_a_refused_role_does_not_stop_the_others(world: World) -> None:
    await world.plan("vip", VIP)
    await world.plan("gold", GOLD)
    world.discord.guilds[GUILD].roles[VIP] = 90
    world.joins(CHARLIE)
    bought = await world.buys("vip", "gold")
    await world.links(bought, CHARLIE)
    assert world.roles(CHARLIE) == {GOLD}
    assert await world.standing(bought) == ["failed role_above_bot", "delivered paid"]


async def test_a_role_moved_above_the_bot_and_back_is_delivered(world: World) -> None:
    await world.plan("vip", VIP)
    world.discord.guilds[GUILD].roles[VIP] = 90
    bought = await world.member("vip")
    assert await world.standing(bought) == ["failed role_above_bot"]
    world.discord.guilds[GUILD].roles[VIP] = 10
    await roles_changed(world.services, GUILD)
    await world.settle()
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_removal_that_is_refused_is_visible_and_tried_again(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    world.discord.guilds[GUILD].roles[VIP] = 90
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert await world.standing(bought) == ["failed role_above_bot"]
    assert "ended" not in world.mailer.templates()
    world.discord.guilds[GUILD].roles[VIP] = 10
    await world.five_minutes()
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["revoked cancelled"]
    assert world.mailer.templates().count("ended") == 1


async def test_a_mapped_role_that_was_deleted_fails_the_grant_and_says_so(world: World) -> None:
    await world.plan("vip", VIP, GOLD)
    del world.discord.guilds[GUILD].roles[VIP]
    bought = await world.member("vip")
    assert world.roles(CHARLIE) == {GOLD}
    assert await world.standing(bought) == ["failed role_deleted"]
    assert [event for event, _ in world.discord.posts] == ["grant.failed"]


async def test_the_end_of_a_membership_whose_role_was_deleted_is_an_end(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    del world.discord.guilds[GUILD].roles[VIP]
    await world.changes(bought, status=PurchaseStatus.ENDED)
    world.roles(CHARLIE).discard(VIP)
    await world.five_minutes()
    assert await world.standing(bought) == ["revoked cancelled"]
    assert await world.holdings(CHARLIE) == {}


async def test_a_member_who_leaves_during_the_call_waits_outside(world: World) -> None:
    await world.plan("vip", VIP)
    world.discord.faults.fails("add_role", Gone("member"))
    bought = await world.member("vip")
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


@pytest.mark.parametrize("is_late", [False, True], ids=["before the effect", "after the effect"])
async def test_an_unknown_outcome_of_a_role_call_is_looked_at_again(world: World, is_late: bool) -> None:
    await world.plan("vip", VIP)
    world.discord.faults.fails("add_role", Retry("connection reset"), late=is_late)
    bought = await world.member("vip")
    assert await world.standing(bought) != ["delivered paid"]
    await world.advance(seconds=5)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]
    assert len(world.discord.faults.of("add_role")) == (1 if is_late else 2)


async def test_a_lying_success_is_found_and_made_true_by_the_next_sweep(world: World) -> None:
    await world.plan("vip", VIP)
    world.discord.faults.lies("add_role")
    await world.member("vip")
    assert world.roles(CHARLIE) == set()
    await world.five_minutes()
    assert world.roles(CHARLIE) == {VIP}


async def test_a_lying_removal_is_found_and_made_true_by_the_next_sweep(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    world.discord.faults.lies("remove_role")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == {VIP}
    await world.five_minutes()
    assert world.roles(CHARLIE) == set()


async def test_a_role_that_a_moderator_gave_is_left_alone(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE, VIP)
    bought = await world.member("vip")
    assert await world.standing(bought) == ["delivered paid"]
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == {VIP}
    assert world.discord.faults.of("add_role", "remove_role") == []


async def test_a_role_taken_by_hand_is_put_back_three_times_a_day_and_then_held(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    for _ in range(3):
        world.roles(CHARLIE).clear()
        await member_came_or_went(world.services, MemberKey(GUILD, CHARLIE))
        await world.advance(minutes=10)
        assert world.roles(CHARLIE) == {VIP}
    world.roles(CHARLIE).clear()
    await world.five_minutes()
    await world.five_minutes()
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["held hand_removed"]
    posts = [event for event, _ in world.discord.posts]
    assert (posts.count("role.drift_fixed"), posts.count("grant.held")) == (3, 1)


async def test_a_new_day_puts_a_hand_removed_role_back(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    for _ in range(4):
        world.roles(CHARLIE).clear()
        await world.five_minutes()
    assert world.roles(CHARLIE) == set()
    await world.advance(days=1)
    await world.five_minutes()
    assert world.roles(CHARLIE) == {VIP}


async def test_ten_sweeps_of_a_quiet_server_write_nothing(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    for _ in range(10):
        assert await world.five_minutes() == 0
    assert len(world.discord.faults.of("add_role", "remove_role")) == 1
