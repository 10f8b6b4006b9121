"""Everything that Discord has, used on the sandbox page in a real browser: with script and without."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from sandbox.parts import Outside
from tests.browser.page_driver import PageDriver
from tests.browser.tabs import CHROMIUM, a_browser, a_tab
from tests.sandbox.card_bot import with_commands
from tests.sandbox.discord_stage import addresses, start_bot
from tests.sandbox.page_stage import page_stage

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the page is not clicked through")


@pytest.fixture
async def world() -> AsyncIterator[Outside]:
    """Run the outside world with a bot that shows everything."""
    async with page_stage() as stage, addresses(stage.world.discord_site_url):
        bot, task = await start_bot(stage.world.discord.portal.token, with_commands)
        await bot.tree.sync()
        yield stage.world
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def a_driver(world: Outside, *, has_script: bool = True) -> AsyncIterator[PageDriver]:
    async with a_browser() as browser, a_tab(browser, has_script=has_script) as page:
        yield PageDriver(page, world.url)


@pytest.mark.parametrize("has_script", [True, False], ids=["with script", "without script"])
async def test_everything_can_be_typed_pressed_picked_and_filled_in(world: Outside, has_script: bool) -> None:
    async with a_driver(world, has_script=has_script) as driver:
        await driver.as_person("sam")
        await driver.type_command("card")
        assert "Plan 1" in await driver.answer_text()
        await driver.press("More")
        assert "Plan 2" in await driver.answer_text()
        assert await driver.link("Docs") == "https://example.com/docs"
        await driver.press("Edit")
        assert await driver.form_title() == "Plan"
        await driver.fill_form({"Name": "Gold", "Roles": ["Supporter"], "When it ends": "Keep it"})
        assert "'name': 'Gold'" in await driver.answer_text()
        assert await driver.form_title() == ""
        await driver.pick("Products", "Pass")
        assert "door:product ['p:Pass']" in await driver.answer_text()
        await driver.type_command("many", who="Ben", days="3", mode="Fast", where="welcome")
        assert "ben 3 fast None welcome" in await driver.answer_text()
        await driver.type_command("find", plan="Go m")
        assert "found id:monthly" in await driver.answer_text()
        await driver.open_menu("Kim", "Membership")
        assert "kim in 1" in await driver.answer_text()


async def test_suggestions_come_while_one_types(world: Outside) -> None:
    async with a_driver(world) as driver:
        await driver.as_person("ben")
        await driver.say("/find")
        await driver.page.locator("#o-plan").press_sequentially("Go")
        await driver.page.locator("#o-plan-list option[value='Go monthly']").wait_for(state="attached")


async def test_a_right_click_opens_the_menu(world: Outside) -> None:
    async with a_driver(world) as driver:
        await driver.as_person("sam")
        await driver.page.locator(".members li", has_text="Kim").click(button="right")
        await driver.page.get_by_role("button", name="Membership").first.wait_for()


async def test_a_form_is_not_lost_when_something_else_happens(world: Outside) -> None:
    async with a_driver(world) as driver:
        await driver.as_person("ben")
        await driver.type_command("card")
        await driver.press("Edit")
        await driver.page.locator(".sheet input[value=VIP]").fill("Half a na")
        shown = await driver.page.locator("html").get_attribute("data-version")
        world.discord.people.say(world.seed.server.get_access, world.seed.cast.kim, "Hello Ben")
        await driver.page.locator(".sheet").get_by_label("Name").press_sequentially("me")
        await driver.page.locator(f"html:not([data-version='{shown}'])").wait_for(state="attached")
        assert await driver.page.locator(".sheet").get_by_label("Name").input_value() == "Half a name"


@pytest.mark.parametrize("width", [320, 768, 1440])
async def test_cards_and_forms_fit_every_screen(world: Outside, width: int) -> None:
    async with a_driver(world) as driver:
        await driver.page.set_viewport_size({"width": width, "height": 800})
        await driver.as_person("ben")
        await driver.type_command("card")
        await driver.press("Edit")
        assert await driver.page.evaluate("document.documentElement.scrollWidth") <= width
