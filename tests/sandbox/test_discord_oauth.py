"""OAuth2: the consent page, codes, PKCE, refresh, revocation."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from yarl import URL

from sandbox.discord.oauth import s256
from tests.sandbox.discord_stage import REDIRECT, Stage, a_stage

VERIFIER = "v" * 43


def consent_url(stage: Stage, **changes: str) -> str:
    query = {
        "client_id": stage.local.portal.client_id,
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "identify email",
        "state": "s1",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    return str(URL(f"{stage.url}/oauth2/authorize").with_query(query | changes))


async def exchange(stage: Stage, **form: str) -> tuple[int, Any]:
    basic = aiohttp.encode_basic_auth(stage.local.portal.client_id, stage.local.portal.client_secret)
    url, headers = f"{stage.url}/api/v10/oauth2/token", {"Authorization": basic}
    async with stage.http.post(url, data=form, headers=headers) as response:
        return response.status, await response.json()


async def exchange_code(stage: Stage, code: str, **changes: str) -> tuple[int, Any]:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
    return await exchange(stage, **(form | changes))


def a_code(stage: Stage) -> str:
    return URL(stage.local.authorize(consent_url(stage), stage.charlie)).query["code"]


async def test_the_page_names_the_scopes_and_lists_people_to_sign_in_as() -> None:
    async with a_stage() as stage:
        async with stage.http.get(consent_url(stage)) as response:
            page = await response.text()
        assert response.status == 200
        assert "See your e-mail address" in page
        assert re.findall(r"@(\w+)</span>", page) == ["alice", "bob", "charlie", "dora"]
        assert "<script" not in page


async def test_choosing_somebody_sends_the_browser_back_with_code_and_state() -> None:
    async with a_stage() as stage:
        form = dict(URL(consent_url(stage)).query) | {"user_id": str(stage.charlie.id)}
        async with stage.http.post(f"{stage.url}/oauth2/authorize", data=form, allow_redirects=False) as response:
            back = URL(response.headers["Location"])
        assert (response.status, str(back.with_query(None)), back.query["state"]) == (302, REDIRECT, "s1")
        status, token = await exchange_code(stage, back.query["code"])
        assert (status, token["token_type"], token["expires_in"]) == (200, "Bearer", 604_800)
        _, me = await stage.api("GET", "/users/@me", token=f"Bearer {token['access_token']}")
        assert (me["id"], me["email"], me["verified"]) == (str(stage.charlie.id), "charlie@example.com", True)


async def test_cancel_sends_the_browser_back_with_access_denied() -> None:
    async with a_stage() as stage:
        form = dict(URL(consent_url(stage)).query) | {"answer": "cancel"}
        async with stage.http.post(f"{stage.url}/oauth2/authorize", data=form, allow_redirects=False) as response:
            back = URL(response.headers["Location"])
        assert (back.query["error"], back.query["state"]) == ("access_denied", "s1")


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": REDIRECT + "/"},
        {"client_id": "1"},
        {"scope": "identify everything"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
    ],
)
async def test_a_wrong_request_is_shown_and_never_redirected(change: dict[str, str]) -> None:
    async with a_stage() as stage, stage.http.get(consent_url(stage, **change)) as response:
        assert response.status == 400
        assert 'role="alert"' in await response.text()


async def test_a_code_works_once() -> None:
    async with a_stage() as stage:
        code = a_code(stage)
        assert (await exchange_code(stage, code))[0] == 200
        assert (await exchange_code(stage, code))[1]["error"] == "invalid_grant"


@pytest.mark.parametrize("change", [{"code_verifier": "wrong"}, {"redirect_uri": "http://127.0.0.1:9/other"}])
async def test_a_code_needs_its_verifier_and_its_redirect_uri(change: dict[str, str]) -> None:
    async with a_stage() as stage:
        status, body = await exchange_code(stage, a_code(stage), **change)
        assert (status, body["error"]) == (400, "invalid_grant")


async def test_a_code_is_old_after_a_minute() -> None:
    async with a_stage() as stage:
        code = a_code(stage)
        await stage.clock.advance(timedelta(minutes=1))
        assert (await exchange_code(stage, code))[0] == 400


async def test_a_refresh_token_works_once() -> None:
    async with a_stage() as stage:
        _, first = await exchange_code(stage, a_code(stage))
        form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        status, second = await exchange(stage, **form)
        assert (status, second["scope"]) == (200, "identify email")
        assert (await exchange(stage, **form))[1]["error"] == "invalid_grant"
        assert (await stage.api("GET", "/users/@me", token=f"Bearer {first['access_token']}"))[0] == 401


async def test_an_access_token_lives_seven_days() -> None:
    async with a_stage() as stage:
        _, token = await exchange_code(stage, a_code(stage))
        await stage.clock.advance(timedelta(days=7))
        assert (await stage.api("GET", "/users/@me", token=f"Bearer {token['access_token']}"))[0] == 401


async def test_revoking_one_token_revokes_them_all() -> None:
    async with a_stage() as stage:
        tokens = [(await exchange_code(stage, a_code(stage)))[1] for _ in range(2)]
        login = {"client_id": stage.local.portal.client_id, "client_secret": stage.local.portal.client_secret}
        form = login | {"token": tokens[0]["access_token"]}
        async with stage.http.post(f"{stage.url}/api/v10/oauth2/token/revoke", data=form) as response:
            assert response.status == 200
        for token in tokens:
            assert (await stage.api("GET", "/users/@me", token=f"Bearer {token['access_token']}"))[0] == 401


async def test_the_token_endpoint_wants_a_form_and_the_secret() -> None:
    async with a_stage() as stage:
        url = f"{stage.url}/api/v10/oauth2/token"
        async with stage.http.post(url, json={"grant_type": "authorization_code"}) as response:
            assert response.status == 415
        wrong = {"client_id": stage.local.portal.client_id, "client_secret": "wrong", "grant_type": "refresh_token"}
        async with stage.http.post(url, data=wrong) as response:
            assert (response.status, (await response.json())["error"]) == (401, "invalid_client")


async def test_the_email_needs_its_scope() -> None:
    async with a_stage() as stage:
        back = stage.local.authorize(consent_url(stage, scope="identify"), stage.charlie)
        _, token = await exchange_code(stage, URL(back).query["code"])
        _, me = await stage.api("GET", "/users/@me", token=f"Bearer {token['access_token']}")
        assert "email" not in me


async def test_a_users_token_opens_no_bot_routes() -> None:
    async with a_stage() as stage:
        _, token = await exchange_code(stage, a_code(stage))
        status, _ = await stage.api("GET", f"/guilds/{stage.guild.id}", token=f"Bearer {token['access_token']}")
        assert status == 401


async def test_a_refusal_can_be_given_without_a_browser() -> None:
    async with a_stage() as stage:
        assert URL(stage.local.deny(consent_url(stage))).query["error"] == "access_denied"
