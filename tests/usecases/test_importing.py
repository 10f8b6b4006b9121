"""Members come from a list: shown first, exactly that, once, and back again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from membership import importing, undo
from membership.actors import Actor
from membership.errors import UserError
from membership.exporting import Status, export
from membership.importing import Shown
from membership.model import ChangeId, GuildId, PlanId, UserId
from tests.usecases.world import ALICE, CHARLIE, GUILD, VIP, World

OWNER = Actor(guild_id=GUILD, user_id=ALICE, name="Alice", can_staff=True, can_manage=True, can_data=True)
STRANGER = replace(OWNER, guild_id=GuildId(200))
CHARLIES_ID = UserId(80351110224678912)
LIST = (
    "id,email,name,discord_id,plan,until\n"
    f"1,charlie@example.com,Charlie,{CHARLIES_ID},Gold,2026-12-31\n"
    "2,dora@example.com,Dora,,Gold,\n"
    "3,,Nobody,,Gold,\n"
)


async def shown_list(world: World, text: str = LIST) -> Shown:
    shown = await importing.dry_run(world.services, OWNER, file_name="list.csv", content=text.encode(), wanted=None)
    if any(tier.plan is None for tier in shown.tiers):
        async with world.services.store.read() as tx:
            plan = (await tx.plans.all(GUILD))[0]
        shown = await importing.map_tier(world.services, OWNER, shown.id, 0, plan.id)
    return shown


async def imports(world: World, text: str = LIST, *, is_inviting: bool = False) -> ChangeId:
    shown = await shown_list(world, text)
    ordered = await importing.order(world.services, OWNER, shown.id, shown.set_hash, is_inviting=is_inviting)
    await world.settle()
    assert await importing.is_done(world.services, OWNER, shown.id)
    return ordered.change_id


async def test_a_list_is_shown_then_imported_once_and_taken_back(world: World) -> None:
    world.joins(CHARLIES_ID)
    await world.plan("vip", VIP)
    first = await importing.dry_run(world.services, OWNER, file_name="list.csv", content=LIST.encode(), wanted=None)
    assert [(tier.name, tier.count, tier.plan) for tier in first.tiers] == [("Gold", 2, None)]
    assert (len(first.ready), [problem.row for problem in first.problems]) == (0, [4])
    change_id = await imports(world)
    assert world.roles(CHARLIES_ID) == {VIP}
    assert world.mailer.sent == []
    again = await shown_list(world)
    assert (again.fresh, again.changed, len(again.ready)) == (0, 0, 2)
    world.clock.move(timedelta(hours=1))
    longer = await imports(world, LIST.replace("2026-12-31", "2027-12-31"))
    await undo.undo(world.services, OWNER, longer)
    await world.settle()
    assert (await shown_list(world)).changed == 0
    assert world.roles(CHARLIES_ID) == {VIP}
    world.clock.move(timedelta(hours=1))
    back = await imports(world)
    assert back != change_id
    await undo.undo(world.services, OWNER, change_id)
    await world.settle()
    assert world.roles(CHARLIES_ID) == {VIP}, "what was changed since is left alone"


async def test_undoing_an_import_ends_what_it_gave_and_the_next_one_gives_it_again(world: World) -> None:
    world.joins(CHARLIES_ID)
    await world.plan("vip", VIP)
    change_id = await imports(world)
    world.clock.move(timedelta(hours=1))
    await undo.undo(world.services, OWNER, change_id)
    await world.settle()
    assert world.roles(CHARLIES_ID) == set()
    assert await statuses(world) == ["ended", "ended"]
    world.clock.move(timedelta(hours=1))
    await imports(world)
    assert world.roles(CHARLIES_ID) == {VIP}
    assert await statuses(world) == ["active", "waiting"]


async def test_only_who_has_no_discord_account_is_mailed_and_only_when_that_was_chosen(world: World) -> None:
    world.joins(CHARLIES_ID)
    await world.plan("vip", VIP)
    await imports(world, is_inviting=True)
    assert [(mail.to, mail.template) for mail in world.mailer.sent] == [("dora@example.com", "connect")]


async def test_who_is_in_their_own_list_is_told_of(world: World) -> None:
    await world.plan("vip", VIP)
    shown = await shown_list(world)
    for actor in (replace(OWNER, user_id=CHARLIES_ID), OWNER):
        await importing.order(world.services, actor, shown.id, shown.set_hash, is_inviting=False)
        shown = await shown_list(world)
    async with world.services.store.read() as tx:
        newest = await tx.audit.recent(2, guild_id=GUILD, events=("staff.action",))
    assert [(entry.detail or {})["is_self"] for _, _, entry in newest] == [False, True]


async def test_what_is_exported_can_be_imported_again(world: World) -> None:
    await world.plan("gold", VIP)
    await world.member("gold", user=CHARLIE)
    await imports(world)
    content, number = await export(world.services, OWNER, plan_id=None, status=Status.ALL)
    read = await importing.dry_run(world.services, OWNER, file_name="x", content=content, wanted=None)
    assert number == len(read.entries) + len(read.problems) == 3
    assert [tier.plan.name for tier in read.tiers if tier.plan] == ["GOLD"]
    dora = next(each for each in read.entries if each.email == "dora@example.com")
    charlie = next(each for each in read.entries if each.user_id == CHARLIES_ID)
    assert dora.until is None
    assert charlie.until == datetime(2027, 1, 1, tzinfo=UTC)


async def test_another_server_sees_and_touches_none_of_it(world: World) -> None:
    plan = await world.plan("vip", VIP)
    shown = await shown_list(world)
    with pytest.raises(UserError):
        await importing.look(world.services, STRANGER, shown.id)
    with pytest.raises(UserError):
        await importing.order(world.services, STRANGER, shown.id, shown.set_hash, is_inviting=False)
    with pytest.raises(UserError):
        await importing.map_tier(world.services, OWNER, shown.id, 0, PlanId(plan.id + 1))
    with pytest.raises(UserError):
        await importing.order(world.services, OWNER, shown.id, "0" * 16, is_inviting=False)
    change_id = await imports(world)
    with pytest.raises(UserError):
        await undo.undo(world.services, STRANGER, change_id)
    content, number = await export(world.services, STRANGER, plan_id=None, status=Status.ALL)
    assert (number, content.decode("utf-8-sig").count("\n")) == (0, 1)


async def statuses(world: World) -> list[str]:
    content, _ = await export(world.services, OWNER, plan_id=None, status=Status.ALL)
    return [line.split(",")[5] for line in content.decode("utf-8-sig").splitlines()[1:]]
