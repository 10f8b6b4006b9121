"""What the pages are for, walked in a real browser over both sides of the sandbox: buying, connecting, keeping house.

No page has a script, so that all of it is walked with scripts off.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from playwright.async_api import Error as PlaywrightError

from membership import verifying
from membership.model import GuildId, UserId
from sandbox.discord.faults import Fault, refused
from sandbox.visitor import connect_link
from tests.browser.tabs import CHROMIUM, a_browser, a_tab
from tests.scenarios.stage import Stage, stage

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: the pages are not clicked through"
)

ADDING = r"^/guilds/\d+/members/\d+$"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with a_browser() as started:
        yield started


@pytest.fixture
async def s(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path, checks_discord=False) as both:
        yield both


@asynccontextmanager
async def a_person(browser: Browser, s: Stage, path: str = "/") -> AsyncIterator[Page]:
    """Open a page of Doorlist in a new browser, with scripts off."""
    async with a_tab(browser, has_script=False) as page:
        await page.goto(s.outside.doorlist_url + path)
        try:
            yield page
        except PlaywrightError as error:
            error.add_note(f"the page was {page.url}: {await page.locator('body').inner_text()}")
            raise


async def press(page: Page, name: str) -> None:
    """Press the button that is called so."""
    await page.get_by_role("button", name=name).first.click()


async def reads(page: Page, text: str) -> None:
    """Wait until the page's heading says something; pages look again by themselves."""
    await expect(page.get_by_role("heading", name=text).first).to_be_visible()


async def signs_in_at_discord(page: Page, name: str, *, button: str = "Continue with Discord") -> None:
    """Go to Discord and agree there as somebody."""
    await press(page, button)
    await press(page, f"{name} @{name.lower()}")


async def test_a_stranger_buys_and_comes_to_the_role(browser: Browser, s: Stage) -> None:
    async with a_person(browser, s) as page:
        await page.get_by_role("link", name="Get VIP", exact=True).click()
        await press(page, "Continue to payment")
        if await page.get_by_role("link", name="Continue to payment").count():
            await page.get_by_role("link", name="Continue to payment").click()
        await page.get_by_label("E-mail").fill("ada@example.com")
        await page.get_by_label("Name").fill("Ada")
        await press(page, "Pay with test card")
        await s.settled()
        await signs_in_at_discord(page, "Ada")
        await press(page, "Yes, connect @ada")
        await expect(page.get_by_role("link", name="Open Discord").first).to_be_visible()
    assert s.has("ada")


async def test_a_customer_switches_to_another_account(browser: Browser, s: Stage) -> None:
    for name in ("ada", "kim"):
        s.joins(name)
    await s.is_member("ada")
    async with a_person(browser, s, "/portal") as page:
        await signs_in_at_discord(page, "Ada")
        await reads(page, "Your memberships")
        await page.get_by_role("link", name="Discord", exact=True).click()
        await signs_in_at_discord(page, "Kim", button="Switch to another account")
        await press(page, "Move it to @kim")
        await s.settled()
        assert "@kim" in await page.locator("main").inner_text()
    assert not s.has("ada")
    assert s.has("kim")


async def link_for(s: Stage, name: str) -> str:
    """Return the path of the connect link in the mail of somebody who has just bought."""
    s.buys(name)
    await s.settled()
    link = connect_link((await s.invitation(name)).text)
    assert link is not None
    return link.removeprefix(s.outside.doorlist_url)


async def test_every_way_a_sign_in_can_end_has_its_page(browser: Browser, s: Stage) -> None:
    """EXPERIENCE 3.5, from nothing done to the role."""
    link = await link_for(s, "ada")
    async with a_person(browser, s, link) as page:
        await press(page, "Continue with Discord")
        await press(page, "Cancel")
        await reads(page, "You pressed Cancel at Discord")
        await page.goto(f"{s.outside.doorlist_url}/oauth/discord/callback?code=old&state=old")
        await reads(page, "Please start again")
        ticket = await verifying.issue(s.process.services, UserId(s.person("ben").id), "@ben", GuildId(s.guild.id))
        await page.goto(ticket)
        await signs_in_at_discord(page, "Ada")
        await reads(page, "You signed in as somebody else")
        s.outside.discord.go_down()
        await page.goto(s.outside.doorlist_url + link)
        await press(page, "Continue with Discord")
        if "oauth2/authorize" in page.url:
            await press(page, "Ada @ada")
        await expect(page.locator("main")).to_contain_text("Discord is not answering")
        s.outside.discord.come_back()
        await s.is_online(within=20)
        await page.goto(s.outside.doorlist_url + link)
        await signs_in_at_discord(page, "Ada")
        await press(page, "Yes, connect @ada")
        await expect(page.get_by_role("link", name="Open Discord").first).to_be_visible()
    assert s.has("ada")


