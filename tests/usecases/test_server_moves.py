"""Plans are carried to another server: exactly what was shown happens there, and nothing here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from membership import server_moves, servers, undo
from membership.actors import Actor
from membership.errors import UserError
from membership.model import GuildId, OnPastDue, PlanId, RoleId
from membership.move_previews import Route
from membership.plan_effects import NEW_ROLE, Fate
from membership.server_moves import Moved, MoveDiffers
from tests.usecases.fake_discord import FakeGuild
from tests.usecases.world import ALICE, BOB, CHARLIE, DORA, GOLD, GUILD, LATE, VIP, World

THERE = GuildId(200)
THERE_VIP = RoleId(VIP)
HERE_ACTOR = Actor(guild_id=GUILD, user_id=ALICE, name="Alice", can_staff=True, can_manage=True, top_position=20)
THERE_ACTOR = replace(HERE_ACTOR, guild_id=THERE)


@pytest.fixture
async def there(world: World) -> FakeGuild:
    """Return a second connected server, with a role of the same name as VIP, where Charlie is and Dora is not."""
    guild = FakeGuild(roles={THERE_VIP: 10}, members={CHARLIE: set(), ALICE: set()}, name="New place")
    world.discord.guilds[THERE] = guild
    async with world.services.store.write() as tx:
        await tx.guilds.ensure(THERE, guild.name)
        await tx.guilds.allow_account(GUILD, world.account_id)
    await servers.approve(world.services, THERE, "operator")
    return guild


async def test_roles_are_matched_by_name(world: World, there: FakeGuild) -> None:
    plan = await world.plan("vip", VIP, GOLD)
    found = server_moves.matches(world.services, [plan], THERE)
    assert [(match.role_id, match.target) for match in found] == [(VIP, THERE_VIP), (GOLD, None)]


async def test_who_has_paid_gets_it_there_and_keeps_it_here(world: World, there: FakeGuild) -> None:
    plan = await world.plan("vip", VIP)
    await world.member("vip", CHARLIE)
    await world.member("vip", DORA)
    route = Route(plan_ids=(plan.id,), roles={VIP: THERE_VIP})
    shown = await server_moves.show(world.services, HERE_ACTOR, THERE_ACTOR, route)
    tally = shown.carried[0].tally
    assert [effect.user_id for effect in tally.of(Fate.GET)] == [CHARLIE]
    assert [(effect.user_id, effect.why) for effect in tally.of(Fate.BLOCKED)] == [(DORA, "not_in_server")]
    assert there.members[CHARLIE] == set()
    done = await server_moves.apply(world.services, HERE_ACTOR, THERE_ACTOR, shown.id)
    assert isinstance(done, Moved)
    await world.settle()
    assert there.members[CHARLIE] == {THERE_VIP}
    assert world.roles(CHARLIE) == world.roles(DORA) == {VIP}
    async with world.services.store.read() as tx:
        assert not (await tx.plans.get(plan.id)).is_archived
        assert (await tx.plans.get(done.plans[0].id)).guild_id == THERE


async def test_a_role_is_made_there_and_the_plans_archived_here_where_that_was_chosen(
    world: World, there: FakeGuild
) -> None:
    plan = await world.plan("vip", VIP, GOLD, past_due_role_id=LATE, on_past_due=OnPastDue.SWAP)
    await world.member("vip", CHARLIE)
    route = Route(plan_ids=(plan.id,), roles={VIP: THERE_VIP, GOLD: NEW_ROLE}, archives=True)
    shown = await server_moves.show(world.services, HERE_ACTOR, THERE_ACTOR, route)
    done = await server_moves.apply(world.services, HERE_ACTOR, THERE_ACTOR, shown.id)
    assert isinstance(done, Moved)
    await world.settle()
    (made,) = done.made
    assert there.members[CHARLIE] == {THERE_VIP, made}
    carried = done.plans[0]
    assert (carried.past_due_role_id, carried.on_past_due) == (None, OnPastDue.KEEP)
    async with world.services.store.read() as tx:
        assert (await tx.plans.get(plan.id)).is_archived
    assert world.roles(CHARLIE) == {VIP, GOLD}


async def test_it_asks_again_when_the_facts_have_changed(world: World, there: FakeGuild) -> None:
    plan = await world.plan("vip", VIP)
    await world.member("vip", CHARLIE)
    route = Route(plan_ids=(plan.id,), roles={VIP: THERE_VIP})
    shown = await server_moves.show(world.services, HERE_ACTOR, THERE_ACTOR, route)
    there.members[BOB] = set()
    await world.member("vip", BOB)
    done = await server_moves.apply(world.services, HERE_ACTOR, THERE_ACTOR, shown.id)
    assert isinstance(done, MoveDiffers)
    assert [effect.user_id for effect in done.appeared] == [BOB]
    assert there.members[CHARLIE] == set()
    again = await server_moves.apply(world.services, HERE_ACTOR, THERE_ACTOR, done.shown.id)
    assert isinstance(again, Moved)


async def test_a_preview_serves_once_and_only_its_own_server(world: World, there: FakeGuild) -> None:
    plan = await world.plan("vip", VIP)
    shown = await server_moves.show(
        world.services, HERE_ACTOR, THERE_ACTOR, Route(plan_ids=(plan.id,), roles={VIP: THERE_VIP})
    )
    with pytest.raises(UserError, match="older than ten minutes"):
        await server_moves.look(world.services, THERE_ACTOR, shown.id)
    await server_moves.apply(world.services, HERE_ACTOR, THERE_ACTOR, shown.id)
    with pytest.raises(UserError, match="was used"):
        await server_moves.apply(world.services, HERE_ACTOR, THERE_ACTOR, shown.id)


async def test_a_plan_that_was_changed_meanwhile_is_not_carried(world: World, there: FakeGuild) -> None:
    plan = await world.plan("vip", VIP)
    shown = await server_moves.show(
        world.services, HERE_ACTOR, THERE_ACTOR, Route(plan_ids=(plan.id,), roles={VIP: THERE_VIP})
    )
    await world.plan("vip", VIP, GOLD)
    with pytest.raises(UserError, match="changed VIP meanwhile"):
        await server_moves.apply(world.services, HERE_ACTOR, THERE_ACTOR, shown.id)


async def test_manage_server_is_needed_in_both(world: World, there: FakeGuild) -> None:
    plan = await world.plan("vip", VIP)
    route = Route(plan_ids=(plan.id,), roles={VIP: THERE_VIP})
    weak = Actor(guild_id=THERE, user_id=ALICE, can_staff=True)
    other = Actor(guild_id=THERE, user_id=BOB, can_staff=True, can_manage=True)
    for target in (weak, other, HERE_ACTOR):
        with pytest.raises(UserError, match="Manage Server in both"):
            await server_moves.show(world.services, HERE_ACTOR, target, route)


async def test_a_role_above_who_carries_it_over_is_refused_there(world: World, there: FakeGuild) -> None:
    plan = await world.plan("vip", VIP)
    low = replace(THERE_ACTOR, top_position=there.roles[THERE_VIP])
    route = Route(plan_ids=(plan.id,), roles={VIP: THERE_VIP})
    with pytest.raises(UserError, match="above your own highest role"):
        await server_moves.show(world.services, HERE_ACTOR, low, route)
    shown = await server_moves.show(world.services, HERE_ACTOR, THERE_ACTOR, route)
    with pytest.raises(UserError, match="above your own highest role"):
        await server_moves.apply(world.services, HERE_ACTOR, low, shown.id)


async def test_what_cannot_be_carried_is_refused_before_anything_is_kept(world: World, there: FakeGuild) -> None:
    plan = await world.plan("vip", VIP)
    there.roles[THERE_VIP] = 90
    for wrong, says in (
        (Route(plan_ids=(), roles={}), "at least one plan"),
        (Route(plan_ids=(PlanId(4711),), roles={}), "no such plan"),
        (Route(plan_ids=(plan.id,), roles={}), "Choose a role for VIP"),
        (Route(plan_ids=(plan.id,), roles={VIP: THERE_VIP}), "above my own role"),
    ):
        with pytest.raises(UserError, match=says):
            await server_moves.show(world.services, HERE_ACTOR, THERE_ACTOR, wrong)


async def test_a_carried_plan_is_taken_back_there(world: World, there: FakeGuild) -> None:
    plan = await world.plan("vip", VIP)
    shown = await server_moves.show(
        world.services, HERE_ACTOR, THERE_ACTOR, Route(plan_ids=(plan.id,), roles={VIP: THERE_VIP})
    )
    done = await server_moves.apply(world.services, HERE_ACTOR, THERE_ACTOR, shown.id)
    assert isinstance(done, Moved)
    await undo.undo(world.services, THERE_ACTOR, done.change_ids[0])
    async with world.services.store.read() as tx:
        assert (await tx.plans.get(done.plans[0].id)).is_archived
