"""Servers are let in by an operator; changes are taken back inside their own server; sold roles are watched."""

from __future__ import annotations

from datetime import timedelta

import pytest

from membership import comps, exemptions, holds, role_again, role_watch, server_settings, servers, undo
from membership.actors import Actor
from membership.comps import RevokeWhen, Terms
from membership.errors import Reason, UserError
from membership.model import BatchId, ChangeId, GuildId, PurchaseStatus
from tests.usecases.conftest import Builder
from tests.usecases.world import ALICE, BOB, CHARLIE, GUILD, VIP, World

ELSEWHERE = GuildId(200)
MANAGER = Actor(guild_id=GUILD, user_id=ALICE, name="Alice", can_staff=True, can_manage=True)
SUPPORT = Actor(guild_id=GUILD, user_id=BOB, name="Bob", can_staff=True)
STRANGER = Actor(guild_id=ELSEWHERE, user_id=CHARLIE, name="Charlie", can_staff=True, can_manage=True, can_data=True)
OPERATORS = frozenset({71, 72})


async def _stranger_server(world: World) -> None:
    async with world.services.store.write() as tx:
        await tx.guilds.ensure(ELSEWHERE, "Charlie's place")


async def test_every_operator_is_asked_once_in_seven_days(world: World) -> None:
    await _stranger_server(world)
    assert await servers.ask(world.services, STRANGER, OPERATORS)
    assert not await servers.ask(world.services, STRANGER, OPERATORS)
    await world.settle()
    assert sorted(world.discord.messages) == [(71, servers.ASKED), (72, servers.ASKED)]
    await world.advance(days=8)
    assert await servers.ask(world.services, STRANGER, OPERATORS)


async def test_letting_a_server_in_opens_the_accounts_and_tells_who_asked(world: World) -> None:
    await _stranger_server(world)
    await servers.ask(world.services, STRANGER, ())
    approval = await servers.approve(world.services, ELSEWHERE, "operator")
    await world.settle()
    assert approval.is_new
    async with world.services.store.read() as tx:
        assert [account.id for account in await tx.guilds.accounts_of(ELSEWHERE)] == [world.account_id]
    assert (CHARLIE, servers.APPROVED) in world.discord.messages
    assert not (await servers.approve(world.services, ELSEWHERE, "operator")).is_new


async def test_a_removed_server_is_left_as_it_is(world: World) -> None:
    await world.plan("vip", VIP)
    subscription = await world.member("vip")
    await servers.remove(world.services, GUILD, "operator")
    world.now_reads(subscription, status=PurchaseStatus.ENDED)
    await world.webhook(subscription)
    await world.five_minutes()
    assert VIP in world.roles(CHARLIE)


async def test_staff_of_another_server_find_nothing_to_undo_or_release(world: World) -> None:
    changed = await server_settings.change(world.services, MANAGER, {"dms": False})
    assert changed.change_id is not None
    with pytest.raises(UserError, match="no such change in this server"):
        await undo.undo(world.services, STRANGER, changed.change_id)
    assert await undo.recent(world.services, STRANGER) == []
    with pytest.raises(UserError, match="no such held batch in this server"):
        await holds.held(world.services, ELSEWHERE, BatchId(1))


async def test_support_staff_cannot_undo_what_takes_manage_server(world: World) -> None:
    changed = await server_settings.change(world.services, MANAGER, {"dms": False})
    with pytest.raises(UserError, match="no such change"):
        await undo.undo(world.services, SUPPORT, changed.change_id or ChangeId(0))
    assert not (await world.guild()).dms


async def test_a_change_can_be_undone_for_seven_days(world: World) -> None:
    changed = await server_settings.change(world.services, MANAGER, {"time_zone": "Europe/Rome"})
    await world.advance(days=7, minutes=1)
    with pytest.raises(UserError, match="seven days"):
        await undo.undo(world.services, MANAGER, changed.change_id or ChangeId(0))


async def test_undoing_a_gift_takes_it_and_undoing_its_revocation_gives_it_back(world: World) -> None:
    plan = await world.plan("vip", VIP)
    world.joins(CHARLIE)
    until = world.clock.now() + timedelta(days=9)
    given = await comps.grant(world.services, SUPPORT, CHARLIE, Terms(plan_id=plan.id, until=until))
    await world.settle()
    revoked = await comps.revoke(world.services, SUPPORT, given.grant.id, when=RevokeWhen.NOW)
    await world.settle()
    assert VIP not in world.roles(CHARLIE)

    with pytest.raises(UserError, match="no such change"):
        await undo.undo(world.services, STRANGER, revoked.change_id)
    await undo.undo(world.services, SUPPORT, revoked.change_id)
    await world.settle()
    assert VIP in world.roles(CHARLIE)

    await undo.undo(world.services, MANAGER, given.change_id)
    await world.settle()
    assert VIP not in world.roles(CHARLIE)


