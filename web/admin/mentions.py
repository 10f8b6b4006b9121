"""Discord's mentions in texts that were written for Discord, named for pages: <@30> is @dora there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from membership.model import ChannelId, GuildId, RoleId, UserId
from membership.ports import Discord

_MENTION = re.compile(r"<(@&|@|#)(\d{1,19})>")


def people_in(text: str) -> Iterator[UserId]:
    """Yield whom a text mentions."""
    for kind, number in _MENTION.findall(text):
        if kind == "@":
            yield UserId(int(number))


def without_mentions(text: str, names: Mapping[UserId, str], discord: Discord, guild_id: GuildId) -> str:
    """Write people, roles and channels by name; by their number those that nobody knows any more."""
    roles = discord.roles(guild_id)

    def named(found: re.Match[str]) -> str:
        kind, number = found[1], int(found[2])
        if kind == "#":
            return f"#{discord.channel_name(ChannelId(number)) or number}"
        if kind == "@&":
            role = roles.get(RoleId(number))
            return f"@{number if role is None else role.name}"
        return f"@{names.get(UserId(number), number)}"

    return _MENTION.sub(named, text)
