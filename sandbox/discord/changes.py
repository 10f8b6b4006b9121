"""Every change of the world that others notice: the record, the gateway event and the audit-log line, together.

REST routes and the people of the sandbox both go through here. Permissions were checked before.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.discord import payloads
from sandbox.discord.gateway import Gateway, Intents, encode
from sandbox.discord.permissions import Permission, permissions_in, permissions_of
from sandbox.discord.world import AuditEntry, Channel, Guild, Json, Member, Message, Role, User, World

AUDIT_KICK, AUDIT_BAN_ADD, AUDIT_BAN_REMOVE = 20, 22, 23
AUDIT_MEMBER_UPDATE, AUDIT_MEMBER_ROLES = 24, 25
AUDIT_ROLE_CREATE, AUDIT_ROLE_UPDATE, AUDIT_ROLE_DELETE = 30, 31, 32


class Changes:
    """The one writer of the world after it was built."""

    def __init__(self, world: World, gateway: Gateway) -> None:
        self._world = world
        self._gateway = gateway

    def member_joined(self, guild: Guild, user: User, roles: frozenset[int] = frozenset()) -> Member:
        """Let a user in."""
        member = Member(user=user, joined_at=self._world.clock.now(), roles=roles, is_pending=guild.has_screening)
        guild.enter(member)
        self._emit(guild, "GUILD_MEMBER_ADD", lambda: _in(guild, payloads.member(member)), Intents.GUILD_MEMBERS)
        return member

    def member_left(self, guild: Guild, user: User) -> None:
        """Let a member go."""
        guild.leave(user.id)
        body = {"guild_id": str(guild.id), "user": payloads.user(user)}
        self._emit(guild, "GUILD_MEMBER_REMOVE", lambda: body, Intents.GUILD_MEMBERS)

    def member_kicked(self, guild: Guild, user: User, *, by: int, reason: str | None = None) -> None:
        """Remove a member for somebody."""
        self.member_left(guild, user)
        self.audit(guild, AuditEntry(id=0, action=AUDIT_KICK, user_id=by, target_id=user.id, reason=reason))

    def user_banned(self, guild: Guild, user: User, *, by: int, reason: str | None = None) -> None:
        """Ban a user, member or not."""
        guild.bans[user.id] = reason
        if user.id in guild.members:
            self.member_left(guild, user)
        body = {"guild_id": str(guild.id), "user": payloads.user(user)}
        self._emit(guild, "GUILD_BAN_ADD", lambda: body, Intents.GUILD_MODERATION)
        self.audit(guild, AuditEntry(id=0, action=AUDIT_BAN_ADD, user_id=by, target_id=user.id, reason=reason))

    def user_unbanned(self, guild: Guild, user: User, *, by: int, reason: str | None = None) -> None:
        """Lift a ban."""
        del guild.bans[user.id]
        body = {"guild_id": str(guild.id), "user": payloads.user(user)}
        self._emit(guild, "GUILD_BAN_REMOVE", lambda: body, Intents.GUILD_MODERATION)
        self.audit(guild, AuditEntry(id=0, action=AUDIT_BAN_REMOVE, user_id=by, target_id=user.id, reason=reason))

    def roles_set(
        self, guild: Guild, member: Member, roles: frozenset[int], *, by: int, reason: str | None = None
    ) -> None:
        """Replace a member's roles; without a difference nothing is told."""
        added, removed = roles - member.roles, member.roles - roles
        if not added and not removed:
            return
        guild.set_roles(member, roles)
        self.member_changed(guild, member)
        changes = [
            {"key": key, "new_value": [{"id": str(role_id), "name": guild.roles[role_id].name} for role_id in ids]}
            for key, ids in (("$add", added), ("$remove", removed))
            if ids
        ]
        entry = AuditEntry(id=0, action=AUDIT_MEMBER_ROLES, user_id=by, target_id=member.user.id, changes=changes)
        entry.reason = reason
        self.audit(guild, entry)

    def member_changed(self, guild: Guild, member: Member) -> None:
        """Tell that a member is different now. Bots always hear about themselves."""
        intent = Intents.NONE if member.user.id == self._world.bot.id else Intents.GUILD_MEMBERS
        self._emit(guild, "GUILD_MEMBER_UPDATE", lambda: _in(guild, payloads.member(member)), intent)

    def role_created(self, guild: Guild, role: Role, *, by: int, reason: str | None = None) -> None:
        """Add a role."""
        guild.roles[role.id] = role
        self._emit_role(guild, "GUILD_ROLE_CREATE", role)
        self.audit(guild, AuditEntry(id=0, action=AUDIT_ROLE_CREATE, user_id=by, target_id=role.id, reason=reason))

    def role_changed(self, guild: Guild, role: Role, *, by: int, reason: str | None = None) -> None:
        """Tell that a role was renamed, moved or given other permissions."""
        self._emit_role(guild, "GUILD_ROLE_UPDATE", role)
        self.audit(guild, AuditEntry(id=0, action=AUDIT_ROLE_UPDATE, user_id=by, target_id=role.id, reason=reason))

    def role_deleted(self, guild: Guild, role: Role, *, by: int, reason: str | None = None) -> None:
        """Delete a role; whoever held it holds it no more, without a member event each (as on Discord)."""
        for member in guild.members.values():
            if role.id in member.roles:
                guild.set_roles(member, member.roles - {role.id})
        for channel in guild.channels.values():
            channel.overwrites.pop(role.id, None)
        del guild.roles[role.id]
        body = {"guild_id": str(guild.id), "role_id": str(role.id)}
        self._emit(guild, "GUILD_ROLE_DELETE", lambda: body, Intents.GUILDS)
        self.audit(guild, AuditEntry(id=0, action=AUDIT_ROLE_DELETE, user_id=by, target_id=role.id, reason=reason))

    def channel_created(self, guild: Guild, channel: Channel) -> None:
        """Add a channel."""
        guild.channels[channel.id] = self._world.channels[channel.id] = channel
        self._emit(guild, "CHANNEL_CREATE", lambda: payloads.channel(channel), Intents.GUILDS)

    def channel_changed(self, guild: Guild, channel: Channel) -> None:
        """Tell that a channel is different now."""
        self._emit(guild, "CHANNEL_UPDATE", lambda: payloads.channel(channel), Intents.GUILDS)

    def channel_deleted(self, guild: Guild, channel: Channel) -> None:
        """Delete a channel with its messages."""
        del guild.channels[channel.id], self._world.channels[channel.id]
        self._emit(guild, "CHANNEL_DELETE", lambda: payloads.channel(channel), Intents.GUILDS)

    def message_created(self, channel: Channel, message: Message) -> None:
        """Post a message. An ephemeral one is told to nobody and stays with its interaction."""
        self._world.messages_changed += 1
        if not message.is_ephemeral:
            channel.keep(message)
        self._emit_message("MESSAGE_CREATE", channel, message)

    def message_edited(self, channel: Channel, message: Message) -> None:
        """Tell that a message was edited."""
        self._world.messages_changed += 1
        message.edited_at = self._world.clock.now()
        self._emit_message("MESSAGE_UPDATE", channel, message)

    def message_deleted(self, channel: Channel, message: Message) -> None:
        """Delete a message."""
        self._world.messages_changed += 1
        message.is_deleted = True
        if message.is_ephemeral:
            return
        channel.messages.pop(message.id, None)
        body = {"id": str(message.id), "channel_id": str(channel.id)}
        if channel.guild_id is None:
            self._gateway.dispatch("MESSAGE_DELETE", lambda: body, intent=Intents.DIRECT_MESSAGES, guild_id=None)
            return
        guild = self._world.guilds[channel.guild_id]
        self._emit(guild, "MESSAGE_DELETE", lambda: _in(guild, body), Intents.GUILD_MESSAGES)

    def guild_gone(self, guild: Guild, *, is_outage: bool) -> None:
        """Take a guild from the bot: an outage, or the bot is no longer a member."""
        body: Json = {"id": str(guild.id)} | ({"unavailable": True} if is_outage else {})
        self._emit(guild, "GUILD_DELETE", lambda: body, Intents.GUILDS)
        if is_outage:
            guild.is_unavailable = True
        else:
            guild.leave(self._world.bot.id)

    def guild_here(self, guild: Guild) -> None:
        """Give the bot a guild: just joined, or back after an outage."""
        guild.is_unavailable = False
        bot = guild.members[self._world.bot.id]
        self._emit(guild, "GUILD_CREATE", lambda: payloads.guild_create(guild, bot), Intents.GUILDS)

    def guild_changed(self, guild: Guild) -> None:
        """Tell how a guild looks now."""
        self._emit(guild, "GUILD_UPDATE", lambda: payloads.guild(guild), Intents.GUILDS)

    def audit(self, guild: Guild, entry: AuditEntry) -> None:
        """Write an audit-log entry (its id is set here) and tell a bot that may view the log."""
        entry.id = self._world.ids.next()
        guild.audit_log.append(entry)
        bot = guild.members.get(self._world.bot.id)
        if bot and permissions_of(guild, bot) & Permission.VIEW_AUDIT_LOG:
            body = _in(guild, payloads.audit_entry(entry))
            self._emit(guild, "GUILD_AUDIT_LOG_ENTRY_CREATE", lambda: body, Intents.GUILD_MODERATION)

    def _emit_role(self, guild: Guild, event: str, role: Role) -> None:
        body = {"guild_id": str(guild.id), "role": payloads.role(role)}
        self._emit(guild, event, lambda: body, Intents.GUILDS)

    def _emit(self, guild: Guild, event: str, render: Callable[[], Json], intent: Intents) -> None:
        # During an outage, and in guilds it left, the bot hears nothing.
        if not guild.is_unavailable and self._world.bot.id in guild.members:
            self._gateway.dispatch(event, render, intent=intent, guild_id=guild.id)

    def _emit_message(self, event: str, channel: Channel, message: Message) -> None:
        if message.is_ephemeral:
            return
        intent = Intents.DIRECT_MESSAGES
        extra: Json = {}
        if channel.guild_id is not None:
            guild = self._world.guilds[channel.guild_id]
            bot = guild.members.get(self._world.bot.id)
            if guild.is_unavailable or not bot or not permissions_in(guild, bot, channel) & Permission.VIEW_CHANNEL:
                return
            intent, extra = Intents.GUILD_MESSAGES, {"guild_id": str(guild.id)}
            author = guild.members.get(message.author.id)
            if author:
                extra["member"] = payloads.member_without_user(author)
        for session in self._gateway.listeners(intent, channel.guild_id):
            is_blanked = not session.intents & Intents.MESSAGE_CONTENT and is_content_private(self._world, message)
            session.dispatch(event, encode(payloads.message(message, is_blanked=is_blanked) | extra))


def is_content_private(world: World, message: Message) -> bool:
    """Say whether only the message-content intent shows this message's content to the bot.

    Direct messages, the bot's own messages and those that mention it (a reply with a ping is a mention) are open.
    """
    bot = world.bot
    return message.guild_id is not None and message.author.id != bot.id and bot not in message.mentions


def _in(guild: Guild, body: Json) -> Json:
    return body | {"guild_id": str(guild.id)}
