"""What the bot needs from the rest of Doorlist, as small Protocols, and the bundle that carries it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from membership.checks import Result
from membership.claims import ClaimAnswer
from membership.model import ChannelId, GuildId, MemberKey, MessageId, UserId
from membership.ports import Clock
from membership.presence import HandChange
from membership.services import Services


class GuildEvents(Protocol):
    """What happened at Discord. Implementations only mark jobs: they return soon and may be told twice."""

    async def member_joined(self, key: MemberKey) -> None:
        """Take note that somebody joined, or joined again."""

    async def member_left(self, key: MemberKey) -> None:
        """Take note that somebody left, was kicked or was banned."""

    async def roles_changed_by_hand(self, key: MemberKey, change: HandChange) -> None:
        """Take note that somebody else than us gave or took a role of this member."""

    async def guild_available(self, guild_id: GuildId, name: str) -> None:
        """Take note that a guild can be acted on: after a start, an outage, or when the bot was added."""

    async def guild_frozen(self, guild_id: GuildId) -> None:
        """Take note of an outage of a guild: nothing may be concluded about it until it is available."""

    async def guild_removed(self, guild_id: GuildId) -> None:
        """Take note that Discord says the bot is out of the guild. May be an outage in disguise: freeze, keep all."""

    async def role_changed(self, guild_id: GuildId) -> None:
        """Take note that a role moved, changed or was deleted, or that the bot's own roles changed."""

    async def connected(self) -> None:
        """Take note that events may have been missed: observe again."""


class ClaimDesk(Protocol):
    """Where claim codes are redeemed. Raises Retry while it cannot tell."""

    async def redeem(self, user_id: UserId, guild_id: GuildId | None, text: str) -> ClaimAnswer:
        """Redeem what a person typed; `guild_id` is where, None in a direct message."""

    async def answered(self, message_id: MessageId) -> None:
        """Take note that a message with a code was answered: the catch-up leaves it alone."""

    async def claim_channel(self, guild_id: GuildId) -> ChannelId | None:
        """Return the guild's claim channel."""

    async def language(self, user_id: UserId, guild_id: GuildId | None) -> str:
        """Return the language that a person chose, else the one that the guild is set to, "" for none. Raises Retry."""

    async def deletion_failed(self, guild_id: GuildId, channel_id: ChannelId) -> None:
        """Write down that codes stay readable in a channel: Manage Messages is missing there."""


class IdentifyBudget(Protocol):
    """Counts IDENTIFYs over restarts: Discord resets the token of a bot that makes 1,000 in a day."""

    async def take(self, now: datetime) -> timedelta:
        """Count one and return zero, or count none and return how long to wait (200 in a rolling day)."""


class CommandHash(Protocol):
    """Remembers which slash commands Discord has, so that they are sent only when they changed."""

    async def load(self) -> str:
        """Return the stored hash, "" for none."""

    async def store(self, value: str) -> None:
        """Store the hash."""


class Doctor(Protocol):
    """Who looks a server over."""

    async def examine(self, guild_id: GuildId) -> Sequence[Result]:
        """Run the checks that concern this server and return their results, in the order to show them."""


class Installation(Protocol):
    """This Doorlist as a program, for those who look at how it is."""

    @property
    def version(self) -> str:
        """Return the version."""

    @property
    def started_at(self) -> datetime:
        """Return since when it runs."""

    @property
    def database_kind(self) -> str:
        """Return SQLite or PostgreSQL."""

    @property
    def origins(self) -> Mapping[str, str]:
        """Return where each setting that is no default was set, by key ("policy.code_days")."""

    async def database_size(self) -> int:
        """Return how many bytes the database takes."""

    async def last_run_at(self) -> datetime | None:
        """Return when every server was last compared with what was paid."""

    async def newest_event_at(self) -> Mapping[str, datetime]:
        """Return when the newest event of each payment provider came in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotParts:
    """Everything of ours that a bot is given."""

    events: GuildEvents
    desk: ClaimDesk
    budget: IdentifyBudget
    command_hash: CommandHash
    clock: Clock
    services: Services
    doctor: Doctor
    installation: Installation
