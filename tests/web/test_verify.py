"""The button in Discord that finds a purchase by signing in: the page, the way back, and every way it can end."""

from __future__ import annotations

import pytest

from tests.web.stage import TICKET, TOKEN, Page, Stage
from web.parts import VerifyOutcome, VerifyResult

LINK = f"/verify/{TICKET}"


async def signs_in(stage: Stage) -> Page:
    """Walk from the button's link over Discord; return the answer to the way back."""
    leaving = await stage.browser.press(LINK)
    return await stage.browser.get(stage.discord.agree(leaving.location))


async def test_opening_the_link_names_who_should_sign_in_and_spends_nothing(stage: Stage) -> None:
    for _ in range(3):
        page = await stage.browser.get(LINK)
        assert (page.status, page.cookies) == (200, ())
        assert "@charlie" in page.text
    assert stage.membership.verified == []


async def test_whoever_pressed_the_button_is_connected_and_sees_the_role(stage: Stage) -> None:
    coming = await signs_in(stage)
    assert (coming.status, coming.location) == (303, "/verify/done")
    [wish] = stage.membership.verified
    assert (wish.user.username, wish.user.email) == ("charlie", "charlie@example.com")
    page = await stage.browser.get("/verify/done")
    assert "VIP is yours" in page.text
    assert "canary-access-token" not in page.text


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (VerifyResult.OTHER_ACCOUNT, "You pressed the button as @ada but signed in as @charlie."),
        (VerifyResult.NOTHING, "We found no purchase"),
        (VerifyResult.UNVERIFIED, "no verified e-mail address"),
        (VerifyResult.MOVED_TOO_OFTEN, "only the staff of the server can move this"),
        (VerifyResult.SOMEBODY_ELSES, "we never take it from there"),
        (VerifyResult.SWITCHED_OFF, "Send me a link by mail"),
        (VerifyResult.TICKET_OLD, "This link is old"),
    ],
)
async def test_every_other_end_says_what_to_do(stage: Stage, result: VerifyResult, words: str) -> None:
    stage.membership.verify_answer = VerifyOutcome(result=result, expected="@ada", masked_email="c••@example.com")
    await signs_in(stage)
    assert words in (await stage.browser.get("/verify/done")).text


async def test_a_denied_sign_in_leads_back_to_the_button(stage: Stage) -> None:
    leaving = await stage.browser.press(LINK)
    await stage.browser.get(stage.discord.deny(leaving.location))
    page = await stage.browser.get("/verify/done")
    assert "You pressed Cancel at Discord" in page.text
    assert f'href="{LINK}"' in page.text
    assert stage.membership.verified == []


async def test_an_unknown_ticket_leads_nowhere(stage: Stage) -> None:
    assert (await stage.browser.get("/verify/other")).status == 404
    assert (await stage.browser.press("/verify/other")).location == "/verify/other"


async def test_the_states_of_two_flows_stay_apart(stage: Stage) -> None:
    """A sign-in for a mailed link asks before it connects, though a button's sign-in is open in the same browser."""
    for_ticket = await stage.browser.press(LINK)
    for_link = await stage.browser.press(f"/connect/{TOKEN}")
    assert (await stage.browser.get(stage.discord.agree(for_link.location))).location == "/connect/confirm"
    assert stage.membership.verified == []
    assert (await stage.browser.get(stage.discord.agree(for_ticket.location))).location == "/verify/done"
    assert stage.membership.connected == []


async def test_a_state_serves_once(stage: Stage) -> None:
    leaving = await stage.browser.press(LINK)
    back = stage.discord.agree(leaving.location)
    await stage.browser.get(back)
    assert (await stage.browser.get(back)).status == 400
    assert len(stage.membership.verified) == 1
