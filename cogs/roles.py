"""Which roles the bot may put, why not the others, and which are dangerous to sell. Reads only what is cached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import discord

from membership.model import RoleId
from membership.ports import GuildRole

# The permissions that give power over other members, or let a buyer act as staff.
DANGEROUS = (
    "administrator",
    "manage_guild",
    "manage_roles",
    "manage_channels",
    "manage_webhooks",
    "manage_messages",
    "manage_threads",
    "manage_nicknames",
    "manage_events",
    "manage_expressions",
    "kick_members",
    "ban_members",
    "moderate_members",
    "mention_everyone",
    "mute_members",
    "deafen_members",
    "move_members",
    "view_audit_log",
)
_NAMES = {
    "manage_guild": "Manage Server",
    "read_messages": "View Channels",
    "moderate_members": "Timeout Members",
    "create_instant_invite": "Create Invite",
}


class Refusal(StrEnum):
    """Why a role cannot be given to a paying member; the values are what `GuildRole.refusal` carries."""

    EVERYONE = "everyone"
    BOOSTER = "booster"
    LINKED = "linked"
    FOR_SALE = "for_sale"
    MANAGED = "managed"
    SELF_SELECTABLE = "self_selectable"
    NO_PERMISSION = "no_permission"
    ABOVE_BOT = "above_bot"


def guild_roles(guild: discord.Guild) -> dict[RoleId, GuildRole]:
    """Return every role of a guild with the reason why we may not put it."""
    places = _places(guild)
    return {
        RoleId(role.id): GuildRole(
            role_id=RoleId(role.id),
            name=role.name,
            refusal=refusal(guild.me, role),
            dangers=dangers(role.permissions),
            position=places[role.id],
        )
        for role in guild.roles
    }


def top_position(guild: discord.Guild, role_ids: Iterable[int]) -> int:
    """Return the place of the highest of these roles among the guild's. One that the gateway has not shown is none."""
    places = _places(guild)
    return max((places[role_id] for role_id in role_ids if role_id in places), default=0)


def dangers(permissions: discord.Permissions) -> tuple[str, ...]:
    """Return the dangerous permissions among these, as Discord names them to people."""
    return tuple(permission_name(name) for name in DANGEROUS if getattr(permissions, name))


def permission_name(name: str) -> str:
    """Return what people see for discord.py's name of a permission: manage_roles is Manage Roles."""
    return _NAMES.get(name) or name.replace("_", " ").title()


def refusal(me: discord.Member, role: discord.Role) -> Refusal | str:
    """Return why the bot cannot put the role, "" when it can. What a role *is* comes before what we lack."""
    return _by_kind(role) or _by_rank(me, role)


def _places(guild: discord.Guild) -> Mapping[int, int]:
    """Return the place of each role from the bottom. Roles may share Discord's position: then the older is above."""
    return {role.id: place for place, role in enumerate(guild.roles)}


def _by_kind(role: discord.Role) -> Refusal | str:
    if role.is_default():
        return Refusal.EVERYONE
    if role.is_premium_subscriber():
        return Refusal.BOOSTER
    if role.tags is not None and role.tags.is_guild_connection():
        return Refusal.LINKED
    if role.tags is not None and role.tags.is_available_for_purchase():
        return Refusal.FOR_SALE
    if role.managed:
        return Refusal.MANAGED
    if role.flags.in_prompt:
        # Members give it to themselves in onboarding: nobody would have to pay.
        return Refusal.SELF_SELECTABLE
    return ""


def _by_rank(me: discord.Member, role: discord.Role) -> Refusal | str:
    if not me.guild_permissions.manage_roles:
        return Refusal.NO_PERMISSION
    if role >= me.top_role:
        return Refusal.ABOVE_BOT
    return ""
