"""Asks Discord how things are, and puts right what a bot may: over the connected bot, or with the token alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import discord
from discord.ext import commands
from discord.http import Route

from cogs import errors
from cogs.calls import Calls
from cogs.config import DiscordSettings
from cogs.connection import Connection
from cogs.examination import ApplicationExamination, GuildExamination, Json, read_application, read_guild
from membership.errors import Audience, Blocked, Reason, Retry
from membership.model import GuildId, RoleId

LOGIN_SECONDS = 10.0
ASK_SECONDS = 8.0
_APPLICATION = ("GET", "/applications/@me")
_LIMITED_MEMBERS, _LIMITED_CONTENT = 1 << 15, 1 << 19


class Examiner:
    """Examines one application and its servers. Raises Retry, Blocked and Gone like every call to Discord."""

    def __init__(self, calls: Calls, settings: DiscordSettings) -> None:
        """Take the way to make calls, and what Discord's sign-in is asked with."""
        self._calls = calls
        self._settings = settings

    async def application(self) -> ApplicationExamination:
        """Look at the application: three requests."""
        raw = await self._request(*_APPLICATION)
        me = await self._request("GET", "/users/@me")
        commands_url = f"/applications/{raw['id']}/commands"
        registered = await self._request("GET", commands_url, params={"with_localizations": "true"})
        return read_application(raw, me=me, commands=registered)

    async def guild(self, guild_id: GuildId) -> GuildExamination:
        """Look at a server: one request where the gateway shows it, four otherwise. Raises Gone("guild")."""
        known = self._calls.connection.guild(guild_id)
        if known is not None:
            return read_guild(known, known.me, known.channels, await self._counts(guild_id))
        guild = await self._calls.make(lambda bot: bot.fetch_guild(guild_id))
        me = await self._calls.make(lambda bot: guild.fetch_member(_own_id(bot)))
        channels = await self._calls.make(lambda _bot: guild.fetch_channels())
        return read_guild(guild, me, channels, await self._counts(guild_id))

    async def is_secret_accepted(self) -> bool:
        """Say whether Discord's sign-in takes our client id and secret, by asking for a token with no good code.

        It looks at the client first, so nothing is ever issued. Raises Retry.
        """
        credentials = aiohttp.encode_basic_auth(
            self._settings.client_id, self._settings.client_secret.get_secret_value()
        )
        form = {"grant_type": "authorization_code", "code": "none", "redirect_uri": "https://doorlist.invalid/"}
        status, _ = await _fetch(
            f"{self._settings.api_url}/oauth2/token", form=form, headers={"Authorization": credentials}
        )
        if status == 429 or status >= 500:
            raise Retry(f"Discord's sign-in answered {status}")
        return status != 401

    async def server_time(self) -> datetime:
        """Return what time it is at Discord, to the second. Raises Retry."""
        _, headers = await _fetch(f"{self._settings.api_url}/gateway")
        try:
            return parsedate_to_datetime(headers["Date"])
        except (KeyError, ValueError) as silence:
            raise Retry("Discord did not say what time it is") from silence

    async def switch_on_intents(self) -> None:
        """Switch on both privileged intents. Raises when Discord wants them to be asked for, as of large bots."""
        raw = await self._request(*_APPLICATION)
        flags = int(raw["flags"]) | _LIMITED_MEMBERS | _LIMITED_CONTENT
        await self._request("PATCH", "/applications/@me", json={"flags": flags})

    async def clear_interactions_url(self) -> None:
        """Let interactions come to the bot again."""
        await self._request("PATCH", "/applications/@me", json={"interactions_endpoint_url": None})

    async def send_commands(self, application_id: int, wanted: Sequence[Json]) -> None:
        """Register exactly these commands."""
        await self._calls.make(
            lambda bot: bot.http.bulk_upsert_global_commands(application_id, list(map(dict, wanted)))
        )

    async def create_role(self, guild_id: GuildId, name: str) -> RoleId:
        """Make a role without any permission, below the bot's own."""
        why = "made again by doorlist doctor"
        made = await self._calls.make(
            lambda bot: bot.http.create_role(guild_id, reason=why, name=name, permissions="0")
        )
        return RoleId(int(made["id"]))

    async def _counts(self, guild_id: GuildId) -> Mapping[int, int]:
        """Count the members of each role; {} where Discord does not tell us, which is no reason to see nothing."""
        try:
            raw = await self._request("GET", f"/guilds/{guild_id}/roles/member-counts")
        except Blocked as refusal:
            if refusal.reason is Reason.CREDENTIALS_REFUSED:
                raise
            return {}
        return {int(role_id): int(count) for role_id, count in raw.items()}

    async def _request(self, method: str, path: str, **sent: Any) -> Any:
        route = Route(method, path)
        return await self._calls.make(lambda bot: bot.http.request(route, **sent), seconds=ASK_SECONDS)


@asynccontextmanager
async def logged_in(connection: Connection, settings: DiscordSettings) -> AsyncIterator[None]:
    """Offer a bot that can make calls and has no gateway. Raises Blocked for a refused token, Retry for no answer."""
    bot = commands.Bot(command_prefix=commands.when_mentioned, help_command=None, intents=discord.Intents.none())
    try:
        await _log_in(bot, settings.token.get_secret_value())
        connection.use(bot)
        yield
    finally:
        connection.drop()
        await bot.close()


async def _log_in(bot: commands.Bot, token: str) -> None:
    try:
        async with asyncio.timeout(LOGIN_SECONDS):
            await bot.login(token)
    except discord.LoginFailure as refused:
        detail = "Discord refused the token (401)"
        raise Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR, detail=detail) from refused
    except errors.TRANSPORT_ERRORS as trouble:
        raise errors.failure(trouble) from trouble


def _own_id(bot: commands.Bot) -> int:
    """Return the bot's user id. Raises Retry before a login."""
    if bot.user is None:
        raise Retry("Discord is not connected")
    return bot.user.id


async def _fetch(
    url: str, *, form: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str]]:
    """Make one request without a bot; return the status and the headers. Raises Retry."""
    method = "POST" if form else "GET"
    timeout = aiohttp.ClientTimeout(total=ASK_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.request(method, url, data=form, headers=headers, allow_redirects=False) as response,
        ):
            return response.status, dict(response.headers)
    except (aiohttp.ClientError, TimeoutError) as trouble:
        raise Retry(f"Discord did not answer: {type(trouble).__name__}") from trouble
