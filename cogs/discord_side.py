"""Builds everything of Doorlist that speaks to Discord, in the two steps that the composition root needs.

First the port, which membership is given; then, once membership exists, the supervisor that runs the bot.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import discord

from cogs.about import AboutCommand
from cogs.bot import DoorlistBot, use_addresses
from cogs.calls import Calls
from cogs.channel_cards import ChannelCards
from cogs.claim import Claims
from cogs.claim_command import ClaimCommand
from cogs.claim_messages import ClaimMessages
from cogs.command_sync import command_payload
from cogs.config import DiscordSettings
from cogs.connection import Connection
from cogs.discord_port import DiscordPort
from cogs.doctor import DoctorCommand
from cogs.errors import TRANSPORT_ERRORS
from cogs.examiner import Examiner
from cogs.gateway import Gateway
from cogs.guard import Refusals
from cogs.paces import Paces
from cogs.panel import PanelCommand, Panels
from cogs.parts import BotParts
from cogs.queries import MemberQueries
from cogs.settings import SettingsCommand
from cogs.setup import Setup
from cogs.setup_look import SetupLook
from cogs.supervisor import Supervisor
from membership.errors import Retry
from membership.model import GuildId, UserId
from membership.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscordSide:
    """The parts that live as long as the process; bots come and go."""

    settings: DiscordSettings
    connection: Connection
    calls: Calls
    queries: MemberQueries
    port: DiscordPort
    paces: Paces

    def claims(self, parts: BotParts) -> ClaimMessages:
        """Build what answers claim codes in messages, also those posted while the bot was away."""
        return ClaimMessages(self.calls, parts.desk, self.settings.claim_prefix)

    def supervisor(self, parts: BotParts, claims: ClaimMessages, jitter: Callable[[], float]) -> Supervisor:
        """Build what keeps a bot connected; `jitter` returns numbers in [0, 1)."""
        return Supervisor(
            lambda intents: self._bot(parts, claims, intents),
            settings=self.settings,
            connection=self.connection,
            clock=parts.clock,
            jitter=jitter,
        )

    async def commands(self, parts: BotParts) -> list[dict[str, Any]]:
        """Return the slash commands of this version as Discord is sent them. Connects to nothing."""
        bot = self._bot(parts, self.claims(parts), discord.Intents.none())
        await bot.add_cogs()
        return await command_payload(bot)

    def _bot(self, parts: BotParts, claims: ClaimMessages, intents: discord.Intents) -> DoorlistBot:
        bot = DoorlistBot(
            intents=intents, parts=parts, connection=self.connection, queries=self.queries, paces=self.paces
        )
        bot.with_cog(lambda made: Gateway(made, self.calls, parts.events, self.port.lanes))
        bot.with_cog(lambda _made: Claims(claims))
        bot.with_cog(lambda made: ClaimCommand(made.frame, parts.desk))
        self._add_setup(bot, parts.services)
        bot.with_cog(lambda made: SettingsCommand(made.frame, parts.installation.origins))
        bot.with_cog(lambda made: AboutCommand(made.frame, parts.installation))
        bot.with_cog(lambda made: DoctorCommand(made.frame, parts.doctor))
        return bot

    def _add_setup(self, bot: DoorlistBot, services: Services) -> None:
        cards = ChannelCards(self.calls)
        panels = Panels(services, cards)
        look = SetupLook(services, Examiner(self.calls, self.settings), cards, self.settings.site_url)
        bot.with_cog(lambda made: Setup(made.frame, look, panels, cards))
        bot.with_cog(lambda made: PanelCommand(made.frame, panels))


def open_discord(settings: DiscordSettings, paces: Paces | None = None) -> DiscordSide:
    """Point discord.py at the configured addresses and build the port. Connects to nothing yet."""
    use_addresses(settings)
    paces = paces or Paces()
    connection = Connection()

    async def send(guild_id: GuildId, user_ids: Sequence[UserId], nonce: str) -> None:
        gateway = connection.require().ws
        try:
            await gateway.request_chunks(guild_id, limit=0, user_ids=list(user_ids), nonce=nonce)
        except (discord.ConnectionClosed, *TRANSPORT_ERRORS) as failure:
            raise Retry("the connection to Discord was lost") from failure

    queries = MemberQueries(send, paces.queries_per_minute)
    connection.on_lost(queries.lose)
    calls = Calls(connection, Refusals())
    port = DiscordPort(calls, queries, settings.site_url, paces.roles)
    return DiscordSide(settings=settings, connection=connection, calls=calls, queries=queries, port=port, paces=paces)
