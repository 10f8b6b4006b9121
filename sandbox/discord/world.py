"""What exists in the local Discord: users, guilds, roles, members, channels, messages, invites.

Plain records and look-ups. Nothing here sends an event, checks a permission or knows JSON.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Protocol

from sandbox.discord.files import Files

DISCORD_EPOCH = datetime(2015, 1, 1, tzinfo=UTC)
MESSAGES_KEPT_PER_CHANNEL = 5_000
AUDIT_ENTRIES_KEPT = 20_000
NO_ROLES: frozenset[int] = frozenset()

Json = dict[str, Any]


class Clock(Protocol):
    """Anything that tells an aware UTC time."""

    def now(self) -> datetime:
        """Return the time."""


class Snowflakes:
    """Ids that grow with time, as Discord's do."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> int:
        """Return an id greater than every earlier one; its upper bits are the time in milliseconds."""
        milliseconds = int((self._clock.now() - DISCORD_EPOCH).total_seconds() * 1000)
        self._last = max(self._last + 1, milliseconds << 22)
        return self._last


@dataclass(slots=True, kw_only=True, eq=False)
class User:
    """A Discord account. The flags at the end decide how it answers to joins and direct messages."""

    id: int
    username: str
    global_name: str | None = None
    is_bot: bool = False
    email: str | None = None
    is_email_verified: bool = True
    accepts_dms: bool = True
    is_at_guild_cap: bool = False
    is_limited_from_joining: bool = False
    locale: str = "en-US"


@dataclass(slots=True, kw_only=True, eq=False)
class Role:
    """A role of one guild; among equal positions the lower id is the higher role."""

    id: int
    name: str
    position: int = 1
    permissions: int = 0
    is_managed: bool = False
    is_hoisted: bool = False
    is_mentionable: bool = False
    color: int = 0
    flags: int = 0
    tags: Json = field(default_factory=dict)

    @property
    def rank(self) -> tuple[int, int]:
        """Return what Discord compares: the greater rank is the higher role."""
        return self.position, -self.id


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A user in a guild. `roles` never holds @everyone."""

    user: User
    joined_at: datetime
    roles: frozenset[int] = NO_ROLES
    nick: str | None = None
    is_pending: bool = False
    communication_disabled_until: str | None = None
    flags: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Overwrite:
    """What a channel allows or denies to one role (`kind` 0) or member (`kind` 1)."""

    kind: int
    allow: int = 0
    deny: int = 0


@dataclass(slots=True, kw_only=True, eq=False)
class Message:
    """A message as stored; `components`, `embeds` and `attachments` are in Discord's answer shape."""

    id: int
    channel_id: int
    author: User
    content: str
    timestamp: datetime
    guild_id: int | None = None
    edited_at: datetime | None = None
    mentions: list[User] = field(default_factory=list)
    embeds: list[Json] = field(default_factory=list)
    components: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    flags: int = 0
    kind: int = 0
    nonce: str | int | None = None
    replies_to: int | None = None
    webhook_id: int | None = None
    interaction: Json | None = None
    is_deleted: bool = False

    @property
    def is_ephemeral(self) -> bool:
        """Say whether only the person who was answered sees it."""
        return bool(self.flags & 64)

    @property
    def is_v2(self) -> bool:
        """Say whether it is made of Components V2: no content, no embeds."""
        return bool(self.flags & 1 << 15)

    @property
    def legacy_parts(self) -> list[str]:
        """Return which of the parts are there that Components V2 rule out."""
        return [name for name, part in (("content", self.content), ("embeds", self.embeds)) if part]

    @property
    def is_loading(self) -> bool:
        """Say whether it still says that the bot is thinking."""
        return bool(self.flags & 128)


VOICE = 2
"""The `kind` of a voice channel."""


@dataclass(slots=True, kw_only=True, eq=False)
class Channel:
    """A text or voice channel of a guild, or a direct-message channel with `recipient`."""

    id: int
    name: str | None = None
    guild_id: int | None = None
    kind: int = 0
    position: int = 0
    topic: str | None = None
    parent_id: int | None = None
    recipient: User | None = None
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict, repr=False)

    def keep(self, message: Message) -> None:
        """Store a message and forget the oldest beyond the cap."""
        self.messages[message.id] = message
        if len(self.messages) > MESSAGES_KEPT_PER_CHANNEL:
            del self.messages[next(iter(self.messages))]

    def newest_first(self) -> Iterator[Message]:
        """Iterate from the newest message to the oldest."""
        return reversed(self.messages.values())


@dataclass(slots=True, kw_only=True, eq=False)
class AuditEntry:
    """One line of a guild's audit log; `action` is Discord's number."""

    id: int
    action: int
    user_id: int
    target_id: int | None
    changes: list[Json] = field(default_factory=list)
    reason: str | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Invite:
    """An invite; `roles` are given to whoever joins by it. `max_uses` and `max_age_seconds` 0 mean without end."""

    code: str
    guild_id: int
    channel_id: int
    inviter: User
    created_at: datetime
    max_age_seconds: int = 86_400
    max_uses: int = 0
    uses: int = 0
    is_temporary: bool = False
    roles: frozenset[int] = NO_ROLES

    def is_over(self, now: datetime) -> bool:
        """Say whether the invite expired or was used up."""
        is_old = self.max_age_seconds and now >= self.created_at + timedelta(seconds=self.max_age_seconds)
        return bool(is_old or (self.max_uses and self.uses >= self.max_uses))


