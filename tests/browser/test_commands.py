"""Commands typed on the sandbox page in a real browser, answered by the real bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page

from sandbox.parts import Outside
from sandbox.visitor import claim_code
from tests.browser.page_driver import PageDriver
from tests.browser.stage import both_sides
from tests.browser.tabs import CHROMIUM, a_browser, a_tab

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the page is not clicked through")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Outside]:
    async with both_sides(tmp_path) as outside:
        yield outside


async def a_code(page: Page, driver: PageDriver) -> str:
    """Buy on the page and read the code in the mail."""
    await page.locator("#shop").get_by_role("button", name="Buy Lifetime").click()
    await page.get_by_role("link", name="connect Discord").first.click()
    await page.get_by_role("link", name="Text", exact=True).click()
    code = claim_code(await page.locator("#mail pre").inner_text())
    assert code is not None
    return code


async def test_a_member_claims_with_a_form(world: Outside) -> None:
    async with a_browser() as browser, a_tab(browser) as page:
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
        driver = PageDriver(page, world.url)
        await driver.as_person("ben")
        code = await a_code(page, driver)
        assert "/claim" in await driver.commands()
        await driver.type_command("claim")
        assert await driver.form_title()
        label = await page.locator(".sheet .field label").first.inner_text()
        await driver.fill_form({label.removesuffix("*").strip(): code})
        assert "Only Ben can see this" in await driver.answer_text()
        await page.locator(".members .is-you", has_text="VIP").wait_for()
        assert problems == []
