"""Reports and codes: charts with their numbers and files; codes that are shown once and switched off."""

from __future__ import annotations

from dataclasses import replace

import pytest

from membership import plan_codes
from membership.actors import Actor
from membership.model import GuildId
from tests.pages.stage import MANAGER, OWNER, STAFF, PageStage
from tests.usecases.world import GUILD, VIP

ACTOR = Actor(guild_id=GUILD, user_id=MANAGER, can_staff=True, can_manage=True)


@pytest.mark.parametrize("name", ["", "/members", "/revenue", "/delivery"])
async def test_every_report_has_a_chart_a_table_and_a_file(stage: PageStage, name: str) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip")
    await stage.world.advance(hours=1)
    manager = await stage.staff_member(MANAGER)
    shown = await manager.get(stage.at(f"/reports{name}?days=7"))
    assert shown.status == 200
    assert "<svg" in shown.text
    assert "Show numbers" in shown.words
    file = await manager.get(next(link for link in shown.links if link.split("?")[0].endswith("/file")))
    assert file.headers["Content-Type"].startswith("text/csv")
    assert len(file.text.splitlines()) > 7


async def test_a_server_without_a_record_says_so(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    assert "Nothing is written down here yet." in (await manager.get(stage.at("/reports"))).words


async def test_a_report_or_a_plan_that_is_not_there_is_not_found(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    assert (await manager.get(stage.at("/reports/secrets"))).status == 404
    assert (await manager.get(stage.at("/reports?plan=x"))).status == 404
    assert (await manager.get(stage.at("/reports?days=99999999999999999999"))).status == 200
    assert (await (await stage.staff_member(STAFF)).get(stage.at("/reports"))).status == 403


async def test_codes_are_made_shown_to_their_maker_alone_and_listed(stage: PageStage) -> None:
    plan = await stage.world.plan("vip", VIP)
    manager, owner = await stage.staff_member(MANAGER), await stage.staff_member(OWNER)

    wish = {"plan": str(plan.id), "days": "30", "count": "3", "uses": "1", "label": "Fair <2026>"}
    made = await manager.follow((await manager.post(stage.at("/codes/new"), wish)).location)

    assert "3 codes for VIP" in made.words
    assert "Fair <2026>" in made.words
    assert (await owner.get(made.url)).status == 404
    listed = await manager.get(stage.at("/codes"))
    one = next(link for link in listed.links if "/codes/" in link and not link.endswith("/new"))
    assert "VIP, 30 days" in (await manager.get(one)).words


@pytest.mark.parametrize(
    ("field", "value"),
    [("count", "0"), ("count", "501"), ("uses", "x"), ("days", "-1"), ("expires", "2020-01-01"), ("plan", "99")],
)
async def test_what_does_not_work_is_said_at_its_field(stage: PageStage, field: str, value: str) -> None:
    plan = await stage.world.plan("vip", VIP)
    manager = await stage.staff_member(MANAGER)
    wish = {"plan": str(plan.id), "days": "30", "count": "1", "uses": "1", "expires": "", "label": "", field: value}
    shown = await manager.post(stage.at("/codes/new"), wish)
    assert shown.status == 422
    assert f'href="#f-{field}"' in shown.text
    assert await plan_codes.labels(stage.world.services, ACTOR) == []


async def test_nobody_gives_power_away_that_stands_above_them(stage: PageStage) -> None:
    plan = await stage.world.plan("vip", VIP)
    guild = stage.world.discord.guilds[GUILD]
    guild.dangers[VIP], guild.roles[VIP] = ("Manage Messages",), 40
    wish = {"plan": str(plan.id), "days": "", "count": "1", "uses": "1"}
    manager, owner = await stage.staff_member(MANAGER), await stage.staff_member(OWNER)
    assert (await manager.post(stage.at("/codes/new"), wish)).status == 422
    assert (await owner.post(stage.at("/codes/new"), wish)).status == 303


async def test_codes_are_switched_off_as_they_were_shown(stage: PageStage) -> None:
    plan = await stage.world.plan("vip", VIP)
    await plan_codes.create(
        stage.world.services, ACTOR, plan_codes.Terms(plan_id=plan.id, days=None, count=2, label="x")
    )
    name = plan_codes.label_name("x")
    manager = await stage.staff_member(MANAGER)
    asking = await manager.get(stage.at(f"/codes/void/{name}"))
    assert (await manager.post(stage.at(f"/codes/void/{name}"), {"count": "1"})).status == 409
    assert "2 codes are switched off." in (await manager.press(asking, "Switch off")).words
    assert (await manager.get(stage.at(f"/codes/void/{name}"))).status == 404


async def test_another_server_s_codes_are_not_there(stage: PageStage) -> None:
    plan = await stage.world.plan("vip", VIP)
    await plan_codes.create(stage.world.services, ACTOR, plan_codes.Terms(plan_id=plan.id, days=None, label="x"))
    async with stage.world.services.store.write() as tx:
        guild = await tx.guilds.ensure(GuildId(999), "Other")
        await tx.guilds.replace(replace(guild, is_active=True))
    stage.world.discord.guilds[GuildId(999)] = stage.world.discord.guilds[GUILD]
    manager = await stage.staff_member(MANAGER)
    name = plan_codes.label_name("x")
    assert (await manager.get(f"/admin/999/codes/{name}")).status == 404
    assert (await manager.post(f"/admin/999/codes/void/{name}", {"count": "1"})).status == 404
    assert (await plan_codes.labels(stage.world.services, ACTOR))[0].void == 0


async def test_no_code_yet_is_said(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    assert "There are no codes yet." in (await manager.get(stage.at("/codes"))).words
    assert "There is no plan to give." in (await manager.get(stage.at("/codes/new"))).words
    assert (await manager.get(stage.at("/codes/unknown"))).status == 404
