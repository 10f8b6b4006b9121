"""People who had a role before it was sold are shown on a page, and exactly they are decided about."""

from __future__ import annotations

from tests.pages.stage import MANAGER, STAFF, PageStage
from tests.usecases.world import CHARLIE, DORA, FRIEND, GUILD, VIP


async def test_earlier_holders_get_it_for_free_and_that_is_taken_back(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].members[DORA] = {VIP}
    plan = await stage.world.plan("vip", VIP)
    await stage.world.member("vip", CHARLIE)
    visitor = await stage.staff_member(MANAGER)
    form = await visitor.get(stage.at(f"/plans/{plan.id}"))
    asked = await visitor.get(next(link for link in form.links if "/holders/" in link))
    assert "1 person" in asked.words
    done = await visitor.press(asked, "Give to 1 person")
    assert "Decided for 1 person." in done.words
    await stage.world.settle()
    async with stage.world.services.store.read() as tx:
        assert sum((await tx.purchases.active_counts(GUILD)).values()) == 2
    assert "Taken back" in (await visitor.press(done, "Undo")).words


async def test_other_people_than_were_shown_are_not_decided_about(stage: PageStage) -> None:
    members = stage.world.discord.guilds[GUILD].members
    members[DORA] = {VIP}
    await stage.world.plan("vip", VIP)
    visitor = await stage.staff_member(MANAGER)
    asked = await visitor.get(stage.at(f"/holders/{VIP}"))
    members[CHARLIE] = {VIP}
    refused = await visitor.press(asked, "Give to 1 person")
    assert refused.status == 400
    async with stage.world.services.store.read() as tx:
        assert await tx.adoptions.get(GUILD, VIP) is None


async def test_where_discord_does_not_say_nobody_is_touched(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    visitor = await stage.staff_member(MANAGER)
    assert "nothing to decide" in (await visitor.get(stage.at(f"/holders/{VIP}"))).words
    assert (await visitor.post(stage.at(f"/holders/{VIP}"), {"policy": "ban"})).status == 400


async def test_roles_that_no_plan_gives_are_not_found(stage: PageStage) -> None:
    visitor = await stage.staff_member(MANAGER)
    for path in (f"/holders/{FRIEND}", "/holders/4711", "/holders/x"):
        assert (await visitor.get(stage.at(path))).status == 404
        assert (await visitor.post(stage.at(path), {"policy": "leave"})).status == 404
    support = await stage.staff_member(STAFF)
    assert (await support.get(stage.at(f"/holders/{VIP}"))).status == 403
