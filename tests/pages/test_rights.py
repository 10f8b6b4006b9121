"""How long a right lasts: a role that is gone closes the pages within a minute, an old proof is renewed first."""

from __future__ import annotations

from datetime import timedelta

from membership.errors import Retry
from tests.pages.stage import MANAGER, STAFF, PageStage, Shown, Visitor
from tests.usecases.fake_discord import MANAGES_ROLES
from tests.usecases.world import GUILD
from web.rights import KEPT

REASON = "a quiet evening"


async def pauses(stage: PageStage, visitor: Visitor) -> Shown:
    return await visitor.post(stage.at("/brake/pause"), {"reason": REASON})


async def agrees_again(stage: PageStage, visitor: Visitor, kept: Shown) -> Shown:
    """Prove once more at Discord who it is, and come back to the page with the last click."""
    stage.discord.me = {"id": str(MANAGER), "username": "mandy", "global_name": "Mandy"}
    leaving = await visitor.press(kept, "Continue with Discord")
    return await visitor.follow(stage.discord.agree(leaving.location))


async def test_a_role_that_was_taken_closes_the_pages_within_a_minute(stage: PageStage) -> None:
    visitor = await stage.staff_member(STAFF)
    assert (await visitor.get(stage.at("/members"))).status == 200
    stage.world.discord.guilds[GUILD].powers.pop(STAFF)
    stage.world.clock.move(KEPT)
    assert (await visitor.get(stage.at("/members"))).status == 404


async def test_who_lost_manage_server_keeps_what_manage_roles_opens(stage: PageStage) -> None:
    visitor = await stage.staff_member(MANAGER)
    assert (await visitor.get(stage.at("/plans"))).status == 200
    stage.world.discord.guilds[GUILD].powers[MANAGER] = MANAGES_ROLES
    stage.world.clock.move(KEPT)
    assert (await visitor.get(stage.at("/plans"))).status == 403
    assert (await visitor.get(stage.at("/members"))).status == 200


async def test_discord_is_not_asked_about_every_page(stage: PageStage) -> None:
    visitor = await stage.staff_member(STAFF)
    for path in ("/members", "/problems", "/events"):
        await visitor.get(stage.at(path))
    assert len(stage.world.discord.faults.of("rights")) == 1


async def test_nobody_gets_in_while_discord_cannot_say_who_they_are(stage: PageStage) -> None:
    visitor = await stage.staff_member(STAFF)
    stage.world.discord.faults.fails("rights", Retry("Discord is down"))
    assert (await visitor.get(stage.at("/members"))).status == 503


async def test_an_old_proof_changes_nothing_and_what_was_sent_is_kept(stage: PageStage) -> None:
    visitor = await stage.staff_member(MANAGER)
    stage.world.clock.move(timedelta(minutes=15))
    asked = await visitor.follow((await pauses(stage, visitor)).location)
    assert "Continue with Discord" in asked.words
    assert (await stage.world.guild()).paused_at is None


async def test_after_the_new_proof_one_click_does_it(stage: PageStage) -> None:
    visitor = await stage.staff_member(MANAGER)
    stage.world.clock.move(timedelta(minutes=15))
    asked = await visitor.follow((await pauses(stage, visitor)).location)
    again = await agrees_again(stage, visitor, asked)
    assert (await stage.world.guild()).paused_at is None, "coming back alone does nothing"
    await visitor.press(again, "Go on")
    assert (await stage.world.guild()).pause_reason == REASON


async def test_what_one_person_sent_is_not_for_another(stage: PageStage) -> None:
    visitor, other = await stage.staff_member(MANAGER), await stage.staff_member(STAFF)
    stage.world.clock.move(timedelta(minutes=15))
    kept = (await pauses(stage, visitor)).location
    shown = await other.get(kept)
    assert shown.status == 400
    assert REASON not in shown.text


async def test_a_fresh_proof_is_not_asked_for_again(stage: PageStage) -> None:
    visitor = await stage.staff_member(MANAGER)
    stage.world.clock.move(timedelta(minutes=14, seconds=59))
    await pauses(stage, visitor)
    assert (await stage.world.guild()).paused_at is not None