async def test_undoing_an_exemption_looks_after_the_member_again(world: World) -> None:
    change_id = await exemptions.exempt(world.services, SUPPORT, CHARLIE, until=None, reason="a friend")
    await undo.undo(world.services, SUPPORT, change_id)
    async with world.services.store.read() as tx:
        assert await tx.exemptions.of_guild(GUILD, world.clock.now(), 10) == []
    assert await undo.recent(world.services, SUPPORT) == []


async def test_settings_that_make_no_sense_are_refused(world: World) -> None:
    for values in (
        {"time_zone": "Mars/Olympus"},
        {"invite_url": "javascript:alert(1)"},
        {"is_active": True},
        {"accent": "red"},
        {"accent": "ffee00"},
    ):
        with pytest.raises(UserError):
            await server_settings.change(world.services, MANAGER, values)
    assert (await server_settings.change(world.services, MANAGER, {"dms": True})).change_id is None


async def test_a_sold_role_that_is_deleted_or_grows_dangerous_is_told_once(world: World) -> None:
    await world.plan("vip", VIP)
    server = world.discord.guilds[GUILD]
    await role_watch.look(world.services, GUILD)
    server.dangers[VIP] = ("Manage Server",)
    await role_watch.look(world.services, GUILD)
    await role_watch.look(world.services, GUILD)
    told = await world.audit("role.unusable")
    assert [entry.detail and entry.detail["dangers"] for entry in told] == [["Manage Server"]]

    del server.roles[VIP]
    await role_watch.look(world.services, GUILD)
    await role_watch.look(world.services, GUILD)
    assert len(await world.audit("role.deleted")) == 1


@pytest.mark.parametrize("manual_change", ["restore", "accept"])
async def test_a_deleted_role_shows_on_its_members_and_can_be_made_again(world: World, manual_change: str) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await server_settings.change(world.services, MANAGER, {"manual_change": manual_change})
    await role_watch.look(world.services, GUILD)
    del world.discord.guilds[GUILD].roles[VIP]
    world.roles(CHARLIE).discard(VIP)
    await role_watch.look(world.services, GUILD)
    await world.settle()
    assert await world.standing(bought) == ["failed role_deleted"]

    async with world.services.store.read() as tx:
        (plan,) = await tx.plans.all(GUILD)
    made = await role_again.make_again(world.services, MANAGER, plan.id, VIP)
    await world.settle()
    assert world.roles(CHARLIE) == {made.role_id}
    assert await world.standing(bought) == ["delivered paid"]
    with pytest.raises(UserError, match="does not miss"):
        await role_again.make_again(world.services, MANAGER, plan.id, VIP)
    with pytest.raises(UserError, match="no such plan"):
        await role_again.make_again(world.services, STRANGER, plan.id, VIP)


async def test_an_outage_deletes_no_role(world: World) -> None:
    await world.plan("vip", VIP)
    world.discord.guilds[GUILD].is_available = False
    await role_watch.look(world.services, GUILD)
    assert await world.audit("role.deleted") == []


async def test_one_of_the_held_removals_is_released_to_test(new_world: Builder) -> None:
    world = await new_world(brake_removals=0, brake_removal_percent=0)
    await world.plan("vip", VIP)
    for user in (BOB, CHARLIE):
        subscription = await world.member("vip", user)
        await world.changes(subscription, status=PurchaseStatus.ENDED)
    (batch,) = await holds.held_in(world.services, GUILD)
    assert await holds.reasons(world.services, batch) == {Reason.CANCELLED: 2}
    await holds.release_one(world.services, batch.id, batch.set_hash, str(MANAGER))
    await world.settle()
    assert [VIP in world.roles(user) for user in (BOB, CHARLIE)].count(True) == 1
    (left,) = await holds.held_in(world.services, GUILD)
    assert left.id == batch.id
    with pytest.raises(UserError, match="has changed"):
        await holds.release(world.services, batch.id, batch.set_hash, str(MANAGER))
