"""The sandbox's page on its own: what it shows, what its buttons do to the world, and what it refuses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

import sandbox.page
from sandbox.discord.world import Invite
from tests.sandbox.page_stage import PageStage, page_stage

SCRIPT = Path(sandbox.page.__file__).parent / "static" / "sandbox.js"


@pytest.fixture
async def page() -> AsyncIterator[PageStage]:
    async with page_stage() as stage:
        yield stage


class _Elements(HTMLParser):
    """Every start tag with its attributes, and the text inside buttons."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


def flash(html: str) -> str:
    found = re.search(r'<p class="flash (\w+)">.*?<span>([^<]*)</span>\s*</p>', html, re.DOTALL)
    return f"{found[1]}: {found[2]}" if found else ""


def pane(html: str, name: str) -> str:
    """Return one section of the page."""
    start = html.index(f'id="{name}"')
    return html[start : html.index("</section>", start)]


# ------------------------------------------------------------------------------------------------------ what it shows


async def test_the_front_door_leads_to_the_page(page: PageStage) -> None:
    assert (await page.browser.open(f"{page.world.url}/")).url.path == "/sandbox"


async def test_a_link_to_discord_leads_back_to_the_page(page: PageStage) -> None:
    assert (await page.browser.open(f"{page.world.discord_site_url}/channels/1/2")).url.path == "/sandbox"


async def test_it_outlines_the_first_step_for_a_newcomer(page: PageStage) -> None:
    html = await page.html()
    assert html.count('aria-current="step"') == 1
    assert "In the shop, press “Buy with test card”." in html


async def test_it_never_looks_like_live(page: PageStage) -> None:
    assert "<title>SANDBOX" in await page.html()


async def test_it_has_one_heading_a_language_and_a_label_for_every_field(page: PageStage) -> None:
    elements = _Elements(await page.html("?as=ben"))
    labels = {each["for"] for each in elements.all("label")}
    fields = [each for each in elements.all("input") if each.get("type") != "hidden"]
    assert len(elements.all("h1")) == 1
    assert elements.all("html")[0]["lang"] == "en"
    assert fields
    assert all(each["id"] in labels for each in fields)


async def test_its_script_is_small_and_nothing_is_inline(page: PageStage) -> None:
    elements = _Elements(await page.html())
    assert SCRIPT.stat().st_size <= 4608
    assert [each["src"].partition("?")[0] for each in elements.all("script")] == ["/sandbox/static/sandbox.js"]
    assert not elements.all("style")
    assert not [attributes for _, attributes in elements.found if "style" in attributes or "onclick" in attributes]


async def test_ada_finds_every_channel_locked_before_she_is_in_the_server(page: PageStage) -> None:
    html = pane(await page.html(), "discord")
    assert html.count("(locked)") == 5
    assert "not in the server" in html


async def test_the_lounge_opens_for_whoever_holds_the_role(page: PageStage) -> None:
    locked = pane(await page.html("?as=ben&channel=vip-lounge"), "discord")
    opened = pane(await page.press("give-by-hand"), "discord")
    assert "You can read this" not in locked
    assert "You can read this" in opened


async def test_the_log_channel_is_open_to_the_owner_and_to_staff(page: PageStage) -> None:
    assert '?channel=membership-log"' in await page.html("?as=olga")
    assert '?channel=membership-log"' in await page.html("?as=sam")
    assert '?channel=membership-log"' not in await page.html("?as=kim")


async def test_it_tells_of_webhooks_that_nobody_answered(page: PageStage) -> None:
    page.world.stripe.control.buy(page.world.seed.wares[0].price_id, "ada@example.com")
    await page.world.stripe.deliver_pending()
    assert "got no answer" in pane(await page.html(), "log")


