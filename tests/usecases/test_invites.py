"""Who is outside: the invite made for them, and the roles that come in with them through it or by another bot."""

from __future__ import annotations

from datetime import timedelta

from membership import linking, mine
from membership.errors import Audience, Blocked, Reason
from membership.model import MemberKey, PurchaseStatus, Refund, RoleId, UserId
from membership.presence import member_came_or_went
from tests.usecases.world import CHARLIE, DORA, GUILD, TRIAL, VIP, World


async def comes_in(world: World, user: UserId, *roles: RoleId) -> None:
    """Let somebody join with these roles already on them, noticed by the gateway."""
    world.joins(user, *roles)
    await member_came_or_went(world.services, MemberKey(GUILD, user))
    await world.settle()
    await world.five_minutes()


async def leaves(world: World, user: UserId) -> None:
    del world.discord.guilds[GUILD].members[user]
    await member_came_or_went(world.services, MemberKey(GUILD, user))
    await world.settle()


async def shown(world: World, bought: str) -> str:
    (grant,) = await world.grants(bought)
    return await linking.invite_url(world.services, grant, await world.guild())


async def an_invited_buyer(world: World) -> str:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    await world.connects(bought, CHARLIE)
    return bought


async def test_what_an_invite_puts_after_a_refund_is_taken(world: World) -> None:
    bought = await an_invited_buyer(world)
    await world.changes(bought, refund=Refund.FULL)
    assert await world.standing(bought) == ["revoked refunded"]
    await comes_in(world, CHARLIE, VIP)
    assert world.roles(CHARLIE) == set()
    assert await world.holdings(CHARLIE) == {}


async def test_what_an_invite_puts_is_ours_and_goes_with_the_purchase(world: World) -> None:
    bought = await an_invited_buyer(world)
    await comes_in(world, CHARLIE, VIP)
    assert await world.holdings(CHARLIE) == {VIP: "held"}
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == set()


async def test_an_invite_carries_the_trial_role_in_a_trial(world: World) -> None:
    await world.plan("vip", VIP, trial_role_id=TRIAL)
    ends_at = world.clock.now() + timedelta(days=7)
    bought = await world.buys("vip", status=PurchaseStatus.TRIALING, trial_ends_at=ends_at)
    await world.connects(bought, CHARLIE)
    assert world.discord.faults.of("invite") == [("invite", GUILD, TRIAL)]
    assert await world.holdings(CHARLIE) == {TRIAL: "adding"}


async def test_a_moved_purchase_gets_an_invite_for_the_new_person(world: World) -> None:
    bought = await an_invited_buyer(world)
    first = await shown(world, bought)
    await world.connects(bought, DORA, may_move=True)
    assert await shown(world, bought) not in ("", first)
    assert await world.holdings(DORA) == {VIP: "adding"}
    await comes_in(world, DORA, VIP)
    await comes_in(world, CHARLIE, VIP)
    assert (world.roles(CHARLIE), world.roles(DORA)) == (set(), {VIP})


async def test_an_invite_is_made_once_while_it_works(world: World) -> None:
    bought = await an_invited_buyer(world)
    await world.connects(bought, CHARLIE)
    assert len(world.discord.faults.of("invite")) == 1
    await world.advance(days=7)
    assert await shown(world, bought) == ""
    await world.connects(bought, CHARLIE)
    assert len(world.discord.faults.of("invite")) == 2


async def test_a_used_invite_is_not_shown_again(world: World) -> None:
    bought = await an_invited_buyer(world)
    await comes_in(world, CHARLIE, VIP)
    await leaves(world, CHARLIE)
    assert await shown(world, bought) == ""
    await world.connects(bought, CHARLIE)
    assert len(world.discord.faults.of("invite")) == 2


async def test_a_role_that_another_bot_gives_back_on_a_return_still_ends_with_the_purchase(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await leaves(world, CHARLIE)
    await comes_in(world, CHARLIE, VIP)
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == set()


async def test_a_role_that_another_bot_gives_back_after_the_end_is_taken(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await leaves(world, CHARLIE)
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await comes_in(world, CHARLIE, VIP)
    assert world.roles(CHARLIE) == set()


async def test_who_comes_back_without_the_role_is_no_longer_known_to_have_it(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await leaves(world, CHARLIE)
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await comes_in(world, CHARLIE)
    world.roles(CHARLIE).add(VIP)  # by a moderator
    await world.five_minutes()
    assert world.roles(CHARLIE) == {VIP}
    assert await world.holdings(CHARLIE) == {}


async def test_whoever_is_inside_is_offered_no_way_in_though_the_role_is_refused(world: World) -> None:
    await world.plan("vip", VIP)
    refusal = Blocked(Reason.MISSING_PERMISSION, audience=Audience.OWNER, detail="403")
    world.discord.faults.fails_always("add_role", refusal)
    bought = await world.member("vip")
    assert await world.standing(bought) == ["failed missing_permission"]
    (shown_here,) = (await mine.read(world.services, CHARLIE, GUILD)).memberships
    assert shown_here.invite_url == ""
    assert world.discord.faults.of("invite") == []


async def test_whoever_is_outside_is_offered_a_way_in(world: World) -> None:
    await an_invited_buyer(world)
    (shown_here,) = (await mine.read(world.services, CHARLIE, GUILD)).memberships
    assert shown_here.invite_url
