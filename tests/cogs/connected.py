"""Doorlist's Discord side, connected to a local Discord over the wire, with membership's part played by recorders."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

from pydantic import SecretStr

from app.randomness import SystemRandomness
from cogs.claim_messages import ClaimMessages
from cogs.config import DiscordSettings
from cogs.discord_side import DiscordSide, open_discord
from cogs.paces import Paces
from cogs.pacing import RoleLimits
from cogs.parts import BotParts
from cogs.supervisor import Supervisor
from membership.checks import Area, Outcome, Result
from membership.claims import ClaimAnswer, ClaimOutcome
from membership.errors import Retry, UserError
from membership.model import ChannelId, GuildId, MemberKey, MessageId, RoleId, UserId
from membership.presence import HandChange
from membership.services import Sellers, Services
from sandbox.discord.buckets import Buckets
from sandbox.discord.world import User
from storage.intake import GroupCommit
from tests.sandbox.discord_stage import Stage, a_stage, until
from tests.storage.databases import sqlite_database
from web.config import MailSettings
from web.mail import SmtpMailer

GOOD_CODE = "K7QF-2M9X-4TRW-8HNB"


@dataclass
class Heard:
    """Records what the gateway said, in order."""

    log: list[tuple[object, ...]] = field(default_factory=list)
    hands: list[HandChange] = field(default_factory=list)

    async def member_joined(self, key: MemberKey) -> None:
        self.log.append(("joined", *key))

    async def member_left(self, key: MemberKey) -> None:
        self.log.append(("left", *key))

    async def roles_changed_by_hand(self, key: MemberKey, change: HandChange) -> None:
        self.log.append(("by_hand", *key))
        self.hands.append(change)

    async def guild_available(self, guild_id: GuildId, name: str) -> None:
        self.log.append(("available", guild_id, name))

    async def guild_frozen(self, guild_id: GuildId) -> None:
        self.log.append(("frozen", guild_id))

    async def guild_removed(self, guild_id: GuildId) -> None:
        self.log.append(("removed", guild_id))

    async def role_changed(self, guild_id: GuildId) -> None:
        self.log.append(("role_changed", guild_id))

    async def connected(self) -> None:
        self.log.append(("connected",))


@dataclass
class Desk:
    """Knows one good code; the first to bring it gets the roles."""

    role_ids: tuple[RoleId, ...] = ()
    channel_id: ChannelId | None = None
    is_away: bool = False
    is_broken: bool = False
    refusal: str = ""
    asked: list[tuple[int, int | None, str]] = field(default_factory=list)
    spoken: str = ""
    undeletable: list[tuple[int, int]] = field(default_factory=list)
    answered_ids: list[MessageId] = field(default_factory=list)
    used_by: UserId | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def redeem(self, user_id: UserId, guild_id: GuildId | None, text: str) -> ClaimAnswer:
        self.asked.append((user_id, guild_id, text))
        await self.gate.wait()
        if self.is_broken:
            raise KeyError("secret detail")
        if self.refusal:
            raise UserError(self.refusal)
        if self.is_away:
            raise Retry("the database is locked")
        if text != GOOD_CODE:
            return ClaimAnswer(outcome=ClaimOutcome.UNKNOWN, tries_left=4)
        if self.used_by not in (None, user_id):
            return ClaimAnswer(outcome=ClaimOutcome.USED_BY_ANOTHER)
        self.used_by = user_id
        return ClaimAnswer(
            outcome=ClaimOutcome.OK, plan_names=("VIP plan",), role_ids=self.role_ids, was_delivered=True
        )

    async def answered(self, message_id: MessageId) -> None:
        self.answered_ids.append(message_id)

    async def claim_channel(self, guild_id: GuildId) -> ChannelId | None:
        return self.channel_id

    async def language(self, user_id: UserId, guild_id: GuildId | None) -> str:
        return self.spoken

    async def deletion_failed(self, guild_id: GuildId, channel_id: ChannelId) -> None:
        self.undeletable.append((guild_id, channel_id))


@dataclass
class Budget:
    """Allows so many IDENTIFYs and then asks to wait."""

    left: int = 200
    wait: timedelta = timedelta(hours=3)
    taken: int = 0
    failures: list[Exception] = field(default_factory=list)

    async def take(self, now: datetime) -> timedelta:
        if self.failures:
            raise self.failures.pop(0)
        if self.taken >= self.left:
            return self.wait
        self.taken += 1
        return timedelta()


class HealthyDoctor:
    """Finds everything in order."""

    async def examine(self, guild_id: GuildId) -> Sequence[Result]:
        return [Result(id="D01", area=Area.DISCORD, outcome=Outcome.OK, what="The bot's token works")]


class NewInstallation:
    """Has just started, on an empty database."""

    version = "1.0.0"
    started_at = datetime(2026, 3, 1, tzinfo=UTC)
    database_kind = "SQLite"
    origins: Mapping[str, str] = MappingProxyType({})

    async def database_size(self) -> int:
        return 0

    async def last_run_at(self) -> datetime | None:
        return None

    async def newest_event_at(self) -> Mapping[str, datetime]:
        return {}


@dataclass
class StoredHash:
    """Keeps the hash of the slash commands in memory."""

    value: str = ""
    stored: int = 0

    async def load(self) -> str:
        return self.value

    async def store(self, value: str) -> None:
        self.value = value
        self.stored += 1


@dataclass(kw_only=True)
class Connected:
    """The stage and our side of it."""

    stage: Stage
    side: DiscordSide
    heard: Heard
    desk: Desk
    budget: Budget
    command_hash: StoredHash
    claims: ClaimMessages
    supervisor: Supervisor
    services: Services

    def key(self, user: User) -> MemberKey:
        return MemberKey(self.guild_id, UserId(user.id))

    @property
    def guild_id(self) -> GuildId:
        return GuildId(self.stage.guild.id)

    @property
    def vip_id(self) -> RoleId:
        return RoleId(self.stage.vip.id)

    def requests(self, method: str, part: str = "") -> list[int]:
        """Return the statuses of the requests with this method whose path contains `part`."""
        records = self.stage.local.records.requests
        return [each.status for each in records if each.method == method and part in each.path]

    def start(self) -> asyncio.Task[None]:
        """Run the supervisor until it is closed."""
        return asyncio.create_task(self.supervisor.run())

    async def restart(self) -> None:
        """Replace the bot by a new one, as after a crash."""
        before = self.side.connection.require()
        await before.close()
        await until(lambda: self.side.connection.bot not in (None, before), seconds=5)
        await self.ready()

    async def ready(self) -> None:
        await until(lambda: self.supervisor.health().is_connected, seconds=5)

    def said_to(self, user: User) -> list[str]:
        """Return the bot's direct messages to a user."""
        return [each.content for each in self.stage.local.direct_messages(user) if each.author.is_bot]


