"""The claim cog: messages, `/claim` and its form come in here. What a code means is the desk's business."""

from __future__ import annotations

from collections.abc import Mapping

import discord
from discord import app_commands, ui
from discord.ext import commands

from cogs import posting, texts
from cogs.apologies import or_apologise
from cogs.claim_messages import ClaimMessages
from cogs.parts import ClaimDesk
from membership.model import GuildId, UserId

CLAIM_FORM_ID = "door:claim"
CODE_FIELD_ID = "code"

FormInput = ui.TextInput["ClaimForm"]


class ClaimForm(ui.Modal, title="Redeem a code"):
    """Asks for a code. The cog takes the answer by the form's id, as discord.py forgets open forms at a restart."""

    def __init__(self) -> None:
        """Give the form the fixed id that the cog listens for."""
        super().__init__(custom_id=CLAIM_FORM_ID)
        code: FormInput = ui.TextInput(placeholder=texts.EXAMPLE_CODE, custom_id=CODE_FIELD_ID, max_length=100)
        self.add_item(ui.Label(text="Code", component=code))


class Claims(commands.Cog):
    """Takes codes from people, in a message, a slash command or a form."""

    def __init__(self, messages: ClaimMessages, desk: ClaimDesk) -> None:
        """Take what answers messages, and where codes are redeemed."""
        self._messages = messages
        self._desk = desk

    @commands.Cog.listener()
    async def on_message(self, message: discord.Message) -> None:
        """Take a person's message. Edited ones never come here: the first author of a code wins."""
        if posting.is_from_person(message):
            guild_id = GuildId(message.guild.id) if message.guild else None
            await self._messages.take(posting.channel_message(message), guild_id)

    @app_commands.command(name="claim", description="Redeem the code from your purchase mail")
    @app_commands.describe(code=f"It looks like {texts.EXAMPLE_CODE}. Leave empty to get a form")
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def claim(self, interaction: discord.Interaction, code: str = "") -> None:
        """Redeem a code; the answer is for the person alone."""
        if code.strip():
            await self._answer_privately(interaction, code)
        else:
            await interaction.response.send_modal(ClaimForm())

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction) -> None:
        """Take a submitted claim form, also one that was opened before a restart."""
        content: Mapping[str, object] = dict(interaction.data or {})
        if interaction.type is discord.InteractionType.modal_submit and content.get("custom_id") == CLAIM_FORM_ID:
            await or_apologise(interaction, lambda: self._answer_privately(interaction, _field(content)))

    async def _answer_privately(self, interaction: discord.Interaction, code: str) -> None:
        # First of all: Discord waits three seconds, and redeeming may wait longer for the role.
        await interaction.response.defer(ephemeral=True, thinking=True)
        guild_id = GuildId(interaction.guild_id) if interaction.guild_id else None
        answer = await self._desk.redeem(UserId(interaction.user.id), guild_id, code)
        is_in_guild = guild_id is not None and answer.guild_id in (None, guild_id)
        text = texts.claim_answer(answer, name=interaction.user.display_name, is_in_guild=is_in_guild)
        await interaction.followup.send(text, ephemeral=True)


def _field(content: Mapping[str, object]) -> str:
    """Find the code in a submitted form: fields come nested in labels or rows."""
    pending: list[object] = [content]
    while pending:
        part = pending.pop()
        if isinstance(part, Mapping):
            if part.get("custom_id") == CODE_FIELD_ID:
                return str(part.get("value", ""))
            pending.extend((part.get("component"), part.get("components")))
        elif isinstance(part, list | tuple):
            pending.extend(part)
    return ""
