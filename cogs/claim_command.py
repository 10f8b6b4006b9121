"""`/claim`, and the form that asks for the code. What a code means is the desk's business."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from cogs import texts
from cogs.cards import Field, Form
from cogs.frame import Frame
from cogs.parts import ClaimDesk
from cogs.requests import Request
from locales.catalogue import Words

CODE_FIELD = "code"


class ClaimCommand(commands.Cog):
    """Takes a code from a slash command or a form; the answer is for the person alone."""

    def __init__(self, frame: Frame, desk: ClaimDesk) -> None:
        """Take the frame, and where codes are redeemed."""
        frame.on("claim", lambda request: self._answer(request, request.field(CODE_FIELD)))
        self._desk = desk

    @app_commands.command(name="claim", description=locale_str("Redeem the code from your purchase mail"))
    @app_commands.describe(code=locale_str("It looks like K7QF-2M9X-4TRW-8HNB. Leave empty to get a form"))
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
    @app_commands.allowed_installs(guilds=True, users=False)
    async def claim(self, interaction: discord.Interaction, code: str = "") -> None:
        """Redeem a code; without one, ask for it."""
        request = Request.of(interaction)
        if code.strip():
            await self._answer(request, code)
        else:
            await request.ask(_form(request.words))

    async def _answer(self, request: Request, code: str) -> None:
        # First of all: Discord waits three seconds, and redeeming may wait longer for the role.
        await request.think()
        guild_id = request.guild_id or None
        answer = await self._desk.redeem(request.actor.user_id, guild_id, code)
        is_in_guild = guild_id is not None and answer.guild_id in (None, guild_id)
        await request.say(texts.claim_answer(request.words, answer, name=request.actor.name, is_in_guild=is_in_guild))


def _form(words: Words) -> Form:
    code = Field(name=CODE_FIELD, label=words.say("Code"), placeholder=texts.EXAMPLE_CODE, longest=100)
    return Form(title=words.say("Redeem a code"), action="claim", fields=(code,))
