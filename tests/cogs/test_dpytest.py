"""A second opinion on `!claim` and joins: the cogs under dpytest, which plays Discord inside discord.py.

dpytest knows no refusals, slash commands or gateway, and needs a member cache; everything else is tested on the wire.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import discord
import discord.ext.test as dpytest
import pytest
from discord.ext import commands

from cogs.calls import Calls
from cogs.claim import Claims
from cogs.claim_messages import ClaimMessages
from cogs.connection import Connection
from cogs.discord_port import DiscordPort
from cogs.gateway import Gateway
from cogs.guard import Refusals
from cogs.queries import MemberQueries
from membership.model import ChannelId, GuildId, UserId
from tests.cogs.connected import GOOD_CODE, Desk, Heard


class SmokeBot(commands.Bot):
    """A bot without prefix commands, as Doorlist's."""

    heard: Heard
    desk: Desk

    async def on_message(self, message: discord.Message, /) -> None:
        """Leave messages to the cog."""

    async def create_dm(self, user: discord.abc.Snowflake) -> discord.DMChannel:
        """Open it on the user object: dpytest reads who it is for from there."""
        known = self.get_user(user.id)
        assert known is not None
        return await known.create_dm()


async def _unused(guild_id: GuildId, user_ids: object, nonce: str) -> None:
    raise AssertionError("dpytest has no gateway to ask")


@pytest.fixture
async def bot() -> AsyncIterator[SmokeBot]:
    bot = SmokeBot("!", intents=discord.Intents.all())
    bot.heard, bot.desk = Heard(), Desk()
    # dpytest skips the login that would do this.
    await bot._async_setup_hook()
    connection = Connection()
    connection.use(bot)
    calls = Calls(connection, Refusals())
    port = DiscordPort(calls, MemberQueries(_unused), "https://discord.example")
    await bot.add_cog(Gateway(bot, calls, bot.heard, port.lanes))
    await bot.add_cog(Claims(ClaimMessages(calls, bot.desk, "!")))
    dpytest.configure(bot, guilds=1, text_channels=1, members=2)
    bot.desk.channel_id = ChannelId(dpytest.get_config().channels[0].id)
    yield bot
    await dpytest.empty_queue()


async def test_claim_is_answered_in_private_and_its_message_deleted(bot: SmokeBot) -> None:
    config = dpytest.get_config()
    await dpytest.message(f"!claim {GOOD_CODE}")
    assert bot.desk.asked == [(config.members[0].id, config.guilds[0].id, GOOD_CODE)]
    assert dpytest.verify().message().contains().content("You have VIP plan")
    channel = config.channels[0]
    assert isinstance(channel, discord.TextChannel)
    assert [message async for message in channel.history()] == []


async def test_chatter_is_left_alone(bot: SmokeBot) -> None:
    await dpytest.message("hello")
    assert dpytest.verify().message().nothing()
    assert bot.desk.asked == []


async def test_a_join_is_told(bot: SmokeBot) -> None:
    newcomer = await dpytest.member_join(name="newbie", discrim=1234)
    await dpytest.run_all_events()
    assert ("joined", GuildId(newcomer.guild.id), UserId(newcomer.id)) in bot.heard.log
