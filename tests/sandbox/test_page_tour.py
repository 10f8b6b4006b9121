"""The tour over the real Doorlist: by script, and by the page's own buttons."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from app.sandboxed import free_port, sandbox
from app.settings import Settings
from sandbox.buyers import has_role
from sandbox.clock import MovableClock
from sandbox.parts import Outside
from sandbox.tour import TourFailed, steps
from sandbox.visitor import Visitor, claim_code
from tests.sandbox.page_stage import PageStage, page_stage
from tests.scenarios.stage import FIRST_PORT

PATIENCE_SECONDS = 10.0
LOOK_SECONDS = 0.05
SMALL_WAVE = 14


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Outside]:
    """Run both sides."""
    port = free_port(FIRST_PORT)
    async with sandbox(
        Settings(mode="sandbox"), database=tmp_path / "tour.db", port=port, clock=MovableClock()
    ) as both:
        yield both.outside


@pytest.fixture
async def page(world: Outside) -> AsyncIterator[PageStage]:
    async with (
        aiohttp.ClientSession() as http,
        Visitor(world.url, email="ada@example.com", name="Ada") as browser,
    ):
        yield PageStage(world=world, http=http, browser=browser)


async def page_with(page: PageStage, part: str, *, within: float = PATIENCE_SECONDS) -> str:
    """Return the page once it says `part`."""
    for _ in range(int(within / LOOK_SECONDS)):
        if part in (html := await page.html()):
            return html
        await asyncio.sleep(LOOK_SECONDS)
    pytest.fail(f"the page never said {part!r}")


def step_now(html: str) -> str:
    found = re.search(r'<li class="is-next".*?</span>\s*<span>([^<]+)', html, re.DOTALL)
    return found[1] if found else "finished"


async def test_the_tour_comes_true_step_by_step(world: Outside) -> None:
    played = [step async for step in steps(world)]
    assert [step.title for step in played] == ["Buy", "Mail", "Connect", "See role", "Cancel", "Role gone"]
    assert sum(step.seconds for step in played) < PATIENCE_SECONDS
    assert not has_role(world, world.seed.cast.ada)


async def test_the_tour_can_be_played_again_by_somebody_inside(world: Outside) -> None:
    for person in (world.seed.cast.ada, world.seed.cast.ada, world.seed.cast.ben):
        assert len([step async for step in steps(world, person)]) == 6


async def test_a_tour_that_cannot_go_on_names_the_step() -> None:
    async with page_stage() as nobody_home:
        with pytest.raises(TourFailed, match=r"^Buy: "):
            _ = [step async for step in steps(nobody_home.world)]


async def test_the_bar_ticks_itself(page: PageStage) -> None:
    assert step_now(await page.html()) == "Buy"
    assert step_now(await page.press("buy", slug="vip")) == "Open mail"
    await page_with(page, "?mail=0")
    html = await page.html("?mail=0&view=text")
    assert step_now(html) == "Connect"
    await page.browser.connect(_link(html), page.world.seed.cast.ada)
    html = await page_with(page, "has VIP")
    assert step_now(html) == "Cancel"
    await page.press("cancel-now")
    assert step_now(await page_with(page, ">Done<")) == "finished"


async def test_it_does_it_all_by_itself(page: PageStage) -> None:
    assert "The tour is running" in await page.press("tour")
    html = await page_with(page, "the role came and went")
    assert step_now(html) == "finished"


async def test_a_code_from_the_mail_works_in_the_channel(page: PageStage) -> None:
    await page.html("?as=ben")
    await page.press("buy", slug="lifetime")
    await page_with(page, "?mail=0")
    code = claim_code(await page.html("?mail=0&view=text"))
    await page.press("say", text=f"/claim {code}")
    assert "Only Ben can see this" in await page.html()
    await page_with(page, "has VIP")


async def test_a_purchase_whose_webhooks_come_in_last_first_ends_the_same(page: PageStage) -> None:
    assert "came in last first" in await page.press("out-of-order")
    await page_with(page, "?mail=0")


async def test_a_declined_card_buys_nothing(page: PageStage) -> None:
    assert "declined at the checkout" in await page.press("card-declined")
    assert "has bought nothing yet" in await page.html()


async def test_a_busy_discord_gets_the_role_through_in_the_end(page: PageStage) -> None:
    await page.html("?as=kim")
    await page.press("buy", slug="vip")
    await page_with(page, "?mail=0")
    html = await page.html("?mail=0&view=text")
    await page.press("discord-busy")
    await page.browser.connect(_link(html), page.world.seed.cast.kim)
    await page_with(page, "has VIP")


def _link(html: str) -> str:
    found = re.search(r"https?://[\w.:]+/connect/[\w-]+", html)
    assert found is not None
    return found[0]


async def test_a_wave_of_cancellations_shows_the_brake(page: PageStage) -> None:
    assert f"{SMALL_WAVE} people buy" in await page.press("wave", members=str(SMALL_WAVE))
    html = await page_with(page, "The brake holds", within=6 * PATIENCE_SECONDS)
    held = page.world.seed.server.guild.role_counts[page.world.seed.server.vip.id]
    assert f"{SMALL_WAVE - held} lost the role, the brake holds {held}." in html
    assert 0 < held < SMALL_WAVE
    assert "python3 bot.py brake list" in html
    await page_with(page, "Removals are held")


async def test_the_wave_says_that_stripe_is_down(page: PageStage) -> None:
    await page.press("stripe-down")
    assert "Not now: Stripe is down. Press “Stripe answers again”." in await page.press("wave")
    assert "That stopped: Stripe is down. Press “Stripe answers again”." in await page.press("buy", slug="vip")
    assert "That stopped: Stripe is down." in await page.press("card-declined")


async def test_what_would_break_the_tour_is_off_while_it_runs(page: PageStage) -> None:
    html = await page.press("tour")
    assert re.search(r'id="do-stripe-down"[^>]*disabled', html)
    assert re.search(r'id="do-cancel-now"[^>]*disabled', html)
    await page.press("stripe-down")
    assert not page.world.stripe.deliveries.trouble.is_outage
    await page_with(page, "the role came and went")
    assert not re.search(r'id="do-stripe-down"[^>]*disabled', await page.html())


async def test_a_role_given_by_hand_is_no_step_of_the_tour(page: PageStage) -> None:
    await page.html("?as=ben")
    await page.press("buy", slug="vip")
    await page_with(page, "?mail=0")
    assert step_now(await page.press("give-by-hand")) == "Open mail"
    assert step_now(await page.html("?mail=0")) == "Connect"


async def test_a_checkout_walked_by_hand_knows_who_you_are(page: PageStage) -> None:
    await page.html("?as=kim")
    shop = await page.browser.submit(await page.browser.open(f"{page.world.doorlist_url}/buy/vip"))
    checkout = await page.browser.open(shop.link("/checkout/")) if "/checkout/" not in shop.url.path else shop
    assert (checkout.forms[0].fields["email"], checkout.forms[0].fields["name"]) == ("kim@example.com", "Kim")
    await page.browser.submit(checkout, {"pay_with": "good"})
    await page_with(page, "?mail=0")
