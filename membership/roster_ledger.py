"""What storage answers for the list of everybody who bought in a server: pages of memberships, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from membership.errors import Reason
from membership.model import Grant, GrantId, GrantState, GuildId, PlanId, Purchase, UserId
from membership.records import Account, Customer

WALK = 2000
"""How many memberships in one place a page looks through at most, where no index knows what is asked."""

MOST_PAYERS = 300
"""How many payers a search stops at."""


class Trait(StrEnum):
    """What of a membership stands in its purchase or its link, not in itself.

    ENDING: an end is set; RUNNING: none is; OVER: what was bought has ended; LIVE: it has not;
    CONNECTED: to a Discord account; ALONE: to none.
    """

    ANY = "any"
    ENDING = "ending"
    RUNNING = "running"
    OVER = "over"
    LIVE = "live"
    CONNECTED = "connected"
    ALONE = "alone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where memberships of a kind stand as they are stored; `reason` None: whatever the reason."""

    state: GrantState
    reason: Reason | None = None
    trait: Trait = Trait.ANY


EVERYWHERE = tuple(Place(state=state) for state in GrantState)


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterFilter:
    """Which memberships: in one of these places, of one plan, of connected payers alone.

    `search`: the beginning of an address or of a name, ours or Discord's, or an id in full; with `whole_address` no
    address by its beginning.
    """

    places: tuple[Place, ...] = EVERYWHERE
    plan_id: PlanId | None = None
    is_linked: bool = False
    search: str = ""
    whole_address: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterRow:
    """One membership with whose it is. `user_id` is connected now; `name` is what Discord last called them.

    `is_present` None: we never looked at them in this server.
    """

    grant: Grant
    purchase: Purchase
    customer: Customer
    account: Account
    user_id: UserId | None
    name: str
    is_present: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPage:
    """Some memberships. `next_before`: go on before this number, None when nothing is older.

    `is_cut`: few were found, and older ones were not looked at yet. `is_crowded`: more payers fit the search than it
    looks at.
    """

    rows: tuple[RosterRow, ...]
    next_before: GrantId | None = None
    is_cut: bool = False
    is_crowded: bool = False


class Roster(Protocol):
    """Memberships of a server."""

    async def page(
        self, guild_id: GuildId, wanted: RosterFilter, *, before: GrantId | None = None, limit: int
    ) -> RosterPage:
        """Return at most `limit` memberships with numbers below `before` (None: from the newest), newest first."""

    async def of_grants(self, guild_id: GuildId, grant_ids: Sequence[GrantId]) -> Sequence[RosterRow]:
        """Return these memberships of a guild, newest first; others are left out."""
