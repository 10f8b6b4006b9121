"""Protocols of the outside: Discord, payment providers, mail, the clock. Storage's: aggregates.py, ledgers.py."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from membership.model import (
    ChannelId,
    CustomerSnapshot,
    GuildId,
    Lane,
    MemberKey,
    MessageId,
    Observation,
    PurchaseSnapshot,
    RoleId,
    Seen,
    UserId,
)


class Clock(Protocol):
    """The time, aware and in UTC."""

    def now(self) -> datetime:
        """Return the current time."""


class JoinOutcome(StrEnum):
    """What `Discord.join` did; the refusals are raised as Blocked."""

    JOINED = "joined"
    ALREADY_THERE = "already_there"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuildRole:
    """A role as the gateway last showed it. `refusal` says why we may not put it: "" when we may.

    `dangers` are the permissions on it, by Discord's names for people, that give power over other members. `position`
    is its place among the server's roles, counted from the bottom, where @everyone is at 0; no two share one.
    """

    role_id: RoleId
    name: str
    refusal: str = ""
    dangers: tuple[str, ...] = ()
    position: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRights:
    """What somebody may do in a server, by Discord's roles and permissions there; each includes those after it.

    `top_position` is that of their highest role, None for the owner, who is above every role.
    """

    is_owner: bool = False
    is_administrator: bool = False
    can_manage_server: bool = False
    can_manage_roles: bool = False
    name: str = ""
    top_position: int | None = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Icon:
    """A server's picture as Discord keeps it; `key` changes with the picture."""

    key: str
    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMessage:
    """A message in a guild's claim channel; `is_from_person` False: of a bot, a webhook or Discord itself."""

    message_id: MessageId
    channel_id: ChannelId
    author_id: UserId
    author_name: str
    text: str
    is_from_person: bool = True


