"""The discord.py bot: no member cache, no start-up chunking, nothing mentioned, and every IDENTIFY counted.

What it listens to is in gateway.py and claim.py; running it again and again is supervisor.py's work.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from datetime import timedelta

import discord
import structlog
import yarl
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from cogs.command_sync import sync_commands
from cogs.config import DiscordSettings
from cogs.connection import Connection
from cogs.features import FEATURES
from cogs.frame import CommandTree, Frame, Presses
from cogs.paces import Paces
from cogs.parts import BotParts
from cogs.queries import MemberQueries
from cogs.translator import CommandTranslator

log = structlog.get_logger(__name__)

GUILD_READY_SECONDS = 0.05
REIDENTIFY_SECONDS = 5.0


class IdentifyBudgetSpent(Exception):
    """Too many IDENTIFYs in a day; the gateway connection ends and the supervisor waits."""

    def __init__(self, wait: timedelta) -> None:
        """Say how long to wait."""
        super().__init__(f"identify again in {wait}")
        self.wait = wait


class DoorlistBot(commands.Bot):
    """One life of the connection to Discord; a new life is a new bot."""

    heard_at: float | None = None

    def __init__(
        self, *, intents: discord.Intents, parts: BotParts, connection: Connection, queries: MemberQueries, paces: Paces
    ) -> None:
        """Take the intents to ask for, what the bot needs of ours, whom to give the gateway's answers, and the pace."""
        super().__init__(
            command_prefix=commands.when_mentioned,
            help_command=None,
            intents=intents,
            tree_cls=CommandTree,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            allowed_mentions=discord.AllowedMentions.none(),
            guild_ready_timeout=GUILD_READY_SECONDS,
            enable_debug_events=True,  # the only public way to read an op-8 answer's `not_found`
        )
        self._parts = parts
        self._offer_to = connection
        self._queries = queries
        self._cogs_to_add: list[Callable[[DoorlistBot], commands.Cog]] = []
        self._is_counted_ahead = False
        self.frame = Frame(parts.services, paces=paces)
        self._cogs_to_add.append(lambda made: Presses(made.frame))
        self._cogs_to_add.extend(_taking_the_frame(feature) for feature in FEATURES)

    def with_cog(self, make: Callable[[DoorlistBot], commands.Cog]) -> None:
        """Add a cog as soon as the bot has logged in."""
        self._cogs_to_add.append(make)

    async def setup_hook(self) -> None:
        """Run after the login and before the gateway."""
        # Counted before there is a connection: discord.py forgets to close one whose IDENTIFY is refused by our hook.
        await self._count_identify()
        self._is_counted_ahead = True
        await self.add_cogs()
        if self.application is not None:
            self._parts.services.operators.add(owners_of(self.application))
        self._offer_to.use(self)
        await sync_commands(self, self._parts.command_hash)

    async def add_cogs(self) -> None:
        """Add what listens and the slash commands. Needs no login, so that the commands can be looked at without."""
        await self.tree.set_translator(CommandTranslator())
        for make in self._cogs_to_add:
            await self.add_cog(make(self))
        for menu in self.frame.menus:
            self.tree.add_command(menu)
        if self.frame.doorlist.commands:
            self.tree.add_command(self.frame.doorlist)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Count every IDENTIFY, also those that discord.py makes by itself after an invalid session (threats D15)."""
        if self._is_counted_ahead:
            self._is_counted_ahead = False
        else:
            await self._count_identify()
        if not initial:
            await asyncio.sleep(REIDENTIFY_SECONDS)

    async def _count_identify(self) -> None:
        wait = await self._parts.budget.take(self._parts.clock.now())
        if wait > timedelta():
            raise IdentifyBudgetSpent(wait)

    async def on_message(self, message: discord.Message, /) -> None:
        """Leave messages to the claim cog: there are no prefix commands."""

    async def on_error(self, event_method: str, /, *args: object, **kwargs: object) -> None:
        """Log a listener's bug; the arguments stay out of the log, they carry people's messages."""
        log.error("listener_failed", listener=event_method, exc_info=sys.exception())

    async def on_socket_raw_receive(self, frame: str) -> None:
        """Note that the gateway lives, and pick the answers to our member queries."""
        self.heard_at = asyncio.get_running_loop().time()
        if '"GUILD_MEMBERS_CHUNK"' in frame or '"RATE_LIMITED"' in frame:
            event = json.loads(frame)
            if event["t"] == "GUILD_MEMBERS_CHUNK":
                self._queries.hear(event["d"])
            elif event["t"] == "RATE_LIMITED":
                self._queries.refuse(str(event["d"]["meta"].get("nonce")), float(event["d"]["retry_after"]))


def owners_of(application: discord.AppInfo) -> frozenset[int]:
    """Return whom Discord names as the ones who run an application."""
    return frozenset({application.owner.id}) if application.team is None else runners_of(application.team)


def runners_of(team: discord.Team) -> frozenset[int]:
    """Return who of a developer team runs its application: not whom it only invited, nor those who may only read."""
    accepted, read_only = discord.TeamMembershipState.accepted, discord.TeamMemberRole.read_only
    return frozenset(
        each.id for each in team.members if each.membership_state is accepted and each.role is not read_only
    )


def _taking_the_frame(feature: Callable[[Frame], commands.Cog]) -> Callable[[DoorlistBot], commands.Cog]:
    return lambda made: feature(made.frame)


def use_addresses(settings: DiscordSettings) -> None:
    """Point discord.py at the configured Discord. Once per process: it keeps them on its classes."""
    Route.BASE = settings.api_url.rstrip("/")
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.gateway_url)
    discord.Asset.BASE = settings.cdn_url.rstrip("/")


def intents_of(settings: DiscordSettings) -> discord.Intents:
    """Return what to listen to: always guilds, moderation and messages, and the two privileged ones as configured."""
    return discord.Intents(
        guilds=True,
        moderation=True,
        guild_messages=True,
        dm_messages=True,
        members=settings.members_intent,
        message_content=settings.message_content_intent,
    )
