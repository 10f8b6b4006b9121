"""Rows as the use-cases see them: accounts, customers, links, jobs, messages, batches. Plain values, no behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from membership.model import (
    AccountId,
    BatchId,
    ChannelId,
    CustomerId,
    GrantId,
    GuildId,
    Lane,
    MemberKey,
    MessageId,
    Proof,
    PurchaseId,
    RoleId,
    UserId,
)
from membership.ports import IncomingEvent


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Guild:
    """Our settings for one server. `claim_cursor`: the newest channel message whose predecessors are all handled."""

    id: GuildId
    name: str
    is_active: bool = True
    claim_channel_id: ChannelId | None = None
    invite_channel_id: ChannelId | None = None
    event_channel_id: ChannelId | None = None
    invite_url: str = ""
    claim_cursor: MessageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """What we last wanted and last saw of one member; both only name roles that are ours to manage."""

    key: MemberKey
    desired: frozenset[RoleId]
    observed: frozenset[RoleId]
    is_present: bool
    observed_at: datetime | None


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
