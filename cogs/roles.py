"""Which roles the bot may put, and why not the others. Reads discord.py's role cache, writes nothing."""

from __future__ import annotations

from enum import StrEnum

import discord

from membership.model import RoleId
from membership.ports import GuildRole


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
    return {
        RoleId(role.id): GuildRole(role_id=RoleId(role.id), name=role.name, refusal=refusal(guild, role))
        for role in guild.roles
    }


def refusal(guild: discord.Guild, role: discord.Role) -> Refusal | str:
    """Return why the role cannot be put, "" when it can. What a role *is* comes before what we lack."""
    return _by_kind(role) or _by_rank(guild, role)


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


def _by_rank(guild: discord.Guild, role: discord.Role) -> Refusal | str:
    if not guild.me.guild_permissions.manage_roles:
        return Refusal.NO_PERMISSION
    if role >= guild.me.top_role:
        return Refusal.ABOVE_BOT
    return ""
