"""Protocol of storage for one person's own records: what is held about them, and forgetting who they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from membership.model import CustomerId, GuildId, UserId
from membership.records import Customer

Rows = Mapping[str, Sequence[Mapping[str, object]]]
"""Rows as plain JSON values, by the name of their table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody as one guild sees them: payers with something there, and the Discord account they are linked to."""

    guild_id: GuildId
    customers: tuple[Customer, ...]
    user_id: UserId | None


class Privacy(Protocol):
    """What is held about a person. Secrets are never among it, and neither is what another guild sold."""

    async def held(self, person: Person, limit: int) -> Rows:
        """Return at most `limit` rows of each kind, tables without any left out."""

    async def is_elsewhere(self, customer_id: CustomerId, guild_id: GuildId) -> bool:
        """Say whether a payer has a grant in another guild."""

    async def erase(self, person: Person, now: datetime) -> None:
        """Forget name, addresses and secrets of a person for good: what a provider says of them is not kept any more.

        Waiting mails are dropped. Numbers, moments and what a provider's ids point at stay.
        """

    async def is_erased(self, customer_id: CustomerId) -> bool:
        """Say whether a payer was erased."""

    async def clear_bodies(self, person: Person, after: int, limit: int) -> int:
        """Take a person out of the raw events after a number; return the last one looked at, 0 when there was none."""

    async def clear_body(self, event_id: int) -> None:
        """Throw the raw body of one settled event away."""