def settings_for(stage: Stage, **changes: object) -> DiscordSettings:
    return DiscordSettings.model_validate(
        {
            "token": SecretStr(stage.local.portal.token),
            "api_url": f"{stage.url}/api/v10",
            "gateway_url": f"ws{stage.url.removeprefix('http')}/gateway",
            "cdn_url": stage.url,
            **changes,
        }
    )


@asynccontextmanager
async def services_over(side: DiscordSide, stage: Stage) -> AsyncIterator[Services]:
    """Give real use-cases over an empty database; nothing is sold and no mail is sent."""
    with tempfile.TemporaryDirectory() as folder:
        async with sqlite_database(Path(folder)) as database:
            yield Services(
                store=database,
                intake=GroupCommit(database, stage.clock, on_commit=lambda: None),
                discord=side.port,
                sellers=Sellers({}, database, stage.clock),
                mailer=SmtpMailer(MailSettings(), stage.clock, claim_command="!claim"),
                clock=stage.clock,
                randomness=SystemRandomness(),
                public_url="https://door.example",
                wake=lambda: None,
            )


@asynccontextmanager
async def connected(
    *,
    buckets: Buckets | None = None,
    limits: RoleLimits | None = None,
    budget: Budget | None = None,
    starts: bool = True,
    **settings: object,
) -> AsyncIterator[Connected]:
    """Serve a local Discord, connect Doorlist's side to it, and take everything down at the end."""
    async with AsyncExitStack() as resources, a_stage(buckets=buckets) as stage:
        side = open_discord(settings_for(stage, **settings), Paces(roles=limits or RoleLimits()))
        heard, desk, used, stored = Heard(), Desk((RoleId(stage.vip.id),)), budget or Budget(), StoredHash()
        desk.channel_id = ChannelId(stage.channel.id)
        services = await resources.enter_async_context(services_over(side, stage))
        parts = BotParts(
            events=heard, desk=desk, budget=used, command_hash=stored, clock=stage.clock, services=services,
            doctor=HealthyDoctor(), installation=NewInstallation(),
        )  # fmt: skip
        claims = side.claims(parts)
        supervisor = side.supervisor(parts, claims, jitter=lambda: 0.0)
        here = Connected(
            stage=stage, side=side, heard=heard, desk=desk, budget=used, command_hash=stored,
            claims=claims, supervisor=supervisor, services=services,
        )  # fmt: skip
        running = here.start() if starts else None
        try:
            if starts:
                await here.ready()
            yield here
        finally:
            await supervisor.close()
            if running:
                await asyncio.wait_for(running, 10)
            await side.port.close()