async def test_it_answers_as_soon_as_something_changed(page: PageStage) -> None:
    version = _Elements(await page.html()).all("html")[0]["data-version"]
    watching = asyncio.create_task(page.browser.open(f"{page.world.url}/sandbox/changes?since={version}"))
    await asyncio.sleep(0.3)
    assert not watching.done()
    await page.receive("<p>new</p>")
    async with asyncio.timeout(2):
        assert (await watching).html != version


# --------------------------------------------------------------------------------------------------- what people write


async def test_what_people_write_is_text(page: PageStage) -> None:
    await page.html("?as=ben")
    html = await page.press("say", text="<script>alert(1)</script> <b>& **bold**</b>")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<strong>bold</strong>" in html
    assert "<script>alert" not in html


async def test_a_subject_is_text(page: PageStage) -> None:
    await page.receive("<p>x</p>", subject='"><img src=x onerror=alert(1)>')
    assert "<img" not in await page.html("?mail=0")


async def test_a_message_is_posted_as_the_person_you_are(page: PageStage) -> None:
    await page.html("?as=kim")
    await page.press("say", text="!claim K7QF")
    last = page.world.discord.messages(page.world.seed.server.get_access)[-1]
    assert (last.author, last.content) == (page.world.seed.cast.kim, "!claim K7QF")


async def test_somebody_outside_cannot_write(page: PageStage) -> None:
    before = len(page.world.discord.messages(page.world.seed.server.get_access))
    assert "bad: Ada is not in the server" in flash(await page.press("say", text="hello"))
    assert len(page.world.discord.messages(page.world.seed.server.get_access)) == before


async def test_an_unknown_command_is_explained(page: PageStage) -> None:
    await page.html("?as=ben")
    assert "no command /dance" in flash(await page.press("say", text="/dance"))


# --------------------------------------------------------------------------------------------------------------- mails


async def test_a_mail_is_shown_in_a_frame_that_runs_nothing(page: PageStage) -> None:
    await page.receive("<html><head></head><body><script>alert(1)</script>Hi</body></html>")
    frame = _Elements(await page.html("?mail=0")).all("iframe")[0]
    async with page.http.get(page.world.url + frame["src"]) as answer:
        policy, html = answer.headers["Content-Security-Policy"], await answer.text()
    assert frame["sandbox"] == "allow-popups allow-top-navigation-by-user-activation"
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert '<head><base target="_top">' in html


@pytest.mark.parametrize(
    ("view", "part"), [("text", "The text part"), ("headers", "shop@example.com"), ("raw", "multipart/alternative")]
)
async def test_a_mail_can_be_read_in_other_ways(page: PageStage, view: str, part: str) -> None:
    await page.receive("<p>x</p>")
    assert part in pane(await page.html(f"?mail=0&view={view}"), "inbox")


async def test_a_mail_is_new_until_it_is_opened(page: PageStage) -> None:
    await page.receive("<p>x</p>")
    assert "(unread)" in await page.html()
    assert "(unread)" not in await page.html("?mail=0")


async def test_nobody_sees_the_mail_of_others(page: PageStage) -> None:
    await page.receive("<p>x</p>", subject="For Ada")
    assert "For Ada" not in pane(await page.html("?as=ben"), "inbox")


# ------------------------------------------------------------------------------------------------------------- buttons


async def test_the_clock_jumps(page: PageStage) -> None:
    before = page.world.clock.now()
    await page.press("advance", by="day")
    for _ in range(100):
        if not re.search('class="spin"', await page.html()):
            break
        await asyncio.sleep(0.02)
    assert page.world.clock.now() - before >= timedelta(days=1)


async def test_an_outage_of_stripe_lasts_an_hour(page: PageStage) -> None:
    assert "Stripe is down until" in await page.press("stripe-down")
    assert page.world.stripe.deliveries.trouble.is_outage
    await page.world.clock.advance(timedelta(hours=1, minutes=1))
    assert not page.world.stripe.deliveries.trouble.is_outage


