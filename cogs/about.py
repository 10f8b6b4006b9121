"""`/doorlist about`: the version, and how this Doorlist is doing."""

from __future__ import annotations

import math

import discord
from discord.ext import commands

from cogs.about_cards import About, about_card
from cogs.frame import Frame
from cogs.parts import Installation
from cogs.requests import Request


class AboutCommand(commands.Cog):
    """Gathers what the card says."""

    def __init__(self, frame: Frame, installation: Installation) -> None:
        """Take the frame, and the program."""
        self._services = frame.services
        self._installation = installation
        frame.add_to_doorlist("about", "Version, uptime, queue, last run", self.about)

    async def about(self, interaction: discord.Interaction) -> None:
        """Show how it is."""
        request = Request.of(interaction)
        program = self._installation
        latency = interaction.client.latency
        async with self._services.store.read() as tx:
            jobs = dict(await tx.jobs.counts())
            members = await tx.members.count_present(request.guild_id)
        about = About(
            version=program.version,
            started_at=program.started_at,
            latency_seconds=latency if math.isfinite(latency) else None,
            database_kind=program.database_kind,
            database_bytes=await program.database_size(),
            last_run_at=await program.last_run_at(),
            members=members,
            jobs=jobs,
            newest_event_at=await program.newest_event_at(),
            pages_url=self._services.public_url,
        )
        await request.show(about_card(about, self._services.clock.now()))
