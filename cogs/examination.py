"""How an application and its servers are set up at Discord, as plain facts. Judges nothing; asking is examiner.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import discord

from cogs.roles import dangers, permission_name, refusal
from membership.model import ChannelId, GuildId, RoleId

Json = Mapping[str, object]
_MEMBERS = 1 << 14 | 1 << 15
_CONTENT = 1 << 18 | 1 << 19
"""The application flags of each privileged intent: verified bots have the first, small ones the second."""

# What Discord adds to a command that was not said, so that both sides of a comparison say the same.
_COMPARED = (
    "name_localizations",
    "description_localizations",
    "default_member_permissions",
    "choices",
    "channel_types",
    "autocomplete",
    "required",
    "min_value",
    "max_value",
    "min_length",
    "max_length",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationExamination:
    """The application behind the bot's token. `commands` are the registered ones, as Discord returns them."""

    application_id: int
    name: str
    has_members_intent: bool
    has_content_intent: bool
    interactions_url: str
    redirect_urls: frozenset[str]
    has_owner_two_factor: bool
    commands: Sequence[Json] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleExamination:
    """One role. `refusal` "" when the bot may give it; `holders` None when Discord does not count them."""

    role_id: RoleId
    name: str
    position: int
    refusal: str
    dangers: tuple[str, ...]
    holders: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelExamination:
    """One channel. `opened_to` are the roles that an overwrite of its own lets in."""

    channel_id: ChannelId
    name: str
    can_write: bool
    is_public: bool
    opened_to: frozenset[RoleId]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildExamination:
    """One server as its bot sees it. `permissions` are the bot's, by Discord's names ("manage_roles")."""

    guild_id: GuildId
    name: str
    needs_two_factor: bool
    permissions: frozenset[str]
    bot_role: str
    bot_position: int
    roles: Mapping[RoleId, RoleExamination]
    channels: Mapping[ChannelId, ChannelExamination]


def read_application(raw: Json, *, me: Json, commands: Sequence[Json]) -> ApplicationExamination:
    """Read GET /applications/@me; `me` is GET /users/@me, whose two-factor flag is that of the bot's owner."""
    flags = raw.get("flags")
    is_on = flags if isinstance(flags, int) else 0
    urls = raw.get("redirect_uris")
    return ApplicationExamination(
        application_id=int(str(raw["id"])),
        name=str(raw.get("name") or ""),
        has_members_intent=bool(is_on & _MEMBERS),
        has_content_intent=bool(is_on & _CONTENT),
        interactions_url=str(raw.get("interactions_endpoint_url") or ""),
        redirect_urls=frozenset(map(str, urls)) if isinstance(urls, list) else frozenset(),
        has_owner_two_factor=me.get("mfa_enabled") is True,
        commands=commands,
    )


def read_guild(
    guild: discord.Guild,
    me: discord.Member,
    channels: Iterable[discord.abc.GuildChannel],
    counts: Mapping[int, int],
) -> GuildExamination:
    """Read a server from discord.py's objects; `counts` are the members of each role, {} when unknown."""
    return GuildExamination(
        guild_id=GuildId(guild.id),
        name=guild.name,
        needs_two_factor=guild.mfa_level is discord.MFALevel.require_2fa,
        permissions=frozenset(name for name, is_granted in me.guild_permissions if is_granted),
        bot_role=me.top_role.name,
        bot_position=me.top_role.position,
        roles={RoleId(role.id): _role(me, role, counts) for role in guild.roles},
        channels={ChannelId(channel.id): _channel(guild, me, channel) for channel in channels},
    )


def differing_commands(registered: Sequence[Json], wanted: Sequence[Json]) -> list[str]:
    """Return the names of the commands that Discord has otherwise than we want them, or that one side lacks."""
    there = {_key(command): _essence(command) for command in registered}
    here = {_key(command): _essence(command) for command in wanted}
    return sorted(
        name for name, kind in there.keys() | here.keys() if there.get((name, kind)) != here.get((name, kind))
    )


def permission_names(names: Iterable[str]) -> str:
    """Return permissions as people read them, in one line."""
    return ", ".join(map(permission_name, names))


def _role(me: discord.Member, role: discord.Role, counts: Mapping[int, int]) -> RoleExamination:
    return RoleExamination(
        role_id=RoleId(role.id),
        name=role.name,
        position=role.position,
        refusal=str(refusal(me, role)),
        dangers=dangers(role.permissions),
        holders=counts.get(role.id),
    )


def _channel(guild: discord.Guild, me: discord.Member, channel: discord.abc.GuildChannel) -> ChannelExamination:
    own = channel.permissions_for(me)
    opened = {
        RoleId(target.id)
        for target, overwrite in channel.overwrites.items()
        if isinstance(target, discord.Role) and overwrite.view_channel
    }
    return ChannelExamination(
        channel_id=ChannelId(channel.id),
        name=channel.name,
        can_write=own.view_channel and own.send_messages,
        is_public=channel.permissions_for(guild.default_role).view_channel,
        opened_to=frozenset(opened - {RoleId(guild.id)}),
    )


def _key(command: Json) -> tuple[str, int]:
    kind = command.get("type")
    return str(command.get("name")), kind if isinstance(kind, int) else 1


def _essence(command: Json) -> Json:
    """Return a command without what Discord fills in: ids, versions, and values that mean "not said"."""
    options = command.get("options")
    kept = {name: _plain(command[name]) for name in _COMPARED if command.get(name) not in (None, False, [], {})}
    return kept | {
        "key": _key(command),
        "description": command.get("description") or "",
        "options": [_essence(option) for option in options] if isinstance(options, list) else [],
    }


def _plain(value: object) -> object:
    """Return a value in one spelling: permissions come as text from Discord and as a number from us."""
    if isinstance(value, int | str):
        return str(value)
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(entry) for name, entry in value.items() if entry not in (None, {})}
    return value