async def test_a_purchase_is_moved_and_a_second_one_comes_to_the_same_account(browser: Browser, s: Stage) -> None:
    for name in ("ada", "ben"):
        s.joins(name)
    link = await link_for(s, "ada")
    async with a_person(browser, s, link) as page:
        await signs_in_at_discord(page, "Ada")
        await press(page, "Yes, connect @ada")
        await s.settled()
        await page.goto(s.outside.doorlist_url + link)
        await press(page, "Mail me a new link")
        await s.advance(minutes=11)
        await page.goto(str(connect_link((await s.invitation("ada")).text)))
        await signs_in_at_discord(page, "Ben", button="Use another Discord account")
        await reads(page, "Move VIP to @ben?")
        await press(page, "Move it to @ben")
        await s.settled()
        assert (s.has("ada"), s.has("ben")) == (False, True)
        await page.goto(s.outside.doorlist_url + await link_for(s, "kim"))
        await signs_in_at_discord(page, "Ben")
        await press(page, "Yes, use both on @ben")
        await s.settled()
    assert s.has("ben")


async def ends_with(page: Page, s: Stage, link: str, text: str) -> None:
    """Connect as Ada and read what came of it."""
    await page.goto(s.outside.doorlist_url + link)
    await signs_in_at_discord(page, "Ada")
    await press(page, "Yes, connect @ada")
    await expect(page.locator("main")).to_contain_text(re.compile(text))


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("banned", "@ada is banned from Demo Server"),
        ("full", "You are in as many servers as Discord allows"),
        ("refused", "We could not add you ourselves"),
    ],
)
async def test_who_cannot_be_let_in_reads_why(browser: Browser, s: Stage, why: str, text: str) -> None:
    ada = s.person("ada")
    match why:
        case "banned":
            s.outside.discord.people.ban(s.guild, ada, by=s.person("olga"))
        case "full":
            ada.is_at_guild_cap = True
        case _:
            refusal = refused(403, 50013, "Missing Permissions")
            s.outside.discord.add_fault(Fault(method="PUT", path=ADDING, answer=refusal, times=None))
    link = await link_for(s, "ada")
    async with a_person(browser, s) as page:
        await ends_with(page, s, link, text)
    assert not s.has("ada")


async def test_the_owner_adds_a_server_and_maps_two_roles_to_a_price(browser: Browser, s: Stage) -> None:
    olga, workshop = s.person("olga"), s.outside.seed.workshop.guild
    s.process.services.operators.add([UserId(olga.id)])
    async with a_person(browser, s, "/admin/servers/add") as page:
        await signs_in_at_discord(page, "Olga")
        await press(page, "Choose a server at Discord")
        await press(page, "Olga @olga")
        await page.get_by_label("Add to server").select_option(label=workshop.name)
        await press(page, "Authorize")
        await reads(page, "Set-up")
        server = GuildId(s.guild.id)
        await page.goto(f"{s.outside.doorlist_url}/admin/{server}/products")
        await page.get_by_role("link", name="Choose roles").first.click()
        for role in ("VIP trial", "Past due"):
            await page.get_by_label(f"@{role}", exact=False).check()
        await press(page, "Preview changes")
        await reads(page, "Preview")
        await press(page, "Create the plan")
        await s.settled()
        await expect(page.locator("main")).to_contain_text("is saved")
    async with s.process.services.store.read() as tx:
        made = [plan for plan in await tx.plans.all(server) if len(plan.roles) == 2]
    assert {s.guild.roles[role].name for plan in made for role in plan.roles} == {"VIP trial", "Past due"}


async def test_staff_find_an_order_and_send_its_invitation(browser: Browser, s: Stage) -> None:
    await link_for(s, "ada")
    before = len(s.mails("ada"))
    await s.advance(minutes=61)
    async with a_person(browser, s, f"/admin/{s.guild.id}/members") as page:
        await signs_in_at_discord(page, "Sam")
        await page.get_by_label("E-mail, name or id").fill("ada@example.com")
        await press(page, "Show")
        await page.get_by_role("link", name=re.compile(r"^#\d+")).first.click()
        await page.get_by_role("button", name=re.compile("Send invitation|Send the invitation again")).click()
        await expect(page.get_by_role("status").first).to_be_visible()
    await s.settled()
    assert len(s.mails("ada")) > before


async def test_the_owner_decides_a_held_wave(browser: Browser, s: Stage) -> None:
    await s.are_members("ada", "ben", "kim")
    await s.plan("vip", roles=("Supporter",))
    await s.settled()
    async with a_person(browser, s, f"/admin/{s.guild.id}") as page:
        await signs_in_at_discord(page, "Olga")
        await page.get_by_role("link", name="Review").first.click()
        await page.get_by_role("link", name=re.compile("Release 3")).click()
        await press(page, "Remove from 3 members")
        await expect(page.get_by_role("status").first).to_contain_text("Released 3 removals")
    await s.settled()
    assert [name for name in ("ada", "ben", "kim") if s.has(name)] == []
