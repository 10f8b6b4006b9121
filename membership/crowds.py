"""What storage answers about many members at once, for previews and adoption: pages of facts."""

from __future__ import annotations

from collections.abc import Sequence
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
    RoleId,
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


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A page of users, one perhaps twice. `next_after`: where the next page begins, None after the last."""

    user_ids: tuple[UserId, ...]
    next_after: int | None


class Crowds(Protocol):
    """Questions about many members, answered by pages: ask again with `after`, 0 for the first (crowd_walk does)."""

    async def granted(self, plan_id: PlanId, after: int) -> People:
        """Return users on whom a grant on a plan bears, through live or ended links, oldest grant first."""

    async def linked(self, plan_id: PlanId, after: int) -> People:
        """Return linked users with a grant on a plan, in whatever state."""

    async def entitled(self, plan_id: PlanId, after: int) -> People:
        """Return linked users with a grant on a plan that has not ended."""

    async def buyers(self, plan: Plan, after: int) -> People:
        """Return linked users with a purchase that unlocks a plan and has no grant on it yet, oldest first."""

    async def holders(self, guild_id: GuildId, role_id: RoleId, after: int) -> People:
        """Return members on whom we hold a role."""

    async def count_holders(self, guild_id: GuildId, role_id: RoleId) -> int:
        """Count the members on whom we hold a role."""

    async def standings(self, guild_id: GuildId, user_ids: Sequence[UserId], now: datetime) -> Sequence[Standing]:
        """Return what is known of at most 500 users, in their order."""

    async def unlinked(self, plan: Plan) -> int:
        """Count the purchases that unlock a plan and that nobody is linked to."""

    async def past_due(self, plan_id: PlanId, limit: int) -> Sequence[Purchase]:
        """Return linked purchases with a grant on a plan whose payment failed, the longest late first."""

    async def named(self, account_id: AccountId, prefix: str, limit: int) -> Sequence[Purchase]:
        """Return an account's purchases whose external id begins like this and that have not ended."""
