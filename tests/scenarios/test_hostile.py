"""What strangers, scanners and broken clients send to a running Doorlist: it is refused, and nothing is stored."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import sqlite3
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from structlog.testing import capture_logs
from yarl import URL

from sandbox.stripe.deliveries import sign
from sandbox.visitor import Form, Page
from tests.scenarios.browsing import link_of
from tests.scenarios.stage import Stage

MIB = 1024 * 1024
LOOKS = 20
TOO_OLD = "Please start again"

# --- links --------------------------------------------------------------------------------------------------------


async def test_a_scanner_that_opens_every_link_and_sends_every_form_consumes_nothing(s: Stage) -> None:
    s.buys("ada")
    mail = await s.invitation("ada")
    link = await link_of(s, "ada")
    async with aiohttp.ClientSession() as scanner:
        for _ in range(LOOKS):
            for method in ("GET", "HEAD"):
                async with scanner.request(method, link) as answer:
                    assert answer.status == 200
        for address in ("/connect/confirm", "/connect/done"):
            async with scanner.post(s.outside.doorlist_url + address, data={"choice": "connect"}) as answer:
                assert answer.status in (403, 404, 405)
    async with s.visitor("scanner") as robot:
        # It follows the form to Discord's page as well, and can go no further.
        assert "/oauth2/authorize" in str((await robot.submit(await robot.open(link))).url)
    assert mail.text.count(link) == 1
    assert (await s.connects("ada")).heading == "VIP is yours"
    assert s.roles("ada") == {"VIP"}


async def test_a_used_link_says_so_and_does_nothing(s: Stage) -> None:
    s.buys("ada")
    link = await link_of(s, "ada")
    await s.connects("ada")
    async with s.visitor("kim") as visitor:
        page = await visitor.open(link)
        assert page.heading == "This link was used already"
        assert [form.action for form in acts(page)] == [f"{page.url.path}/again"]
    assert s.roles("kim") == set()


async def test_a_new_link_goes_to_the_buyer_alone_and_moves_the_purchase(s: Stage) -> None:
    s.buys("ada")
    link = await link_of(s, "ada")
    await s.connects("ada", as_person="kim")
    async with s.visitor("kim") as visitor:
        answer = await visitor.submit(await visitor.open(link))
    assert answer.heading == "Look into your mail"
    await s.settled()
    assert s.mails("kim") == []
    assert await link_of(s, "ada") != link
    await s.connects("ada")
    await s.settled()
    assert (s.roles("ada"), s.roles("kim")) == ({"VIP"}, set())


async def test_who_starts_a_checkout_that_somebody_else_pays_gets_nothing(s: Stage) -> None:
    async with s.visitor("ada") as payer, s.visitor("kim") as starter:
        welcome = await payer.buy("vip")
        await s.settled()
        known = URL("/welcome").with_query(session_id=welcome.url.query["session_id"])
        page = await starter.open(known)
        assert (page.heading, acts(page)) == ("Thank you", [])
        assert "Ada" not in page.html
        assert len(acts(await payer.open(welcome.url))) == 1
    assert s.roles("kim") == set()


# --- the way back from Discord ------------------------------------------------------------------------------------


async def test_a_forged_state_is_refused_and_discord_is_not_asked(s: Stage) -> None:
    s.buys("ada")
    async with s.visitor("ada") as visitor:
        consent = await visitor.submit(await visitor.open(await link_of(s, "ada")))
        back = agrees(s, consent, "ada")
        for state in ("", "forged", "x" * 5000, back.query["state"][:-1] + "!"):
            page = await visitor.open(back.update_query(state=state))
            assert (page.status, page.heading) == (400, TOO_OLD)
        assert token_calls(s) == 0
        # The real one still works afterwards.
        assert (await visitor.open(back)).url.path == "/connect/confirm"


async def test_an_answer_from_discord_in_another_browser_binds_nobody(s: Stage) -> None:
    s.buys("kim")
    async with s.visitor("kim") as attacker, s.visitor("ada") as victim:
        consent = await attacker.submit(await attacker.open(await link_of(s, "kim")))
        back = agrees(s, consent, "kim")
        page = await victim.open(back)
        assert (page.status, page.heading) == (400, TOO_OLD)
        assert (await victim.open("/connect/confirm")).url.path == "/connect/done", "there is nothing to say yes to"
    assert token_calls(s) == 0
    assert s.roles("ada") == s.roles("kim") == set()


async def test_a_replayed_answer_from_discord_is_refused_and_the_first_one_counts(s: Stage) -> None:
    s.buys("ada")
    async with s.visitor("ada") as visitor:
        consent = await visitor.submit(await visitor.open(await link_of(s, "ada")))
        back = agrees(s, consent, "ada")
        question = await visitor.open(back)
        replayed = await visitor.open(back)
        assert (replayed.status, replayed.heading) == (400, TOO_OLD)
        assert token_calls(s) == 1
        assert (await visitor.submit(question, {"choice": "connect"})).heading == "VIP is yours"
        again = await visitor.submit(question, {"choice": "connect"})
        assert again.heading == "VIP is yours"
    await s.settled()
    assert s.role_writes("ada") == []
    assert len(s.posts()) == 1


async def test_an_answer_older_than_ten_minutes_is_refused(s: Stage) -> None:
    s.buys("ada")
    async with s.visitor("ada") as visitor:
        consent = await visitor.submit(await visitor.open(await link_of(s, "ada")))
        back = agrees(s, consent, "ada")
        await s.advance(minutes=11)
        assert (await visitor.open(back)).heading == TOO_OLD
    assert token_calls(s) == 0


def agrees(s: Stage, consent: Page, name: str) -> URL:
    """Agree on Discord's page and return the address that the browser is sent to, without going there."""
    return URL(s.outside.discord.authorize(str(consent.url), s.person(name)))


