"""`/doorlist panel`: posts the panel once, edits it where it stands, and posts it anew when it was deleted."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.ext import commands

from cogs.cards import Tone
from cogs.channel_cards import ChannelCards
from cogs.frame import Frame
from cogs.panel_cards import panel_card
from cogs.requests import Request
from cogs.suggestions import Choices, choices
from locales.catalogue import language_name, locales, words_for
from membership import server_settings
from membership.errors import Blocked, Gone, UserError
from membership.model import ChannelId, MessageId
from membership.services import Services


class Panels:
    """Puts the panel into a channel; one per server."""

    def __init__(self, services: Services, cards: ChannelCards) -> None:
        """Take the services, and what writes into channels."""
        self._services = services
        self._cards = cards

    async def put(self, request: Request, channel_id: ChannelId, language: str = "") -> bool:
        """Post the panel, or edit the one that stands there; return whether it is new. Raises UserError."""
        channel_id = own_channel(request, channel_id)
        # One at a time: two people who press at once shall see one panel.
        async with self._services.turns.of(f"panel:{request.guild_id}"):
            try:
                return await self._put(request, channel_id, language)
            except Blocked as refusal:
                raise UserError(
                    f"I may not write in <#{channel_id}>. "
                    "Edit Channel → Permissions → add me with View Channel and Send Messages, then try again."
                ) from refusal

    async def _put(self, request: Request, channel_id: ChannelId, language: str) -> bool:
        async with self._services.store.read() as tx:
            guild = await tx.guilds.get(request.guild_id)
        spoken = guild.language if guild else ""
        card = panel_card(words_for(language, spoken, str(request.interaction.guild_locale or "")))
        before = (guild.panel_channel_id, guild.panel_message_id) if guild else (None, None)
        if before[0] == channel_id and before[1] is not None:
            try:
                await self._cards.edit(channel_id, before[1], card)
            except Gone:
                pass
            else:
                return False
        message_id = await self._cards.post(channel_id, card, key=f"panel:{request.interaction.id}")
        await server_settings.panel_posted(self._services, request.actor, channel_id, message_id)
        if before[0] is not None and before[1] is not None and before[0] != channel_id:
            await self._take_away(before[0], before[1])
        return True

    async def _take_away(self, channel_id: ChannelId, message_id: MessageId) -> None:
        """Delete the old panel. Where that is refused it stays and works all the same."""
        try:
            await self._cards.delete(channel_id, message_id)
        except Blocked:
            return


def own_channel(request: Request, channel_id: int) -> ChannelId:
    """Return a text channel of the server where this was asked. Raises UserError for any other."""
    guild = request.interaction.guild
    channel = guild.get_channel(channel_id) if guild else None
    if not isinstance(channel, discord.TextChannel):
        raise UserError("There is no such text channel in this server.")
    return ChannelId(channel.id)


async def languages(_interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest the languages that there are."""
    return choices(((language_name(locale), locale) for locale in sorted(locales())), typed)


class PanelCommand(commands.Cog):
    """The command."""

    def __init__(self, frame: Frame, panels: Panels) -> None:
        """Take the frame, and what puts the panel."""
        self._panels = panels
        frame.add_to_doorlist("panel", "Post or update the “Verify purchase” panel", self.panel)

    @app_commands.describe(
        channel="Where members find it", language="The language of the panel; otherwise the server's own"
    )
    @app_commands.autocomplete(language=languages)
    async def panel(self, interaction: discord.Interaction, channel: discord.TextChannel, language: str = "") -> None:
        """Post or update the panel."""
        request = Request.of(interaction)
        if language and language not in locales():
            raise UserError("I do not speak that language. Choose one from the list.")
        is_new = await self._panels.put(request, ChannelId(channel.id), language)
        done = "posted" if is_new else "updated"
        await request.say(f"✅ The panel is {done} in <#{channel.id}>.", tone=Tone.GOOD)
