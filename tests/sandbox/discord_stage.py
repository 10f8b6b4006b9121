"""A local Discord with a cast, served on a loopback port, and real discord.py bots that talk to it.

Alice owns the guild, Bob is staff, Charlie is nobody. Dora has an account and is not in the guild.

Acting as somebody, the way their client does (sandbox/discord/client.py):

    person = stage.local.client(stage.bob, stage.channel)      any user; any channel of any guild, or a DM
    card = await person.types("plan create", name="VIP")       options by name; users, roles, channels by id; Upload
    card.text, card.labels, card.control("Edit"), card.tree    what is read, what can be used, the components
    await card.press("Edit")                                   by label, custom_id or its beginning ("door:edit")
    await card.pick("Products", "VIP", "Pass")                 by option label or value; users, roles, channels by id
    form = await card.press("Rename"); form.is_form, form.text
    await form.submit({"Name": "Gold"}, roles=[role.id])       by label or custom_id; the rest keeps its default
    await person.suggestions("plan show", "plan", "VI")        autocomplete: {name: value}
    await person.opens_menu("Membership", stage.charlie)       a User command of the context menu
    person.offers(); person.sees(message).press("Claim")       what the picker lists; a message that was posted

A client sends only what was offered (LookupError, PermissionError, ValueError). For permission tests there is also
`person.forges("plan create", ...)`, `card.forge("door:edit:9")`, `card.forge("door:pick", "9", kind=3)`,
`form.forge_form({...})` and `person.forges_form("door:form:9", name="x")`. `user.locale = "it"` sets a language.
A message is always read in its latest state: after a press, `card.text` is what the card says then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import discord
import yarl
from aiohttp import web
from discord.ext import commands

from sandbox.clock import MovableClock
from sandbox.discord import LocalDiscord
from sandbox.discord.buckets import Buckets
from sandbox.discord.world import Channel, Guild, Role, User

REDIRECT = "http://127.0.0.1:9/oauth/callback"
EVERYTHING = discord.Intents(
    guilds=True, members=True, moderation=True, guild_messages=True, dm_messages=True, message_content=True
)


@dataclass(kw_only=True)
class Stage:
    """Everything a test touches."""

    local: LocalDiscord
    clock: MovableClock
    url: str
    http: aiohttp.ClientSession
    guild: Guild
    vip: Role
    channel: Channel
    alice: User
    bob: User
    charlie: User
    dora: User
    bots: list[asyncio.Task[None]] = field(default_factory=list)

    async def bot(self, *, setup: Callable[[commands.Bot], None] | None = None, **options: Any) -> commands.Bot:
        """Start a bot as Doorlist starts it, and wait until it is ready."""
        bot, task = await start_bot(self.local.portal.token, setup, **options)
        self.bots.append(task)
        return bot

    async def api(self, method: str, path: str, body: Any = None, *, token: str | None = None) -> tuple[int, Any]:
        """Call REST as the bot (or with another Authorization value); return the status and the JSON."""
        headers = {"Authorization": token or f"Bot {self.local.portal.token}"}
        url = f"{self.url}/api/v10{path}"
        async with self.http.request(method, url, json=body, headers=headers) as response:
            return response.status, await response.json() if response.status != 204 else None

    def member_path(self, user: User) -> str:
        return f"/guilds/{self.guild.id}/members/{user.id}"

    def role_path(self, user: User, role: Role | None = None) -> str:
        return f"{self.member_path(user)}/roles/{(role or self.vip).id}"


_OPTIONS: dict[str, Any] = {
    "intents": EVERYTHING,
    "member_cache_flags": discord.MemberCacheFlags.none(),
    "chunk_guilds_at_startup": False,
    "max_messages": None,
    "guild_ready_timeout": 0.02,
    "help_command": None,
}


async def start_bot(
    token: str, setup: Callable[[commands.Bot], None] | None = None, **options: Any
) -> tuple[commands.Bot, asyncio.Task[None]]:
    """Start a bot as Doorlist starts it, wait until it is ready, and return the task that runs it."""
    bot = commands.Bot("!", **(_OPTIONS | options))
    if setup:
        setup(bot)
    task = asyncio.create_task(_keep(bot, token))
    ready = asyncio.create_task(bot.wait_until_ready())
    await asyncio.wait({task, ready}, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if task.done():
        await task
    assert bot.is_ready()
    return bot, task


async def _keep(bot: commands.Bot, token: str) -> None:
    try:
        await bot.start(token)
    finally:
        await bot.close()


@asynccontextmanager
async def a_stage(*, prefix: str = "/_emu/discord", buckets: Buckets | None = None) -> AsyncIterator[Stage]:
    """Serve a local Discord with its cast; bots that were started are stopped at the end."""
    clock = MovableClock()
    local = LocalDiscord(clock, buckets=buckets)
    local.portal.redirect_uris.add(REDIRECT)
    alice, bob, charlie, dora = (local.create_user(name, email=f"{name}@example.com") for name in _CAST)
    guild = local.create_guild("Demo", owner=alice)
    vip = local.create_role(guild, "VIP", position=2)
    local.create_member(guild, bob, local.create_role(guild, "Staff", position=5))
    local.create_member(guild, charlie)
    channel = local.create_channel(guild, "get-access")
    outer = web.Application()
    outer.add_subapp(prefix, local.app())
    runner = web.AppRunner(outer, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}{prefix}"
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as http, addresses(url):
        stage = Stage(
            local=local, clock=clock, url=url, http=http, guild=guild, vip=vip, channel=channel,
            alice=alice, bob=bob, charlie=charlie, dora=dora,
        )  # fmt: skip
        try:
            yield stage
        finally:
            for task in stage.bots:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await runner.cleanup()


@asynccontextmanager
async def addresses(url: str) -> AsyncIterator[None]:
    """Point discord.py at a local Discord."""
    base, gateway = discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY
    pictures = discord.Asset.BASE
    discord.http.Route.BASE = f"{url}/api/v10"
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(f"ws{url.removeprefix('http')}/gateway")
    try:
        yield
    finally:
        discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = base, gateway
        discord.Asset.BASE = pictures


async def until(condition: Callable[[], bool], *, seconds: float = 3.0) -> None:
    """Wait until the condition holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - it looks at plain records, which tell nobody
            await asyncio.sleep(0.005)


_CAST = ("alice", "bob", "charlie", "dora")
