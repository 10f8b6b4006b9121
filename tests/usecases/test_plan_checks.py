"""Whether a plan can work is said before it is saved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from membership.actors import Actor
from membership.checks import Outcome, Result
from membership.model import AccountId, OnEnd, Plan, PlanId, PlanProduct, RoleId
from membership.plan_checks import check_plan, failures, judge_roles
from membership.plan_effects import NEW_ROLE
from membership.ports import GuildRole, Price
from tests.usecases.world import ADMIN, ALICE, GUILD, VIP, World

KINDS = ("everyone", "booster", "linked", "for_sale", "managed", "self_selectable")


def a_plan(world: World, **changes: object) -> Plan:
    sold = PlanProduct(account_id=world.account_id, product_id="prod_vip")
    plan = Plan(id=PlanId(0), guild_id=GUILD, name="VIP", slug="vip", roles=(VIP,), products=(sold,))
    return replace(plan, **changes)  # type: ignore[arg-type]


async def sell(world: World) -> None:
    """Put the plan's product on sale, in an account that the server may use."""
    price = Price(external_id="price_1", product_id="prod_vip", product_name="VIP", amount=900, currency="eur")
    async with world.services.store.write() as tx:
        await tx.accounts.record_prices(world.account_id, [price])
        await tx.guilds.allow_account(GUILD, world.account_id)


async def flaws(world: World, plan: Plan) -> list[Result]:
    return [result for result in await check_plan(world.services, plan) if result.outcome is not Outcome.OK]


async def test_a_good_plan_has_no_flaw(world: World) -> None:
    await sell(world)
    results = await check_plan(world.services, a_plan(world))
    assert {result.outcome for result in results} == {Outcome.OK}
    assert not failures(results)


async def test_a_role_above_the_bot_is_refused_with_the_one_fix(world: World) -> None:
    await sell(world)
    (flaw,) = await flaws(world, a_plan(world, roles=(ADMIN,)))
    assert (flaw.id, flaw.outcome) == ("D08", Outcome.FAIL)
    assert "drag my role above it" in flaw.fix


async def test_a_deleted_role_is_refused(world: World) -> None:
    await sell(world)
    (flaw,) = await flaws(world, a_plan(world, roles=(RoleId(4711),)))
    assert (flaw.id, flaw.outcome) == ("D11", Outcome.FAIL)


@pytest.mark.parametrize("kind", KINDS)
def test_a_role_that_only_others_give_is_refused(kind: str) -> None:
    plan = Plan(id=PlanId(0), guild_id=GUILD, name="VIP", slug="vip", roles=(VIP,))
    (flaw,) = judge_roles(plan, {VIP: GuildRole(role_id=VIP, name="VIP", refusal=kind)})
    assert flaw.outcome is Outcome.FAIL
    assert "It cannot be sold" in flaw.cause


async def test_staff_power_wants_a_confirmation(world: World) -> None:
    await sell(world)
    world.discord.guilds[GUILD].dangers[VIP] = ("Ban Members",)
    results = await check_plan(world.services, a_plan(world))
    (flaw,) = (result for result in results if result.outcome is not Outcome.OK)
    assert (flaw.id, flaw.outcome) == ("D12", Outcome.WARN)
    assert not failures(results)


async def test_a_kicking_plan_needs_the_permission_to_kick(world: World) -> None:
    await sell(world)
    world.discord.guilds[GUILD].permissions = frozenset({"manage_roles"})
    assert await flaws(world, a_plan(world)) == []
    (flaw,) = await flaws(world, a_plan(world, on_end=OnEnd.KICK))
    assert (flaw.id, flaw.outcome) == ("D09", Outcome.FAIL)


async def test_a_product_of_a_strangers_account_is_refused(world: World) -> None:
    await sell(world)
    foreign = PlanProduct(account_id=AccountId(world.account_id + 1), product_id="prod_vip")
    found = await flaws(world, a_plan(world, products=(foreign,)))
    assert ("P08", Outcome.FAIL) in [(flaw.id, flaw.outcome) for flaw in found]


async def test_a_product_that_is_not_sold_wants_a_confirmation(world: World) -> None:
    await sell(world)
    other = PlanProduct(account_id=world.account_id, product_id="prod_old")
    (flaw,) = await flaws(world, a_plan(world, products=(other,)))
    assert (flaw.id, flaw.outcome) == ("P06", Outcome.WARN)


async def test_an_outage_of_the_server_refuses_no_plan(world: World) -> None:
    await sell(world)
    world.discord.guilds[GUILD].is_available = False
    results = await check_plan(world.services, a_plan(world, roles=(ADMIN,)))
    assert {result.outcome for result in results if result.id.startswith("D")} == {Outcome.SKIP}
    assert not failures(results)


async def test_what_a_plan_had_before_may_stay_in_whatever_state(world: World) -> None:
    await sell(world)
    gone = PlanProduct(account_id=AccountId(world.account_id + 1), product_id="prod_vip")
    before = a_plan(world, id=PlanId(7), roles=(ADMIN,), products=(gone,), on_end=OnEnd.KICK)
    world.discord.guilds[GUILD].permissions = frozenset({"manage_roles"})
    assert not failures(await check_plan(world.services, replace(before, name="Very"), before))
    worse = replace(before, roles=(ADMIN, RoleId(4711)))
    assert failures(await check_plan(world.services, worse, before))


async def test_a_plan_that_comes_back_on_sale_is_judged_whole(world: World) -> None:
    await sell(world)
    archived = a_plan(world, id=PlanId(7), roles=(ADMIN,), is_archived=True)
    assert failures(await check_plan(world.services, replace(archived, is_archived=False), archived))


async def test_a_role_that_is_made_with_the_plan_is_no_flaw(world: World) -> None:
    await sell(world)
    assert not failures(await check_plan(world.services, a_plan(world, roles=(NEW_ROLE,))))


@pytest.mark.parametrize(("top", "is_fine"), [(9, False), (10, False), (11, True), (None, True)])
async def test_nobody_maps_a_role_that_is_not_below_their_own_highest(
    world: World, top: int | None, is_fine: bool
) -> None:
    await sell(world)
    actor = Actor(guild_id=GUILD, user_id=ALICE, can_manage=True, top_position=top)
    plan = a_plan(world)
    assert (not failures(await check_plan(world.services, plan, actor=actor))) is is_fine
    assert not failures(await check_plan(world.services, plan))
    assert not failures(await check_plan(world.services, replace(plan, name="Very"), plan, actor=actor))
