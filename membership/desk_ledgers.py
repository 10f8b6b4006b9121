"""Protocols of storage for what the people who run a server decide and keep (desk.py), one class per aggregate.

Whatever is named by a person is looked up inside their own guild: found elsewhere is not found.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from membership.desk import (
    Adoption,
    Change,
    Exemption,
    MemberSettings,
    NotificationRule,
    Payment,
    PaymentTotal,
    PlanCode,
    PlanCodeLabel,
    PlanCodeUse,
    Post,
    Preview,
)
from membership.model import ChangeId, GuildId, MemberKey, PurchaseId, RoleId, UserId


class Changes(Protocol):
    """What can be taken back."""

    async def add(self, change: Change) -> ChangeId:
        """Write a change down (its id is ignored) and return its id."""

    async def get(self, change_id: ChangeId, guild_id: GuildId) -> Change | None:
        """Return a change of this guild."""

    async def recent(self, guild_id: GuildId, since: datetime, limit: int) -> Sequence[Change]:
        """Return a guild's changes since a moment, newest first, those taken back too."""

    async def mark_undone(self, change_id: ChangeId, now: datetime) -> bool:
        """Say that a change was taken back; exactly one caller ever gets True."""


class Previews(Protocol):
    """What was shown to a person before they agree to it."""

    async def put(self, preview: Preview) -> None:
        """Keep a preview."""

    async def get(self, preview_id: str, guild_id: GuildId, now: datetime) -> Preview | None:
        """Return a live preview of this guild."""

    async def take(self, preview_id: str, guild_id: GuildId, now: datetime) -> Preview | None:
        """Return and delete a live preview in one step, so that it serves once."""


class Exemptions(Protocol):
    """Members whose roles we leave alone."""

    async def put(self, exemption: Exemption) -> None:
        """Exempt a member, or change for how long."""

    async def get(self, key: MemberKey, now: datetime) -> Exemption | None:
        """Return the exemption in force."""

    async def lift(self, key: MemberKey) -> Exemption | None:
        """End an exemption and return it."""

    async def of_guild(self, guild_id: GuildId, now: datetime, limit: int) -> Sequence[Exemption]:
        """Return a guild's exemptions in force, newest first."""


class NotificationRules(Protocol):
    """A server's own rules for what it hears of."""

    async def of_guild(self, guild_id: GuildId) -> Sequence[NotificationRule]:
        """Return a guild's rules, by event."""

    async def put(self, rule: NotificationRule) -> None:
        """Set the rule for an event or a group."""

    async def clear(self, guild_id: GuildId, event: str) -> None:
        """Go back to the default."""


class Posts(Protocol):
    """Problems that were posted."""

    async def get(self, guild_id: GuildId, problem_key: str) -> Post | None:
        """Return the post about a problem."""

    async def open_among(self, guild_id: GuildId, problem_keys: Collection[str]) -> Sequence[Post]:
        """Return those of these problems' posts that are not solved."""

    async def put(self, post: Post) -> None:
        """Remember where a problem was posted, and whether it is solved."""

    async def open(self, guild_id: GuildId, limit: int) -> Sequence[Post]:
        """Return the posts about problems that are not solved."""


class PlanCodes(Protocol):
    """Codes that give a plan."""

    async def add(self, code: PlanCode) -> None:
        """Keep a code's digest and terms."""

    async def find(self, digest: str) -> PlanCode | None:
        """Return a code by its digest, of whatever guild: whoever redeems it checks where."""

    async def of_guild(self, guild_id: GuildId, limit: int, *, label: str = "", after: int = 0) -> Sequence[PlanCode]:
        """Return a guild's codes, newest first, with this label when asked, leaving out the first `after`."""

    async def named(self, digests: Sequence[str], guild_id: GuildId) -> Sequence[PlanCode]:
        """Return those of these codes that are a guild's."""

    async def labels(self, guild_id: GuildId, limit: int) -> Sequence[PlanCodeLabel]:
        """Return what a guild's codes come to by label, the newest label first."""

    async def use(self, use: PlanCodeUse) -> bool:
        """Use a code once per person, while it is in force and has uses left; say whether it was (one statement each).

        The purchase has to be there already: without a True, roll its transaction back.
        """

    async def uses(self, digest: str, limit: int) -> Sequence[PlanCodeUse]:
        """Return who used a code, newest first."""

    async def use_by(self, digest: str, user_id: UserId) -> PlanCodeUse | None:
        """Return a person's use of a code."""

    async def set_void(self, digests: Sequence[str], guild_id: GuildId, *, is_void: bool) -> int:
        """Switch a guild's codes off or on; return how many that changed."""


class Payments(Protocol):
    """What reports of money read."""

    async def add(self, payment: Payment) -> bool:
        """Write a payment down unless its key is known (its id is ignored); say whether it is new."""

    async def in_guild(
        self, guild_id: GuildId, since: datetime, until: datetime, *, after: int = 0, limit: int
    ) -> Sequence[Payment]:
        """Return payments for purchases with a grant in a guild, by rising id after `after`, in [since, until)."""

    async def totals(self, guild_id: GuildId, since: datetime, until: datetime) -> Sequence[PaymentTotal]:
        """Sum them up by kind and currency."""

    async def of_purchase(self, purchase_id: PurchaseId) -> Sequence[Payment]:
        """Return a purchase's payments, oldest first."""


class Adoptions(Protocol):
    """What servers decided about people who hold a role without a purchase."""

    async def put(self, adoption: Adoption) -> None:
        """Set the decision about a role."""

    async def get(self, guild_id: GuildId, role_id: RoleId) -> Adoption | None:
        """Return the decision about a role."""

    async def of_guild(self, guild_id: GuildId) -> Sequence[Adoption]:
        """Return a guild's decisions."""

    async def clear(self, guild_id: GuildId, role_id: RoleId) -> None:
        """Forget a decision."""


class MembersSettings(Protocol):
    """What people chose for themselves."""

    async def get(self, user_id: UserId) -> MemberSettings:
        """Return a person's settings, the defaults when they never chose."""

    async def put(self, settings: MemberSettings) -> None:
        """Store a person's settings."""
