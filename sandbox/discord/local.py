"""The local Discord's face: one object that makes the world, drives it, breaks it and tells what happened."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from yarl import URL

from sandbox.discord.buckets import Buckets
from sandbox.discord.cdn import add_cdn_routes
from sandbox.discord.changes import Changes
from sandbox.discord.client import Client
from sandbox.discord.faults import Fault, Faults
from sandbox.discord.gateway import Gateway
from sandbox.discord.gateway_socket import serve_gateway
from sandbox.discord.installing import add_bot, manageable_guilds, new_own_role, own_role
from sandbox.discord.interactions import Interactions
from sandbox.discord.invocations import Invocations
from sandbox.discord.oauth import Authorizations
from sandbox.discord.oauth_web import add_oauth_routes
from sandbox.discord.people import People
from sandbox.discord.permissions import BOT_DEFAULT, EVERYONE_DEFAULT, Permission
from sandbox.discord.records import Records
from sandbox.discord.rest.pipeline import add_rest_routes
from sandbox.discord.state import State
from sandbox.discord.world import (
    Channel,
    Clock,
    Guild,
    Json,
    Member,
    Message,
    Overwrite,
    Portal,
    Role,
    Snowflakes,
    User,
    World,
)


class LocalDiscord:
    """A Discord on this machine with one application and its bot.

    `people` acts as members, `invoke` sends interactions, `gateway` and `faults` cause trouble, `records` remembers
    requests, `authorizations` holds the OAuth tokens. Build the world with the `create_` methods, at any time.
    """

    def __init__(self, clock: Clock, *, buckets: Buckets | None = None, base_url: str | None = None) -> None:
        """Start with no guild. `base_url` is where app() is mounted; without it each request tells."""
        ids = Snowflakes(clock)
        self.world = _new_world(clock, ids)
        self.gateway = Gateway(clock)
        changes = Changes(self.world, self.gateway)
        self._state = State(
            world=self.world,
            gateway=self.gateway,
            changes=changes,
            interactions=Interactions(self.world),
            authorizations=Authorizations(self.world),
            buckets=buckets or Buckets(),
            base_url=base_url,
        )
        self.world.files.address = (base_url or "").rstrip("/")
        self._outage = Fault(answer="reset", times=None)
        self.people = People(self.world, changes)
        self.invoke = Invocations(self.world, self.gateway, self._state.interactions)

    def app(self) -> web.Application:
        """Return the web application; mount it anywhere, also more than once."""
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_get("/gateway", self._serve_gateway)
        app.router.add_get("/gateway/", self._serve_gateway)
        add_oauth_routes(app, self._state)
        add_cdn_routes(app, self._state)
        add_rest_routes(app, self._state)
        app.on_startup.append(self._open)
        app.on_shutdown.append(self._close)
        return app

    @property
    def portal(self) -> Portal:
        """Return the application's settings: token, client id and secret, intents, redirect URIs."""
        return self.world.portal

    @property
    def faults(self) -> Faults:
        """Return the rules of trouble in force."""
        return self._state.faults

    @property
    def records(self) -> Records:
        """Return the log of requests."""
        return self._state.records

    @property
    def buckets(self) -> Buckets:
        """Return the rate limits."""
        return self._state.buckets

    @property
    def authorizations(self) -> Authorizations:
        """Return the OAuth codes and tokens."""
        return self._state.authorizations

    @property
    def interactions(self) -> Interactions:
        """Return the interactions, with their deadlines."""
        return self._state.interactions

    def reset_token(self, token: str) -> None:
        """Give the bot another token; connections with the old one end with 4004."""
        self.portal.token = token
        self.gateway.sessions, old = {}, list(self.gateway.sessions.values())
        for session in old:
            if session.wire:
                session.wire.close(4004)

    def client(self, user: User, channel: Channel) -> Client:
        """Return somebody's client, looking at a channel."""
        return Client(world=self.world, invoke=self.invoke, user=user, channel=channel)

    def create_user(self, username: str, *, email: str | None = None, global_name: str | None = None) -> User:
        """Make an account; its other switches (accepts_dms, ...) are fields of the result."""
        user = User(id=self.world.ids.next(), username=username, email=email, global_name=global_name)
        self.world.users[user.id] = user
        return user

    def create_guild(
        self, name: str, *, owner: User, bot_position: int | None = 10, bot_permissions: int = BOT_DEFAULT
    ) -> Guild:
        """Make a guild with its owner, @everyone, and the bot with a managed role of its own at `bot_position`.

        A position of None makes it without the bot.
        """
        guild = Guild(id=self.world.ids.next(), name=name, owner_id=owner.id)
        guild.roles[guild.id] = Role(id=guild.id, name="@everyone", position=0, permissions=int(EVERYONE_DEFAULT))
        self.world.guilds[guild.id] = guild
        self.create_member(guild, owner)
        if bot_position is not None:
            bot_role = new_own_role(self.world, permissions=int(bot_permissions), position=bot_position)
            guild.roles[bot_role.id] = bot_role
            self.people.add_bot(guild, frozenset({bot_role.id}))
        return guild

    def bot_role(self, guild: Guild) -> Role:
        """Return the bot's own role in a guild. Raises LookupError where it never was."""
        role = own_role(self.world, guild)
        if role is None:
            raise LookupError(f"the bot has no role in {guild.name}")
        return role

    def create_role(
        self, guild: Guild, name: str, *, position: int = 1, permissions: int = 0, tags: Json | None = None
    ) -> Role:
        """Make a role as the owner; a role with tags is managed."""
        role = Role(id=self.world.ids.next(), name=name, position=position, permissions=int(permissions))
        role.tags, role.is_managed = tags or {}, bool(tags)
        self.people.changes.role_created(guild, role, by=guild.owner_id)
        return role

    def create_channel(self, guild: Guild, name: str, *, visible_to: list[Role] | None = None) -> Channel:
        """Make a text channel; with `visible_to` only those roles (and the bot) see it."""
        channel = Channel(id=self.world.ids.next(), guild_id=guild.id, name=name, position=len(guild.channels))
        if visible_to is not None:
            channel.overwrites[guild.id] = Overwrite(kind=0, deny=Permission.VIEW_CHANNEL)
            for role in [*visible_to, self.bot_role(guild)]:
                channel.overwrites[role.id] = Overwrite(kind=0, allow=Permission.VIEW_CHANNEL)
        self.people.changes.channel_created(guild, channel)
        return channel

    def create_member(self, guild: Guild, user: User, *roles: Role) -> Member:
        """Put a user in, quietly: for building, without a join event."""
        member = Member(user=user, joined_at=self.world.clock.now(), roles=frozenset(role.id for role in roles))
        guild.enter(member)
        return member

    def create_crowd(self, guild: Guild, count: int, *roles: Role) -> list[User]:
        """Put many made-up members in, quietly; 100,000 take about a second."""
        start = len(self.world.users)
        users = [self.create_user(f"member{start + number}") for number in range(count)]
        joined_at, held = self.world.clock.now(), frozenset(role.id for role in roles)
        for user in users:
            guild.enter(Member(user=user, joined_at=joined_at, roles=held))
        return users

    def roles_of(self, guild: Guild, user: User) -> set[str]:
        """Return the names of a member's roles. Raises KeyError for somebody outside."""
        return {guild.roles[role_id].name for role_id in guild.members[user.id].roles}

    def messages(self, channel: Channel) -> list[Message]:
        """Return a channel's messages, oldest first."""
        return list(channel.messages.values())

    def direct_messages(self, user: User) -> list[Message]:
        """Return what the bot and a user wrote each other, oldest first."""
        return list(self.world.dms[user.id].messages.values()) if user.id in self.world.dms else []

    def authorize(self, url: str, user: User, guild: Guild | None = None) -> str:
        """Answer the consent page at `url` as a user and return where the browser is sent.

        `guild` is the server to add the bot to. Raises PermissionError where the user may not.
        """
        wanted = self.authorizations.read_request(_query(url))
        if guild is not None:
            if guild not in manageable_guilds(self.world, user):
                raise PermissionError(f"{user.username} may not add a bot to {guild.name}")
            add_bot(self.world, self._state.changes, guild, permissions=wanted.permissions, by=user)
        return self.authorizations.approve(wanted, user, guild)

    def deny(self, url: str) -> str:
        """Refuse at the consent page at `url` and return where the browser is sent."""
        return self.authorizations.deny(self.authorizations.read_request(_query(url)))

    def add_fault(self, fault: Fault) -> Fault:
        """Cause trouble; see Fault."""
        return self.faults.add(fault)

    def go_down(self) -> None:
        """Be unreachable as a whole: REST and OAuth cut every request, the gateway drops and refuses connections."""
        self.faults.remove(self._outage)
        self.faults.add(self._outage)
        self.gateway.is_refusing = True
        self.gateway.drop_connections()

    @property
    def is_down(self) -> bool:
        """Say whether it is unreachable as a whole."""
        return self.gateway.is_refusing

    def come_back(self) -> None:
        """End what go_down began; sessions can be resumed."""
        self.faults.remove(self._outage)
        self.gateway.is_refusing = False

    async def _serve_gateway(self, request: web.Request) -> web.StreamResponse:
        return await serve_gateway(request, self._state)

    async def _open(self, _: web.Application) -> None:
        self._state.is_closing.clear()

    async def _close(self, _: web.Application) -> None:
        self._state.is_closing.set()
        for connection in list(self._state.open_sockets):
            connection.close(1001)


def _new_world(clock: Clock, ids: Snowflakes) -> World:
    owner = User(id=ids.next(), username="developer")
    bot = User(id=ids.next(), username="doorlist", is_bot=True)
    portal = Portal(
        application_id=bot.id,
        name="Doorlist",
        bot=bot,
        token="sandbox-bot-token",
        client_id=str(bot.id),
        client_secret="sandbox-client-secret",
        owner=owner,
    )
    return World(clock=clock, ids=ids, portal=portal, users={bot.id: bot})


def _query(url: str) -> Mapping[str, str]:
    return URL(url).query
