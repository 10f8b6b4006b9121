"""What storage answers about many members at once, for previews and adoption: pages of facts."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from membership.model import (
    AccountId,
    GuildId,
    MemberFacts,
    Plan,
    PlanId,
    Purchase,
    UserId,
)
from membership.records import MemberRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything a preview may know about one member.

    `others` are purchases of theirs that have no grant in this guild, or not on every plan: a changed plan may open
    one. `row` None: nobody looked at them yet. `is_exempt`: staff asked us to leave their roles alone.
    """

    facts: MemberFacts
    others: tuple[Purchase, ...] = ()
    row: MemberRow | None = None
    is_exempt: bool = False


class Crowds(Protocol):
    """Questions about many members. Each answer gives the event loop its turn while it is read."""

    async def granted(self, plan_id: PlanId) -> Sequence[UserId]:
        """Return the users on whom a grant on a plan bears, through live or ended links, oldest grant first."""

    async def buyers(self, plan: Plan) -> Sequence[UserId]:
        """Return the linked users with a purchase that unlocks a plan and has no grant on it yet, oldest first."""

    async def standings(self, guild_id: GuildId, user_ids: Sequence[UserId], now: datetime) -> Sequence[Standing]:
        """Return what is known of at most 500 users, in their order."""

    async def unlinked(self, plan: Plan) -> int:
        """Count the purchases that unlock a plan and that nobody is linked to."""

    async def entitled(self, guild_id: GuildId, plan_ids: Collection[PlanId]) -> frozenset[UserId]:
        """Return the linked users with a grant on one of these plans that has not ended."""

    async def past_due(self, plan_id: PlanId, limit: int) -> Sequence[Purchase]:
        """Return linked purchases with a grant on a plan whose payment failed, the longest late first."""

    async def named(self, account_id: AccountId, prefix: str, limit: int) -> Sequence[Purchase]:
        """Return an account's purchases whose external id begins like this and that have not ended."""
