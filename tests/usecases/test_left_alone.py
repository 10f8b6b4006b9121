"""Whom we leave alone: exempt members, servers that are paused or not set up, and what people took by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from membership import binding, exemptions
from membership.actors import Actor
from membership.errors import UserError
from membership.model import Lane, ManualChange, MemberKey
from tests.usecases.world import BOB, CHARLIE, GUILD, VIP, World

STAFF = Actor(guild_id=GUILD, user_id=BOB, name="bob", can_staff=True)
OWNER = replace(STAFF, can_manage=True)
DAY = timedelta(days=1)


async def sets(world: World, **settings: Any) -> None:
    guild = await world.guild()
    async with world.services.store.write() as tx:
        await tx.guilds.replace(replace(guild, **settings))


def takes_away(world: World) -> None:
    """Let a moderator take the role from Charlie, unnoticed."""
    world.roles(CHARLIE).discard(VIP)


async def test_the_roles_of_an_exempt_member_are_not_touched(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await exemptions.exempt(world.services, STAFF, CHARLIE, until=None, reason="a friend")
    await world.changes(bought, status="ended")
    await world.five_minutes()
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


async def test_an_exempt_member_is_looked_after_again_when_it_is_lifted(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await exemptions.exempt(world.services, STAFF, CHARLIE, until=None)
    await world.changes(bought, status="ended")
    await exemptions.lift(world.services, STAFF, CHARLIE)
    await world.settle()
    assert world.roles(CHARLIE) == set()
    with pytest.raises(UserError, match="not exempt"):
        await exemptions.lift(world.services, STAFF, CHARLIE)


async def test_an_exemption_ends_by_itself(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await exemptions.exempt(world.services, STAFF, CHARLIE, until=world.clock.now() + DAY)
    await world.settle()
    await world.changes(bought, status="ended")
    await world.advance(hours=23)
    assert world.roles(CHARLIE) == {VIP}
    await world.advance(hours=2)
    assert world.roles(CHARLIE) == set()


async def test_an_exemption_tells_what_it_changed(world: World) -> None:
    first = await exemptions.exempt(world.services, OWNER, CHARLIE, until=None, reason="a friend")
    second = await exemptions.lift(world.services, STAFF, CHARLIE)
    async with world.services.store.read() as tx:
        began, ended = await tx.changes.get(first, GUILD), await tx.changes.get(second, GUILD)
    assert began is not None
    assert ended is not None
    assert (began.before, began.after) == ({}, {"user_id": CHARLIE, "until": None, "reason": "a friend"})
    assert (ended.before, ended.after) == (began.after, {})


async def test_without_manage_server_nobody_is_left_alone_for_ever(world: World) -> None:
    longest = world.clock.now() + 31 * DAY
    await exemptions.exempt(world.services, STAFF, BOB, until=None)
    async with world.services.store.read() as tx:
        kept = await tx.exemptions.get(MemberKey(GUILD, BOB), world.clock.now())
    assert kept is not None
    assert kept.until == longest
    with pytest.raises(UserError, match="at most"):
        await exemptions.exempt(world.services, STAFF, BOB, until=longest + DAY)
    await exemptions.exempt(world.services, OWNER, BOB, until=longest + DAY)


async def test_a_paused_server_waits_and_loses_nothing(world: World) -> None:
    await world.plan("vip", VIP)
    await sets(world, paused_at=world.clock.now())
    await world.member("vip")
    await world.five_minutes()
    assert world.roles(CHARLIE) == set()
    await sets(world, paused_at=None)
    await world.advance(minutes=6)
    assert world.roles(CHARLIE) == {VIP}


async def test_nobody_is_touched_in_a_server_that_is_not_set_up(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await sets(world, is_active=False)
    await world.changes(bought, status="ended")
    assert await world.five_minutes() == 0
    assert world.roles(CHARLIE) == {VIP}
    await sets(world, is_active=True)
    await binding.mark_everybody(world.services, GUILD, Lane.BULK)
    await world.settle()
    assert world.roles(CHARLIE) == set()


async def test_nobody_is_missed_in_a_server_that_is_not_set_up(world: World) -> None:
    await sets(world, is_active=False)
    await world.plan("vip", VIP)
    await world.member("vip")
    await world.advance(minutes=15)
    assert await world.five_minutes() == 0


async def test_who_has_not_accepted_the_rules_gets_the_role_when_they_do(world: World) -> None:
    await world.plan("vip", VIP)
    world.discord.guilds[GUILD].pending.add(CHARLIE)
    bought = await world.member("vip")
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["pending rules_not_accepted"]
    world.discord.guilds[GUILD].pending.clear()
    await world.five_minutes()
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_role_is_taken_from_a_member_whatever_rules_they_accepted(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    world.discord.guilds[GUILD].pending.add(CHARLIE)
    await world.changes(bought, status="ended")
    assert world.roles(CHARLIE) == set()


@pytest.mark.parametrize("policy", [ManualChange.ACCEPT, ManualChange.REPORT])
async def test_a_role_that_a_person_took_stays_away_where_the_server_says_so(
    world: World, policy: ManualChange
) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await sets(world, manual_change=policy)
    takes_away(world)
    for _ in range(3):
        await world.five_minutes()
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["held hand_removed"]


async def test_a_role_that_a_person_took_is_reported_once_where_the_server_says_so(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    await sets(world, manual_change=ManualChange.REPORT)
    takes_away(world)
    await world.five_minutes()
    await world.five_minutes()
    assert len(await world.audit("role.manual_change")) == 1
    assert [event for event, _ in world.discord.posts].count("role.manual_change") == 1


async def test_a_role_that_a_person_took_is_no_news_where_that_is_accepted(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    await sets(world, manual_change=ManualChange.ACCEPT)
    before = len(world.discord.posts)
    takes_away(world)
    await world.five_minutes()
    assert len(world.discord.posts) == before
    assert len(await world.audit("role.manual_change")) == 1


async def test_a_role_that_was_left_away_comes_back_with_the_next_payment(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await sets(world, manual_change=ManualChange.ACCEPT)
    takes_away(world)
    await world.five_minutes()
    period_ends_at = (await world.purchase(bought)).period_ends_at
    assert period_ends_at is not None
    await world.changes(bought, period_ends_at=period_ends_at + 31 * DAY)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_role_that_was_left_away_comes_with_another_purchase(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    await sets(world, manual_change=ManualChange.ACCEPT)
    takes_away(world)
    await world.five_minutes()
    await world.member("vip")
    assert world.roles(CHARLIE) == {VIP}
