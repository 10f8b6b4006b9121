"""Rows of what the people who run a server decide and keep: changes, previews, exemptions, codes, rules. Plain values.

What Doorlist itself learns and does is in records.py; how these rows are stored and found: desk_ledgers.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from membership.model import (
    AccountId,
    ChangeId,
    ChannelId,
    GuildId,
    MemberKey,
    MessageId,
    PlanId,
    PurchaseId,
    RoleId,
    UserId,
)

_NEW = ChangeId(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What somebody changed, so that it can be taken back. `before` and `after` are in the shape of the `kind`.

    `actor` is "staff:<user id>" or "operator"; `summary` is one line for people, without e-mail addresses.
    """

    id: ChangeId = _NEW
    guild_id: GuildId
    actor: str
    at: datetime
    kind: str
    summary: str
    before: Mapping[str, object]
    after: Mapping[str, object]
    undone_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A change that was shown to one person and waits for their word. `set_hash` names the people it touches."""

    id: str
    guild_id: GuildId
    actor: str
    kind: str
    content: Mapping[str, object]
    set_hash: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """A member whose roles we leave alone; `until` None: for ever."""

    key: MemberKey
    until: datetime | None
    reason: str
    actor: str
    created_at: datetime


class NotifyMode(StrEnum):
    """How a server hears of an event."""

    EVERY = "every"
    DIGEST = "digest"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRule:
    """A server's own rule for an event or a group of EXPERIENCE 5.1, instead of the default in code."""

    guild_id: GuildId
    event: str
    mode: NotifyMode
    channel_id: ChannelId | None = None
    ping_role_id: RoleId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A problem that was posted, to be edited when it is solved; `state` is "open" or "solved"."""

    guild_id: GuildId
    problem_key: str
    channel_id: ChannelId
    message_id: MessageId
    state: str = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCode:
    """A code that gives a plan (only its digest is kept). `duration_days` None: for ever."""

    digest: str
    guild_id: GuildId
    plan_id: PlanId
    duration_days: int | None
    max_uses: int
    uses: int = 0
    expires_at: datetime | None
    label: str
    is_void: bool = False
    created_by: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCodeLabel:
    """What the codes with one label come to."""

    label: str
    codes: int
    void: int
    uses: int
    max_uses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanCodeUse:
    """Who used a plan code, and what it became."""

    digest: str
    user_id: UserId
    used_at: datetime
    purchase_id: PurchaseId


class PaymentKind(StrEnum):
    """What happened to money. A failed payment moved none: its amount is what was due."""

    NEW = "new"
    RENEWAL = "renewal"
    REFUND = "refund"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money as a snapshot showed it. `amount` is in minor units and positive; 0 where the platform does not say.

    `key` names what happened, so that the same news twice is one payment.
    """

    id: int = 0
    account_id: AccountId
    purchase_id: PurchaseId
    at: datetime
    amount: int
    currency: str
    kind: PaymentKind
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTotal:
    """How many payments of one kind and currency there were in a time, and what they come to."""

    kind: PaymentKind
    currency: str
    count: int
    amount: int


class AdoptionPolicy(StrEnum):
    """What to do with people who held a role before it was sold."""

    LEAVE = "leave"
    GRANDFATHER = "grandfather"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A server's word on a role that people hold without a purchase. `notice_until`: until when they keep it."""

    guild_id: GuildId
    role_id: RoleId
    policy: AdoptionPolicy
    decided_by: str
    decided_at: datetime
    notice_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSettings:
    """What a person chose for themselves, in every server; `language` "": Discord's."""

    user_id: UserId
    dms: bool = True
    language: str = ""
