"""The vocabulary: ids, closed sets and the facts the rules work on. No behaviour beyond what a word means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple, NewType

from membership.errors import Reason

_NO_MINOR_UNIT = frozenset(
    (
        *("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA"),
        *("PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"),
    )
)
_THOUSANDTHS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))

GuildId = NewType("GuildId", int)
UserId = NewType("UserId", int)
RoleId = NewType("RoleId", int)
ChannelId = NewType("ChannelId", int)
MessageId = NewType("MessageId", int)
AccountId = NewType("AccountId", int)
CustomerId = NewType("CustomerId", int)
PurchaseId = NewType("PurchaseId", int)
PlanId = NewType("PlanId", int)
GrantId = NewType("GrantId", int)
BatchId = NewType("BatchId", int)
ChangeId = NewType("ChangeId", int)


class MemberKey(NamedTuple):
    """One person in one guild: the unit of reconciliation."""

    guild_id: GuildId
    user_id: UserId

    def __str__(self) -> str:
        """Write the key as the jobs table keeps it."""
        return f"{self.guild_id}:{self.user_id}"

    @classmethod
    def parse(cls, text: str) -> MemberKey:
        """Read what `str` wrote. Raises ValueError for anything else."""
        guild, user = text.split(":")
        return cls(GuildId(int(guild)), UserId(int(user)))


class Lane(IntEnum):
    """Who waits for a job: lower goes first (DESIGN 6)."""

    PERSON = 0
    EVENT = 1
    PLAN = 2
    BULK = 3


class PurchaseKind(StrEnum):
    """A subscription runs until it ends; a one-time purchase is paid once; a comp is given by us (decision 0014)."""

    SUBSCRIPTION = "subscription"
    ONE_TIME = "one_time"
    COMP = "comp"


class PurchaseStatus(StrEnum):
    """A provider's status in our words (DESIGN 3). `UNKNOWN` changes nothing."""

    PENDING = "pending"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    UNPAID = "unpaid"
    ENDED = "ended"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


class Refund(StrEnum):
    """How much of the money that pays for the present access went back."""

    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


class Dispute(StrEnum):
    """A chargeback's effect; a won or closed one reads NONE again."""

    NONE = "none"
    INQUIRY = "inquiry"
    OPEN = "open"
    LOST = "lost"


class OnEnd(StrEnum):
    """What a plan does to a member whose access ended."""

    NOTHING = "nothing"
    REMOVE_ROLES = "remove_roles"
    REMOVE_ALL_ROLES = "remove_all_roles"
    KICK = "kick"


class OnPastDue(StrEnum):
    """What a member holds while a failed payment is in grace."""

    KEEP = "keep"
    KEEP_AND_ROLE = "keep_and_role"
    SWAP = "swap"
    REMOVE = "remove"


class GrantState(StrEnum):
    """Where one grant stands; the reason beside it says why."""

    PENDING = "pending"
    DELIVERED = "delivered"
    PAST_DUE = "past_due"
    FAILED = "failed"
    HELD = "held"
    REVOKED = "revoked"


class HoldingState(StrEnum):
    """How far a role write that we own has come."""

    ADDING = "adding"
    HELD = "held"
    REMOVING = "removing"


class ManualChange(StrEnum):
    """What we do when a person took a role away that we put: put it back, leave it away, or leave it and tell staff."""

    RESTORE = "restore"
    ACCEPT = "accept"
    REPORT = "report"


