"""What is looked at: the settings, and every part that could be opened, each asked once however many checks need it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from app.settings import Settings
from cogs.examination import ApplicationExamination, GuildExamination, Json
from cogs.examiner import Examiner
from membership.checks import Finding, Once, Skip
from membership.errors import DoorlistError
from membership.model import GuildId, Plan
from membership.ports import Clock, Examination
from membership.records import Account, Guild
from membership.services import Services
from storage.store import Database

T = TypeVar("T")

SERVERS_AT_ONCE = 5
"""A server costs four requests without the gateway, and Discord allows fifty a second."""


class Part(Generic[T]):
    """Something that could be opened, or why not."""

    def __init__(self, value: T | None = None, *, why: Skip | DoorlistError | None = None) -> None:
        """Take the value, or the reason that every check in need of it gives."""
        self._value = value
        self._why = why

    def get(self) -> T:
        """Return the value. Raises the reason when there is none."""
        if self._value is None:
            raise self._why or Skip("it was not opened")
        return self._value


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFile:
    """What we keep of one server: its settings, its plans that are in use, and the accounts it may sell from."""

    guild: Guild
    plans: Sequence[Plan]
    accounts: Sequence[Account]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a patient is made from. `guild_ids` None: every active server. `commands`: those we want there.

    `flaws` are what was found while the parts were opened, by the id of the check that reports it.
    """

    settings: Settings
    origins: Mapping[str, str]
    config_file: Path
    clock: Clock
    database: Part[Database]
    services: Part[Services]
    examiner: Part[Examiner]
    commands: Part[Sequence[Json]]
    public_url: str
    guild_ids: tuple[GuildId, ...] | None = None
    flaws: Mapping[str, Finding] = field(default_factory=dict)
    is_starting: bool = False


class Patient:
    """Gives each check what it looks at. Every answer may be a reason to skip instead, raised."""

    def __init__(self, source: Source) -> None:
        """Take what there is; nothing is asked yet."""
        self.settings = source.settings
        self.origins = source.origins
        self.config_file = source.config_file
        self.clock = source.clock
        self.public_url = source.public_url
        self.flaws = source.flaws
        self.is_starting = source.is_starting
        self._source = source
        self._application = Once(lambda: source.examiner.get().application())
        self._files = Once(self._read_files)
        self._turns = asyncio.Semaphore(SERVERS_AT_ONCE)
        self._guilds: dict[GuildId, Once[GuildExamination]] = {}
        self._accounts: dict[str, Once[Examination]] = {}

    @property
    def database(self) -> Database:
        """Return the database."""
        return self._source.database.get()

    @property
    def services(self) -> Services:
        """Return the use-cases' services."""
        return self._source.services.get()

    @property
    def examiner(self) -> Examiner:
        """Return what asks Discord."""
        return self._source.examiner.get()

    @property
    def commands(self) -> Sequence[Json]:
        """Return the commands that Discord should have."""
        return self._source.commands.get()

    async def application(self) -> ApplicationExamination:
        """Return how the application is set up."""
        return await self._application.get()

    async def server(self, guild_id: GuildId) -> GuildExamination:
        """Return how one server is set up."""
        if guild_id not in self._guilds:
            self._guilds[guild_id] = Once(lambda: self._examine(guild_id))
        return await self._guilds[guild_id].get()

    async def files(self) -> Sequence[ServerFile]:
        """Return what we keep of each server in question. Raises Skip when there is none."""
        return await self._files.get()

    async def account(self, name: str) -> Examination:
        """Return how the account of a configured payment platform is set up."""
        if name not in self._accounts:
            self._accounts[name] = Once(self.services.sellers.by_name[name].examine)
        return await self._accounts[name].get()

    async def sellers(self) -> Sequence[str]:
        """Return the payment platforms in question. Raises Skip when there is none."""
        names = list(self.services.sellers.by_name)
        if not names:
            raise Skip("no payment platform is configured (payments.stripe.api_key)")
        if self._source.guild_ids is None:
            return names
        usable = {account.id for file in await self.files() for account in file.accounts}
        found = [name for name in names if (await self.services.sellers.account(name)).id in usable]
        if not found:
            raise Skip("this server may not use the products of any account yet")
        return found

    async def _examine(self, guild_id: GuildId) -> GuildExamination:
        async with self._turns:
            return await self.examiner.guild(guild_id)

    async def _read_files(self) -> Sequence[ServerFile]:
        wanted = self._source.guild_ids
        async with self.services.store.read() as tx:
            guilds = [guild for guild in await tx.guilds.all() if guild.id in (wanted or ()) or wanted is None]
            files = [
                ServerFile(
                    guild=guild,
                    plans=[plan for plan in await tx.plans.all(guild.id) if not plan.is_archived],
                    accounts=await tx.guilds.accounts_of(guild.id),
                )
                for guild in guilds
                if guild.is_active or wanted is not None
            ]
        if not files:
            raise Skip("no server is set up yet: run /doorlist setup there")
        return files
