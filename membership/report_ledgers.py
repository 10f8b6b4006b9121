"""What storage answers for reports, exports and imports: portions of the record, of money and of memberships."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from membership.desk import PaymentKind
from membership.errors import Reason
from membership.model import (
    AccountId,
    BatchId,
    Grant,
    GrantId,
    GrantState,
    GuildId,
    PlanId,
    PurchaseId,
    PurchaseKind,
    PurchaseStatus,
    UserId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What an audit entry says of one grant."""

    at: datetime
    event: str
    grant_id: GrantId
    detail: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The payments of one kind, currency and plan. `amount` in minor units; `unsaid`: how many came without one."""

    kind: PaymentKind
    currency: str
    plan_id: PlanId
    count: int
    amount: int
    unsaid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """One grant with everything an export says of it. `ends_at`: when what was bought or given is over."""

    grant_id: GrantId
    plan_id: PlanId
    state: GrantState
    reason: Reason
    opened_at: datetime
    kind: PurchaseKind
    status: PurchaseStatus
    ends_at: datetime | None
    purchase: str
    provider: str
    email: str
    name: str
    user_id: UserId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """A purchase at our own account as it stands, as far as an import has a say in it."""

    purchase_id: PurchaseId
    external_id: str
    status: PurchaseStatus
    ends_at: datetime | None
    product_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many grants stand in a state, and since when the oldest of them; None where there is none."""

    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A held batch of removals without its list, which may be long."""

    batch_id: BatchId
    cause: str
    created_at: datetime
    count: int


Tallies = Mapping[tuple[GrantState, Reason], int]
"""How many grants stand how, and why."""


def gives_access(state: GrantState, reason: Reason) -> bool:
    """Say whether a grant that stands like this gives access: delivered, late, or kept by the brake alone."""
    is_kept = state is GrantState.HELD and reason is Reason.BRAKE
    return is_kept or state in (GrantState.DELIVERED, GrantState.PAST_DUE)


class Reports(Protocol):
    """Questions of reports. Each answer is a portion that takes the database and the event loop milliseconds."""

    async def newest_entry(self) -> int:
        """Return the number of the newest audit entry, 0 when there is none."""

    async def written_at(self, number: int) -> datetime | None:
        """Return when the newest audit entry up to a number was written, None when there is none."""

    async def first_at(self, guild_id: GuildId) -> datetime | None:
        """Return when a guild's record begins."""

    async def happened(
        self, guild_id: GuildId, events: Collection[str], *, above: int, upto: int, plan_id: PlanId | None = None
    ) -> Sequence[Happened]:
        """Return a guild's entries about grants (of one plan) with these numbers, oldest first."""

    async def taken(self, guild_id: GuildId, since: datetime, until: datetime) -> Sequence[Taken]:
        """Sum up the payments in [since, until); a purchase of several plans counts for the first of them."""

    async def waiting(self, guild_id: GuildId, state: GrantState, reason: Reason | None = None) -> Waiting:
        """Count a guild's grants in one state (and for one reason)."""

    async def tallies(self, guild_id: GuildId) -> Tallies:
        """Count a guild's grants by state and reason, from an index alone."""

    async def held(self, guild_id: GuildId) -> Sequence[Held]:
        """Return the held batches of a guild without their lists, oldest first."""

    async def refused_mail(self, guild_id: GuildId, limit: int) -> Sequence[Grant]:
        """Return grants that wait for their buyer to connect, and whose buyer's address refuses mail, oldest first."""

    async def trials_ending(self, guild_id: GuildId, since: datetime, until: datetime) -> int:
        """Count a guild's delivered trials that end in [since, until)."""

    async def imported(self, account_id: AccountId, external_ids: Sequence[str]) -> Mapping[str, Imported]:
        """Return which of at most 500 purchases are there, by their external id."""

    async def written_by(
        self, account_id: AccountId, prefix: str, read_at: datetime, limit: int
    ) -> Sequence[PurchaseId]:
        """Return purchases whose external id begins like this and that nothing changed since this very moment."""

    async def memberships(
        self,
        guild_id: GuildId,
        *,
        after: GrantId,
        limit: int,
        states: Collection[GrantState],
        plan_id: PlanId | None = None,
    ) -> Sequence[Membership]:
        """Return a guild's grants in these states by rising id after `after`."""
