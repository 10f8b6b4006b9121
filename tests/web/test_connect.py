"""The connect flow: from the mailed link over Discord to the role, and every way it can stop."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from yarl import URL

from membership.codes import digest
from membership.errors import Audience, Blocked, Reason, Retry, UserError
from tests.web.stage import DELIVERED, PREVIEW, TOKEN, Stage
from web.parts import AccessState, ConnectOutcome, ConnectPreview, ConnectResult, ConnectReview, LinkState

LINK = f"/connect/{TOKEN}"


async def test_the_link_names_purchase_and_server_before_anything_happens(stage: Stage) -> None:
    page = await stage.browser.get(LINK)
    assert page.status == 200
    for words in ("VIP", "Ada&#39;s Trading Room", "a••@example.com", "Continue with Discord"):
        assert words in page.text


async def test_opening_the_link_fifty_times_sets_no_cookie_and_changes_nothing(stage: Stage) -> None:
    for _ in range(25):
        assert (await stage.browser.get(LINK)).cookies == ()
        async with stage.browser.session.head(stage.base + LINK) as answer:
            assert answer.status == 200
    assert stage.membership.connected == []


async def test_a_scanner_that_presses_the_button_binds_nothing(stage: Stage) -> None:
    leaving = await stage.browser.press(LINK)
    assert leaving.status == 303
    assert stage.membership.connected == []
    assert "VIP" in (await stage.browser.get(LINK)).text


async def test_leaving_for_discord_asks_for_three_scopes_and_the_configured_way_back(stage: Stage) -> None:
    leaving = await stage.browser.press(LINK)
    query = parse_qs(urlsplit(leaving.location).query)
    assert leaving.location.startswith(f"{stage.discord.url}/oauth2/authorize?")
    assert query["scope"] == ["identify email guilds.join"]
    assert query["redirect_uri"] == [f"{stage.base}/oauth/discord/callback"]


async def test_a_forged_host_does_not_change_the_way_back(stage: Stage) -> None:
    headers = {"Host": "evil.example", "Sec-Fetch-Site": "same-origin"}
    async with stage.browser.session.post(stage.base + LINK, headers=headers, allow_redirects=False) as answer:
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert query["redirect_uri"] == [f"{stage.base}/oauth/discord/callback"]


async def test_the_last_page_names_purchase_and_account_and_connects_nothing_yet(stage: Stage) -> None:
    page = await stage.sign_in()
    for words in ("VIP", "Ada&#39;s Trading Room", "a••@example.com", "@charlie", "Not you?"):
        assert words in page.text
    assert stage.membership.connected == []


async def test_a_yes_connects_and_shows_the_role(stage: Stage) -> None:
    await stage.sign_in()
    pressed = await stage.browser.press("/connect/confirm", choice="connect")
    assert (pressed.status, pressed.location) == (303, "/connect/done")
    page = await stage.browser.get("/connect/done")
    assert "VIP is yours" in page.text
    assert "https://discord.com/channels/1" in page.text
    [wish] = stage.membership.connected
    assert (wish.user.username, wish.user.email) == ("charlie", "charlie@example.com")
    assert wish.access_token == "canary-access-token"
    assert wish.scopes == {"identify", "email", "guilds.join"}


async def test_the_token_is_thrown_away_after_the_yes(stage: Stage) -> None:
    await stage.sign_in()
    await stage.browser.press("/connect/confirm", choice="connect")
    [key] = [cookie.value for cookie in stage.browser.session.cookie_jar if cookie.key == "doorlist-connect"]
    async with stage.store.read() as tx:
        content = await tx.sessions.get(digest(key), "connect", stage.clock.now())
    assert content is not None
    assert "canary-access-token" not in str(content)


async def test_neither_state_nor_code_nor_token_stays_in_the_address(stage: Stage) -> None:
    leaving = await stage.browser.press(LINK)
    coming = await stage.browser.get(stage.discord.agree(leaving.location))
    assert coming.location == "/connect/confirm"


async def test_pressing_yes_twice_connects_once(stage: Stage) -> None:
    await stage.sign_in()
    pressed = await asyncio.gather(*(stage.browser.press("/connect/confirm", choice="connect") for _ in range(8)))
    assert {page.status for page in pressed} == {303}
    assert len(stage.membership.connected) == 1


async def test_whoever_looks_while_it_is_being_done_is_asked_to_wait(stage: Stage) -> None:
    await stage.sign_in()
    stage.membership.is_fast.clear()
    pressing = asyncio.create_task(stage.browser.press("/connect/confirm", choice="connect"))
    async with asyncio.timeout(5):
        await stage.membership.was_asked.wait()
    assert (await stage.browser.press("/connect/confirm", choice="connect")).location == "/connect/done"
    page = await stage.browser.get("/connect/done")
    assert "One moment" in page.text
    assert 'http-equiv="refresh"' in page.text
    stage.membership.is_fast.set()
    await pressing
    assert "VIP is yours" in (await stage.browser.get("/connect/done")).text
    assert len(stage.membership.connected) == 1


async def test_the_outcome_stays_longer_than_the_sign_in(stage: Stage) -> None:
    await stage.sign_in()
    await stage.browser.press("/connect/confirm", choice="connect")
    stage.clock.advance(timedelta(minutes=50))
    assert "VIP is yours" in (await stage.browser.get("/connect/done")).text
    stage.clock.advance(timedelta(minutes=20))
    assert "served its time" in (await stage.browser.get("/connect/done")).text


async def test_an_identity_is_forgotten_after_ten_minutes(stage: Stage) -> None:
    await stage.sign_in()
    stage.clock.advance(timedelta(minutes=10, seconds=1))
    assert (await stage.browser.press("/connect/confirm", choice="connect")).location == "/connect/done"
    assert stage.membership.connected == []


@pytest.mark.parametrize(
    "token", ["%0d%0aSet-Cookie:%20a=b", "%2f%2fevil.example", "..%2f..%2fx", "%00", "@evil", "%ff"]
)
async def test_a_strange_token_leads_nowhere_else(stage: Stage, token: str) -> None:
    url = URL(f"{stage.base}/connect/{token}", encoded=True)
    async with stage.browser.session.post(
        url, headers={"Sec-Fetch-Site": "same-origin"}, allow_redirects=False
    ) as answer:
        assert answer.status in (303, 404)
        assert answer.headers.get("Location", "/connect/").startswith("/connect/")
        assert "Set-Cookie" not in answer.headers


async def test_an_unverified_email_is_not_passed_on(stage: Stage) -> None:
    stage.discord.me["verified"] = False
    await stage.sign_in()
    await stage.browser.press("/connect/confirm", choice="connect")
    assert stage.membership.connected[0].user.email == ""


@pytest.mark.parametrize(
    "scope", ["", "identify", "identify email", "guilds.join", "identify guilds.join", "email", "bot", "identify bot"]
)
async def test_the_scopes_that_discord_granted_are_passed_on(stage: Stage, scope: str) -> None:
    stage.discord.scope = scope
    await stage.sign_in()
    await stage.browser.press("/connect/confirm", choice="connect")
    assert stage.membership.connected[0].scopes == frozenset(scope.split())


# --- links that are over -------------------------------------------------------------------------------------------


OVER = [(LinkState.USED, "used already"), (LinkState.EXPIRED, "too old")]


@pytest.mark.parametrize(("state", "words"), [*OVER, (LinkState.UNKNOWN, "do not know this link")])
async def test_a_dead_link_says_so_and_leads_nobody_to_discord(stage: Stage, state: LinkState, words: str) -> None:
    stage.membership.previews[digest(TOKEN)] = replace(PREVIEW, state=state, linked_to="@ben")
    page = await stage.browser.get(LINK)
    assert words in page.text
    assert "Discord</button>" not in page.text
    assert (await stage.browser.press(LINK)).location == LINK


@pytest.mark.parametrize("state", [state for state, _ in OVER])
async def test_a_link_that_is_over_offers_to_mail_a_new_one(stage: Stage, state: LinkState) -> None:
    stage.membership.previews[digest(TOKEN)] = replace(PREVIEW, state=state, linked_to="@ben")
    page = await stage.browser.get(LINK)
    assert "Mail me a new link</button>" in page.text
    assert f'action="{LINK}/again"' in page.text
    assert stage.membership.mailed_again == []
    answer = await stage.browser.press(f"{LINK}/again")
    assert answer.status == 200
    assert "Look into your mail" in answer.text
    assert stage.membership.mailed_again == [digest(TOKEN)]


async def test_a_link_that_still_works_needs_no_new_one(stage: Stage) -> None:
    assert (await stage.browser.press(f"{LINK}/again")).location == LINK
    assert stage.membership.mailed_again == []


async def test_an_unknown_link_mails_nothing_and_offers_no_button(stage: Stage) -> None:
    assert "Mail me" not in (await stage.browser.get("/connect/nobody-knows-me")).text
    assert (await stage.browser.press("/connect/nobody-knows-me/again")).status == 404
    assert stage.membership.mailed_again == []


async def test_an_unknown_link_is_not_found(stage: Stage) -> None:
    assert (await stage.browser.get("/connect/nobody-knows-me")).status == 404


async def test_a_long_token_is_not_looked_up(stage: Stage) -> None:
    assert (await stage.browser.get("/connect/" + "a" * 300)).status == 404


# --- the last yes -------------------------------------------------------------------------------------------------


async def test_a_move_names_who_loses_and_needs_its_own_yes(stage: Stage) -> None:
    stage.membership.review_answer = ConnectReview(preview=PREVIEW, moves_from="@old")
    page = await stage.sign_in()
    assert "Move VIP to @charlie?" in page.text
    assert page.text.count("@old") >= 2
    await stage.browser.press("/connect/confirm", choice="move")
    assert len(stage.membership.moved) == 1
    assert stage.membership.connected == []


async def test_keeping_it_where_it_is_changes_nothing(stage: Stage) -> None:
    stage.membership.review_answer = ConnectReview(preview=PREVIEW, moves_from="@old")
    await stage.sign_in()
    await stage.browser.press("/connect/confirm", choice="keep")
    assert "Nothing was changed" in (await stage.browser.get("/connect/done")).text
    assert stage.membership.moved == []


async def test_a_link_made_meanwhile_leads_back_to_the_question(stage: Stage) -> None:
    await stage.sign_in()
    stage.membership.outcome = ConnectOutcome(result=ConnectResult.NEEDS_MOVE)
    stage.membership.review_answer = ConnectReview(preview=PREVIEW, moves_from="@quick")
    pressed = await stage.browser.press("/connect/confirm", choice="connect")
    assert pressed.location == "/connect/confirm"
    assert "@quick" in (await stage.browser.get("/connect/confirm")).text


async def test_a_second_purchase_on_the_account_is_named(stage: Stage) -> None:
    stage.membership.review_answer = ConnectReview(preview=PREVIEW, also_holds="b••@example.com")
    page = await stage.sign_in()
    assert "already holds another purchase (b••@example.com)" in page.text


async def test_not_you_goes_back_to_discord(stage: Stage) -> None:
    await stage.sign_in()
    again = await stage.browser.press("/connect/confirm", choice="switch")
    assert again.location.startswith(f"{stage.discord.url}/oauth2/authorize?")
    stage.discord.me["username"] = "ben"
    coming = await stage.browser.get(stage.discord.agree(again.location))
    assert "@ben" in (await stage.browser.get(coming.location)).text


TROUBLES = {
    "retry": (Retry("the database is locked"), 503),
    "blocked": (Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR), 503),
    "user error": (UserError("Not today."), 400),
    "bug": (ZeroDivisionError(), 500),
}


@pytest.mark.parametrize("name", TROUBLES)
async def test_trouble_while_connecting_keeps_the_sign_in_for_another_try(stage: Stage, name: str) -> None:
    await stage.sign_in()
    stage.membership.trouble, status = TROUBLES[name]
    assert (await stage.browser.press("/connect/confirm", choice="connect")).status == status
    assert "@charlie" in (await stage.browser.get("/connect/confirm")).text
    stage.membership.trouble = None
    await stage.browser.press("/connect/confirm", choice="connect")
    assert len(stage.membership.connected) == 1


async def test_confirming_without_a_sign_in_connects_nothing(stage: Stage) -> None:
    assert (await stage.browser.press("/connect/confirm", choice="connect")).location == "/connect/done"
    assert (await stage.browser.get("/connect/done")).status == 400
    assert stage.membership.connected == []


async def test_a_session_key_of_another_browser_is_needed_to_confirm(stage: Stage) -> None:
    await stage.sign_in()
    async with stage.another_browser() as stranger:
        await stranger.press("/connect/confirm", choice="connect")
    assert stage.membership.connected == []


OUTCOMES = {
    "working": (AccessState.WORKING, None, "Giving you VIP"),
    "join": (AccessState.JOIN_NEEDED, Reason.SCOPE_MISSING, "https://discord.gg/canary"),
    "rules": (AccessState.RULES_NEEDED, Reason.RULES_NOT_ACCEPTED, "Accept the rules"),
    "banned": (AccessState.FAILED, Reason.BANNED, "banned"),
    "server limit": (AccessState.FAILED, Reason.SERVER_LIMIT, "as many servers as Discord allows"),
    "hierarchy": (AccessState.FAILED, Reason.ROLE_ABOVE_BOT, "The staff can see what to repair"),
}


@pytest.mark.parametrize("name", OUTCOMES)
async def test_every_outcome_has_its_words(stage: Stage, name: str) -> None:
    state, reason, words = OUTCOMES[name]
    access = replace(DELIVERED, state=state, reason=reason, invite_url="https://discord.gg/canary")
    stage.membership.outcome = ConnectOutcome(result=ConnectResult.CONNECTED, access=(access,))
    await stage.sign_in()
    await stage.browser.press("/connect/confirm", choice="connect")
    assert words in (await stage.browser.get("/connect/done")).text


async def test_an_invite_made_for_this_person_stays_on_the_page(stage: Stage) -> None:
    access = replace(DELIVERED, state=AccessState.JOIN_NEEDED, invite_url="https://discord.gg/canary")
    stage.membership.outcome = ConnectOutcome(result=ConnectResult.CONNECTED, access=(access,))
    await stage.sign_in()
    await stage.browser.press("/connect/confirm", choice="connect")
    fresh = replace(access, invite_url="")
    stage.membership.progress_answer = replace(stage.membership.progress_answer, access=(fresh,))
    assert "https://discord.gg/canary" in (await stage.browser.get("/connect/done")).text


@pytest.mark.parametrize(
    ("result", "words"),
    [(ConnectResult.MOVES_USED_UP, "again after 21 Dec 2026, 14:02 (UTC)"), (ConnectResult.NOT_AVAILABLE, "now")],
)
async def test_a_refused_wish_says_why(stage: Stage, result: ConnectResult, words: str) -> None:
    again_at = datetime(2026, 12, 21, 14, 2, tzinfo=UTC)
    stage.membership.outcome = ConnectOutcome(result=result, again_at=again_at)
    await stage.sign_in()
    await stage.browser.press("/connect/confirm", choice="connect")
    assert words in (await stage.browser.get("/connect/done")).text


async def test_a_linked_purchase_can_still_be_moved_from_its_link(stage: Stage) -> None:
    stage.membership.previews[digest(TOKEN)] = replace(PREVIEW, state=LinkState.LINKED, linked_to="@old")
    assert "Use another Discord account" in (await stage.browser.get(LINK)).text
    assert (await stage.browser.press(LINK)).location.startswith(stage.discord.url)


async def test_a_preview_without_a_purchase_starts_nothing(stage: Stage) -> None:
    stage.membership.previews[digest(TOKEN)] = ConnectPreview(state=LinkState.READY)
    assert (await stage.browser.press(LINK)).location == LINK
