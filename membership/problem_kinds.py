"""The words for what is failed or stuck in a server: its kinds, whom it concerns, since when. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from membership.errors import Reason
from membership.model import PurchaseId, UserId


class Kind(StrEnum):
    """What kind of trouble it is."""

    PAUSED = "paused"
    AWAY = "away"
    BRAKE = "brake"
    GRANTS = "grants"
    UNCLEAR = "unclear"
    ROLES = "roles"
    JOBS = "jobs"
    PROVIDER = "provider"
    WEBHOOKS = "webhooks"
    MAIL = "mail"
    UNCONNECTED = "unconnected"
    OUTSIDE = "outside"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sufferer:
    """Somebody whom a problem concerns. `name` is what people know them by, their address masked; "" for nothing."""

    name: str
    purchase_id: PurchaseId | None = None
    user_id: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One cause. `subject` tells causes of a kind apart: a reason, a role's refusal, a provider, a job's error.

    `since`: when it began, as far as that is known; for grants that failed, the first of those shown. `number` is the
    id of what the kind is about: a held batch, a channel. `names` are roles or channels.
    """

    kind: Kind
    count: int
    subject: str = ""
    since: datetime | None = None
    people: tuple[Sufferer, ...] = ()
    names: tuple[str, ...] = ()
    number: int = 0

    @property
    def reason(self) -> Reason | None:
        """Return the reason that the grants stand still for, None where it is about something else."""
        return Reason(self.subject) if self.kind in (Kind.GRANTS, Kind.UNCLEAR) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The problems of a server, the gravest first. `checked_at`: when the server was last compared with Discord."""

    problems: tuple[Problem, ...]
    checked_at: datetime | None
