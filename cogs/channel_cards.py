"""Cards that stand in a channel for everybody: posted, edited and taken away; and channels made for them."""

from __future__ import annotations

import discord

from cogs import posting, rendering
from cogs.calls import Calls
from cogs.cards import Card
from membership.errors import Gone
from membership.model import ChannelId, GuildId, MessageId


class ChannelCards:
    """Writes into channels. Raises Retry, Blocked and Gone like every call to Discord."""

    def __init__(self, calls: Calls) -> None:
        """Take the way to make calls."""
        self._calls = calls

    async def post(self, channel_id: ChannelId, card: Card, *, key: str) -> MessageId:
        """Post a card and return its message; the same key again within minutes is the same message."""
        message = await self._calls.make(
            lambda bot: bot.get_partial_messageable(channel_id).send(
                view=rendering.view(card), nonce=posting.nonce(key), silent=True
            )
        )
        return MessageId(message.id)

    async def edit(self, channel_id: ChannelId, message_id: MessageId, card: Card) -> None:
        """Show another card in a message of ours. Raises Gone("message") when it was deleted."""
        await self._calls.make(
            lambda bot: (
                bot.get_partial_messageable(channel_id).get_partial_message(message_id).edit(view=rendering.view(card))
            )
        )

    async def delete(self, channel_id: ChannelId, message_id: MessageId) -> None:
        """Delete a message of ours; gone already is as good."""
        try:
            await self._calls.make(
                lambda bot: bot.get_partial_messageable(channel_id).get_partial_message(message_id).delete()
            )
        except Gone:
            return

    async def is_there(self, channel_id: ChannelId, message_id: MessageId) -> bool:
        """Say whether a message still stands. Raises Blocked or Retry when nobody can tell."""
        try:
            await self._calls.make(lambda bot: bot.get_partial_messageable(channel_id).fetch_message(message_id))
        except Gone:
            return False
        return True

    async def make_channel(self, guild_id: GuildId, name: str, *, is_private: bool) -> ChannelId:
        """Make a text channel that everybody sees and nobody but us writes in, or that only we and admins see.

        Raises Blocked(MISSING_PERMISSION) without Manage Channels, which the bot does not ask for.
        """
        guild = self._calls.connection.require_guild(guild_id)
        everybody = discord.PermissionOverwrite(send_messages=False)
        if is_private:
            everybody.update(view_channel=False)
        ours = discord.PermissionOverwrite(view_channel=True, send_messages=True, embed_links=True)
        overwrites: dict[discord.Role | discord.Member | discord.Object, discord.PermissionOverwrite] = {
            guild.default_role: everybody,
            guild.me: ours,
        }
        made = await self._calls.make(
            lambda _bot: guild.create_text_channel(name, overwrites=overwrites, reason="asked for in /doorlist setup")
        )
        return ChannelId(made.id)


def first_writable(guild: discord.Guild) -> ChannelId | None:
    """Return the system channel, or the first text channel, that the bot may write in."""
    candidates = [*([guild.system_channel] if guild.system_channel else []), *guild.text_channels]
    for channel in candidates:
        own = channel.permissions_for(guild.me)
        if own.view_channel and own.send_messages:
            return ChannelId(channel.id)
    return None
