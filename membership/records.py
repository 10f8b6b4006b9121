"""Rows as the use-cases see them: accounts, customers, links, jobs, messages, batches. Plain values, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from membership.model import (
    AccountId,
    BatchId,
    ChannelId,
    CustomerId,
    GrantId,
    GuildId,
    Lane,
    ManualChange,
    MemberKey,
    MessageId,
    Proof,
    PurchaseId,
    RoleId,
    UserId,
)
from membership.ports import IncomingEvent

HOUSE = "house"
"""The provider of our own account, at which comps are "bought": no adapter speaks for it (decision 0014)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A seller account that a configured provider key belongs to."""

    id: AccountId
    provider: str
    external_id: str
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A stored payer."""

    id: CustomerId
    account_id: AccountId
    external_id: str
    email: str
    name: str
    locale: str
    is_mail_refused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """An inbox row: `id` is ours, the event is the provider's."""

    id: int
    provider: str
    event: IncomingEvent
    received_at: datetime
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A live tie between a customer and a Discord user."""

    customer_id: CustomerId
    user_id: UserId
    proof: Proof
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkToken:
    """A stored link token (only its digest is kept). `purchase_id` None: a checkout that is not paid yet;
    `user_id` set: the checkout was started by this Discord user.
    """

    digest: str
    purchase_id: PurchaseId | None
    user_id: UserId | None
    expires_at: datetime
    is_spent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCode:
    """A stored claim code (only its digest is kept)."""

    digest: str
    purchase_id: PurchaseId
    expires_at: datetime
    used_by: UserId | None
    used_at: datetime | None


class DigestRhythm(StrEnum):
    """How often a server gets its digest."""

    DAILY = "daily"
    WEEKLY = "weekly"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Guild:
    """Our settings for one server. `claim_cursor`: the newest channel message whose predecessors are all handled.

    `is_active` False: nobody has set it up, so no member of it is touched; `approved_by` is the actor who allowed it.
    `language` "": the server's own; `time_zone` is an IANA name; `digest_hour` is an hour there. `welcome_*` is the
    message posted when the bot joined. `dms` False: members get mails instead of direct messages. `accent` colours its
    pages ("3b46c4", "" for ours); `support_address` and `imprint` stand below its pages and mails.
    """

    id: GuildId
    name: str
    is_active: bool = False
    approved_by: str = ""
    claim_channel_id: ChannelId | None = None
    invite_channel_id: ChannelId | None = None
    event_channel_id: ChannelId | None = None
    payment_channel_id: ChannelId | None = None
    membership_channel_id: ChannelId | None = None
    panel_channel_id: ChannelId | None = None
    panel_message_id: MessageId | None = None
    welcome_channel_id: ChannelId | None = None
    welcome_message_id: MessageId | None = None
    invite_url: str = ""
    language: str = ""
    time_zone: str = "UTC"
    digest: DigestRhythm = DigestRhythm.DAILY
    digest_hour: int = 9
    manual_change: ManualChange = ManualChange.RESTORE
    dms: bool = True
    paused_at: datetime | None = None
    paused_by: str = ""
    pause_reason: str = ""
    accent: str = ""
    support_address: str = ""
    imprint: str = ""
    claim_cursor: MessageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """What we last wanted and last saw of one member; both only name roles that are ours to manage.

    `name` is what Discord last called them, "" when it never said.
    """

    key: MemberKey
    desired: frozenset[RoleId]
    observed: frozenset[RoleId]
    is_present: bool
    observed_at: datetime | None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A claimed unit of work. `scope` groups jobs that must not crowd out others (a guild id, an account)."""

    kind: str
    key: str
    lane: Lane
    scope: str
    generation: int
    attempts: int
    run_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """A job as people are told of it. `last_error` is "" before its first failure; `due_at`: when it may run next."""

    due_at: datetime
    attempts: int
    is_parked: bool
    is_running: bool
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TroubledJob:
    """A job that failed: it waits for its next try, or was given up."""

    kind: str
    key: str
    due_at: datetime
    attempts: int
    is_parked: bool
    last_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One thing to tell somebody once. `kind` is mail (target: customer id), dm (user id) or post (channel id).

    `dedupe_key` names the transition that causes it: a key that was ever used sends nothing more.
    """

    dedupe_key: str
    kind: str
    target: str
    template: str
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A draft that was queued and still waits."""

    id: int
    kind: str
    target: str
    template: str
    facts: Mapping[str, object]
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """The failed tries of a message: since when, and after how many of them it may have arrived all the same."""

    first_at: datetime
    unanswered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RemovalCounts:
    """The brake's view of a guild in the rolling window; `paying` members held a role of ours in it, or do now.

    0 paying members make the brake no more generous than it is, so that they need counting only where it says no.
    """

    roles: int
    kicks: int
    paying: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRemoval:
    """One removal that waits for a person; `role_id` None is a kick."""

    key: MemberKey
    role_id: RoleId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Held removals of one guild. `set_hash` names exactly the set a person was shown."""

    id: BatchId
    guild_id: GuildId
    cause: str
    removals: tuple[HeldRemoval, ...]
    set_hash: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """Who changed what, and why. `event` is a name of EXPERIENCE 5.1."""

    event: str
    actor: str
    guild_id: GuildId | None = None
    user_id: UserId | None = None
    customer_id: CustomerId | None = None
    grant_id: GrantId | None = None
    detail: Mapping[str, object] | None = None
