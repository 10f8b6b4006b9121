"""`/claim`, and the form that asks for the code. What a code means is the desk's business."""

from __future__ import annotations

import discord
from discord import app_commands
from discord.app_commands import locale_str
from discord.ext import commands

from cogs import texts
from cogs.cards import Button, Buttons, Card, Field, Form, Text
from cogs.frame import Frame
from cogs.parts import ClaimDesk
from cogs.requests import Request
from locales.catalogue import Words, translatable
from membership import codes
from membership.claims import ClaimAnswer, ClaimOutcome

CODE_FIELD = "code"


class ClaimCommand(commands.Cog):
    """Takes a code from a slash command or a form; the answer is for the person alone."""

    def __init__(self, frame: Frame, desk: ClaimDesk) -> None:
        """Take the frame, and where codes are redeemed."""
        frame.on("claim", lambda request: self._answer(request, request.field(CODE_FIELD)))
        frame.on("claim-form", lambda request: request.ask(_form(request.words)))
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
        text = texts.claim_answer(request.words, answer, name=request.actor.name, is_in_guild=is_in_guild)
        button = _way_out(request, answer, code)
        if button is None:
            await request.say(text)
        else:
            await request.show(Card(lines=(Text(text), Buttons((button,)))))


def _way_out(request: Request, answer: ClaimAnswer, code: str) -> Button | None:
    """Return the button that leads on where a code does not: whoever has the code may have its payer mailed."""
    words = request.words
    if answer.outcome is ClaimOutcome.TOO_MANY_TRIES:
        return Button(label=words.say("Verify purchase"), action="verify")
    labels = {
        ClaimOutcome.EXPIRED: translatable("Mail me a new one"),
        ClaimOutcome.USED_BY_ANOTHER: translatable("Send proof by mail"),
    }
    known = codes.normalise(code)
    if answer.outcome not in labels or known is None or not request.services.mailer.is_configured:
        return None
    return Button(label=words.say(labels[answer.outcome]), action="claim-mail", args=(codes.digest(known),))


def _form(words: Words) -> Form:
    code = Field(name=CODE_FIELD, label=words.say("Code"), placeholder=texts.EXAMPLE_CODE, longest=100)
    return Form(title=words.say("Redeem a code"), action="claim", fields=(code,))
