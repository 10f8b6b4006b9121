"""The page of problems: what it tells, who may press, and what a press does."""

from __future__ import annotations

from datetime import timedelta

from tests.pages.stage import MANAGER, OUTSIDER, PageStage
from tests.usecases.fake_discord import BOT_POSITION
from tests.usecases.world import CHARLIE, GUILD, VIP, World


async def refuse_the_role(world: World) -> None:
    """Let the role of a plan be above the bot, and somebody buy it."""
    await world.plan("vip", VIP)
    world.discord.guilds[GUILD].roles[VIP] = BOT_POSITION + 1
    world.joins(CHARLIE)
    await world.links(await world.buys("vip"), CHARLIE)


async def test_it_says_that_all_is_well(stage: PageStage) -> None:
    await stage.world.five_minutes()
    staff = await stage.staff_member()
    shown = await staff.get(stage.at("/problems"))
    assert shown.status == 200
    assert "No problems." in shown.words


async def test_it_names_the_cause_the_fix_and_whom_it_concerns(stage: PageStage) -> None:
    await refuse_the_role(stage.world)
    staff = await stage.staff_member()
    shown = await staff.get(stage.at("/problems"))
    assert "1 not delivered" in shown.words
    assert "drag the bot's role above" in shown.words
    assert any("/orders/" in link for link in shown.links)


async def test_retry_all_gives_what_can_be_given_by_now(stage: PageStage) -> None:
    await refuse_the_role(stage.world)
    staff = await stage.staff_member()
    shown = await staff.get(stage.at("/problems"))
    stage.world.discord.guilds[GUILD].roles[VIP] = 1

    shown = await staff.press(shown, "Retry all")
    await stage.world.settle()

    assert "looking at 1 member again" in shown.words
    assert stage.world.roles(CHARLIE) == {VIP}
    assert "No problems." in (await staff.get(stage.at("/problems"))).words


async def test_a_press_on_what_is_solved_already_says_so(stage: PageStage) -> None:
    staff = await stage.staff_member()
    answer = await staff.post(stage.at("/problems/retry"), {"kind": "grants", "subject": "role_above_bot"})
    assert "nothing to try again" in (await staff.follow(answer.location)).words


async def test_a_kind_that_does_not_exist_is_not_there(stage: PageStage) -> None:
    staff = await stage.staff_member()
    assert (await staff.post(stage.at("/problems/retry"), {"kind": "?", "subject": "x"})).status == 404
    assert (await staff.post(stage.at("/problems/retry"), {"kind": "grants", "subject": "x"})).status == 404


async def test_it_reminds_everybody_who_has_not_connected(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip")
    await stage.world.advance(days=2)
    staff = await stage.staff_member()
    shown = await staff.press(await staff.get(stage.at("/problems")), "Remind all")
    assert "1 mail is on its way." in shown.words


async def test_only_managers_are_sent_to_pages_of_managers(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    stage.world.discord.guilds[GUILD].roles.pop(VIP)
    staff, manager = await stage.staff_member(), await stage.staff_member(MANAGER)
    assert "Open the plans" not in (await staff.get(stage.at("/problems"))).words
    assert "Open the plans" in (await manager.get(stage.at("/problems"))).words


async def test_nobody_else_sees_it(stage: PageStage) -> None:
    outsider = await stage.staff_member(OUTSIDER)
    assert (await outsider.get(stage.at("/problems"))).status == 404
    assert (await outsider.post(stage.at("/problems/retry"), {"kind": "jobs"})).status == 404


async def test_it_tells_when_it_was_checked_last(stage: PageStage) -> None:
    stage.world.clock.move(timedelta(minutes=1))
    staff = await stage.staff_member()
    assert "first check comes within five minutes" in (await staff.get(stage.at("/problems"))).words
