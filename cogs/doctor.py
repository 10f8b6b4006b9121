"""`/doorlist doctor`: looks the server over, again at a button, and as a file. What is looked at is in app/checks."""

from __future__ import annotations

import discord
from discord.ext import commands

from cogs.doctor_cards import AGAIN, REPORT, doctor_card, report_card
from cogs.frame import Frame
from cogs.parts import Doctor
from cogs.requests import Request


class DoctorCommand(commands.Cog):
    """Shows what the doctor finds."""

    def __init__(self, frame: Frame, doctor: Doctor) -> None:
        """Take the frame, and who looks."""
        self._doctor = doctor
        frame.add_to_doorlist("doctor", "Look for everything that could be wrong, and what to do about it", self.look)
        frame.on(AGAIN, self._show)
        frame.on(REPORT, self._report)

    async def look(self, interaction: discord.Interaction) -> None:
        """Look this server over."""
        await self._show(Request.of(interaction))

    async def _show(self, request: Request) -> None:
        await request.show(doctor_card(await self._doctor.examine(request.guild_id)))

    async def _report(self, request: Request) -> None:
        await request.add(report_card(await self._doctor.examine(request.guild_id)))
