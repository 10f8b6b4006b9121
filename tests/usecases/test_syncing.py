"""A run of the five-minute job at once, what drifted, and trying again."""

from __future__ import annotations

import asyncio

import pytest

from membership import drift, pauses, syncing
from membership.actors import Actor
from membership.errors import Reason, UserError
from membership.forecast import forecast
from membership.model import GuildId, MemberKey, Proof
from membership.syncing import Ran
from tests.usecases.world import ALICE, BOB, CHARLIE, GUILD, VIP, World

OWNER = Actor(guild_id=GUILD, user_id=ALICE, can_staff=True, can_manage=True)
STRANGER = Actor(guild_id=GuildId(999), user_id=ALICE, can_staff=True, can_manage=True)


async def runs(world: World) -> Ran:
    """Run now while the worker works."""
    working = asyncio.create_task(world.worker.run())
    try:
        return await syncing.run_now(world.services, OWNER)
    finally:
        world.worker.stop()
        await working


async def test_a_run_puts_right_what_was_foretold_and_says_so(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    world.roles(CHARLIE).clear()
    await world.advance(minutes=6)
    ran = await runs(world)
    assert (ran.is_through, ran.members, ran.given, ran.left, ran.troubled) == (True, 1, 1, 0, 0)
    assert world.roles(CHARLIE) == {VIP}


async def test_a_dry_run_counts_and_changes_nothing(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    purchase = await world.purchase(await world.buys("vip"))
    async with world.services.store.write() as tx:
        await tx.links.bind(purchase.customer_id, CHARLIE, Proof.OAUTH, world.clock.now())
    foretold = await forecast(world.services, GUILD)
    assert (foretold.adds, foretold.removals) == (1, 0)
    assert world.roles(CHARLIE) == set()


async def test_a_paused_server_is_told_instead_of_run(world: World) -> None:
    await pauses.pause(world.services, OWNER, "")
    with pytest.raises(UserError, match="paused"):
        await syncing.run_now(world.services, OWNER)


async def test_what_waits_for_the_end_of_a_pause_has_not_failed(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    await pauses.pause(world.services, OWNER, "")
    await world.mark("member", str(MemberKey(GUILD, CHARLIE)), scope=str(GUILD))
    await world.settle()
    status = await syncing.status(world.services, OWNER)
    assert (status.waiting, list(status.troubled)) == (1, [])


async def test_drift_names_who_lacks_a_role_and_who_is_away(world: World) -> None:
    await world.plan("vip", VIP)
    world.discord.guilds[GUILD].roles[VIP] = 99
    await world.member("vip", CHARLIE)
    await world.links(await world.buys("vip", by="bob"), BOB)
    found = await drift.find(world.services, OWNER)
    assert [(each.user_id, each.role_ids) for each in found.lacking] == [(CHARLIE, frozenset({VIP}))]
    assert found.lacking[0].why == Reason.ROLE_ABOVE_BOT
    assert [each.user_id for each in found.away] == [BOB]
    assert (await drift.find(world.services, STRANGER)).lacking == ()
    (refused,) = (await syncing.status(world.services, OWNER)).refused
    assert (refused.user_id, refused.role_ids, refused.reason) == (CHARLIE, (VIP,), Reason.ROLE_ABOVE_BOT)
    assert (await syncing.status(world.services, STRANGER)).refused == []


async def test_a_failed_job_is_shown_in_its_own_server_and_tried_again(world: World) -> None:
    key = str(MemberKey(GUILD, CHARLIE))
    await world.mark("member", key, scope=str(GUILD))
    async with world.services.store.write() as tx:
        (job,) = await tx.jobs.claim(world.clock.now(), world.clock.now(), 1, [])
        await tx.jobs.fail(job, "role_above_bot", not_before=None)
    status = await syncing.status(world.services, OWNER)
    assert [(job.key, job.is_parked) for job in status.troubled] == [(key, True)]
    assert (await syncing.status(world.services, STRANGER)).troubled == []
    with pytest.raises(UserError, match="never to do here"):
        await syncing.retry(world.services, STRANGER, "member", str(CHARLIE))
    working = asyncio.create_task(world.worker.run())
    await syncing.retry(world.services, OWNER, "member", str(CHARLIE))
    world.worker.stop()
    await working
    assert (await syncing.status(world.services, OWNER)).troubled == []
