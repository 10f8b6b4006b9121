"""Problems: only what is failed or stuck, a card for each cause, and one press that tries again for everybody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from membership import holds, mail_preferences, pauses, problems, retrying
from membership.actors import Actor
from membership.errors import Reason, Retry, UserError
from membership.model import GuildId, MemberKey
from membership.problem_kinds import Kind, Problem
from membership.records import HeldRemoval
from tests.usecases.fake_discord import BOT_POSITION
from tests.usecases.world import ALICE, CHARLIE, DORA, GUILD, VIP, World

ACTOR = Actor(guild_id=GUILD, user_id=ALICE, can_staff=True, can_manage=True)
ELSEWHERE = replace(ACTOR, guild_id=GuildId(999))


async def found(world: World, actor: Actor = ACTOR) -> dict[Kind, Problem]:
    return {problem.kind: problem for problem in (await problems.found_in(world.services, actor)).problems}


async def refused_member(world: World) -> None:
    """Let the role of a plan be above the bot, and somebody buy it."""
    await world.plan("vip", VIP)
    world.discord.guilds[GUILD].roles[VIP] = BOT_POSITION + 1
    world.joins(CHARLIE)
    await world.links(await world.buys("vip"), CHARLIE)


async def test_a_healthy_server_has_none(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    assert await found(world) == {}


async def test_it_groups_what_is_not_delivered_by_its_cause(world: World) -> None:
    await refused_member(world)
    world.joins(DORA)
    await world.links(await world.buys("vip", by="dora"), DORA)

    problem = (await found(world))[Kind.GRANTS]

    assert (problem.reason, problem.count, len(problem.names)) == (Reason.ROLE_ABOVE_BOT, 2, 1)
    assert [person.user_id for person in problem.people] == [CHARLIE, DORA]
    assert problem.since == world.clock.now()


async def test_trouble_with_a_role_is_one_problem_though_it_has_hit_somebody(world: World) -> None:
    await refused_member(world)
    assert Kind.ROLES not in await found(world)


async def test_it_warns_of_a_role_before_anybody_is_hit(world: World) -> None:
    await world.plan("vip", VIP)
    world.discord.guilds[GUILD].roles[VIP] = BOT_POSITION + 1
    assert (await found(world))[Kind.ROLES].subject == "above_bot"


async def test_trying_again_reaches_everybody_the_cause_concerns(world: World) -> None:
    await refused_member(world)
    world.discord.guilds[GUILD].roles[VIP] = 1

    assert await retrying.retry_grants(world.services, ACTOR, Reason.ROLE_ABOVE_BOT) == 1
    await world.settle()

    assert world.roles(CHARLIE) == {VIP}
    assert await found(world) == {}


async def test_trying_again_reaches_nobody_of_another_server(world: World) -> None:
    await refused_member(world)
    with pytest.raises(UserError):
        await retrying.retry_grants(world.services, ELSEWHERE, Reason.ROLE_ABOVE_BOT)


async def test_a_buyer_who_has_not_connected_is_a_problem_after_a_day(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip")
    assert await found(world) == {}
    world.clock.move(timedelta(days=1))
    problem = (await found(world))[Kind.UNCONNECTED]
    assert (problem.count, problem.people[0].name) == (1, "Charlie")


async def test_it_reminds_those_who_wait_at_most_once_an_hour(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip")
    await world.advance(days=2)
    assert (await retrying.remind_unconnected(world.services, ACTOR)).queued == 1
    assert (await retrying.remind_unconnected(world.services, ACTOR)).queued == 0


async def test_who_stopped_reminders_is_not_reminded_by_staff_either(world: World) -> None:
    await world.plan("vip", VIP)
    purchase = await world.purchase(await world.buys("vip"))
    await world.advance(days=2)
    async with world.services.store.write() as tx:
        await mail_preferences.set_reminders(tx, await tx.customers.get(purchase.customer_id), are_wanted=False)
    assert (await retrying.remind_unconnected(world.services, ACTOR)).queued == 0


async def test_an_address_that_refuses_mail_is_named_apart(world: World) -> None:
    await world.plan("vip", VIP)
    purchase = await world.purchase(await world.buys("vip"))
    async with world.services.store.write() as tx:
        await tx.customers.refuse_mail(purchase.customer_id)
    assert (await found(world))[Kind.MAIL].people[0].purchase_id == purchase.id


async def test_jobs_that_fail_are_grouped_by_what_they_fail_with(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    external_id = await world.buys("vip")
    world.discord.faults.fails_always("observe", Retry("Discord does not answer"))
    await world.links(external_id, CHARLIE)

    problem = (await found(world))[Kind.JOBS]

    assert (problem.subject, problem.count) == ("Discord does not answer", 1)
    assert [person.user_id for person in problem.people] == [CHARLIE]


async def test_a_pause_is_a_problem_and_what_waits_for_it_is_none(world: World) -> None:
    await world.plan("vip", VIP)
    await pauses.pause(world.services, ACTOR, "moving house")
    world.joins(CHARLIE)
    await world.links(await world.buys("vip"), CHARLIE)
    shown = await found(world)
    assert shown[Kind.PAUSED].subject == "moving house"
    assert Kind.JOBS not in shown


async def test_another_server_s_problems_are_not_shown(world: World) -> None:
    await refused_member(world)
    assert await found(world, ELSEWHERE) == {}


async def test_what_the_brake_holds_is_told_with_its_number(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    async with world.services.store.write() as tx:
        removal = HeldRemoval(key=MemberKey(GUILD, CHARLIE), role_id=VIP)
        batch_id = await tx.removals.hold(GUILD, [removal], "unmapped", world.clock.now())
    problem = (await found(world))[Kind.BRAKE]
    assert (problem.number, problem.count) == (int(batch_id), 1)
    assert (await holds.held(world.services, GUILD, batch_id)).cause == problem.subject
