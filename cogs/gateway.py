"""Turns gateway events into `GuildEvents`. Decides nothing: what an event means for a member is membership's matter."""

from __future__ import annotations

import asyncio

import discord
from discord.ext import commands

from cogs.calls import Calls
from cogs.lanes import Lanes
from cogs.parts import GuildEvents
from membership.model import GuildId, MemberKey, RoleId, UserId
from membership.presence import HandChange

CONNECTED_DEBOUNCE_SECONDS = 0.5


class Gateway(commands.Cog):
    """Listens. Works with no member cached: only events that arrive without one are used (facts: Events lost)."""

    def __init__(self, bot: commands.Bot, calls: Calls, events: GuildEvents, lanes: Lanes) -> None:
        """Take the bot, whom to tell, and the lanes whose breakers role changes reset."""
        self._bot = bot
        self._calls = calls
        self._events = events
        self._lanes = lanes
        self._announcement: asyncio.TimerHandle | None = None

    async def cog_unload(self) -> None:
        """Stop a waiting announcement."""
        if self._announcement is not None:
            self._announcement.cancel()

    # ------------------------------------------------------------------------------------------------ connection

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Take up a new session: whatever happened before it is unknown."""
        for guild in self._bot.guilds:
            if guild.unavailable:
                # READY listed it and GUILD_CREATE has not come (threats D10).
                await self._events.guild_frozen(GuildId(guild.id))
            else:
                await self._events.guild_available(GuildId(guild.id), guild.name)
        # A login that worked makes up for earlier 401s.
        self._calls.refusals.forgive()
        self._announce_connected()

    @commands.Cog.listener()
    async def on_resumed(self) -> None:
        """Go on with a session: its events are replayed, but not those that Discord failed to keep."""
        self._announce_connected()

    @commands.Cog.listener()
    async def on_disconnect(self) -> None:
        """Let whoever waits for the gateway's answer try again."""
        self._calls.connection.lost()

    def _announce_connected(self) -> None:
        """Say `connected` once for a flapping connection, through discord.py, which logs a listener's failure."""
        if self._announcement is not None:
            self._announcement.cancel()
        loop = asyncio.get_running_loop()
        self._announcement = loop.call_later(CONNECTED_DEBOUNCE_SECONDS, self._bot.dispatch, "events_missed")

    @commands.Cog.listener()
    async def on_events_missed(self) -> None:
        """Take up our own event: the connection stands, and what happened before it is unknown."""
        await self._events.connected()

    # ---------------------------------------------------------------------------------------------------- guilds

    @commands.Cog.listener()
    async def on_guild_available(self, guild: discord.Guild) -> None:
        """Discord says so after an outage."""
        await self._events.guild_available(GuildId(guild.id), guild.name)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Start over with a guild that added the bot: what was refused before may work now."""
        self._lanes.reset(GuildId(guild.id))
        await self._events.guild_available(GuildId(guild.id), guild.name)

    @commands.Cog.listener()
    async def on_guild_unavailable(self, guild: discord.Guild) -> None:
        """GUILD_DELETE with `unavailable`: an outage."""
        await self._events.guild_frozen(GuildId(guild.id))

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """GUILD_DELETE without `unavailable`: removed, or an outage that lost the flag (threats D09)."""
        await self._events.guild_removed(GuildId(guild.id))

    # --------------------------------------------------------------------------------------------------- members

    @commands.Cog.listener()
    async def on_member_join(self, member: discord.Member) -> None:
        """Needs the members intent; may be told twice for one join."""
        if not member.bot:
            await self._events.member_joined(_key(member.guild.id, member.id))

    @commands.Cog.listener()
    async def on_raw_member_remove(self, payload: discord.RawMemberRemoveEvent) -> None:
        """Listen to the raw event: the other one is only for cached members."""
        if not payload.user.bot:
            await self._events.member_left(_key(payload.guild_id, payload.user.id))

    @commands.Cog.listener()
    async def on_audit_log_entry_create(self, entry: discord.AuditLogEntry) -> None:
        """Needs View Audit Log. Our own writes come back here too and are left out."""
        is_ours = self._bot.user is not None and entry.user_id == self._bot.user.id
        if entry.action is not discord.AuditLogAction.member_role_update or is_ours or entry.target is None:
            return
        target_id = int(getattr(entry.target, "id", 0))
        if target_id == (self._bot.user.id if self._bot.user else None):
            await self._roles_moved(entry.guild)
        elif target_id:
            await self._events.roles_changed_by_hand(_key(entry.guild.id, target_id), _hand_change(entry))

    @commands.Cog.listener()
    async def on_member_update(self, before: discord.Member, after: discord.Member) -> None:
        """Without a member cache this comes for the bot itself alone: its own roles decide what it may do."""
        if self._bot.user is not None and after.id == self._bot.user.id and before.roles != after.roles:
            await self._roles_moved(after.guild)

    # ----------------------------------------------------------------------------------------------------- roles

    @commands.Cog.listener()
    async def on_guild_role_update(self, before: discord.Role, after: discord.Role) -> None:
        """Only what decides whether we may put a role: its place, its name, its permissions, its flags."""
        if _what_matters(before) != _what_matters(after):
            await self._roles_moved(after.guild)

    @commands.Cog.listener()
    async def on_guild_role_delete(self, role: discord.Role) -> None:
        """Also moves the roles above it."""
        await self._roles_moved(role.guild)

    async def _roles_moved(self, guild: discord.Guild) -> None:
        self._lanes.reset(GuildId(guild.id))
        await self._events.role_changed(GuildId(guild.id))


def _hand_change(entry: discord.AuditLogEntry) -> HandChange:
    """Read who changed which roles; discord.py puts what was given after and what was taken before."""
    return HandChange(
        by=UserId(entry.user_id or 0),
        given=_role_ids(entry.changes.after),
        taken=_role_ids(entry.changes.before),
        entry_id=str(entry.id),
    )


def _role_ids(side: discord.audit_logs.AuditLogDiff) -> tuple[RoleId, ...]:
    return tuple(RoleId(role.id) for role in getattr(side, "roles", None) or ())


def _what_matters(role: discord.Role) -> tuple[object, ...]:
    return role.position, role.name, role.permissions.value, role.managed, role.flags.value


def _key(guild_id: int, user_id: int) -> MemberKey:
    return MemberKey(GuildId(guild_id), UserId(user_id))
