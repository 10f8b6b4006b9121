"""Roles of a guild: list, count, make, change, move, delete."""

from __future__ import annotations

from sandbox.discord import errors, payloads
from sandbox.discord.faults import Answer
from sandbox.discord.permissions import Permission, permissions_of, require_above_role
from sandbox.discord.rest.call import NO_CONTENT, Call, RouteTable, ok
from sandbox.discord.world import Guild, Json, Member, Role

routes = RouteTable()
ROLE_LIMIT = 250


@routes.add("GET", "/guilds/{guild_id}/roles")
async def list_roles(call: Call) -> Answer:
    """Return all roles."""
    guild, _ = call.guild()
    return ok([payloads.role(each) for each in guild.roles.values()])


@routes.add("GET", "/guilds/{guild_id}/roles/member-counts")
async def count_members(call: Call) -> Answer:
    """Return how many members hold each role, @everyone left out."""
    guild, _ = call.guild()
    return ok({str(key): guild.role_counts[key] for key in guild.roles if key != guild.id})


@routes.add("GET", "/guilds/{guild_id}/roles/{role_id}")
async def get_role(call: Call) -> Answer:
    """Return one role."""
    guild, _ = call.guild()
    return ok(payloads.role(call.role(guild)))


@routes.add("POST", "/guilds/{guild_id}/roles")
async def create_role(call: Call) -> Answer:
    """Make a role at the bottom, with no permission that the bot lacks."""
    guild, me = call.guild_requiring(Permission.MANAGE_ROLES)
    if len(guild.roles) >= ROLE_LIMIT:
        raise errors.ApiError(400, 30005, f"Maximum number of guild roles reached ({ROLE_LIMIT})")
    role = Role(id=call.world.ids.next(), name="new role", permissions=guild.roles[guild.id].permissions)
    _apply(guild, me, role, call.body or {})
    call.state.changes.role_created(guild, role, by=call.bot.id, reason=call.reason)
    return ok(payloads.role(role))


@routes.add("PATCH", "/guilds/{guild_id}/roles")
async def move_roles(call: Call) -> Answer:
    """Change positions of roles below the bot, to places below the bot."""
    guild, me = call.guild_requiring(Permission.MANAGE_ROLES)
    wanted = {int(each["id"]): int(each["position"]) for each in call.body if each.get("position") is not None}
    if not wanted.keys() <= guild.roles.keys():
        raise errors.unknown("Role")
    for role_id, position in wanted.items():
        require_above_role(guild, me, guild.roles[role_id])
        require_above_role(guild, me, Role(id=role_id, name="", position=position))
    for role_id, position in wanted.items():
        guild.roles[role_id].position = position
        call.state.changes.role_changed(guild, guild.roles[role_id], by=call.bot.id, reason=call.reason)
    return ok([payloads.role(each) for each in guild.roles.values()])


@routes.add("PATCH", "/guilds/{guild_id}/roles/{role_id}")
async def change_role(call: Call) -> Answer:
    """Change a role below the bot."""
    guild, me = call.guild_requiring(Permission.MANAGE_ROLES)
    role = call.role(guild)
    require_above_role(guild, me, role)
    _apply(guild, me, role, call.body)
    call.state.changes.role_changed(guild, role, by=call.bot.id, reason=call.reason)
    return ok(payloads.role(role))


@routes.add("DELETE", "/guilds/{guild_id}/roles/{role_id}")
async def delete_role(call: Call) -> Answer:
    """Delete a role below the bot; managed ones and @everyone cannot be deleted."""
    guild, me = call.guild_requiring(Permission.MANAGE_ROLES)
    role = call.role(guild)
    if role.is_managed or role.id == guild.id:
        raise errors.ApiError(400, 50028, "Invalid Role")
    require_above_role(guild, me, role)
    call.state.changes.role_deleted(guild, role, by=call.bot.id, reason=call.reason)
    return NO_CONTENT


def _apply(guild: Guild, me: Member, role: Role, body: Json) -> None:
    if body.get("permissions") is not None:
        permissions = int(body["permissions"])
        if permissions & ~permissions_of(guild, me):
            raise errors.missing_permissions()
        role.permissions = permissions
    name = body.get("name") or role.name
    if len(name) > 100:
        raise errors.invalid_form("name", "Must be between 1 and 100 in length.")
    role.name = name
    colors = body.get("colors") or {}
    color = body.get("color") if body.get("color") is not None else colors.get("primary_color")
    role.color = role.color if color is None else int(color)
    role.is_hoisted = bool(body.get("hoist", role.is_hoisted))
    role.is_mentionable = bool(body.get("mentionable", role.is_mentionable))
