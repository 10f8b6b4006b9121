"""What a route gets and gives: the parsed request, look-ups that fail with Discord's codes, and the table of routes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from sandbox.discord import errors
from sandbox.discord.faults import Answer
from sandbox.discord.files import Upload
from sandbox.discord.oauth import Token
from sandbox.discord.permissions import Permission, bot_member, require, require_in
from sandbox.discord.state import State
from sandbox.discord.world import Channel, Guild, Member, Message, Role, User, World

Handler = Callable[["Call"], Awaitable[Answer]]


@dataclass(slots=True, kw_only=True)
class Call:
    """One request, its body parsed. `token` is set for a user's Bearer token, None for the bot."""

    state: State
    request: web.Request
    ids: Mapping[str, str]
    body: Any = None
    files: list[Upload] = field(default_factory=list)
    token: Token | None = None

    @property
    def world(self) -> World:
        """Return the world."""
        return self.state.world

    @property
    def query(self) -> Mapping[str, str]:
        """Return the query string's values."""
        return self.request.query

    @property
    def bot(self) -> User:
        """Return the bot's user."""
        return self.state.world.bot

    @property
    def reason(self) -> str | None:
        """Return the audit-log reason, decoded."""
        given = self.request.headers.get("X-Audit-Log-Reason")
        return unquote(given) if given else None

    def id(self, name: str) -> int:
        """Return a path parameter as an id. Raises ApiError 50035 when it is none."""
        try:
            return int(self.ids[name])
        except ValueError:
            raise errors.invalid_form(name, f'Value "{self.ids[name]}" is not snowflake.') from None

    def limit(self, *, default: int, most: int) -> int:
        """Return the `limit` of the query. Raises ApiError 50035 outside 1 to `most`."""
        given = self.query.get("limit", str(default))
        if not given.isdigit() or not 1 <= int(given) <= most:
            raise errors.invalid_form("limit", f"int value should be between 1 and {most}.")
        return int(given)

    def guild(self) -> tuple[Guild, Member]:
        """Return the guild of the path and the bot's membership. Raises ApiError 10004, 50001."""
        guild = self.world.guilds.get(self.id("guild_id"))
        if guild is None:
            raise errors.unknown("Guild")
        return guild, bot_member(self.world, guild)

    def guild_requiring(self, permission: Permission) -> tuple[Guild, Member]:
        """Return the guild and the bot's membership. Raises also ApiError 50013 without the permission."""
        guild, me = self.guild()
        require(guild, me, permission)
        return guild, me

    def member(self, guild: Guild) -> Member:
        """Return the member of the path. Raises ApiError 10013 for nobody, 10007 for somebody outside."""
        user_id = self.id("user_id")
        if user_id in guild.members:
            return guild.members[user_id]
        raise errors.unknown("Member" if user_id in self.world.users else "User")

    def user(self) -> User:
        """Return the user of the path. Raises ApiError 10013."""
        try:
            return self.world.users[self.id("user_id")]
        except KeyError:
            raise errors.unknown("User") from None

    def role(self, guild: Guild) -> Role:
        """Return the role of the path. Raises ApiError 10011."""
        try:
            return guild.roles[self.id("role_id")]
        except KeyError:
            raise errors.unknown("Role") from None

    def channel(self, permission: Permission = Permission.VIEW_CHANNEL) -> Channel:
        """Return the channel of the path. Raises ApiError 10003, 50001 when invisible, 50013 without permission."""
        channel = self.world.channels.get(self.id("channel_id"))
        if channel is None:
            raise errors.unknown("Channel")
        if channel.guild_id is not None:
            guild = self.world.guilds[channel.guild_id]
            require_in(guild, bot_member(self.world, guild), channel, permission)
        return channel

    def message(self, channel: Channel) -> Message:
        """Return the message of the path. Raises ApiError 10008."""
        try:
            return channel.messages[self.id("message_id")]
        except KeyError:
            raise errors.unknown("Message") from None

    def role_ids(self, guild: Guild, given: object) -> frozenset[int]:
        """Return role ids of a body. Raises ApiError 10011 for one that is not in the guild."""
        ids = frozenset(int(each) for each in given) if isinstance(given, list) else frozenset()
        if not ids <= guild.roles.keys():
            raise errors.unknown("Role")
        return ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One route. `bucket` None is exempt from all limits (interactions); `access` is who may call it."""

    method: str
    template: str
    handler: Handler
    bucket: str | None
    access: str


class RouteTable:
    """Collects the routes of a module."""

    def __init__(self) -> None:
        self.endpoints: list[Endpoint] = []

    def add(
        self, method: str, template: str, *, bucket: str | None = "", access: str = "bot"
    ) -> Callable[[Handler], Handler]:
        """Register a handler. An empty `bucket` is one of the route's own; `access` is bot, user, both or open."""

        def register(handler: Handler) -> Handler:
            own_bucket = f"{method} {template}" if bucket == "" else bucket
            self.endpoints.append(
                Endpoint(method=method, template=template, handler=handler, bucket=own_bucket, access=access)
            )
            return handler

        return register


def ok(body: Any, status: int = 200) -> Answer:
    """Answer with JSON."""
    return Answer(status=status, body=body)


NO_CONTENT = Answer()