class Discord(Protocol):
    """Everything Doorlist does at Discord. Raises Retry, Blocked or Gone ("member", "role", "guild", "channel").

    Role writes and kicks of one guild run one at a time, the lower lane first. A call that returned was
    accepted by Discord; a Retry means that the outcome is unknown: observe again.
    """

    async def observe(
        self, guild_id: GuildId, user_ids: Sequence[UserId], *, lane: Lane
    ) -> Mapping[UserId, Observation]:
        """Ask who of at most 100 users is in the guild and with which roles; every id gets an answer."""

    async def add_role(self, key: MemberKey, role_id: RoleId, *, lane: Lane, why: str) -> None:
        """Put one role; `why` goes into the guild's audit log."""

    async def remove_role(self, key: MemberKey, role_id: RoleId, *, lane: Lane, why: str) -> None:
        """Take one role away."""

    async def kick(self, key: MemberKey, *, lane: Lane, why: str) -> None:
        """Remove the member from the guild."""

    async def join(self, key: MemberKey, access_token: str, roles: Sequence[RoleId]) -> JoinOutcome:
        """Add the user to the guild with their OAuth token; on ALREADY_THERE Discord ignored the roles."""

    async def invite(self, guild_id: GuildId, channel_id: ChannelId | None, roles: Sequence[RoleId]) -> str:
        """Make a single-use invite (role-granting where Discord accepts it) and return its URL."""

    async def direct_message(self, user_id: UserId, template: str, facts: Mapping[str, object], *, nonce: str) -> None:
        """Send a direct message; the edge words the template. Raises Blocked(DMS_CLOSED)."""

    async def post(self, channel_id: ChannelId, event: str, facts: Mapping[str, object], *, nonce: str) -> MessageId:
        """Post an event-log entry; `event` is a name of EXPERIENCE 5.1, the edge words it. A nonce posts once.

        Silent unless `is_loud` is among the facts; pings `ping_role_id` alone, and the owner for `is_to_self`.
        """

    async def edit_post(
        self, channel_id: ChannelId, message_id: MessageId, event: str, facts: Mapping[str, object]
    ) -> None:
        """Put another entry in place of one that was posted; "solved" keeps its words and adds when it was solved."""

    async def tell_owner(self, guild_id: GuildId, event: str, facts: Mapping[str, object], *, nonce: str) -> None:
        """Send an event-log entry to the server's owner as a direct message. Raises Blocked(DMS_CLOSED)."""

    async def create_role(self, guild_id: GuildId, name: str, *, why: str) -> RoleId:
        """Make a role without permissions, below the bot's own; returns once `roles` shows it."""

    async def members_named(self, guild_id: GuildId, beginning: str, limit: int) -> Mapping[UserId, Seen]:
        """Return members whose user name or nickname begins like this, at most `limit`."""

    def role_holders(self, guild_id: GuildId, role_id: RoleId) -> AsyncIterator[Sequence[UserId]]:
        """List the people (not the bots) who have a role, page by page of the member list, by rising id.

        Raises Blocked(MISSING_ACCESS) where the members intent is switched off: Discord shows no list then.
        """

    async def messages_after(self, channel_id: ChannelId, after: MessageId, limit: int) -> Sequence[ChannelMessage]:
        """Return the messages newer than `after`, whoever wrote them, oldest first, at most `limit` (100)."""

    def is_available(self, guild_id: GuildId) -> bool:
        """Say whether the guild can be acted on now: False while it is frozen by an outage or unknown."""

    def roles(self, guild_id: GuildId) -> Mapping[RoleId, GuildRole]:
        """Return the guild's roles as last seen, with the reason why one cannot be put. Empty when unavailable."""

    def permissions(self, guild_id: GuildId) -> frozenset[str]:
        """Return the bot's own permissions in a guild, by Discord's names ("manage_roles"). Empty when unavailable."""

    def channel_name(self, channel_id: ChannelId) -> str:
        """Return a channel's name for people, "" when unknown."""

    async def handle(self, user_id: UserId) -> str:
        """Return how people know a user ("@ada"), "" when Discord does not say."""

    def guild_name(self, guild_id: GuildId) -> str:
        """Return the server's name for people, "" when unknown."""

    async def rights(self, key: MemberKey) -> ServerRights | None:
        """Ask what somebody may do in a server now, None for somebody who is not in it."""

    def icon_key(self, guild_id: GuildId) -> str:
        """Return what changes with the server's picture, "" when it has none."""

    async def icon(self, guild_id: GuildId) -> Icon | None:
        """Read the server's picture (64 pixels, at most 64 KiB), None when it has none."""

    def text_channels(self, guild_id: GuildId) -> Mapping[ChannelId, str]:
        """Return the text channels that the bot sees, in the server's order, with their names."""

    def channels_opened(self, guild_id: GuildId, roles: Collection[RoleId], limit: int) -> Sequence[str]:
        """Return the channels that these roles open and that not everybody sees, in the server's order."""

    def server_size(self, guild_id: GuildId) -> int:
        """Return about how many people are in the server, 0 when unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingEvent:
    """A verified provider event as it came in. `body` is the raw text, kept for a replay; `account` is the provider's
    account id where the event carries one (Connect), "" otherwise.
    """

    external_id: str
    type: str
    body: bytes
    is_live: bool
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """A product's variant as the provider sells it; `interval` is "" for a one-time price, else "month", "year"...

    `trial_days` are free before the first payment, 0 for none.
    """

    external_id: str
    product_id: str
    product_name: str
    amount: int
    currency: str
    interval: str = ""
    trial_days: int = 0
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an event pointed at, fetched: the present truth, never the event's own payload.

    `expired_tokens`: link tokens of checkouts that can no longer be paid. `is_catalogue`: a price or a product
    changed, so list them again. `notice` is a line for staff, "" for none.
    """

    purchases: tuple[PurchaseSnapshot, ...] = ()
    customers: tuple[CustomerSnapshot, ...] = ()
    expired_tokens: tuple[str, ...] = ()
    is_ignored: bool = False
    is_catalogue: bool = False
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutOrder:
    """What a checkout is made for. `expires_at` between 30 minutes and 24 hours; `email` "" when unknown."""

    price_id: str
    link_token: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    email: str = ""