async def test_vip_goes_above_the_bot_and_back(page: PageStage) -> None:
    discord, server = page.world.discord, page.world.seed.server
    assert "VIP is above the bot" in await page.press("move-vip-up")
    assert server.vip.rank > discord.bot_role(server.guild).rank
    await page.press("move-vip-down")
    assert server.vip.rank < discord.bot_role(server.guild).rank


async def test_leaving_and_joining_again(page: PageStage) -> None:
    members = page.world.seed.server.guild.members
    await page.html("?as=kim")
    await page.press("leave")
    assert page.world.seed.cast.kim.id not in members
    await page.press("rejoin")
    assert page.world.seed.cast.kim.id in members


async def test_the_buttons_follow_the_purchase(page: PageStage) -> None:
    bought = page.world.stripe.control.buy(page.world.seed.wares[0].price_id, "ada@example.com")
    assert "past due" in pane(await page.press("fail-payment"), "after")
    assert "active" in pane(await page.press("recover-payment"), "after")
    assert "paused" in pane(await page.press("pause"), "after")
    assert "active" in pane(await page.press("resume"), "after")
    assert "ends on" in pane(await page.press("cancel-later"), "after")
    assert "ends on" not in pane(await page.press("keep"), "after")
    assert "disputed" in pane(await page.press("dispute"), "after")
    assert "disputed" not in pane(await page.press("win-dispute"), "after")
    assert "given back" in pane(await page.press("refund"), "after")
    assert "cancelled" in pane(await page.press("cancel-now"), "after")
    assert page.world.stripe.world.get("subscription", bought["subscription"])["status"] == "canceled"


async def test_without_a_purchase_there_is_nothing_to_cancel(page: PageStage) -> None:
    assert "bad: Ada has bought nothing yet." in flash(await page.press("cancel-now"))


async def test_a_shop_that_does_not_answer_is_reported(page: PageStage) -> None:
    assert flash(await page.press("buy", slug="vip")).startswith("bad: ")


async def test_an_invite_is_accepted_on_the_page(page: PageStage) -> None:
    page.world.discord.world.invites["abc"] = _invite(page)
    await page.browser.open(f"{page.world.discord_site_url}/invite/abc")
    assert "Accept the invite" in await page.html()
    await page.press("join")
    assert page.world.seed.cast.ada.id in page.world.seed.server.guild.members


def _invite(page: PageStage) -> Invite:
    server = page.world.seed.server
    return Invite(
        code="abc",
        guild_id=server.guild.id,
        channel_id=server.welcome.id,
        inviter=page.world.seed.cast.olga,
        created_at=page.world.clock.now(),
    )


# ------------------------------------------------------------------------------------------------------ what it refuses


@pytest.mark.parametrize(
    "headers",
    [{}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example"}],
)
async def test_a_form_from_another_site_changes_nothing(page: PageStage, headers: dict[str, str]) -> None:
    async with page.http.post(f"{page.world.url}/sandbox/do/stripe-down", headers=headers) as answer:
        assert answer.status == 403
    assert not page.world.stripe.deliveries.trouble.is_outage


async def test_an_old_browser_is_known_by_its_origin(page: PageStage) -> None:
    headers = {"Origin": page.world.url}
    url = f"{page.world.url}/sandbox/do/stripe-down"
    async with page.http.post(url, headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Location"]) == (303, "/sandbox")


async def test_an_unknown_button_is_not_found(page: PageStage) -> None:
    async with page.http.post(
        f"{page.world.url}/sandbox/do/anything", headers={"Sec-Fetch-Site": "same-origin"}
    ) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("query", ["?as=mallory", "?channel=secret", "?mail=7", "?mail=x"])
async def test_a_wrong_choice_is_explained(page: PageStage, query: str) -> None:
    assert flash(await page.html(query)).startswith("bad: There is ")


async def test_every_answer_has_the_strict_policy(page: PageStage) -> None:
    async with page.http.get(f"{page.world.url}/sandbox") as answer:
        policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
