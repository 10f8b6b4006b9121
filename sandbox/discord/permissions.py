"""Who may do what: permission bits, channel overwrites and the role hierarchy.

Rules follow Discord's documentation ("Permissions", "Permission Hierarchy"): only the owner is outside the hierarchy,
and Administrator gives every permission but lifts nobody above a higher role.
"""

from __future__ import annotations

from enum import IntFlag

from sandbox.discord import errors
from sandbox.discord.world import Channel, Guild, Member, Role, World


class Permission(IntFlag):
    """The bits this sandbox looks at."""

    CREATE_INSTANT_INVITE = 1 << 0
    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    VIEW_AUDIT_LOG = 1 << 7
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MODERATE_MEMBERS = 1 << 40


ALL = (1 << 53) - 1
EVERYONE_DEFAULT = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.CREATE_INSTANT_INVITE
    | Permission.USE_APPLICATION_COMMANDS
)
BOT_DEFAULT = EVERYONE_DEFAULT | (
    Permission.MANAGE_ROLES | Permission.KICK_MEMBERS | Permission.MANAGE_MESSAGES | Permission.VIEW_AUDIT_LOG
)


def permissions_of(guild: Guild, member: Member) -> int:
    """Return a member's permission bits in the guild, all of them for the owner and for administrators."""
    bits = guild.roles[guild.id].permissions
    for role_id in member.roles:
        bits |= guild.roles[role_id].permissions
    if member.user.id == guild.owner_id or bits & Permission.ADMINISTRATOR:
        return ALL
    return bits


def permissions_in(guild: Guild, member: Member, channel: Channel) -> int:
    """Return a member's permission bits in a channel: @everyone's overwrite, then roles together, then the member."""
    bits = permissions_of(guild, member)
    if bits == ALL:
        return bits
    everyone = channel.overwrites.get(guild.id)
    if everyone:
        bits = bits & ~everyone.deny | everyone.allow
    allow = deny = 0
    for role_id in member.roles:
        overwrite = channel.overwrites.get(role_id)
        if overwrite:
            allow, deny = allow | overwrite.allow, deny | overwrite.deny
    bits = bits & ~deny | allow
    own = channel.overwrites.get(member.user.id)
    return bits & ~own.deny | own.allow if own else bits


def top_rank(guild: Guild, member: Member) -> tuple[int, int]:
    """Return the rank of a member's highest role."""
    return max((guild.roles[role_id].rank for role_id in member.roles), default=guild.roles[guild.id].rank)


def bot_member(world: World, guild: Guild) -> Member:
    """Return the bot's membership. Raises ApiError 50001 where the bot is not in the guild."""
    try:
        return guild.members[world.bot.id]
    except KeyError:
        raise errors.missing_access() from None


def require(guild: Guild, member: Member, permission: Permission) -> None:
    """Raise ApiError 50013 unless the member has the permission in the guild."""
    if not permissions_of(guild, member) & permission:
        raise errors.missing_permissions()


def require_in(guild: Guild, member: Member, channel: Channel, permission: Permission) -> None:
    """Raise ApiError 50001 for an invisible channel, 50013 for a lacking permission in it."""
    bits = permissions_in(guild, member, channel)
    if not bits & Permission.VIEW_CHANNEL:
        raise errors.missing_access()
    if not bits & permission:
        raise errors.missing_permissions()


def require_assignable(guild: Guild, member: Member, role: Role) -> None:
    """Raise unless `member` may give and take `role`: 50028 for @everyone, 50013 for managed, equal or higher ones."""
    if role.id == guild.id:
        raise errors.ApiError(400, 50028, "Invalid Role")
    if role.is_managed:
        raise errors.missing_permissions()
    require_above_role(guild, member, role)


def require_above_role(guild: Guild, member: Member, role: Role) -> None:
    """Raise ApiError 50013 unless the member's highest role is above `role`."""
    if member.user.id != guild.owner_id and role.rank >= top_rank(guild, member):
        raise errors.missing_permissions()


def require_above_member(guild: Guild, member: Member, other: Member) -> None:
    """Raise ApiError 50013 unless the member's highest role is above everything `other` has."""
    if other.user.id == guild.owner_id:
        raise errors.missing_permissions()
    if member.user.id != guild.owner_id and top_rank(guild, other) >= top_rank(guild, member):
        raise errors.missing_permissions()
