"""What somebody may do in a server: computed from the roles they have now and what the gateway says of those roles."""

from __future__ import annotations

from collections.abc import Iterable

import discord

from cogs.roles import top_position
from membership.model import MemberKey, Seen
from membership.ports import ServerRights


def server_rights(guild: discord.Guild, key: MemberKey, seen: Seen) -> ServerRights:
    """Return the rights of a member who was just seen in a guild.

    The owner may do everything, and Administrator includes every permission (Discord: Topics, Permissions).
    """
    if guild.owner_id == key.user_id:
        return ServerRights(
            is_owner=True,
            is_administrator=True,
            can_manage_server=True,
            can_manage_roles=True,
            name=seen.name,
            top_position=None,
        )
    has = _permissions(guild, seen.roles)
    is_administrator = has.administrator
    can_manage_server = is_administrator or has.manage_guild
    return ServerRights(
        is_administrator=is_administrator,
        can_manage_server=can_manage_server,
        # Ours, not Discord's: whoever manages the server may do what its staff may.
        can_manage_roles=can_manage_server or has.manage_roles,
        name=seen.name,
        top_position=top_position(guild, seen.roles),
    )


def _permissions(guild: discord.Guild, role_ids: Iterable[int]) -> discord.Permissions:
    """Add up what @everyone and these roles give. A role that the gateway has not shown yet gives nothing."""
    value = guild.default_role.permissions.value
    for role_id in role_ids:
        role = guild.get_role(role_id)
        value |= role.permissions.value if role is not None else 0
    return discord.Permissions(value)
