"""The page's ways to Doorlist, and its trouble at Discord's sign-in: each button and what takes it back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest
from yarl import URL

from sandbox.page.at_the_door import JOIN_SCOPE
from tests.sandbox.page_stage import PageStage, page_stage
from tests.sandbox.test_page import flash, pane


@pytest.fixture
async def page() -> AsyncIterator[PageStage]:
    async with page_stage() as stage:
        yield stage


async def test_it_leads_to_the_shop_the_memberships_and_the_staff_pages(page: PageStage) -> None:
    links = set((await page.open()).links)
    home = page.world.doorlist_url
    assert links >= {(f"{home}/", "Shop"), (f"{home}/portal", "My memberships"), (f"{home}/admin", "Staff pages")}


TROUBLE: dict[str, tuple[str, Callable[[PageStage], bool]]] = {
    "ban": ("unban", lambda page: page.world.seed.cast.ada.id in page.world.seed.server.guild.bans),
    "fill-servers": ("free-servers", lambda page: page.world.seed.cast.ada.is_at_guild_cap),
    "withhold-join": ("give-join", lambda page: JOIN_SCOPE in page.world.discord.authorizations.withheld),
    "refuse-joins": (
        "allow-joins",
        lambda page: page.world.discord.faults.take("PUT", "/guilds/1/members/2") is not None,
    ),
    "discord-down": ("discord-up", lambda page: page.world.discord.is_down),
}


@pytest.mark.parametrize("button", TROUBLE)
async def test_trouble_is_made_and_taken_back(page: PageStage, button: str) -> None:
    back, is_in_force = TROUBLE[button]
    assert not is_in_force(page)
    html = await page.press(button)
    assert flash(html).startswith("ok: ")
    assert is_in_force(page)
    assert f'id="do-{back}"' in html
    assert f'id="do-{button}"' not in html
    html = await page.press(back)
    assert not is_in_force(page)
    assert f'id="do-{button}"' in html


async def test_refusing_twice_and_allowing_once_leaves_nothing(page: PageStage) -> None:
    await page.press("refuse-joins")
    await page.press("refuse-joins")
    await page.press("allow-joins")
    assert page.world.discord.faults.take("PUT", "/guilds/1/members/2") is None


async def test_nobody_bans_the_owner(page: PageStage) -> None:
    await page.open("?as=olga")
    assert flash(await page.press("ban")) == "bad: Olga owns the server: nobody can ban her."


async def test_what_stands_in_the_way_is_said_at_the_top(page: PageStage) -> None:
    await page.press("discord-down")
    await page.press("refuse-joins")
    html = await page.html()
    assert "! Discord is down" in html
    assert "! Discord lets the bot add nobody" in html


async def test_pictures_of_servers_are_there(page: PageStage) -> None:
    guild = page.world.seed.workshop.guild
    async with page.http.get(f"{page.world.discord_cdn_url}/icons/{guild.id}/{guild.icon_hash}.png?size=64") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
        assert await answer.read() == guild.icon
    async with page.http.get(f"{page.world.discord_cdn_url}/icons/{guild.id}/older.png") as answer:
        assert answer.status == 404


async def add_bot(page: PageStage) -> None:
    """Add the bot to the workshop, as Olga does at Discord's consent page."""
    seed, discord = page.world.seed, page.world.discord
    asked = {
        "client_id": discord.portal.client_id,
        "redirect_uri": f"{page.world.doorlist_url}/oauth/discord/callback",
        "response_type": "code",
        "scope": "bot",
    }
    url = URL(f"{page.world.discord_site_url}/oauth2/authorize").with_query(asked)
    discord.authorize(str(url), seed.cast.olga, seed.workshop.guild)


async def test_a_server_that_was_added_can_be_looked_at_by_whoever_is_in_it(page: PageStage) -> None:
    workshop = page.world.seed.workshop.guild
    assert "Go to Ada" not in await page.html("?as=olga")
    await add_bot(page)
    assert "Go to Ada" not in await page.html("?as=nora")
    html = pane(await page.html("?as=olga"), "discord")
    assert f'href="/sandbox?server={workshop.id}#discord"' in html
    html = pane(await page.html(f"?server={workshop.id}"), "discord")
    assert "#workbench" in html
    assert "Go to Demo Server" in html
    assert "#get-access" in pane(await page.html("?as=ada"), "discord")


async def test_somebody_elses_server_is_not_shown(page: PageStage) -> None:
    await page.open("?as=olga")
    html = await page.html(f"?server={page.world.seed.neighbour.guild.id}")
    assert flash(html) == "bad: There is no such server."


async def test_the_bots_role_is_dragged_above_those_it_is_to_give(page: PageStage) -> None:
    guild = page.world.seed.workshop.guild
    await add_bot(page)
    await page.open("?as=olga")
    assert 'id="do-raise-bot"' in await page.html(f"?server={guild.id}")
    html = await page.press("raise-bot")
    assert 'id="do-raise-bot"' not in html
    own = page.world.discord.bot_role(guild)
    assert max(guild.roles.values(), key=lambda role: role.rank) is own
