"""`/doorlist undo`, and the Undo button of everybody: takes one change back while nobody changed it again."""

from __future__ import annotations

import re

import discord
from discord import app_commands
from discord.ext import commands

from cogs.cards import Tone
from cogs.frame import Frame
from cogs.member_words import summary_text
from cogs.requests import Request
from cogs.suggestions import Choices, choices
from membership import undo
from membership.errors import UserError
from membership.model import ChangeId


async def changes(interaction: discord.Interaction, typed: str) -> Choices:
    """Suggest what can be taken back, newest first."""
    request = Request.of(interaction)
    found = await undo.recent(request.services, request.actor)
    return choices(
        ((f"{change.at:%d %b %H:%M} · {_MENTION.sub(_plainly, change.summary)}", str(change.id)) for change in found),
        typed,
    )


_MENTION = re.compile(r"<([@#]&?)\d+>")


def _plainly(mention: re.Match[str]) -> str:
    """Say what a mention is of: suggestions show no mentions."""
    return {"@": "a member", "@&": "a role"}.get(mention[1], "a channel")


class Undo(commands.Cog):
    """Takes changes back."""

    def __init__(self, frame: Frame) -> None:
        """Take the frame."""
        self._services = frame.services
        frame.add_to_doorlist("undo", "Undo a settings change or staff action", self.undo)
        frame.on("undo", self._press)

    @app_commands.describe(change="What to take back: the last 25 changes of seven days")
    @app_commands.autocomplete(change=changes)
    async def undo(self, interaction: discord.Interaction, change: str) -> None:
        """Take back a change."""
        await self._undo(Request.of(interaction), change)

    async def _press(self, request: Request) -> None:
        await self._undo(request, request.args[0] if request.args else "")

    async def _undo(self, request: Request, text: str) -> None:
        if not text.isdecimal() or len(text) > 18:
            raise UserError("There is no such change in this server. Choose one from the list.")
        undone = await undo.undo(self._services, request.actor, ChangeId(int(text)))
        kicked = (
            "\nWhoever was kicked meanwhile stays outside: a kick cannot be undone, they have to join again."
            if undone.may_be_outside
            else ""
        )
        await request.say(f"↩️ Undone: {summary_text(undone.change.summary)}{kicked}", tone=Tone.GOOD)
