"""What people (and Discord itself) do: join, leave, talk, moderate, click; and outages of a guild.

Calls are synchronous and take effect at once; what the bot does about it happens over the wire afterwards.
Permissions of people are not checked: whoever drives the sandbox decides who may do what.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.discord import drafts
from sandbox.discord.changes import Changes
from sandbox.discord.drafts import Draft
from sandbox.discord.world import Channel, Guild, Json, Member, Message, Role, User, World

IN_PROMPT = 1 << 0
"""The role flag that Discord sets while onboarding offers the role."""


@dataclass(slots=True)
class People:
    """The hands of everybody but the bot."""

    world: World
    changes: Changes

    def join(self, guild: Guild, user: User) -> Member:
        """Let a user join. Raises PermissionError for a banned one."""
        if user.id in guild.bans:
            raise PermissionError(f"{user.username} is banned from {guild.name}")
        return guild.members.get(user.id) or self.changes.member_joined(guild, user)

    def join_by_invite(self, code: str, user: User) -> Member:
        """Use an invite up; it gives its roles. Raises LookupError for an unknown, old or used-up one."""
        invite = self.world.invites.get(code)
        if invite is None or invite.is_over(self.world.clock.now()):
            raise LookupError("this invite is over")
        guild = self.world.guilds[invite.guild_id]
        roles = invite.roles & guild.roles.keys()
        if user.id in guild.members:
            member = guild.members[user.id]
            self.changes.roles_set(guild, member, member.roles | roles, by=invite.inviter.id)
            return member
        if user.id in guild.bans:
            raise PermissionError(f"{user.username} is banned from {guild.name}")
        invite.uses += 1
        return self.changes.member_joined(guild, user, roles)

    def leave(self, guild: Guild, user: User) -> None:
        """Let a member leave."""
        self.changes.member_left(guild, user)

    def kick(self, guild: Guild, user: User, *, by: User) -> None:
        """Kick a member."""
        self.changes.member_kicked(guild, user, by=by.id)

    def ban(self, guild: Guild, user: User, *, by: User, reason: str | None = None) -> None:
        """Ban a user."""
        self.changes.user_banned(guild, user, by=by.id, reason=reason)

    def unban(self, guild: Guild, user: User, *, by: User) -> None:
        """Lift a ban."""
        self.changes.user_unbanned(guild, user, by=by.id)

    def accept_rules(self, guild: Guild, user: User) -> None:
        """Pass the membership screening."""
        member = guild.members[user.id]
        member.is_pending = False
        self.changes.member_changed(guild, member)

    def say(self, channel: Channel, author: User, text: str, *, replies_to: Message | None = None) -> Message:
        """Post a message as a person; `<@id>` mentions."""
        body: Json = {"content": text}
        if replies_to:
            body["message_reference"] = {"message_id": str(replies_to.id)}
        message = drafts.new_message(self.world, channel, author, Draft(body=body))
        self.changes.message_created(channel, message)
        return message

    def write_to_bot(self, author: User, text: str) -> Message:
        """Send the bot a direct message."""
        return self.say(self.world.dm_with(author), author, text)

    def delete_message(self, message: Message) -> None:
        """Delete a message."""
        self.changes.message_deleted(self.world.channels[message.channel_id], message)

    def give_role(self, guild: Guild, user: User, role: Role, *, by: User) -> None:
        """Give a role by hand; the audit log names the moderator."""
        member = guild.members[user.id]
        self.changes.roles_set(guild, member, member.roles | {role.id}, by=by.id)

    def take_role(self, guild: Guild, user: User, role: Role, *, by: User) -> None:
        """Take a role by hand; the audit log names the moderator."""
        member = guild.members[user.id]
        self.changes.roles_set(guild, member, member.roles - {role.id}, by=by.id)

    def move_role(self, guild: Guild, role: Role, position: int, *, by: User) -> None:
        """Move a role up or down."""
        role.position = position
        self.changes.role_changed(guild, role, by=by.id)

    def set_permissions(self, guild: Guild, role: Role, permissions: int, *, by: User) -> None:
        """Change what a role may do."""
        role.permissions = int(permissions)
        self.changes.role_changed(guild, role, by=by.id)

    def set_in_onboarding(self, guild: Guild, role: Role, *, is_offered: bool, by: User) -> None:
        """Offer a role to everybody in the server's onboarding, or stop offering it."""
        role.flags = role.flags | IN_PROMPT if is_offered else role.flags & ~IN_PROMPT
        self.changes.role_changed(guild, role, by=by.id)

    def delete_role(self, guild: Guild, role: Role, *, by: User) -> None:
        """Delete a role."""
        self.changes.role_deleted(guild, role, by=by.id)

    def delete_channel(self, channel: Channel) -> None:
        """Delete a guild's channel."""
        self.changes.channel_deleted(self.world.guilds[channel.guild_id or 0], channel)

    def set_icon(self, guild: Guild, picture: bytes) -> None:
        """Give a server another picture, a PNG; none for empty."""
        guild.icon = picture
        self.changes.guild_changed(guild)

    def remove_bot(self, guild: Guild) -> None:
        """Throw the bot out of a guild (GUILD_DELETE without `unavailable`)."""
        self.changes.guild_gone(guild, is_outage=False)

    def add_bot(self, guild: Guild, roles: frozenset[int]) -> None:
        """Let the bot into a guild, with its own role among `roles` (GUILD_CREATE)."""
        guild.enter(Member(user=self.world.bot, joined_at=self.world.clock.now(), roles=roles))
        self.changes.guild_here(guild)

    def begin_outage(self, guild: Guild) -> None:
        """Make a guild unavailable (GUILD_DELETE with `unavailable`)."""
        self.changes.guild_gone(guild, is_outage=True)

    def end_outage(self, guild: Guild) -> None:
        """Make a guild available again (GUILD_CREATE)."""
        self.changes.guild_here(guild)
