"""Codes that give a plan: made, redeemed by exactly as many people as they say, switched off and on again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from membership import claims, plan_codes, undo
from membership.actors import Actor
from membership.claims import ClaimOutcome
from membership.errors import UserError
from membership.model import GuildId, PlanId, UserId
from membership.plan_codes import Created, Target, Terms, Voided
from tests.usecases.world import ALICE, BOB, CHARLIE, DORA, GUILD, VIP, World

OWNER = Actor(guild_id=GUILD, user_id=ALICE, name="alice", can_staff=True, can_manage=True)
STRANGER = Actor(guild_id=GuildId(999), user_id=DORA, can_staff=True, can_manage=True)
TERMS = Terms(plan_id=PlanId(1), days=30, label="raffle")


async def makes(world: World, **terms: object) -> Created:
    """Make codes for the VIP plan."""
    plan = await world.plan("vip", VIP)
    for user in (BOB, CHARLIE):
        world.joins(user)
    return await plan_codes.create(world.services, OWNER, replace(TERMS, plan_id=plan.id, **terms))  # type: ignore[arg-type]


async def test_a_code_gives_its_plan_for_its_days_and_then_takes_it_back(world: World) -> None:
    (code,) = (await makes(world)).codes
    answer = await world.claims(CHARLIE, code)
    assert (answer.outcome, answer.plan_names, answer.days) == (ClaimOutcome.GIFT, ("VIP",), 30)
    assert (answer.until, answer.was_delivered) == (world.clock.now() + timedelta(days=30), True)
    assert (await world.claims(CHARLIE, code)).outcome is ClaimOutcome.USED_BY_YOU
    assert (await world.claims(BOB, code)).outcome is ClaimOutcome.GIFT_USED_UP
    assert [entry.user_id for entry in await world.audit("code.redeemed")] == [CHARLIE]
    await world.advance(days=31)
    assert world.roles(CHARLIE) == set()
    assert (await world.claims(CHARLIE, code)).outcome is ClaimOutcome.ENDED


async def test_fifty_people_at_once_are_exactly_as_many_winners_as_the_code_has_uses(world: World) -> None:
    (code,) = (await makes(world, max_uses=7)).codes
    crowd = [UserId(1000 + number) for number in range(50)]
    for user in crowd:
        world.joins(user)
    working = asyncio.create_task(world.worker.run())
    answers = await asyncio.gather(*(claims.redeem(world.services, user, GUILD, code) for user in crowd))
    world.worker.stop()
    await working
    outcomes = [answer.outcome for answer in answers]
    assert (outcomes.count(ClaimOutcome.GIFT), outcomes.count(ClaimOutcome.GIFT_USED_UP)) == (7, 43)
    assert sum(VIP in world.roles(user) for user in crowd) == 7


async def test_a_code_works_wherever_it_is_typed_and_names_its_server(world: World) -> None:
    (code,) = (await makes(world, days=None)).codes
    outsider = UserId(77)
    answer = await world.claims(outsider, code, GuildId(999))
    assert (answer.outcome, answer.guild_id, answer.server) == (ClaimOutcome.GIFT, GUILD, "Ada's server")
    assert not answer.was_delivered
    world.joins(outsider)
    await world.mark("member", f"{GUILD}:{outsider}")
    await world.settle()
    assert world.roles(outsider) == {VIP}


async def test_a_code_of_a_server_that_is_not_set_up_is_unknown_and_counts_as_a_try(world: World) -> None:
    (code,) = (await makes(world)).codes
    guild = await world.guild()
    async with world.services.store.write() as tx:
        await tx.guilds.replace(replace(guild, is_active=False))
    answer = await world.claims(CHARLIE, code)
    assert answer.outcome is ClaimOutcome.UNKNOWN
    assert answer.tries_left == world.policy.claim_tries - 1


async def test_an_expired_code_and_one_of_an_archived_plan_give_nothing(world: World) -> None:
    created = await makes(world, expires_at=world.clock.now() + timedelta(days=1))
    await world.advance(days=2)
    assert (await world.claims(CHARLIE, created.codes[0])).outcome is ClaimOutcome.GIFT_EXPIRED
    async with world.services.store.write() as tx:
        await tx.plans.replace(replace(created.plan, is_archived=True))
    assert (await world.claims(CHARLIE, created.codes[0])).outcome is ClaimOutcome.GIFT_OFF
    assert world.roles(CHARLIE) == set()


async def test_a_label_is_switched_off_as_shown_and_on_again_by_undo(world: World) -> None:
    created = await makes(world, count=3)
    alone = await plan_codes.void(world.services, OWNER, created.codes[0].lower(), 1)
    assert isinstance(alone, Voided)
    stale = await plan_codes.void(world.services, OWNER, "raffle", 3)
    assert isinstance(stale, Target)
    assert stale.count == 2
    voided = await plan_codes.void(world.services, OWNER, stale.name, 2)
    assert isinstance(voided, Voided)
    assert (await world.claims(CHARLIE, created.codes[1])).outcome is ClaimOutcome.GIFT_OFF
    await undo.undo(world.services, OWNER, voided.change_id)
    assert (await world.claims(CHARLIE, created.codes[1])).outcome is ClaimOutcome.GIFT
    assert (await world.claims(BOB, created.codes[0])).outcome is ClaimOutcome.GIFT_OFF


async def test_undoing_the_making_switches_the_codes_off(world: World) -> None:
    created = await makes(world)
    await undo.undo(world.services, OWNER, created.change_id)
    assert (await world.claims(CHARLIE, created.codes[0])).outcome is ClaimOutcome.GIFT_OFF


async def test_staff_of_another_server_find_neither_plan_nor_code_nor_label(world: World) -> None:
    created = await makes(world)
    with pytest.raises(UserError, match="no such plan"):
        await plan_codes.create(world.services, STRANGER, replace(TERMS, plan_id=created.plan.id))
    for name in (created.codes[0], "raffle", plan_codes.label_name("raffle")):
        with pytest.raises(UserError, match="no codes with this label"):
            await plan_codes.void(world.services, STRANGER, name, 1)
    assert await plan_codes.labels(world.services, STRANGER) == []


async def test_no_code_is_kept_in_clear(world: World) -> None:
    created = await makes(world)
    listing = await plan_codes.listing(world.services, OWNER, "raffle", 0)
    assert created.codes[0] not in repr(listing)
    async with world.services.store.read() as tx:
        change = await tx.changes.get(created.change_id, GUILD)
    assert change is not None
    assert created.codes[0] not in repr(change)