@dataclass(slots=True, kw_only=True, eq=False)
class Guild:
    """A server. Change members and their roles only through its methods: they keep the counts right."""

    id: int
    name: str
    owner_id: int
    roles: dict[int, Role] = field(default_factory=dict, repr=False)
    members: dict[int, Member] = field(default_factory=dict, repr=False)
    channels: dict[int, Channel] = field(default_factory=dict, repr=False)
    bans: dict[int, str | None] = field(default_factory=dict)
    audit_log: deque[AuditEntry] = field(default_factory=lambda: deque(maxlen=AUDIT_ENTRIES_KEPT), repr=False)
    role_counts: Counter[int] = field(default_factory=Counter)
    is_unavailable: bool = False
    has_screening: bool = False
    preferred_locale: str = "en-US"
    mfa_level: int = 0
    icon: bytes = field(default=b"", repr=False)
    _sorted_member_ids: list[int] | None = field(default=None, repr=False)

    @property
    def icon_hash(self) -> str | None:
        """Return what Discord calls the picture, a PNG; None without one."""
        return blake2b(self.icon, digest_size=16).hexdigest() if self.icon else None

    def enter(self, member: Member) -> None:
        """Put a member in."""
        self.members[member.user.id] = member
        self.role_counts.update(member.roles)
        self._sorted_member_ids = None

    def leave(self, user_id: int) -> Member:
        """Take a member out and return the record. Raises KeyError."""
        member = self.members.pop(user_id)
        self.role_counts.subtract(member.roles)
        self._sorted_member_ids = None
        return member

    def set_roles(self, member: Member, roles: frozenset[int]) -> None:
        """Replace a member's roles."""
        self.role_counts.update(roles - member.roles)
        self.role_counts.subtract(member.roles - roles)
        member.roles = roles

    def members_after(self, user_id: int, limit: int) -> Iterable[Member]:
        """Return up to `limit` members with greater user ids, ascending."""
        if self._sorted_member_ids is None:
            self._sorted_member_ids = sorted(self.members)
        start = bisect_right(self._sorted_member_ids, user_id)
        return [self.members[key] for key in self._sorted_member_ids[start : start + limit]]

    def members_named(self, prefix: str, limit: int) -> list[Member]:
        """Return up to `limit` members whose name or nickname starts with `prefix`, whatever the case."""
        wanted = prefix.casefold()
        found: list[Member] = []
        for member in self.members.values():
            names = (member.user.username, member.user.global_name or "", member.nick or "")
            if any(name.casefold().startswith(wanted) for name in names if name):
                found.append(member)
                if len(found) >= limit:
                    break
        return found


@dataclass(slots=True, kw_only=True, eq=False)
class Team:
    """The developers who own an application together."""

    id: int
    name: str
    owner: User
    members: list[User] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class Portal:
    """The application as its developer configured it; the flags at the end are its privileged intents."""

    application_id: int
    name: str
    bot: User
    token: str
    client_id: str
    client_secret: str
    owner: User
    team: Team | None = None
    redirect_uris: set[str] = field(default_factory=set)
    interactions_url: str | None = None
    has_owner_two_factor: bool = True
    has_members_intent: bool = True
    has_message_content_intent: bool = True


@dataclass(slots=True, kw_only=True, eq=False)
class World:
    """Everything that exists, by id. `messages_changed` counts posts, edits and deletions, ephemeral ones included."""

    clock: Clock
    ids: Snowflakes
    portal: Portal
    users: dict[int, User] = field(default_factory=dict)
    guilds: dict[int, Guild] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict, repr=False)
    dms: dict[int, Channel] = field(default_factory=dict)
    invites: dict[str, Invite] = field(default_factory=dict)
    commands: dict[int, Json] = field(default_factory=dict)
    webhooks: dict[int, Json] = field(default_factory=dict)
    files: Files = field(default_factory=Files)
    messages_changed: int = 0

    @property
    def bot(self) -> User:
        """Return the bot's own user."""
        return self.portal.bot

    def guilds_of_bot(self) -> list[Guild]:
        """Return the guilds that the bot is a member of."""
        return [guild for guild in self.guilds.values() if self.bot.id in guild.members]

    def shares_guild_with_bot(self, user_id: int) -> bool:
        """Say whether the bot and the user meet in a guild."""
        return any(user_id in guild.members for guild in self.guilds_of_bot())

    def dm_with(self, user: User) -> Channel:
        """Return the direct-message channel of the bot and the user, made at the first call."""
        if user.id not in self.dms:
            channel = Channel(id=self.ids.next(), kind=1, recipient=user)
            self.dms[user.id] = self.channels[channel.id] = channel
        return self.dms[user.id]