class InvoiceState(StrEnum):
    """What became of an invoice; UNKNOWN for what we have no word for."""

    OPEN = "open"
    PAID = "paid"
    VOID = "void"
    UNCOLLECTIBLE = "uncollectible"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A bill as the platform wrote it. `url` is the platform's own page of it, "" for none; `number` is for people."""

    external_id: str
    made_at: datetime
    amount: int
    currency: str
    state: InvoiceState
    number: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """Where a platform sends its events. `missing_events` are those that we need and it does not send; `api_version`
    is what it renders them in, "" for the account's own.
    """

    external_id: str
    url: str
    is_enabled: bool
    missing_events: tuple[str, ...] = ()
    api_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PortalFeatures:
    """What customers may do by themselves where they manage billing."""

    can_cancel: bool
    can_change_card: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """How a seller account is set up, as far as the key may see. None: the key may not look there.

    `missing_permissions` are in the platform's words. `newest_event_at` None: there was no event yet.
    `tested_versions` is the span of API versions, oldest first, whose events we are known to understand.
    """

    is_live: bool
    missing_permissions: tuple[str, ...] = ()
    webhooks: tuple[WebhookEndpoint, ...] | None = None
    portal: PortalFeatures | None = None
    newest_event_id: str = ""
    newest_event_at: datetime | None = None
    tested_versions: tuple[str, str] = ("", "")


class Provider(Protocol):
    """One seller account. Every call may raise Retry (network, 429, 5xx), Blocked(CREDENTIALS_REFUSED) or Gone."""

    name: str
    can_receive: bool
    """False when no webhook secret is set: its webhook address does not exist (answer 404)."""

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Sequence[IncomingEvent]:
        """Check the signature over the raw body and read the envelope.

        Raises providers.signatures.BadSignature (answer 401) or BadPayload (answer 400).
        """

    async def account(self) -> tuple[str, bool]:
        """Return the external id of the account that the key belongs to and whether it is live."""

    async def read(self, event: IncomingEvent) -> Reading:
        """Fetch what the event points at."""

    async def fetch(self, external_id: str) -> PurchaseSnapshot:
        """Read one purchase by id. Raises Gone("purchase") when the provider says 404 in the same mode and account."""

    def purchases(self) -> AsyncIterator[PurchaseSnapshot]:
        """List every purchase that may give access, page by page. Raises in the middle when a page fails."""

    async def newest_event(self) -> str:
        """Return the id of the newest event, "" when there is none: the cursor to store before a full listing."""

    def events_after(self, cursor: str) -> AsyncIterator[IncomingEvent]:
        """List the events after `cursor`, oldest first. Raises Gone("cursor") when it is too old to resume from."""

    async def prices(self) -> Sequence[Price]:
        """List the active prices of the account with their products."""

    async def checkout(self, order: CheckoutOrder) -> tuple[str, str]:
        """Create a hosted checkout and return its id and URL; the same token twice gives the same checkout."""

    async def portal(self, customer_id: str, return_url: str, task: str = "") -> str:
        """Return the URL where a customer manages billing.

        `task` leads straight to one thing, where the account allows it: "card", or "cancel:" and a purchase's id.
        """

    async def end_at_period(self, external_id: str, *, is_ending: bool) -> PurchaseSnapshot:
        """Let a purchase end with the period that is paid, or take that back; again is no harm.

        Raises Gone("purchase"), and UserError for what does not renew, has ended, or cannot be changed here.
        """

    async def invoices(self, customer_id: str, limit: int) -> Sequence[Invoice]:
        """Return a customer's newest bills, at most `limit` (100), newest first. Raises Gone("customer")."""

    async def examine(self) -> Examination:
        """Look at how the account is set up. Changes nothing there; some twenty requests."""

    async def repair_webhook(self, external_id: str, url: str) -> None:
        """Let an existing webhook endpoint send every event that we need to `url`; its secret stays the same."""

    async def close(self) -> None:
        """Close the connections to the platform."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One mail to render and send: `template` is a name of EXPERIENCE 4.2, `facts` what its words need."""

    to: str
    template: str
    facts: Mapping[str, object]
    message_id: str


class Mailer(Protocol):
    """Renders and sends mail. Raises Retry (not sent), Unanswered (perhaps sent), Blocked(MAIL_REFUSED) (for good)."""

    is_configured: bool

    async def send(self, mail: Mail) -> None:
        """Send one mail; returns once the server accepted it."""


class Randomness(Protocol):
    """The source of secrets, so that tests and simulations can be repeated."""

    def code(self) -> str:
        """Return a new claim code of 16 Crockford characters."""

    def token(self) -> str:
        """Return a new URL-safe secret of at least 128 bits."""

    def jitter(self) -> float:
        """Return a number in [0, 1) for backoff."""
