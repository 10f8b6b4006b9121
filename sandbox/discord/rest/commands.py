"""Application commands: the global and the per-guild lists, with Discord's upsert by name."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.discord import errors
from sandbox.discord.command_rules import check_command
from sandbox.discord.faults import Answer
from sandbox.discord.rest.call import NO_CONTENT, Call, RouteTable, ok
from sandbox.discord.world import Json

routes = RouteTable()
GLOBAL = "/applications/{application_id}/commands"
GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"
LIMITS = {1: 100, 2: 15, 3: 15}


@routes.add("GET", GLOBAL)
@routes.add("GET", GUILD)
async def list_commands(call: Call) -> Answer:
    """Return the commands of a scope."""
    return ok(_in_scope(call))


@routes.add("PUT", GLOBAL)
@routes.add("PUT", GUILD)
async def replace_commands(call: Call) -> Answer:
    """Replace the whole list of a scope; a command that keeps name and type keeps its id."""
    old = {(each["name"], each["type"]): each["id"] for each in _in_scope(call)}
    new = [_command(call, each) for each in call.body]
    for kind, limit in LIMITS.items():
        if sum(each["type"] == kind for each in new) > limit:
            raise errors.ApiError(400, 30032, f"Maximum number of application commands reached ({limit}).")
    if len({(each["name"], each["type"]) for each in new}) != len(new):
        raise errors.invalid_form("name", "Application command names must be unique")
    for command in new:
        command["id"] = old.pop((command["name"], command["type"]), command["id"])
        call.world.commands[int(command["id"])] = command
    for command_id in old.values():
        del call.world.commands[int(command_id)]
    return ok(new)


@routes.add("POST", GLOBAL)
@routes.add("POST", GUILD)
async def create_command(call: Call) -> Answer:
    """Add a command, or replace the one of the same name and type."""
    command = _command(call, call.body)
    for each in _in_scope(call):
        if (each["name"], each["type"]) == (command["name"], command["type"]):
            command["id"] = each["id"]
    is_new = int(command["id"]) not in call.world.commands
    call.world.commands[int(command["id"])] = command
    return ok(command, 201 if is_new else 200)


@routes.add("DELETE", GLOBAL + "/{command_id}")
@routes.add("DELETE", GUILD + "/{command_id}")
async def delete_command(call: Call) -> Answer:
    """Delete a command."""
    if call.id("command_id") not in call.world.commands:
        raise errors.unknown("application command")
    del call.world.commands[call.id("command_id")]
    return NO_CONTENT


def _in_scope(call: Call) -> Sequence[Json]:
    if call.id("application_id") != call.world.portal.application_id:
        raise errors.unknown("Application")
    guild_id = str(call.guild()[0].id) if "guild_id" in call.ids else None
    return [each for each in call.world.commands.values() if each.get("guild_id") == guild_id]


def _command(call: Call, given: Json) -> Json:
    """Return a command as Discord stores it. Raises ApiError 50035 for a name it would refuse."""
    check_command(given)
    permissions = given.get("default_member_permissions")
    body: Json = {
        "id": str(call.world.ids.next()),
        "application_id": str(call.world.portal.application_id),
        "version": str(call.world.ids.next()),
        "type": given.get("type", 1),
        "name": given["name"],
        "description": given.get("description") or "",
        "default_member_permissions": None if permissions is None else str(permissions),
        "nsfw": bool(given.get("nsfw")),
        "options": given.get("options") or [],
    }
    kept = ("name_localizations", "description_localizations", "contexts", "integration_types", "dm_permission")
    body |= {key: given[key] for key in kept if given.get(key) is not None}
    return body | ({"guild_id": call.ids["guild_id"]} if "guild_id" in call.ids else {})
