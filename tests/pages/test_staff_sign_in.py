"""How staff come in, are asked once more before a change, and see the pages of their own servers only."""

from __future__ import annotations

from membership import first_sign_in
from membership.model import UserId
from tests.pages.stage import MANAGER, OUTSIDER, PageStage, Shown, Visitor

NEWCOMER = UserId(9100)


async def test_a_stranger_is_sent_to_the_sign_in_and_back_to_the_page(stage: PageStage) -> None:
    visitor = await stage.stranger()
    shown = await visitor.get("/admin?q=ada")
    assert shown.status == 303
    door = await visitor.follow(shown.location)
    assert "Staff sign-in" in door.words
    assert ("back", "/admin?q=ada") in door.form("Continue with Discord").fields


async def test_a_sign_in_never_leads_away_from_our_pages(stage: PageStage) -> None:
    visitor = await stage.stranger()
    for hostile in ("//evil.example", "https://evil.example", "/\\evil.example", "/%0d%0aX:1", "javascript:alert(1)"):
        door = await visitor.get(f"/admin/sign-in?back={hostile}")
        assert "evil.example" not in door.text


async def test_discord_says_who_it_is_and_the_browser_is_signed_in(stage: PageStage) -> None:
    visitor = await stage.stranger()
    stage.discord.me = {"id": str(MANAGER), "username": "mandy", "global_name": "Mandy"}
    door = await visitor.get("/admin/sign-in")
    leaving = await visitor.press(door, "Continue with Discord")
    coming = await visitor.get(stage.discord.agree(leaving.location))
    assert coming.location == "/admin"
    assert (await visitor.follow("/admin")).url == stage.at()


async def test_who_is_staff_of_no_server_sees_none(stage: PageStage) -> None:
    visitor = await stage.staff_member(OUTSIDER)
    shown = await visitor.get("/admin")
    assert "You are staff of no server here" in shown.words


async def test_signing_out_ends_it(stage: PageStage) -> None:
    visitor = await stage.staff_member(OUTSIDER)
    shown = await visitor.press(await visitor.get("/admin"), "Sign out")
    assert "You are signed out." in shown.words
    assert (await visitor.get("/admin")).location.startswith("/admin/sign-in")


async def through_discord(stage: PageStage, visitor: Visitor, door: Shown, user_id: UserId) -> Shown:
    stage.discord.me = {"id": str(user_id), "username": "newcomer", "global_name": "New"}
    leaving = await visitor.press(door, "Continue with Discord")
    return await visitor.follow(stage.discord.agree(leaving.location))


async def test_the_consoles_link_makes_an_operator_once(stage: PageStage) -> None:
    token = await first_sign_in.issue(stage.world.services, None, may_operate=True)
    visitor = await stage.stranger()
    shown = await through_discord(stage, visitor, await visitor.get(f"/admin/first/{token}"), NEWCOMER)
    assert shown.status == 200
    assert int(NEWCOMER) in stage.world.services.operators.ids
    assert (await visitor.get(f"/admin/first/{token}")).status == 404


async def test_opening_the_consoles_link_uses_nothing_up(stage: PageStage) -> None:
    token = await first_sign_in.issue(stage.world.services, None, may_operate=True)
    visitor = await stage.stranger()
    for _ in range(2):
        assert (await visitor.get(f"/admin/first/{token}")).status == 200


async def test_a_link_for_one_person_serves_nobody_else(stage: PageStage) -> None:
    token = await first_sign_in.issue(stage.world.services, NEWCOMER, may_operate=False)
    visitor = await stage.stranger()
    shown = await through_discord(stage, visitor, await visitor.get(f"/admin/first/{token}"), OUTSIDER)
    assert "made for another Discord account" in shown.words
    assert (await visitor.get("/admin")).status == 303
