"""A newcomer's six clicks in a real browser, with and without script, and what the page looks like at its edges."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from sandbox.parts import Outside
from tests.browser.stage import both_sides
from tests.browser.tabs import CHROMIUM, PATIENCE_MILLISECONDS, a_browser

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the page is not clicked through")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Outside]:
    async with both_sides(tmp_path) as outside:
        yield outside


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as started:
        yield started


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context(viewport={"width": 1440, "height": 900})
    opened.set_default_timeout(PATIENCE_MILLISECONDS)
    yield opened
    await opened.close()


async def now_at(page: Page, step: str) -> None:
    await expect(page.locator('[aria-current="step"]')).to_contain_text(step, timeout=PATIENCE_MILLISECONDS)


async def connect_as_ada(page: Page) -> None:
    """Press the mail's button and say yes to Discord and to Doorlist."""
    await page.frame_locator("iframe").get_by_role("link", name="Connect Discord", exact=True).click()
    await page.get_by_role("button", name="Continue with Discord").click()
    await page.get_by_role("button", name="Ada").click()
    await page.get_by_role("button", name="Yes, connect @ada").click()
    await page.get_by_role("link", name="Open Discord").click()


async def test_six_clicks_from_the_shop_to_the_role_and_back(world: Outside, context: BrowserContext) -> None:
    page = await context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    await page.goto(f"{world.url}/sandbox")
    await page.get_by_role("button", name="Buy with test card").click()
    await now_at(page, "Open mail")
    await page.get_by_role("link", name="connect Discord to unlock VIP").click()
    await now_at(page, "Connect")
    await connect_as_ada(page)
    await now_at(page, "Cancel")
    await expect(page.locator(".members .is-you")).to_contain_text("VIP")
    await page.get_by_role("button", name="Cancel now").click()
    await expect(page.get_by_text("That was the whole trip.")).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    await expect(page.locator(".members .is-you")).not_to_contain_text("VIP")
    assert problems == []


async def test_the_six_clicks_need_no_script(world: Outside, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    page = await context.new_page()
    await page.goto(f"{world.url}/sandbox")
    await page.get_by_role("button", name="Buy with test card").click()
    await page.get_by_role("link", name="Refresh").click()
    await page.get_by_role("link", name="connect Discord to unlock VIP").click()
    await connect_as_ada(page)
    await now_at(page, "Cancel")
    await page.get_by_role("button", name="Cancel now").click()
    await expect(page.get_by_text("That was the whole trip.")).to_be_visible(timeout=PATIENCE_MILLISECONDS)
    await context.close()


async def test_the_tour_plays_by_itself(world: Outside, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(f"{world.url}/sandbox")
    await page.get_by_role("button", name="Do it all for me").click()
    await expect(page.locator(".flash")).to_contain_text("the role came and went", timeout=PATIENCE_MILLISECONDS)
    await expect(page.locator(".steps .is-done")).to_have_count(6)


async def test_a_mail_stays_on_the_screen_while_the_list_above_it_grows(
    world: Outside, context: BrowserContext
) -> None:
    page = await context.new_page()
    await page.goto(f"{world.url}/sandbox")
    await page.get_by_role("button", name="Do it all for me").click()
    await expect(page.locator(".flash")).to_contain_text("the role came and went", timeout=PATIENCE_MILLISECONDS)
    loads: list[str] = []
    page.on("request", lambda request: loads.append(request.url) if "/sandbox/mail/" in request.url else None)
    await page.get_by_role("button", name="Do it all for me").click()
    await expect(page.locator(".mails li")).to_have_count(3, timeout=PATIENCE_MILLISECONDS)
    await expect(page.frame_locator("iframe").get_by_role("heading", name="One step is left")).to_be_visible()
    assert len(loads) <= 2


async def test_a_button_works_from_the_keyboard(world: Outside, context: BrowserContext) -> None:
    page = await context.new_page()
    await page.goto(f"{world.url}/sandbox")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the tour")).to_be_focused()
    await page.locator("#do-move-vip-up").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".alerts")).to_contain_text("VIP is above the bot")


@pytest.mark.parametrize("width", [320, 768, 1024, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_sticks_out(world: Outside, browser: Browser, width: int, scheme: str) -> None:
    page = await browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
    await page.goto(f"{world.url}/sandbox?as=ben")
    assert await page.evaluate("document.documentElement.scrollWidth") <= width
    await page.close()
