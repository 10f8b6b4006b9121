"""Adding the bot to a server: who may, what it may do there, and that it joins with a role of its own at the bottom."""

from __future__ import annotations

from collections.abc import Iterator

from sandbox.discord.changes import Changes
from sandbox.discord.permissions import Permission, permissions_of
from sandbox.discord.world import Guild, Member, Role, User, World

_WORDS = {
    Permission.ADMINISTRATOR: "Administrator",
    Permission.MANAGE_GUILD: "Manage Server",
    Permission.MANAGE_ROLES: "Manage Roles",
    Permission.MANAGE_CHANNELS: "Manage Channels",
    Permission.KICK_MEMBERS: "Kick Members",
    Permission.BAN_MEMBERS: "Ban Members",
    Permission.CREATE_INSTANT_INVITE: "Create Invite",
    Permission.VIEW_CHANNEL: "View Channels",
    Permission.SEND_MESSAGES: "Send Messages",
    Permission.EMBED_LINKS: "Embed Links",
    Permission.ATTACH_FILES: "Attach Files",
    Permission.READ_MESSAGE_HISTORY: "Read Message History",
    Permission.MANAGE_MESSAGES: "Manage Messages",
    Permission.VIEW_AUDIT_LOG: "View Audit Log",
}


def permission_words(permissions: int) -> list[str]:
    """Return what Discord calls these permissions, as far as this sandbox knows them."""
    return [words for bit, words in _WORDS.items() if permissions & bit]


def manageable_guilds(world: World, user: User) -> Iterator[Guild]:
    """Return the servers that somebody may add a bot to: Discord asks for Manage Server."""
    for guild in world.guilds.values():
        member = guild.members.get(user.id)
        if member is not None and permissions_of(guild, member) & Permission.MANAGE_GUILD:
            yield guild


def own_role(world: World, guild: Guild) -> Role | None:
    """Return the role that Discord made for the bot in a guild."""
    return next((each for each in guild.roles.values() if each.tags.get("bot_id") == str(world.bot.id)), None)


def add_bot(world: World, changes: Changes, guild: Guild, *, permissions: int, by: User) -> None:
    """Let the bot in; where it is in already, its role gets these permissions (Discord: Bot authorization flow)."""
    role = own_role(world, guild)
    if role is not None and world.bot.id in guild.members:
        role.permissions = permissions
        changes.role_changed(guild, role, by=by.id)
        return
    if role is not None:  # from an earlier time: Discord takes it away with the bot
        del guild.roles[role.id]
    made = new_own_role(world, permissions=permissions, position=1)
    guild.roles[made.id] = made
    guild.enter(Member(user=world.bot, joined_at=world.clock.now(), roles=frozenset({made.id})))
    changes.guild_here(guild)


def new_own_role(world: World, *, permissions: int, position: int) -> Role:
    """Return a bot's role as Discord makes it, in no guild yet."""
    return Role(
        id=world.ids.next(),
        name=world.portal.name,
        position=position,
        permissions=permissions,
        is_managed=True,
        tags={"bot_id": str(world.bot.id)},
    )
