"""A newcomer in the sandbox page types every command that matters as owner, staff and member, and the real bot answers.

What is asked for is read on the page: suggestions are picked, forms filled in, lists chosen from, buttons pressed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

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


@asynccontextmanager
async def a_driver(world: Outside) -> AsyncIterator[PageDriver]:
    """Open the page; a complaint of the browser fails the test."""
    async with a_browser() as browser, a_tab(browser) as page:
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
        yield PageDriver(page, world.url)
        assert problems == []


async def reads(driver: PageDriver, text: str) -> None:
    """Wait until the newest answer says something."""
    newest = driver.page.locator(".messages li.is-private").last
    await expect(newest).to_contain_text(text)


async def a_code(driver: PageDriver, plan: str) -> str:
    """Buy on the page and read the code in the mail."""
    page = driver.page
    await page.locator("#shop").get_by_role("button", name=f"Buy {plan}").click()
    await page.get_by_role("link", name="connect Discord").first.click()
    await page.get_by_role("link", name="Text", exact=True).click()
    code = claim_code(await page.locator("#mail pre").inner_text())
    assert code is not None
    return code


async def test_a_member_buys_claims_and_looks_after_it(world: Outside) -> None:
    async with a_driver(world) as driver:
        await driver.as_person("ben")
        code = await a_code(driver, "Lifetime")
        assert {"/claim", "/buy", "/membership"} == set(await driver.commands())
        await driver.type_command("membership")
        await reads(driver, "No purchase is connected to you.")
        await driver.press("I have a code")
        await driver.fill_form({"Code": "K7QF-2M9X-4TRW-8HNB"})
        await reads(driver, "That code does not exist.")
        await driver.type_command("claim", code=code)
        await reads(driver, "Welcome, Ben!")
        await driver.page.locator(".members .is-you", has_text="VIP").wait_for()

        await driver.type_command("membership")
        await reads(driver, "Active")
        await driver.press("Turn off")
        await reads(driver, "Direct messages: off")
        await driver.type_command("buy", plan="VIP year")
        await driver.press("Buy 90.00 €")
        await reads(driver, "there is nothing to connect afterwards")
        assert "/checkout/" in await driver.link("Pay 90.00 €")


async def test_staff_find_explain_connect_give_and_take(world: Outside) -> None:
    world.stripe.control.buy(world.seed.wares[0].price_id, "ada@example.com", name="Ada")
    await world.stripe.deliver_pending()
    async with a_driver(world) as driver:
        await driver.as_person("sam")
        assert not [name for name in await driver.commands() if name.startswith(("/plan", "/doorlist"))]
        await driver.type_command("member find", query="ada")
        await reads(driver, "a••@")
        await driver.type_command("member resend", customer="Ada")
        await reads(driver, "The mail is on its way")
        await driver.type_command("member link", member="Kim", customer="Ada", reason="asked in chat")
        await reads(driver, "is connected to @kim")
        await driver.type_command("member why", member="Kim")
        await reads(driver, "has it, should have it")
        await driver.press("Timeline")
        await reads(driver, "Role given")
        await driver.type_command("member history", member="Kim")
        await reads(driver, "Paid 9.00 €")
        await driver.type_command("member refresh", member="Kim")
        await reads(driver, "1 purchase read again")
        await driver.type_command("member unlink", member="Kim")
        await reads(driver, "waits for another account")

        await driver.type_command("member grant", member="Ben", plan="VIP", **{"for": "20d", "reason": "the raffle"})
        await reads(driver, "for @ben until")
        await driver.press("Card")
        await reads(driver, "Membership of Ben")
        await driver.press("Extend")
        await driver.fill_form({"Free days": "3"})
        await reads(driver, "3 days")
        await driver.type_command("member revoke", member="Ben", grant="VIP", when="now")
        await driver.press("Take VIP from @ben now")
        await reads(driver, "Undo")
        await driver.open_menu("Ben", "Membership card")
        await reads(driver, "ended by staff")
        await driver.open_menu("Ben", "Why these roles?")
        await reads(driver, "does not have it, should not")


async def test_an_owner_sets_up_plans_and_the_server(world: Outside) -> None:
    async with a_driver(world) as driver:
        await driver.as_person("olga")
        await driver.type_command("doorlist setup")
        await driver.press("Post in #get-access")
        await reads(driver, "7 of 7 done")
        await driver.type_command("doorlist panel", channel="get-access")
        await reads(driver, "The panel is updated")
        for command, answer in (("doctor", "15 fine"), ("about", "database SQLite"), ("brake", "Nothing is held")):
            await driver.type_command(f"doorlist {command}")
            await reads(driver, answer)
        await driver.type_command("doorlist settings")
        await driver.pick("Another group", "Messages")
        await reads(driver, "Settings · Messages")
        await driver.press("Change")
        await driver.fill_form({"Direct messages": "Off"})
        await reads(driver, "Direct messages: Off")
        await driver.type_command("doorlist undo", change="")
        await reads(driver, "Undone")
        await driver.type_command("doorlist notify", event="payment: Payment failed", mode="daily digest")
        await reads(driver, "Payment failed")
        for command, answer in (("status", "Last run"), ("drift", "No drift"), ("now", "Compared with what was paid")):
            await driver.type_command(f"sync {command}")
            await reads(driver, answer)
        await driver.type_command("sync adopt", role="VIP", policy="leave them alone")
        await reads(driver, "is left alone")
        await driver.type_command("doorlist pause", reason="moving house")
        await driver.type_command("doorlist resume")
        await driver.press("Resume")
        await reads(driver, "Role changes go on")


async def test_an_owner_makes_changes_tries_and_archives_a_plan(world: Outside) -> None:
    async with a_driver(world) as driver:
        await driver.as_person("olga")
        await driver.type_command("plan create", name="Backstage")
        await driver.fill_form({"Product": ["Backstage"], "When it ends": "Keep everything"})
        await driver.press("Create plan")
        await driver.type_command("plan list")
        await reads(driver, "Backstage → @Backstage")
        await driver.type_command("plan edit", plan="Backstage")
        await driver.fill_form({"Name": "Backstage pass", "When it ends": "Remove role"})
        await driver.press("Apply exactly this")
        await driver.type_command("plan rules", plan="Backstage pass", grace_days="7")
        await reads(driver, "for 7 days")
        await driver.press("Apply exactly this")
        await driver.type_command("plan show", plan="Backstage pass")
        await reads(driver, "for 7 days")
        await driver.press("Preview")
        await driver.type_command("plan preview", plan="VIP")
        await reads(driver, "Nothing has been changed.")
        await driver.type_command("plan test", plan="Backstage pass")
        await reads(driver, "You have @Backstage now")
        await driver.page.locator(".members .is-you", has_text="Backstage").wait_for()
        await driver.press("Take it back now")
        await driver.type_command("plan archive", plan="Backstage pass")
        await driver.press("Keep")
        await driver.press("Archive Backstage pass")
        await reads(driver, "saved")
