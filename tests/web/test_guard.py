"""What every request passes: headers, the cross-site guard, limits, error pages."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from membership.errors import Audience, Blocked, Reason, Retry, UserError
from tests.web.stage import CHECKOUT, TICKET, TOKEN, WELCOME, Page, Stage, a_stage
from web.clients import neighbourhood

PAGES = [
    "/",
    f"/billing/{TOKEN}",
    "/connect/confirm",
    f"/connect/{TOKEN}",
    f"/verify/{TICKET}",
    f"/welcome?session_id={CHECKOUT}",
    "/sign-in",
    "/admin/sign-in",
    "/portal",
    "/admin",
    "/health/live",
    "/oauth/discord/callback",
    "/static/doorlist.css",
]
"""Some of each kind; tests/pages/test_matrix.py walks all of them."""
STRANGE = ["/nowhere", "/.env", "/static/../app.py", "/static/%2e%2e/app.py", "//evil.example", "/connect/"]


@pytest.mark.parametrize("path", [*PAGES, *STRANGE])
async def test_every_answer_carries_the_security_headers(stage: Stage, path: str) -> None:
    headers = (await stage.browser.get(path)).headers
    policy = headers["Content-Security-Policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "style-src 'self'"):
        assert part in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "aiohttp" not in headers["Server"].lower()
    assert headers["Cache-Control"] == ("no-store" if "doorlist.css" not in path else headers["Cache-Control"])


async def test_the_policy_lets_forms_lead_to_discord_checkout_and_billing_only(stage: Stage) -> None:
    policy = (await stage.browser.get("/")).headers["Content-Security-Policy"]
    [targets] = [part for part in policy.split("; ") if part.startswith("form-action")]
    assert targets == f"form-action 'self' {stage.discord.url} https://checkout.stripe.com https://billing.stripe.com"


async def test_over_https_cookies_are_bound_to_the_host_and_secure(tmp_path: Path) -> None:
    async with a_stage(tmp_path, public_url="https://gate.example.com") as stage:
        answer = await stage.browser.press(f"/connect/{TOKEN}")
        [cookie] = answer.cookies
        assert cookie.startswith("__Host-doorlist-signin=")
        for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert flag in cookie
        assert "Domain" not in cookie
        assert "Strict-Transport-Security" in answer.headers


async def test_on_this_machine_cookies_work_without_https(stage: Stage) -> None:
    [cookie] = (await stage.browser.press(f"/connect/{TOKEN}")).cookies
    assert cookie.startswith("doorlist-signin=")
    assert "Secure" not in cookie
    assert "HttpOnly" in cookie


POSTS = [f"/connect/{TOKEN}", "/welcome", "/language", "/portal/sign-out"]
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "{base}"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "{base}.evil.example"},
    {},
]


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("headers", FOREIGN, ids=str)
async def test_a_form_from_another_site_is_refused(stage: Stage, path: str, headers: dict[str, str]) -> None:
    headers = {name: value.format(base=stage.base) for name, value in headers.items()}
    async with stage.browser.session.post(stage.base + path, headers=headers, allow_redirects=False) as answer:
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers


async def test_an_older_browser_that_sends_only_our_origin_is_let_in(stage: Stage) -> None:
    headers = {"Origin": stage.base}
    async with stage.browser.session.post(
        f"{stage.base}/connect/{TOKEN}", headers=headers, allow_redirects=False
    ) as answer:
        assert answer.status == 303


async def test_a_form_must_look_like_a_form(stage: Stage) -> None:
    headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
    async with stage.browser.session.post(stage.base + "/welcome", headers=headers, data=b"{}") as answer:
        assert answer.status == 415


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "POST"])
async def test_a_method_that_is_not_there_is_refused_calmly(stage: Stage, method: str) -> None:
    async with stage.browser.session.request(
        method, stage.base + "/health/live", headers={"Sec-Fetch-Site": "same-origin"}
    ) as answer:
        assert answer.status == 405
        assert "GET" in answer.headers["Allow"]


@pytest.mark.parametrize("path", STRANGE)
async def test_what_is_not_there_is_a_calm_page(stage: Stage, path: str) -> None:
    answer = await stage.browser.get(path)
    assert answer.status == 404
    assert "Nothing here" in answer.text


async def failing_with(stage: Stage, trouble: Exception) -> Page:
    stage.membership.trouble = trouble
    return await stage.browser.get(f"/verify/{TICKET}")


async def test_a_user_error_shows_its_own_text(stage: Stage) -> None:
    answer = await failing_with(stage, UserError("You cannot <b>do</b> that."))
    assert answer.status == 400
    assert "You cannot &lt;b&gt;do&lt;/b&gt; that." in answer.text


async def test_a_user_error_that_is_known_is_said_in_the_visitors_language(stage: Stage) -> None:
    stage.membership.trouble = UserError("That moment has passed. Choose one in the future.")
    answer = await stage.browser.get(f"/verify/{TICKET}", **{"Accept-Language": "it"})
    assert "Quel momento è già passato." in answer.text


async def test_trouble_outside_asks_to_try_again(stage: Stage) -> None:
    answer = await failing_with(stage, Retry("the secret name of the database"))
    assert answer.status == 503
    assert answer.headers["Retry-After"] == "30"
    assert "secret name" not in answer.text


async def test_a_block_is_no_business_of_the_visitor(stage: Stage) -> None:
    answer = await failing_with(stage, Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR, detail="sk_x"))
    assert answer.status == 503
    assert "sk_x" not in answer.text


async def test_a_bug_shows_a_number_and_is_logged_once_with_it(stage: Stage) -> None:
    with capture_logs() as lines:
        answer = await failing_with(stage, ZeroDivisionError("canary-insides"))
    assert answer.status == 500
    assert "canary-insides" not in answer.text
    [line] = [line for line in lines if line["event"] == "page_failed"]
    assert line["reference"] in answer.text


async def test_no_token_query_or_cookie_is_ever_logged(stage: Stage) -> None:
    with capture_logs() as lines:
        await stage.browser.get(f"/connect/{TOKEN}?secret=canary-query")
        await stage.browser.get(WELCOME)
        await stage.sign_in()
        await stage.browser.press("/connect/confirm", choice="connect")
        await stage.browser.get("/connect/done")
        await stage.browser.get("/connect/canary-unknown-link")
    assert len(lines) >= 8
    assert "canary" not in str(lines)
    assert "code-0" not in str(lines)
    assert "charlie@example.com" not in str(lines)


async def test_health_and_webhooks_do_not_fill_the_log(stage: Stage) -> None:
    with capture_logs() as lines:
        await stage.browser.get("/health/live")
        await stage.browser.get("/static/doorlist.css")
    assert lines == []


@pytest.mark.parametrize(
    ("trusted", "header", "expected"),
    [
        ((), "6.6.6.6", "127.0.0.1"),
        (("127.0.0.1",), "6.6.6.6", "6.6.6.6"),
        (("127.0.0.1",), "1.1.1.1, 6.6.6.6", "6.6.6.6"),
        (("127.0.0.0/8", "10.0.0.0/8"), "6.6.6.6, 10.1.2.3", "6.6.6.6"),
        (("127.0.0.1",), "garbage", "127.0.0.1"),
        (("127.0.0.1",), "::ffff:6.6.6.6", "6.6.6.6"),
        (("127.0.0.1",), "", "127.0.0.1"),
    ],
)
async def test_only_our_own_proxies_may_say_who_asks(
    tmp_path: Path, trusted: tuple[str, ...], header: str, expected: str
) -> None:
    async with a_stage(tmp_path, trusted_proxies=trusted) as stage:
        with capture_logs() as lines:
            async with stage.browser.session.post(
                stage.base + "/webhooks/shop", headers={"X-Forwarded-For": header}, data=b"x"
            ) as answer:
                assert answer.status == 401
    [line] = [line for line in lines if line["event"] == "webhook_refused"]
    assert line["address"] == expected


def test_an_ipv6_site_counts_as_one_client() -> None:
    assert neighbourhood("2001:db8:1:2:3::1") == neighbourhood("2001:db8:1:2:ffff::9")
    assert neighbourhood("2001:db8:1:2::1") != neighbourhood("2001:db8:1:3::1")
    assert neighbourhood("192.0.2.1") == "192.0.2.1"
