"""The page after paying: it follows the purchase from the payment to the role, without any script."""

from __future__ import annotations

import re
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from tests.web.stage import CHECKOUT, DELIVERED, KEY, PAID, WELCOME, Page, Stage, a_stage
from web.parts import AccessState, Delay, Progress


def refresh(page: Page) -> str:
    """Return what the page tells the browser to do by itself, "" for nothing."""
    found = re.search(r'http-equiv="refresh" content="([^"]*)"', page.text)
    return found[1] if found else ""


async def test_a_paid_purchase_offers_to_connect(stage: Stage) -> None:
    page = await stage.browser.get(WELCOME)
    for words in ("Thank you, Ada", "9.00 €", "a••@example.com", "Continue with Discord", "#get-access"):
        assert words in page.text
    assert refresh(page) == ""


@pytest.mark.parametrize("key", ["", "&key=", "&key=canary-link-token", f"&key={KEY}x", "&key=" + "x" * 300])
async def test_whoever_only_knows_the_checkout_learns_and_connects_nothing(stage: Stage, key: str) -> None:
    page = await stage.browser.get(f"/welcome?session_id={CHECKOUT}{key}&look=3")
    assert page.status == 200
    assert "The link in your mail connects it" in page.text
    for words in ("Ada", "9.00", "VIP", "Continue with Discord", "http-equiv"):
        assert words not in page.text
    assert stage.membership.late_questions == 0


async def test_whoever_only_knows_the_checkout_is_not_sent_to_discord(stage: Stage) -> None:
    for form in ({}, {"key": "canary-link-token"}):
        answer = await stage.browser.press("/welcome", session_id=CHECKOUT, **form)
        assert (answer.status, answer.cookies) == (200, ())
        assert "The link in your mail connects it" in answer.text


async def test_whoever_comes_without_a_checkout_is_shown_the_ways_on(stage: Stage) -> None:
    page = await stage.browser.get("/welcome")
    assert page.status == 200
    for text in ("This page follows a payment", 'href="/sign-in"', 'href="/"'):
        assert text in page.text


async def test_the_way_to_use_a_code_follows_the_settings(tmp_path: Path) -> None:
    async with a_stage(tmp_path, claim_command="/claim") as stage:
        page = await stage.browser.get(WELCOME)
    assert "<code>/claim</code>" in page.text
    assert "!claim" not in page.text


async def test_a_payment_that_is_not_confirmed_yet_is_waited_for(stage: Stage) -> None:
    stage.membership.checkouts = {}
    page = await stage.browser.get(WELCOME)
    assert "Waiting for the confirmation" in page.text
    assert refresh(page) == f"2;url=/welcome?session_id={CHECKOUT}&amp;key={KEY}&amp;look=1"
    assert "Continue with Discord" not in page.text


async def test_the_provider_is_asked_only_when_the_webhook_is_late(stage: Stage) -> None:
    stage.membership.checkouts = {}
    for look in range(3):
        await stage.browser.get(f"{WELCOME}&look={look}")
    assert stage.membership.late_questions == 0
    for look in range(3, 9):
        await stage.browser.get(f"{WELCOME}&look={look}")
    assert stage.membership.late_questions == 2


async def test_the_page_gives_up_after_a_while_and_says_so(stage: Stage) -> None:
    stage.membership.checkouts = {}
    page = await stage.browser.get(f"{WELCOME}&look=40")
    assert refresh(page) == ""
    assert "We have not heard of this payment" in page.text


async def test_invented_checkouts_do_not_become_questions_to_the_provider_without_end(stage: Stage) -> None:
    for number in range(50):
        page = await stage.browser.get(f"/welcome?session_id=cs_invented_{number}&key={KEY}&look=3")
        assert page.status == 200
    assert stage.membership.late_questions == 40


@pytest.mark.parametrize("look", ["-1", "x", "9" * 50, "١", ""])
async def test_a_strange_count_of_looks_is_the_first_look(stage: Stage, look: str) -> None:
    assert (await stage.browser.get(f"{WELCOME}&look={look}")).status == 200


@pytest.mark.parametrize("session_id", ["x", "a b c d e f", "<script>alert(1)</script>", "x" * 300, "../../../../x"])
async def test_what_is_no_checkout_is_not_looked_up(stage: Stage, session_id: str) -> None:
    assert (await stage.browser.get(f"/welcome?session_id={session_id}")).status == 404


async def test_the_button_leads_to_discord_and_ends_at_the_same_purchase(stage: Stage) -> None:
    leaving = await stage.browser.press("/welcome", session_id=CHECKOUT, key=KEY)
    coming = await stage.browser.get(stage.discord.agree(leaving.location))
    await stage.browser.press(coming.location, choice="connect")
    assert [wish.purchase_id for wish in stage.membership.connected] == [PAID.purchase_id]


async def test_cancelling_at_discord_leads_back_to_this_page(stage: Stage) -> None:
    leaving = await stage.browser.press("/welcome", session_id=CHECKOUT, key=KEY)
    coming = await stage.browser.get(stage.discord.deny(leaving.location))
    assert f'href="{escape(WELCOME)}"' in (await stage.browser.get(coming.location)).text


@pytest.mark.parametrize("progress", [None, Progress(is_paid=False), replace(PAID, connected_as="@ada")], ids=str)
async def test_nobody_is_sent_to_discord_before_payment_or_after_connecting(
    stage: Stage, progress: Progress | None
) -> None:
    stage.membership.checkouts = {} if progress is None else {CHECKOUT: progress}
    assert (await stage.browser.press("/welcome", session_id=CHECKOUT, key=KEY)).location == WELCOME


async def test_a_connected_buyer_sees_the_role_arrive(stage: Stage) -> None:
    working = replace(DELIVERED, state=AccessState.WORKING, delay=Delay.TROUBLE, wait_seconds=40)
    stage.membership.checkouts[CHECKOUT] = replace(PAID, connected_as="@ada", access=(working,))
    page = await stage.browser.get(WELCOME)
    assert "Connected as @ada" in page.text
    assert "Discord is busy: about 40 s" in page.text
    assert refresh(page).startswith("5;")
    stage.membership.checkouts[CHECKOUT] = replace(PAID, connected_as="@ada", access=(DELIVERED,))
    page = await stage.browser.get(WELCOME)
    assert "Open Discord" in page.text
    assert refresh(page) == ""
