"""The claim cog: `!claim` messages come in here. What a code means is the desk's business."""

from __future__ import annotations

import discord
from discord.ext import commands

from cogs import posting
from cogs.claim_messages import ClaimMessages
from membership.model import GuildId


class Claims(commands.Cog):
    """Takes codes from messages."""

    def __init__(self, messages: ClaimMessages) -> None:
        """Take what answers messages."""
        self._messages = messages

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Take a person's message. Edited ones never come here: the first author of a code wins."""
        if posting.is_from_person(message):
            guild_id = GuildId(message.guild.id) if message.guild else None
            await self._messages.take(posting.channel_message(message), guild_id)
