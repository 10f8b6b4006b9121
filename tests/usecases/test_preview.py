"""A change of a plan shows whom it touches first, does exactly that, and can be taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from membership import plans, preview, undo
from membership.actors import Actor
from membership.errors import UserError
from membership.model import GuildId, OnPastDue, Plan, PlanProduct, PurchaseStatus, RoleId
from membership.plan_effects import NEW_PLAN, NEW_ROLE, Fate
from membership.preview import Applied, Differs, Shown
from tests.usecases.world import ALICE, BOB, CHARLIE, DORA, GOLD, GUILD, VIP, World

ALICE_ACTS = Actor(guild_id=GUILD, user_id=ALICE, name="Alice", can_staff=True, can_manage=True)


async def previewed(world: World, plan: Plan) -> Shown:
    tallies = [tally async for tally in preview.count(world.services, plan)]
    return await preview.keep(world.services, ALICE_ACTS, plan, tallies[-1])


async def applied(world: World, shown: Shown) -> Applied:
    done = await preview.apply(world.services, ALICE_ACTS, shown.id)
    assert isinstance(done, Applied)
    await world.settle()
    return done


async def test_a_new_plan_serves_who_has_paid_already_with_a_role_of_its_own(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip", CHARLIE)
    also = Plan(
        id=NEW_PLAN,
        guild_id=GUILD,
        name="Inner Circle",
        slug="",
        roles=(NEW_ROLE,),
        products=(PlanProduct(account_id=world.account_id, product_id="prod_vip"),),
    )
    shown = await previewed(world, also)
    assert [each.user_id for each in shown.tally.of(Fate.GET)] == [CHARLIE]
    done = await applied(world, shown)
    assert done.plan.slug == "inner-circle"
    assert set(done.plan.roles) <= world.roles(CHARLIE)


async def test_a_changed_role_is_applied_past_the_brake_because_the_list_was_seen_and_can_be_undone(
    world: World,
) -> None:
    vip = await world.plan("vip", VIP)
    await world.member("vip", CHARLIE)
    await world.member("vip", BOB)
    shown = await previewed(world, replace(vip, roles=(GOLD,)))
    assert shown.tally.number(Fate.MOVE) == 2
    done = await applied(world, shown)
    assert world.roles(CHARLIE) == world.roles(BOB) == {GOLD}
    await undo.undo(world.services, ALICE_ACTS, done.change_id)
    await world.settle()
    # Nobody has seen a list of these removals, so the brake asks.
    assert world.roles(CHARLIE) == {VIP, GOLD}


async def test_what_changed_since_the_preview_is_shown_before_anything_is_done(world: World) -> None:
    vip = await world.plan("vip", VIP)
    await world.member("vip", CHARLIE)
    shown = await previewed(world, replace(vip, roles=(GOLD,)))
    await world.member("vip", DORA)
    differs = await preview.apply(world.services, ALICE_ACTS, shown.id)
    assert isinstance(differs, Differs)
    assert [each.user_id for each in differs.appeared] == [DORA]
    assert world.roles(CHARLIE) == {VIP}
    await applied(world, differs.shown)
    assert world.roles(DORA) == {GOLD}


async def test_who_is_too_late_learns_which_role_was_made_in_vain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    vip = await world.plan("vip", VIP)
    shown = await previewed(world, replace(vip, roles=(NEW_ROLE,)))
    makes = world.discord.create_role

    async def makes_it_slowly(guild_id: GuildId, name: str, *, why: str) -> RoleId:
        await plans.save(world.services, replace(vip, grace_days=9))
        return await makes(guild_id, name, why=why)

    monkeypatch.setattr(world.discord, "create_role", makes_it_slowly)
    with pytest.raises(UserError, match=r"<@&\d+> is not used"):
        await preview.apply(world.services, ALICE_ACTS, shown.id)


async def test_a_preview_says_who_is_late_and_who_cannot_be_served(world: World) -> None:
    vip = await world.plan("vip", VIP)
    await world.member("vip", CHARLIE, status=PurchaseStatus.PAST_DUE)
    await world.member("vip", DORA)
    del world.discord.guilds[GUILD].members[DORA]
    shown = await previewed(world, replace(vip, on_past_due=OnPastDue.REMOVE))
    assert [(each.user_id, each.why) for each in shown.tally.of(Fate.LOSE)] == [(CHARLIE, "payment_failed")]
    assert [(each.user_id, each.why) for each in shown.tally.of(Fate.BLOCKED)] == [(DORA, "not_in_server")]


async def test_a_preview_serves_once_in_its_own_server_and_for_ten_minutes(world: World) -> None:
    vip = await world.plan("vip", VIP)
    shown = await previewed(world, replace(vip, grace_days=5))
    elsewhere = replace(ALICE_ACTS, guild_id=GuildId(999))
    with pytest.raises(UserError):
        await preview.apply(world.services, elsewhere, shown.id)
    with pytest.raises(UserError):
        await preview.keep(world.services, elsewhere, vip, shown.tally)
    await applied(world, shown)
    with pytest.raises(UserError, match="ten minutes"):
        await preview.apply(world.services, ALICE_ACTS, shown.id)