def token_calls(s: Stage) -> int:
    """Count how often Doorlist asked Discord to exchange a code."""
    return s.outside.discord.records.counts["POST", "/oauth2/token"]


# --- webhooks -----------------------------------------------------------------------------------------------------


def an_event(s: Stage, **named: Any) -> bytes:
    """Return the body of an event about a subscription that nobody has."""
    subscription = {"id": "sub_forged", "object": "subscription", "customer": "cus_forged", "status": "active"}
    event = {
        "id": "evt_forged",
        "object": "event",
        "type": "customer.subscription.updated",
        "livemode": False,
        "created": int(s.now().timestamp()),
        "data": {"object": subscription},
    }
    return json.dumps(event | named).encode()


FORGERIES = {
    "no signature": (None, 0),
    "another secret": ("whsec_of_another_endpoint", 0),
    "stale": ("", -301),
    "from the future": ("", 302),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_or_badly_timed_webhook_is_refused_with_one_line_in_the_log(s: Stage, name: str) -> None:
    secret, seconds = FORGERIES[name]
    body = an_event(s)
    headers = {} if secret is None else signed(s, body, secret=secret, seconds=seconds)
    assert await refusal_of(s, body, headers) == 401


async def test_a_webhook_with_a_malformed_signature_is_refused(s: Stage) -> None:
    for value in ("t=,v1=", "t=1", "v1=00", "t=nan,v1=" + "0" * 64, "t=٣,v1=é".encode().decode("latin-1"), "," * 4000):
        assert await refusal_of(s, an_event(s), {"Stripe-Signature": value}) == 401, value[:40]


@pytest.mark.parametrize(
    "body",
    [b"", b"not json", b"[]", b"null", b'{"id": 7}', b"\xff\xfe{\x00", b"[" * 100_000, b'{"id":"evt_1","type":NaN}'],
    ids=["empty", "text", "list", "null", "wrong types", "UTF-16", "deep", "NaN"],
)
async def test_a_signed_webhook_that_is_no_event_is_a_bad_request(s: Stage, body: bytes) -> None:
    assert await refusal_of(s, body, signed(s, body)) == 400


async def test_an_oversized_webhook_is_refused_before_it_is_read(s: Stage) -> None:
    body = an_event(s, padding="x" * MIB)
    assert await refusal_of(s, body, signed(s, body)) == 413


async def test_a_compressed_webhook_is_refused_unopened(s: Stage) -> None:
    body = gzip.compress(an_event(s))
    assert await refusal_of(s, body, signed(s, body) | {"Content-Encoding": "gzip"}) == 415


async def test_a_webhook_that_comes_too_slowly_is_cut_off_while_others_are_served(s: Stage) -> None:
    before = stored_events(s)
    url = URL(s.outside.doorlist_url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(b"POST /webhooks/stripe HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{")
    await s.is_member("ada")
    assert s.roles("ada") == {"VIP"}
    stored = stored_events(s)
    assert stored > before
    async with asyncio.timeout(10):
        answer = await reader.read(MIB)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert stored_events(s) == stored


async def test_a_replayed_webhook_is_acknowledged_and_has_no_second_effect(s: Stage) -> None:
    await s.is_member("ada")
    stored, mails, writes = stored_events(s), s.mails("ada"), s.role_writes("ada")
    events = list(s.outside.stripe.world.rows("event"))
    for event in events:
        s.outside.stripe.deliveries.resend(event)
    await s.settled()
    assert (stored_events(s), s.mails("ada"), s.role_writes("ada")) == (stored, mails, writes)
    assert s.posts() == ["✅ VIP given to @\u200bAda"]


async def test_a_rightly_signed_event_about_something_invented_gives_nobody_anything(s: Stage) -> None:
    body = an_event(s)
    assert await post(s, body, signed(s, body)) == 200
    await s.settled()
    assert await s.parked() == 0
    assert s.posts() == []


async def refusal_of(s: Stage, body: bytes, headers: Mapping[str, str]) -> int:
    """Send a webhook and return its status; check that it made one line in the log and left nothing behind."""
    before = stored_events(s)
    with capture_logs() as lines:
        status = await post(s, body, headers)
        await asyncio.sleep(0)
    told = [line for line in lines if line["event"] in ("webhook_refused", "page_served", "page_failed")]
    assert len(told) == 1, told
    assert stored_events(s) == before
    return status


async def post(s: Stage, body: bytes, headers: Mapping[str, str]) -> int:
    url = f"{s.outside.doorlist_url}/webhooks/stripe"
    async with aiohttp.ClientSession() as session, session.post(url, data=io.BytesIO(body), headers=headers) as answer:
        return answer.status


def signed(s: Stage, body: bytes, *, secret: str = "", seconds: int = 0) -> dict[str, str]:
    timestamp = int(s.now().timestamp()) + seconds
    return {"Stripe-Signature": sign(body, secret or s.outside.seed.webhook_secret, timestamp)}


def stored_events(s: Stage) -> int:
    """Count the stored events, in the database itself."""
    with sqlite3.connect(s.settings.database.url.removeprefix("sqlite:///")) as database:
        (count,) = database.execute("SELECT count(*) FROM inbox_events").fetchone()
    database.close()
    return int(count)


def acts(page: Page) -> list[Form]:
    """Return the forms of a page but the choice of its language."""
    return [form for form in page.forms if form.action != "/language"]
