"""The doctor of `/doorlist doctor`: the checks that concern one server, asked over the connected bot."""

from __future__ import annotations

from collections.abc import Sequence

from app.checks.every import examine
from app.checks.opening import examiner_of
from app.checks.patient import Part, Patient, Source
from app.settings import ROOT, Settings
from cogs.command_sync import command_payload
from cogs.discord_side import DiscordSide
from cogs.examination import Json
from membership.checks import Category, Result
from membership.errors import DoorlistError
from membership.model import GuildId
from membership.services import Services
from storage.store import Database


class PanelDoctor:
    """Implements cogs.parts.Doctor."""

    def __init__(self, settings: Settings, services: Services, database: Database, discord: DiscordSide) -> None:
        """Take the parts of the running process."""
        self._settings = settings
        self._services = services
        self._database = database
        self._discord = discord

    async def examine(self, guild_id: GuildId) -> Sequence[Result]:
        """Look a server over."""
        source = Source(
            settings=self._settings,
            origins={},
            config_file=ROOT / "config.toml",
            clock=self._services.clock,
            database=Part(self._database),
            services=Part(self._services),
            examiner=Part(examiner_of(self._discord)),
            commands=await self._commands(),
            public_url=self._services.public_url,
            guild_ids=(guild_id,),
        )
        return await examine(Patient(source), Category.PANEL)

    async def _commands(self) -> Part[Sequence[Json]]:
        try:
            return Part(await command_payload(self._discord.connection.require()))
        except DoorlistError as failure:
            return Part(why=failure)
