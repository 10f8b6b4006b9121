"""The objects behind the ids that people choose, as Discord sends them along with an interaction ("resolved")."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.discord import payloads
from sandbox.discord.component_rules import CHANNEL_SELECT, FILE_UPLOAD, MENTIONABLE_SELECT, ROLE_SELECT, USER_SELECT
from sandbox.discord.offers import ATTACHMENT, CHANNEL, MENTIONABLE, ROLE, USER
from sandbox.discord.permissions import permissions_in
from sandbox.discord.world import Channel, Guild, Json, World

USERS, ROLES, CHANNELS, ANYONE, FILES = "user", "role", "channel", "mentionable", "attachment"
BY_OPTION = {USER: USERS, ROLE: ROLES, CHANNEL: CHANNELS, MENTIONABLE: ANYONE, ATTACHMENT: FILES}
BY_SELECT = {
    USER_SELECT: USERS,
    ROLE_SELECT: ROLES,
    CHANNEL_SELECT: CHANNELS,
    MENTIONABLE_SELECT: ANYONE,
    FILE_UPLOAD: FILES,
}


class Resolved:
    """Collects what was chosen in one interaction; ids that name nothing are left out, as a forged one would be."""

    def __init__(self, world: World, channel: Channel) -> None:
        self._world = world
        self._channel = channel
        self._guild = world.guilds.get(channel.guild_id or 0)
        self._found: Json = {}

    def add(self, kind: str | None, values: Sequence[object]) -> None:
        """Look up ids of one kind; None is no kind that resolves."""
        for value in values:
            if kind is None or not str(value).isdigit():
                continue
            chosen = int(str(value))
            if kind in (USERS, ANYONE):
                self._add_user(chosen)
            if kind in (ROLES, ANYONE) and self._guild and chosen in self._guild.roles:
                self._put("roles", chosen, payloads.role(self._guild.roles[chosen]))
            if kind == CHANNELS and self._guild and chosen in self._guild.channels:
                self._add_channel(self._guild, self._guild.channels[chosen])

    def add_attachment(self, attachment: Json) -> None:
        """Take an uploaded file along."""
        self._put("attachments", int(attachment["id"]), attachment)

    def as_part(self) -> Json:
        """Return the key of the interaction's data, nothing when nothing was chosen."""
        return {"resolved": self._found} if self._found else {}

    def _add_user(self, user_id: int) -> None:
        user = self._world.users.get(user_id)
        if user is None:
            return
        self._put("users", user_id, payloads.user(user))
        if self._guild and user_id in self._guild.members:
            member = self._guild.members[user_id]
            bits = permissions_in(self._guild, member, self._channel)
            without_voice = {
                key: value for key, value in payloads.member_without_user(member).items() if key not in ("mute", "deaf")
            }
            self._put("members", user_id, without_voice | {"permissions": str(bits)})

    def _add_channel(self, guild: Guild, channel: Channel) -> None:
        bot = guild.members[self._world.bot.id]
        bits = permissions_in(guild, bot, channel)
        self._put("channels", channel.id, payloads.channel(channel) | {"permissions": str(bits)})

    def _put(self, kind: str, key: int, body: Json) -> None:
        self._found.setdefault(kind, {})[str(key)] = body
