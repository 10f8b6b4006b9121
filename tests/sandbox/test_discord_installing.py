"""Adding the bot to a server: the consent page with its choice of servers, and that the bot really joins."""

from __future__ import annotations

import re
from typing import Any

import pytest
from yarl import URL

from sandbox.discord.oauth import AuthorizationError
from sandbox.discord.permissions import Permission
from sandbox.discord.world import Guild, User
from tests.sandbox.discord_stage import Stage, a_stage, until
from tests.sandbox.test_discord_oauth import consent_url, exchange_code

PERMISSIONS = Permission.MANAGE_ROLES | Permission.VIEW_CHANNEL


def adding(stage: Stage, **changes: str) -> str:
    asked = {"scope": "bot applications.commands identify", "permissions": str(int(PERMISSIONS))}
    return consent_url(stage, **(asked | changes))


def a_workshop(stage: Stage) -> Guild:
    """Make a server of Alice's that the bot is not in; Bob may manage it, Charlie may manage roles there."""
    guild = stage.local.create_guild("Workshop", owner=stage.alice, bot_position=None)
    boss = stage.local.create_role(guild, "Boss", position=3, permissions=Permission.MANAGE_GUILD)
    foreman = stage.local.create_role(guild, "Foreman", position=2, permissions=Permission.MANAGE_ROLES)
    stage.local.create_member(guild, stage.bob, boss)
    stage.local.create_member(guild, stage.charlie, foreman)
    return guild


async def answer(stage: Stage, url: str, user: User, **form: str) -> tuple[int, str, str]:
    """Send the consent page's form and return the status, the redirect and the page."""
    fields = {**URL(url).query, "user_id": str(user.id), **form}
    async with stage.http.post(f"{stage.url}/oauth2/authorize", data=fields, allow_redirects=False) as response:
        return response.status, response.headers.get("Location", ""), await response.text()


def offered(html: str) -> list[str]:
    return re.findall(r"<option[^>]*>([^<]*)</option>", html)


async def token_after(stage: Stage, url: str, user: User, guild: Guild) -> Any:
    back = URL(stage.local.authorize(url, user, guild))
    return (await exchange_code(stage, back.query["code"]))[1]


async def test_a_server_is_chosen_after_the_person() -> None:
    async with a_stage() as stage:
        a_workshop(stage)
        status, _, html = await answer(stage, adding(stage), stage.alice)
        assert status == 200
        assert offered(html) == ["Workshop", "Demo"]
        assert "Manage Roles" in html
        assert "Administrator" not in html


@pytest.mark.parametrize(("name", "servers"), [("bob", ["Workshop"]), ("charlie", []), ("dora", [])])
async def test_only_servers_that_somebody_may_manage_are_offered(name: str, servers: list[str]) -> None:
    async with a_stage() as stage:
        a_workshop(stage)
        _, _, html = await answer(stage, adding(stage), getattr(stage, name))
        assert offered(html) == servers


async def test_a_server_that_is_known_already_is_the_only_choice() -> None:
    async with a_stage() as stage:
        guild = a_workshop(stage)
        fixed = adding(stage, guild_id=str(guild.id), disable_guild_select="true")
        assert offered((await answer(stage, fixed, stage.alice))[2]) == ["Workshop"]
        preselected = (await answer(stage, adding(stage, guild_id=str(guild.id)), stage.alice))[2]
        assert f'value="{guild.id}" selected' in preselected


async def test_the_bot_joins_with_a_role_of_its_own_at_the_bottom() -> None:
    async with a_stage() as stage:
        guild, bot = a_workshop(stage), await stage.bot()
        status, where, _ = await answer(stage, adding(stage), stage.bob, server=str(guild.id))
        assert status == 302
        assert URL(where).query["guild_id"] == str(guild.id)
        await until(lambda: bot.get_guild(guild.id) is not None)
        joined = bot.get_guild(guild.id)
        assert joined is not None
        assert (joined.me.top_role.name, joined.me.top_role.position) == ("Doorlist", 1)
        assert joined.me.top_role.permissions.value == PERMISSIONS


async def test_the_token_answer_proves_the_server() -> None:
    async with a_stage() as stage:
        guild = a_workshop(stage)
        token = await token_after(stage, adding(stage), stage.alice, guild)
        assert (token["guild"]["id"], token["guild"]["name"]) == (str(guild.id), "Workshop")


async def test_a_plain_sign_in_proves_none() -> None:
    async with a_stage() as stage:
        back = URL(stage.local.authorize(consent_url(stage), stage.alice))
        assert "guild_id" not in back.query
        assert "guild" not in (await exchange_code(stage, back.query["code"]))[1]


async def test_a_forged_choice_adds_nothing() -> None:
    async with a_stage() as stage:
        guild = a_workshop(stage)
        status, where, _ = await answer(stage, adding(stage), stage.charlie, server=str(guild.id))
        assert (status, where) == (403, "")
        with pytest.raises(PermissionError):
            stage.local.authorize(adding(stage), stage.charlie, guild)
        assert stage.local.world.bot.id not in guild.members


async def test_cancel_at_the_choice_adds_nothing() -> None:
    async with a_stage() as stage:
        guild = a_workshop(stage)
        _, where, _ = await answer(stage, adding(stage), stage.alice, server=str(guild.id), answer="cancel")
        assert URL(where).query["error"] == "access_denied"
        assert stage.local.world.bot.id not in guild.members


async def test_authorizing_again_changes_what_the_bot_may_do() -> None:
    async with a_stage() as stage:
        stage.local.authorize(adding(stage), stage.alice, stage.guild)
        assert stage.local.bot_role(stage.guild).permissions == PERMISSIONS
        assert len([each for each in stage.guild.roles.values() if each.is_managed]) == 1


async def test_a_bot_that_was_thrown_out_comes_back_with_a_new_role() -> None:
    async with a_stage() as stage:
        old = stage.local.bot_role(stage.guild)
        stage.local.people.remove_bot(stage.guild)
        stage.local.authorize(adding(stage), stage.alice, stage.guild)
        new = stage.local.bot_role(stage.guild)
        assert new.id != old.id
        assert stage.guild.members[stage.local.world.bot.id].roles == {new.id}


async def test_what_is_no_number_is_no_server() -> None:
    async with a_stage() as stage:
        with pytest.raises(AuthorizationError):
            stage.local.authorize(adding(stage, guild_id="workshop"), stage.alice)


async def test_a_scope_that_is_withheld_is_not_in_the_token() -> None:
    async with a_stage() as stage:
        stage.local.authorizations.withheld.add("guilds.join")
        back = URL(stage.local.authorize(consent_url(stage, scope="identify guilds.join"), stage.charlie))
        _, token = await exchange_code(stage, back.query["code"])
        assert token["scope"] == "identify"


async def test_ones_servers_are_listed_with_what_one_may_do_there() -> None:
    async with a_stage() as stage:
        a_workshop(stage)
        back = URL(stage.local.authorize(consent_url(stage, scope="identify guilds"), stage.charlie))
        _, token = await exchange_code(stage, back.query["code"])
        _, mine = await stage.api("GET", "/users/@me/guilds", token=f"Bearer {token['access_token']}")
        may = {each["name"]: bool(int(each["permissions"]) & Permission.MANAGE_ROLES) for each in mine}
        assert may == {"Demo": False, "Workshop": True}
