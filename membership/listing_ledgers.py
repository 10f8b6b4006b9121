"""What storage answers for the lists behind the pages: provider events, the record, what staff changed, in pages.

A page is found by the number of its last row. A filter that fits little looks through a bounded part of the rows at a
time: such a page may hold few rows, and its `next_before` says where to go on looking.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from membership.desk import Change
from membership.model import CustomerId, GrantId, GuildId, PurchaseId, UserId
from membership.records import Account, AuditEntry, StoredCode, StoredEvent

T = TypeVar("T")

WALK = 5000
"""How many rows one page looks through at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some rows, newest first. `next_before`: the number to go on before, None when nothing is older.

    `is_cut`: fewer fit than there is room for, but older rows were not looked at yet.
    """

    rows: tuple[T, ...]
    next_before: int | None = None
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which provider events; "" for any. `search` is a number of ours, or the provider's whole id of an event."""

    state: str = ""
    type: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """A provider event without its body. `note` says why it was ignored or set aside."""

    id: int
    provider: str
    external_id: str
    type: str
    is_live: bool
    received_at: datetime
    state: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries of the record; empty for any. `actor`: exactly, or the part before the colon ("staff").

    `until` is exclusive: the record as of that moment.
    """

    events: Collection[str] = ()
    user_id: UserId | None = None
    actor: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An audit entry with its number and moment."""

    number: int
    at: datetime
    what: AuditEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class SentMail:
    """A mail about one purchase. `state` is waiting, sent, dropped or folded; `detail` is what its last try came to."""

    template: str
    created_at: datetime
    state: str
    settled_at: datetime | None
    detail: str


class Listings(Protocol):
    """Pages of long lists."""

    async def events(
        self, accounts: Sequence[Account], wanted: EventFilter, *, before: int = 0, limit: int
    ) -> Page[EventLine]:
        """Return events of these accounts, newest first, numbers below `before` (0: from the newest)."""

    async def event(self, event_id: int, accounts: Sequence[Account]) -> tuple[EventLine, StoredEvent] | None:
        """Return one event of these accounts, None when it is another's."""

    async def entries(self, guild_id: GuildId, wanted: EntryFilter, *, before: int = 0, limit: int) -> Page[Entry]:
        """Return a guild's audit entries, newest first, numbers below `before` (0: from the newest)."""

    async def entry(self, number: int, guild_id: GuildId) -> Entry | None:
        """Return one audit entry of a guild."""

    async def changes(self, guild_id: GuildId, *, actor: str = "", before: int = 0, limit: int) -> Page[Change]:
        """Return what staff changed in a guild (one of them alone), newest first, those taken back too."""

    async def mails(self, customer_id: CustomerId, purchase_id: PurchaseId, limit: int) -> Sequence[SentMail]:
        """Return the mails to a payer that are about one purchase, newest first, of the last `limit` to them."""

    async def codes(self, purchase_id: PurchaseId, limit: int) -> Sequence[StoredCode]:
        """Return a purchase's claim codes, the one that lasts longest first."""

    async def about(
        self, guild_id: GuildId, customer_id: CustomerId, grant_ids: Collection[GrantId], limit: int
    ) -> Sequence[Entry]:
        """Return the newest entries about grants, and about a payer in this guild or in none, newest first."""
