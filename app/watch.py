"""What the bot tells and asks of us, answered by the use-cases: guild events, the claim desk, the IDENTIFY budget."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from membership import binding, claims, notices, presence, role_watch
from membership.claims import ClaimAnswer
from membership.ledgers import Store
from membership.model import ChannelId, GuildId, MemberKey, MessageId, UserId
from membership.presence import HandChange
from membership.services import Services

IDENTIFIES_A_DAY = 200
DAY = timedelta(days=1)


class GuildWatch:
    """Implements cogs.parts.GuildEvents: every event only marks whom it may concern."""

    def __init__(self, services: Services) -> None:
        """Take the services."""
        self._services = services

    async def member_joined(self, key: MemberKey) -> None:
        """Look at somebody who joined."""
        await presence.member_came_or_went(self._services, key)

    async def member_left(self, key: MemberKey) -> None:
        """Look at somebody who left."""
        await presence.member_came_or_went(self._services, key)

    async def roles_changed_by_hand(self, key: MemberKey, change: HandChange) -> None:
        """Look at somebody whose roles a person changed, and tell who did."""
        await presence.roles_changed_by_hand(self._services, key, change)

    async def guild_available(self, guild_id: GuildId, name: str) -> None:
        """Sweep a guild that can be acted on again."""
        await presence.guild_appeared(self._services, guild_id, name)
        await role_watch.look(self._services, guild_id)

    async def guild_frozen(self, guild_id: GuildId) -> None:
        """Do nothing: a frozen guild is left alone until it is available, and `is_available` says so."""

    async def guild_removed(self, guild_id: GuildId) -> None:
        """Write it down; everything we know of the guild is kept."""
        await presence.guild_left(self._services, guild_id)

    async def role_changed(self, guild_id: GuildId) -> None:
        """Try again for everybody who waits in the guild, and tell its staff what became unusable."""
        await presence.roles_changed(self._services, guild_id)
        await role_watch.look(self._services, guild_id)

    async def connected(self) -> None:
        """Sweep every guild: events may have been missed."""
        now = self._services.clock.now()
        async with self._services.store.write() as tx:
            for guild in await tx.guilds.all():
                await binding.mark_sweep(tx, guild.id, now)
        self._services.wake()


class Desk:
    """Implements cogs.parts.ClaimDesk."""

    def __init__(self, services: Services) -> None:
        """Take the services."""
        self._services = services

    async def redeem(self, user_id: UserId, guild_id: GuildId | None, text: str) -> ClaimAnswer:
        """Redeem what a person typed."""
        return await claims.redeem(self._services, user_id, guild_id, text)

    async def claim_channel(self, guild_id: GuildId) -> ChannelId | None:
        """Return the guild's claim channel."""
        async with self._services.store.read() as tx:
            guild = await tx.guilds.get(guild_id)
        return None if guild is None else guild.claim_channel_id

    async def language(self, user_id: UserId, guild_id: GuildId | None) -> str:
        """Return the language that a person chose, else the guild's, "" for Discord's."""
        async with self._services.store.read() as tx:
            chosen = (await tx.member_settings.get(user_id)).language
            guild = None if chosen or guild_id is None else await tx.guilds.get(guild_id)
        return chosen or (guild.language if guild else "")

    async def answered(self, message_id: MessageId) -> None:
        """Remember that a claim message was answered, so that the catch-up leaves it alone."""
        async with self._services.store.write() as tx:
            await tx.guilds.mark_message_handled(message_id, self._services.clock.now())

    async def deletion_failed(self, guild_id: GuildId, channel_id: ChannelId) -> None:
        """Tell the staff in the audit that codes stay readable in a channel."""
        now = self._services.clock.now()
        facts = {"channel_id": str(channel_id), "permission": "manage_messages"}
        once_a_day = f"deletion:{channel_id}:{now.date()}"
        async with self._services.store.write() as tx:
            await notices.tell(tx, "bot.lost_permission", guild_id, facts, now, key=once_a_day)


class StoredBudget:
    """Implements cogs.parts.IdentifyBudget over the cursors: the moments of the last day's IDENTIFYs."""

    NAME = "discord:identifies"

    def __init__(self, store: Store) -> None:
        """Take the store."""
        self._store = store

    async def take(self, now: datetime) -> timedelta:
        """Count one and return zero, or count none and return how long to wait."""
        async with self._store.write() as tx:
            moments = [datetime.fromisoformat(text) for text in json.loads(await tx.cursors.get(self.NAME) or "[]")]
            recent = sorted(moment for moment in moments if now - moment < DAY)
            if len(recent) >= IDENTIFIES_A_DAY:
                return recent[0] + DAY - now
            recent.append(now)
            await tx.cursors.put(self.NAME, json.dumps([moment.isoformat() for moment in recent]))
        return timedelta()


class StoredHash:
    """Implements cogs.parts.CommandHash over the cursors."""

    NAME = "discord:commands"

    def __init__(self, store: Store) -> None:
        """Take the store."""
        self._store = store

    async def load(self) -> str:
        """Return the stored hash, "" for none."""
        async with self._store.read() as tx:
            return await tx.cursors.get(self.NAME) or ""

    async def store(self, value: str) -> None:
        """Store the hash."""
        async with self._store.write() as tx:
            await tx.cursors.put(self.NAME, value)
