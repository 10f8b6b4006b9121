"""What Discord is asked for by whom, and the proof of a server that comes with the token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest

from membership.errors import Retry
from membership.model import GuildId
from tests.web.discord_stand_in import CLIENT_ID, CLIENT_SECRET, DiscordStandIn
from web.discord_login import AS_CUSTOMER, AS_STAFF, TO_CONNECT, Consent, DiscordLogin, SignIn, to_add_bot
from web.parts import DiscordApplication

VERIFIER = "v" * 64


@pytest.fixture
async def discord() -> AsyncIterator[DiscordStandIn]:
    async with DiscordStandIn().running() as running:
        yield running


@pytest.fixture
async def login(discord: DiscordStandIn) -> AsyncIterator[DiscordLogin]:
    application = DiscordApplication(
        client_id=CLIENT_ID, client_secret=CLIENT_SECRET, api_url=f"{discord.url}/api/v10", site_url=discord.url
    )
    async with aiohttp.ClientSession() as session:
        yield DiscordLogin(session, application, "https://door.example")


def asked(login: DiscordLogin, consent: Consent) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(login.authorize_url("state", VERIFIER, consent)).query))


async def signed_in(login: DiscordLogin, discord: DiscordStandIn) -> SignIn:
    way_back = discord.agree(login.authorize_url("state", VERIFIER, to_add_bot()))
    return await login.finish(dict(parse_qsl(urlsplit(way_back).query))["code"], VERIFIER)


@pytest.mark.parametrize(
    ("consent", "scope"),
    [
        (TO_CONNECT, "identify email guilds.join"),
        (AS_CUSTOMER, "identify email"),
        (AS_STAFF, "identify"),
        (to_add_bot(), "bot applications.commands identify"),
    ],
)
async def test_everybody_is_asked_for_what_their_business_needs(
    login: DiscordLogin, consent: Consent, scope: str
) -> None:
    assert asked(login, consent)["scope"] == scope


async def test_a_plain_sign_in_asks_for_no_server(login: DiscordLogin) -> None:
    assert not asked(login, AS_STAFF).keys() & {"permissions", "guild_id", "disable_guild_select"}


async def test_the_bot_asks_for_few_permissions_and_for_kicking_only_where_it_kicks(login: DiscordLogin) -> None:
    assert asked(login, to_add_bot())["permissions"] == "268487681"
    assert asked(login, to_add_bot(may_kick=True))["permissions"] == "268487683"


async def test_a_server_that_is_known_already_is_not_asked_for(login: DiscordLogin) -> None:
    query = asked(login, to_add_bot(GuildId(77)))
    assert (query["guild_id"], query["disable_guild_select"]) == ("77", "true")
    assert "guild_id" not in asked(login, to_add_bot())


async def test_the_server_that_came_with_the_token_is_proven(login: DiscordLogin, discord: DiscordStandIn) -> None:
    discord.guild = {"id": "77", "name": "Ada's Workshop", "owner": True}
    signed = await signed_in(login, discord)
    assert (signed.guild_id, signed.guild_name) == (GuildId(77), "Ada's Workshop")


async def test_a_token_without_a_server_proves_none(login: DiscordLogin, discord: DiscordStandIn) -> None:
    signed = await signed_in(login, discord)
    assert (signed.guild_id, signed.guild_name) == (None, "")


@pytest.mark.parametrize("guild", [{"name": "No number"}, {"id": "seven"}, {"id": 77}])
async def test_a_server_that_cannot_be_read_is_discord_being_unwell(
    login: DiscordLogin, discord: DiscordStandIn, guild: object
) -> None:
    discord.guild = guild
    with pytest.raises(Retry):
        await signed_in(login, discord)