class Proof(StrEnum):
    """What ties a customer to a Discord user. A typed e-mail is none."""

    OAUTH = "oauth"
    CHECKOUT = "checkout"
    CODE = "code"
    EMAIL = "email"
    STAFF = "staff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One line of a purchase; ids are the provider's."""

    product_id: str
    price_id: str
    quantity: int = 1
    period_ends_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerSnapshot:
    """The payer as the provider shows them; `external_id` is "" for a guest until the provider names one."""

    external_id: str
    email: str = ""
    name: str = ""
    locale: str = ""
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseSnapshot:
    """One purchase as a provider showed it at `read_at` (taken before the request was sent).

    `ends_at` is a scheduled or past end; `amount` is in minor units of `currency`. `link_token` is the secret that our
    own checkout put into the session, "" when it carries none. `checkout_id` names the checkout it came from.
    `refund` and `dispute` are None when this read could not know: what is stored stays, and where money is stored as
    gone back or disputed, `Provider.fetch` tells.
    """

    external_id: str
    kind: PurchaseKind
    status: PurchaseStatus
    raw_status: str
    customer: CustomerSnapshot
    items: tuple[Item, ...]
    read_at: datetime
    started_at: datetime
    period_ends_at: datetime | None = None
    ends_at: datetime | None = None
    trial_ends_at: datetime | None = None
    refund: Refund | None = Refund.NONE
    dispute: Dispute | None = Dispute.NONE
    amount: int = 0
    currency: str = ""
    checkout_id: str = ""
    link_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A stored purchase: the newest snapshot plus what only we know (`past_due_since`: our first sight of it)."""

    id: PurchaseId
    account_id: AccountId
    customer_id: CustomerId
    external_id: str
    kind: PurchaseKind
    status: PurchaseStatus
    items: tuple[Item, ...]
    read_at: datetime
    started_at: datetime
    raw_status: str = ""
    period_ends_at: datetime | None = None
    ends_at: datetime | None = None
    trial_ends_at: datetime | None = None
    past_due_since: datetime | None = None
    refund: Refund = Refund.NONE
    dispute: Dispute = Dispute.NONE
    amount: int = 0
    currency: str = ""
    checkout_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanProduct:
    """What unlocks a plan: a product of one account, or only one price of it (`price_id` None: every price)."""

    account_id: AccountId
    product_id: str
    price_id: str | None = None

    def covers(self, account_id: AccountId, item: Item) -> bool:
        """Say whether an item bought at an account is this product."""
        is_product = (self.account_id, self.product_id) == (account_id, item.product_id)
        return is_product and self.price_id in (None, item.price_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A named set of roles in one guild with its rules (DESIGN 3). No roles: server membership alone."""

    id: PlanId
    guild_id: GuildId
    name: str
    slug: str
    roles: tuple[RoleId, ...] = ()
    products: tuple[PlanProduct, ...] = ()
    on_end: OnEnd = OnEnd.REMOVE_ROLES
    on_refund: OnEnd | None = None
    on_past_due: OnPastDue = OnPastDue.KEEP
    grace_days: int = 3
    past_due_role_id: RoleId | None = None
    trial_role_id: RoleId | None = None
    paused_grants: bool = False
    duration_days: int | None = None
    is_archived: bool = False

    @property
    def all_roles(self) -> frozenset[RoleId]:
        """Return every role this plan may ever put on a member."""
        special = (self.past_due_role_id, self.trial_role_id)
        return frozenset(self.roles) | {role for role in special if role is not None}

    @property
    def comp_product_id(self) -> str:
        """Return the product of a comp of this plan: it needs no mapping."""
        return f"plan:{self.id}"

    def unlocked_by(self, purchase: Purchase) -> Item | None:
        """Return the first item of a purchase that unlocks this plan, None when none does."""
        for item in purchase.items:
            if purchase.kind is PurchaseKind.COMP:
                is_unlocking = item.product_id == self.comp_product_id
            else:
                is_unlocking = any(product.covers(purchase.account_id, item) for product in self.products)
            if is_unlocking:
                return item
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One purchase's hold on one plan. `episode` counts its lives, so that every life may mail once.

    `kick_at` is set while a kick waits; `product_id` and `price_id` are what unlocked the plan when it was opened.
    `revoke_at` is when staff end it, whatever was paid: it may lie in the future.
    """

    id: GrantId
    purchase_id: PurchaseId
    plan_id: PlanId
    guild_id: GuildId
    product_id: str
    price_id: str
    state: GrantState
    reason: Reason
    episode: int = 1
    opened_at: datetime
    ended_at: datetime | None = None
    kick_at: datetime | None = None
    revoke_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Say whether the grant has ended. One whose kick was refused has failed, and is over all the same."""
        return self.state is GrantState.REVOKED or self.ended_at is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A grant as it bears on one member; `is_linked` is False when the link that carried it is over."""

    grant: Grant
    purchase: Purchase
    plan: Plan
    is_linked: bool = True
    unlink_reason: Reason = Reason.MOVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """The stored fact that we put this role on this member. `repairs` counts since `repairs_since` (hand removals)."""

    role_id: RoleId
    state: HoldingState
    repairs: int = 0
    repairs_since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFacts:
    """Everything `decide` may know about one member."""

    key: MemberKey
    claims: tuple[Claim, ...] = ()
    holdings: tuple[Holding, ...] = ()

    @property
    def held_roles(self) -> frozenset[RoleId]:
        """Return the roles we own on this member, in whatever state."""
        return frozenset(holding.role_id for holding in self.holdings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A member as Discord shows them. `is_pending`: has not accepted the server's rules yet."""

    roles: frozenset[RoleId]
    is_pending: bool = False
    name: str = ""
    joined_at: datetime | None = None


Observation = Seen | None
"""What Discord answered for one id: the member, or None for a definite "not in this guild"."""


def minor_digits(currency: str) -> int:
    """Return how many digits of an amount stand behind the point, as payment providers count them: EUR 2, JPY 0.

    UGX has none by ISO 4217, but providers count it in hundredths.
    """
    code = currency.upper()
    if code in _NO_MINOR_UNIT:
        return 0
    return 3 if code in _THOUSANDTHS else 2
