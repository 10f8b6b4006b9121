"""The buttons for connecting: what Discord says when somebody signs in or joins, and the order of the bot's role."""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.discord.faults import Fault, refused
from sandbox.page.desk import Button, Desk
from sandbox.page.fields import Fields
from sandbox.page.server import roles_above_bot

JOIN_SCOPE = "guilds.join"
_ADDING = r"^/guilds/\d+/members/\d+$"


async def ban(desk: Desk, _: Fields) -> str:
    """Let the owner ban the person."""
    server, olga = desk.world.seed.server, desk.world.seed.cast.olga
    if desk.person is olga:
        raise PermissionError("Olga owns the server: nobody can ban her.")
    desk.world.discord.people.ban(server.guild, desk.person, by=olga)
    return f"Olga banned {desk.name}. Buy, connect, and read what the page says: no ban is lifted by paying."


async def unban(desk: Desk, _: Fields) -> str:
    """Let the owner lift the ban."""
    server, olga = desk.world.seed.server, desk.world.seed.cast.olga
    desk.world.discord.people.unban(server.guild, desk.person, by=olga)
    return f"Olga lifted the ban. {desk.name} may come back in."


async def fill_servers(desk: Desk, _: Fields) -> str:
    """Put the person into as many servers as Discord allows."""
    desk.person.is_at_guild_cap = True
    return f"{desk.name} is in 100 servers now. Discord lets nobody join one more: connect from outside and see."


async def free_servers(desk: Desk, _: Fields) -> str:
    """Let the person leave some of them."""
    desk.person.is_at_guild_cap = False
    return f"{desk.name} left some servers, and can join again."


async def withhold_join(desk: Desk, _: Fields) -> str:
    """Leave the permission to add people to servers out of what is signed in with."""
    desk.world.discord.authorizations.withheld.add(JOIN_SCOPE)
    return "Whoever signs in gives no permission to be added to servers. Connect from outside: an invite has to do."


async def give_join(desk: Desk, _: Fields) -> str:
    """Have the permission given again."""
    desk.world.discord.authorizations.withheld.discard(JOIN_SCOPE)
    return "Whoever signs in lets Doorlist add them to servers again."


async def refuse_joins(desk: Desk, _: Fields) -> str:
    """Refuse to add anybody to the server."""
    if desk.join_refusal is None:
        fault = Fault(method="PUT", path=_ADDING, answer=refused(403, 50013, "Missing Permissions"), times=None)
        desk.join_refusal = desk.world.discord.add_fault(fault)
    return "Discord does not let the bot add people. Connect from outside: they are told how to come in."


async def allow_joins(desk: Desk, _: Fields) -> str:
    """Let the bot add people again."""
    if desk.join_refusal is not None:
        desk.world.discord.faults.remove(desk.join_refusal)
    desk.join_refusal = None
    return "The bot may add people again."


async def discord_down(desk: Desk, _: Fields) -> str:
    """Make Discord unreachable as a whole."""
    desk.world.discord.go_down()
    return "Discord is down. Nobody loses anything; signing in says so, and what waits is done when it is back."


async def discord_up(desk: Desk, _: Fields) -> str:
    """Make Discord reachable again."""
    desk.world.discord.come_back()
    return "Discord answers again. The bot comes back by itself."


async def raise_bot(desk: Desk, _: Fields) -> str:
    """Let the owner drag the bot's role above all others, in the server on the page."""
    above = roles_above_bot(desk)
    if not above:
        return "The bot's role is at the top already."
    discord, guild = desk.world.discord, desk.guild
    owner = discord.world.users[guild.owner_id]
    position = max(role.position for role in above) + 1
    discord.people.move_role(guild, discord.bot_role(guild), position, by=owner)
    return f"{owner.global_name} dragged the bot's role to the top of {guild.name}: it can give every role now."


AT_THE_DOOR: Mapping[str, Button] = {
    "ban": ban,
    "unban": unban,
    "fill-servers": fill_servers,
    "free-servers": free_servers,
    "withhold-join": withhold_join,
    "give-join": give_join,
    "refuse-joins": refuse_joins,
    "allow-joins": allow_joins,
    "discord-down": discord_down,
    "discord-up": discord_up,
    "raise-bot": raise_bot,
}
