"""The way to Discord and back: states, and whatever Discord or the person answers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from tests.web.stage import TOKEN, Stage

LINK = f"/connect/{TOKEN}"


@pytest.mark.parametrize("query", ["", "?code=a", "?state=a", "?code=a&state=invented", "?code=a&state=" + "x" * 4000])
async def test_a_missing_or_invented_state_is_refused_without_asking_discord(stage: Stage, query: str) -> None:
    page = await stage.browser.get(f"/oauth/discord/callback{query}")
    assert page.status == 400
    assert stage.discord.token_calls == 0


async def test_a_state_is_worth_nothing_in_another_browser(stage: Stage) -> None:
    leaving = await stage.browser.press(LINK)
    coming_back = stage.discord.agree(leaving.location)
    async with stage.another_browser() as victim:
        await victim.press(LINK)
        assert (await victim.get(coming_back)).status == 400
    assert stage.discord.token_calls == 0


async def test_a_state_serves_once_even_in_parallel(stage: Stage) -> None:
    leaving = await stage.browser.press(LINK)
    coming_back = stage.discord.agree(leaving.location)
    pages = await asyncio.gather(*(stage.browser.get(coming_back) for _ in range(8)))
    assert sorted(page.status for page in pages) == [303] + 7 * [400]
    assert stage.discord.token_calls == 1


async def test_a_state_is_too_old_after_ten_minutes(stage: Stage) -> None:
    leaving = await stage.browser.press(LINK)
    stage.clock.advance(timedelta(minutes=10, seconds=1))
    assert (await stage.browser.get(stage.discord.agree(leaving.location))).status == 400
    assert stage.discord.token_calls == 0


async def test_many_invented_states_are_answered_shorter(stage: Stage) -> None:
    answers = [(await stage.browser.get("/oauth/discord/callback?code=a&state=b")).status for _ in range(40)]
    assert answers.count(429) == 10
    await stage.sign_in()  # an honest sign-in from the same address still works


async def test_two_tabs_can_sign_in_side_by_side(stage: Stage) -> None:
    first = await stage.browser.press(LINK)
    await stage.browser.press(LINK)
    assert (await stage.browser.get(stage.discord.agree(first.location))).status == 303


async def test_each_sign_in_gets_a_new_session_key(stage: Stage) -> None:
    keys: set[str] = set()
    for _ in range(2):
        leaving = await stage.browser.press(LINK)
        coming = await stage.browser.get(stage.discord.agree(leaving.location))
        keys.update(cookie for cookie in coming.cookies if cookie.startswith("doorlist-connect="))
    assert len(keys) == 2


# --- ways to stop -------------------------------------------------------------------------------------------------


async def test_pressing_cancel_at_discord_keeps_the_link(stage: Stage) -> None:
    leaving = await stage.browser.press(LINK)
    coming = await stage.browser.get(stage.discord.deny(leaving.location))
    page = await stage.browser.get(coming.location)
    assert "You pressed Cancel at Discord" in page.text
    assert f'href="{LINK}"' in page.text


BAD_TOKEN_ANSWERS = {
    "429": lambda: web.json_response({"message": "slow"}, status=429, headers={"Retry-After": "3"}),
    "500": lambda: web.Response(status=500, text="oops"),
    "503 HTML": lambda: web.Response(status=503, text="<h1>down</h1>", content_type="text/html"),
    "200 HTML": lambda: web.Response(text="<h1>hello</h1>", content_type="text/html"),
    "200 list": lambda: web.json_response([]),
    "200 error": lambda: web.json_response({"error": "invalid_grant"}),
    "200 empty": lambda: web.json_response({}),
    "302": lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
    "400 grant": lambda: web.json_response({"error": "invalid_grant"}, status=400),
    "401 client": lambda: web.json_response({"error": "invalid_client"}, status=401),
    "deep": lambda: web.Response(text="[" * 60000, content_type="application/json"),
    "huge": lambda: web.Response(body=b"1" * 3_000_000, content_type="application/json"),
}


@pytest.mark.parametrize("name", BAD_TOKEN_ANSWERS)
async def test_whatever_the_token_endpoint_says_the_page_is_calm_and_the_link_intact(stage: Stage, name: str) -> None:
    stage.discord.token_answer = BAD_TOKEN_ANSWERS[name]()
    leaving = await stage.browser.press(LINK)
    coming = await stage.browser.get(stage.discord.agree(leaving.location))
    assert coming.location == "/connect/done"
    page = await stage.browser.get(coming.location)
    assert page.status in (400, 503)
    assert f'href="{LINK}"' in page.text
    assert (await stage.browser.get("/connect/confirm")).location == "/connect/done"
    assert stage.membership.connected == []


@pytest.mark.parametrize(
    "me",
    [{}, {"id": "x", "username": "y"}, {"id": "1"}, {"id": 5, "username": "y"}, {"error": "x"}],
    ids=str,
)
async def test_a_strange_user_is_nobody(stage: Stage, me: dict[str, object]) -> None:
    stage.discord.me_answer = web.json_response(me)
    leaving = await stage.browser.press(LINK)
    coming = await stage.browser.get(stage.discord.agree(leaving.location))
    assert coming.location == "/connect/done"


async def test_a_bots_account_is_refused(stage: Stage) -> None:
    stage.discord.me["bot"] = True
    page = await stage.sign_in()
    assert "bot&#39;s account" in page.text
    assert stage.membership.connected == []


async def test_discord_away_is_not_an_error_page(stage: Stage) -> None:
    leaving = await stage.browser.press(LINK)
    stage.discord.token_answer = web.Response(status=502)
    coming = await stage.browser.get(stage.discord.agree(leaving.location))
    assert "Discord is not answering" in (await stage.browser.get(coming.location)).text
