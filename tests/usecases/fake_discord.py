"""Discord in memory: one guild with a hierarchy, members, refusals. Implements membership.ports.Discord."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from membership.errors import Audience, Blocked, Gone, Reason, Retry
from membership.model import ChannelId, GuildId, Lane, MemberKey, MessageId, Observation, RoleId, Seen, UserId
from membership.ports import ChannelMessage, GuildRole, Icon, JoinOutcome, ServerRights
from tests.usecases.faults import Faults, Fuse

BOT_POSITION = 50
OWNS = ServerRights(
    is_owner=True, is_administrator=True, can_manage_server=True, can_manage_roles=True, top_position=None
)
MANAGES_SERVER = ServerRights(can_manage_server=True, can_manage_roles=True, top_position=40)
MANAGES_ROLES = ServerRights(can_manage_roles=True, top_position=30)


@dataclass
class FakeGuild:
    """A server: its roles by position, its members with their roles, and what keeps the bot out.

    `powers` are what members may do there; the owner may do everything, and whoever has none may do nothing.
    `opened` are the channels that not everybody sees, with the roles that open them.
    """

    roles: dict[RoleId, int] = field(default_factory=dict)
    members: dict[UserId, set[RoleId]] = field(default_factory=dict)
    pending: set[UserId] = field(default_factory=set)
    messages: list[ChannelMessage] = field(default_factory=list)
    is_available: bool = True
    permissions: frozenset[str] = frozenset({"manage_roles", "create_instant_invite", "kick_members"})
    dangers: dict[RoleId, tuple[str, ...]] = field(default_factory=dict)
    name: str = "Ada's server"
    owner_id: UserId | None = None
    powers: dict[UserId, ServerRights] = field(default_factory=dict)
    icon: Icon | None = None
    channels: dict[ChannelId, str] = field(default_factory=dict)
    opened: dict[str, frozenset[RoleId]] = field(default_factory=dict)
    size: int | None = None


class FakeDiscord:
    """Every answer is what Discord would say; `faults` makes it say something else."""

    def __init__(self, fuse: Fuse) -> None:
        self.guilds: dict[GuildId, FakeGuild] = {}
        self.faults = Faults(fuse)
        self.messages: list[tuple[UserId, str]] = []
        self.posts: list[tuple[str, Mapping[str, object]]] = []
        self._nonces: dict[str, MessageId] = {}

    @property
    def calls(self) -> list[tuple[object, ...]]:
        return self.faults.calls

    async def observe(
        self, guild_id: GuildId, user_ids: Sequence[UserId], *, lane: Lane
    ) -> Mapping[UserId, Observation]:
        fault = self.faults.before("observe", *user_ids)
        members = self._guild(guild_id).members
        pending = self._guild(guild_id).pending
        answer = {
            user: Seen(roles=frozenset(members[user]), is_pending=user in pending) if user in members else None
            for user in user_ids
        }
        self.faults.after("observe", fault)
        return answer

    async def add_role(self, key: MemberKey, role_id: RoleId, *, lane: Lane, why: str) -> None:
        fault = self.faults.before("add_role", key.user_id, role_id)
        roles = self._writable(key, role_id)
        if fault is None or fault.is_late:
            roles.add(role_id)
        self.faults.after("add_role", fault)

    async def remove_role(self, key: MemberKey, role_id: RoleId, *, lane: Lane, why: str) -> None:
        fault = self.faults.before("remove_role", key.user_id, role_id)
        roles = self._writable(key, role_id)
        if fault is None or fault.is_late:
            roles.discard(role_id)
        self.faults.after("remove_role", fault)

    async def kick(self, key: MemberKey, *, lane: Lane, why: str) -> None:
        fault = self.faults.before("kick", key.user_id)
        if key.user_id not in self._guild(key.guild_id).members:
            raise Gone("member")
        del self._guild(key.guild_id).members[key.user_id]
        self.faults.after("kick", fault)

    async def join(self, key: MemberKey, access_token: str, roles: Sequence[RoleId]) -> JoinOutcome:
        fault = self.faults.before("join", key.user_id, *roles)
        members = self._guild(key.guild_id).members
        outcome = JoinOutcome.ALREADY_THERE if key.user_id in members else JoinOutcome.JOINED
        if outcome is JoinOutcome.JOINED:
            members[key.user_id] = set(roles)
        self.faults.after("join", fault)
        return outcome

    async def invite(self, guild_id: GuildId, channel_id: ChannelId | None, roles: Sequence[RoleId]) -> str:
        fault = self.faults.before("invite", guild_id, *roles)
        self.faults.after("invite", fault)
        return f"https://discord.example/invite/{len(self.faults.of('invite'))}"

    async def direct_message(self, user_id: UserId, template: str, facts: Mapping[str, object], *, nonce: str) -> None:
        fault = self.faults.before("direct_message", user_id, template)
        self.messages.append((user_id, template))
        self.faults.after("direct_message", fault)

    async def post(self, channel_id: ChannelId, event: str, facts: Mapping[str, object], *, nonce: str) -> MessageId:
        fault = self.faults.before("post", channel_id, event)
        if nonce not in self._nonces:  # Discord drops the second message with one nonce
            self._nonces[nonce] = MessageId(5000 + len(self._nonces))
            self.posts.append((event, facts))
        self.faults.after("post", fault)
        return self._nonces[nonce]

    async def edit_post(
        self, channel_id: ChannelId, message_id: MessageId, event: str, facts: Mapping[str, object]
    ) -> None:
        fault = self.faults.before("edit_post", channel_id, message_id, event)
        self.faults.after("edit_post", fault)

    async def tell_owner(self, guild_id: GuildId, event: str, facts: Mapping[str, object], *, nonce: str) -> None:
        fault = self.faults.before("tell_owner", guild_id, event)
        self.faults.after("tell_owner", fault)

    async def create_role(self, guild_id: GuildId, name: str, *, why: str) -> RoleId:
        fault = self.faults.before("create_role", guild_id, name)
        role_id = RoleId(max(self._guild(guild_id).roles) + 100)
        self._guild(guild_id).roles[role_id] = 0
        self.faults.after("create_role", fault)
        return role_id

    async def members_named(self, guild_id: GuildId, beginning: str, limit: int) -> Mapping[UserId, Seen]:
        members = self._guild(guild_id).members
        named = [user for user in sorted(members) if f"user{user}".startswith(beginning.lower())]
        return {user: Seen(roles=frozenset(members[user]), name=f"user{user}") for user in named[:limit]}

    async def role_holders(self, guild_id: GuildId, role_id: RoleId) -> AsyncIterator[Sequence[UserId]]:
        fault = self.faults.before("role_holders", role_id)
        yield sorted(user for user, roles in self._guild(guild_id).members.items() if role_id in roles)
        self.faults.after("role_holders", fault)

    async def messages_after(self, channel_id: ChannelId, after: MessageId, limit: int) -> Sequence[ChannelMessage]:
        fault = self.faults.before("messages_after", after)
        found = [
            message
            for guild in self.guilds.values()
            for message in guild.messages
            if message.channel_id == channel_id and message.message_id > after
        ]
        self.faults.after("messages_after", fault)
        return sorted(found, key=lambda message: message.message_id)[:limit]

    def is_available(self, guild_id: GuildId) -> bool:
        return guild_id in self.guilds and self.guilds[guild_id].is_available

    def roles(self, guild_id: GuildId) -> Mapping[RoleId, GuildRole]:
        if not self.is_available(guild_id):
            return {}
        guild = self.guilds[guild_id]
        return {
            role: GuildRole(
                role_id=role,
                name=f"role {role}",
                refusal="above_bot" if place > BOT_POSITION else "",
                dangers=guild.dangers.get(role, ()),
                position=place,
            )
            for role, place in guild.roles.items()
        }

    def permissions(self, guild_id: GuildId) -> frozenset[str]:
        return self.guilds[guild_id].permissions if self.is_available(guild_id) else frozenset()

    def channel_name(self, channel_id: ChannelId) -> str:
        return "claim"

    async def handle(self, user_id: UserId) -> str:
        return f"@user{user_id}"

    def guild_name(self, guild_id: GuildId) -> str:
        return self.guilds[guild_id].name if guild_id in self.guilds else "Ada's server"

    async def rights(self, key: MemberKey) -> ServerRights | None:
        fault = self.faults.before("rights", key.user_id)
        guild = self._guild(key.guild_id)
        self.faults.after("rights", fault)
        if key.user_id not in guild.members:
            return None
        if key.user_id == guild.owner_id:
            return OWNS
        return guild.powers.get(key.user_id, ServerRights())

    def icon_key(self, guild_id: GuildId) -> str:
        icon = self.guilds[guild_id].icon if self.is_available(guild_id) else None
        return icon.key if icon else ""

    async def icon(self, guild_id: GuildId) -> Icon | None:
        fault = self.faults.before("icon", guild_id)
        self.faults.after("icon", fault)
        return self._guild(guild_id).icon

    def text_channels(self, guild_id: GuildId) -> Mapping[ChannelId, str]:
        return self.guilds[guild_id].channels if self.is_available(guild_id) else {}

    def channels_opened(self, guild_id: GuildId, roles: Collection[RoleId], limit: int) -> Sequence[str]:
        opened = self.guilds[guild_id].opened if self.is_available(guild_id) else {}
        return [name for name, keys in opened.items() if keys & set(roles)][:limit]

    def server_size(self, guild_id: GuildId) -> int:
        if not self.is_available(guild_id):
            return 0
        guild = self.guilds[guild_id]
        return len(guild.members) if guild.size is None else guild.size

    def _guild(self, guild_id: GuildId) -> FakeGuild:
        if not self.is_available(guild_id):
            raise Retry("the server is not available now")
        return self.guilds[guild_id]

    def _writable(self, key: MemberKey, role_id: RoleId) -> set[RoleId]:
        """Return the member's roles, or refuse the way Discord does."""
        guild = self._guild(key.guild_id)
        if key.user_id not in guild.members:
            raise Gone("member")
        if role_id not in guild.roles:
            raise Gone("role")
        if guild.roles[role_id] > BOT_POSITION:
            raise Blocked(Reason.ROLE_ABOVE_BOT, audience=Audience.OWNER, detail=f"role {role_id}")
        return guild.members[key.user_id]
