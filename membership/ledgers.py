"""Protocols of storage for the queues and records, and the unit of work that binds every aggregate.

A `Transaction` is one short database transaction: no call to the outside may happen while it is open (law 8).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Protocol

from membership.aggregates import Accounts, Codes, Cursors, Customers, Guilds, Inbox, Links, Members, Plans, Purchases
from membership.browsing_ledgers import CustomersSettings, MailTexts, Operators, Runs, SignIns
from membership.crowds import Crowds
from membership.desk_ledgers import (
    Adoptions,
    Changes,
    Exemptions,
    MembersSettings,
    NotificationRules,
    Payments,
    PlanCodes,
    Posts,
    Previews,
)
from membership.listing_ledgers import Listings
from membership.model import (
    BatchId,
    GuildId,
    Lane,
    MemberKey,
    RoleId,
    UserId,
)
from membership.ports import IncomingEvent
from membership.privacy_ledger import Privacy
from membership.records import (
    AuditEntry,
    Batch,
    Draft,
    HeldRemoval,
    Job,
    JobStatus,
    Message,
    RemovalCounts,
    Tries,
    TroubledJob,
)
from membership.report_ledgers import Reports
from membership.roster_ledger import Roster


class Jobs(Protocol):
    """The durable queue (DESIGN 6)."""

    async def mark(self, kind: str, key: str, *, lane: Lane, run_at: datetime, scope: str = "") -> None:
        """Ask for a run: earliest run_at and lowest lane win, generation grows, attempts and parking reset."""

    async def mark_many(self, kind: str, keys: Sequence[tuple[str, str]], *, lane: Lane, run_at: datetime) -> None:
        """Mark many (key, scope) pairs."""

    async def claim(
        self,
        now: datetime,
        lease_until: datetime,
        limit: int,
        busy_scopes: Sequence[str],
        *,
        slowest: Lane = Lane.BULK,
    ) -> Sequence[Job]:
        """Lease due jobs, lowest lane then earliest, none of a lane after `slowest`; of busy scopes only lane 0.

        Expired leases are due.
        """

    async def done(self, job: Job) -> None:
        """Delete the job if nobody marked it meanwhile, else release it to run again."""

    async def fail(self, job: Job, error: str, *, not_before: datetime | None) -> None:
        """Release a failed job until `not_before`; None parks it, visible."""

    async def release_all(self) -> None:
        """Take back every lease. Only for a start that holds the instance lock: whoever held them is gone."""

    async def hasten(self, scope: str) -> int:
        """Let the failed jobs of a scope run now instead of after their pause; return how many."""

    async def cancel(self, kind: str, key: str) -> None:
        """Delete a job."""

    async def next_run_at(self) -> datetime | None:
        """Return when the next unparked job is due; a leased one is due again when its lease ends."""

    async def status(self, kind: str, key: str) -> JobStatus | None:
        """Return how a job stands, None when there is none."""

    async def counts(self, scope: str = "") -> Mapping[str, int]:
        """Return how many jobs are `due`, `waiting`, `leased` and `parked`, of one scope when it is named."""

    async def troubled(self, kinds: Collection[str], owner: str, limit: int) -> Sequence[TroubledJob]:
        """Return failed jobs whose key is `owner` or begins with it and a colon, those that were given up first."""


class Outbox(Protocol):
    """Messages that must go out once, and every try."""

    async def put(self, draft: Draft, now: datetime) -> bool:
        """Queue a message with its delivery job unless the key was ever used; say whether it is new."""

    async def get(self, message_id: int) -> Message | None:
        """Return a message that still waits, None when it is settled."""

    async def alike(self, message: Message, limit: int) -> Sequence[Message]:
        """Return what waits for the same target with the same template, the message itself too, oldest first."""

    async def sent_alike(self, message: Message, since: datetime) -> int:
        """Count what was sent to the same target with the same template since a moment."""

    async def fold(self, message_id: int, others: Sequence[int], facts: Mapping[str, object], now: datetime) -> None:
        """Let one waiting message tell what others waited to tell: it gets these facts, and they are settled."""

    async def settle(self, message_id: int, state: str, detail: str, now: datetime) -> None:
        """Record the outcome (sent, dropped) with its delivery row."""

    async def record_try(self, message_id: int, detail: str, now: datetime, *, is_answered: bool) -> Tries:
        """Record a failed try and return what was tried so far; the message keeps waiting."""

    async def sent_to(self, kind: str, target: str, since: datetime) -> int:
        """Count messages sent to one target, and the tries that may have reached it."""


class Audit(Protocol):
    """The append-only record."""

    async def add(self, entry: AuditEntry, now: datetime) -> int:
        """Write an entry and return its number."""

    async def recent(
        self,
        limit: int,
        *,
        guild_id: GuildId | None = None,
        user_id: UserId | None = None,
        events: Collection[str] = (),
        since: datetime | None = None,
    ) -> Sequence[tuple[int, datetime, AuditEntry]]:
        """Return the newest entries, newest first; of these events only, when some are named."""

    async def counts(self, guild_id: GuildId, since: datetime, until: datetime) -> Mapping[str, int]:
        """Count a guild's entries in [since, until) by event."""

    async def forgotten_events(self) -> Sequence[int]:
        """Return inbox events that are new and have no job."""

    async def forgotten_messages(self) -> Sequence[int]:
        """Return outbox messages that wait and have no job."""

    async def forgotten_members(self, now: datetime) -> Sequence[MemberKey]:
        """Return linked members with a grant that has waited ten minutes to be looked at for the first time.

        Only of active guilds: in the others everybody waits.
        """


class Removals(Protocol):
    """The brake's ledger and its held batches."""

    async def counts(self, guild_id: GuildId, since: datetime) -> RemovalCounts:
        """Count reserved and done removals since a moment. Released ones do not count; `paying` stays 0."""

    async def paying(self, guild_id: GuildId, since: datetime) -> int:
        """Count the members on whom we hold a role, or took one since a moment. Walks all holders of the guild."""

    async def reserve(self, key: MemberKey, role_id: RoleId | None, now: datetime, *, is_confirmed: bool) -> None:
        """Count a removal before the act; a repeated try of the same removal within the window counts once."""

    async def is_reserved(self, removal: HeldRemoval, since: datetime) -> bool:
        """Say whether this very removal was counted since a moment, so that a retry of it goes on."""

    async def hold(self, guild_id: GuildId, removals: Sequence[HeldRemoval], cause: str, now: datetime) -> BatchId:
        """Add removals to the guild's open batch for this cause, opening one; the set hash follows."""

    async def release(
        self, guild_id: GuildId, agreed: Sequence[HeldRemoval], cause: str, actor: str, now: datetime
    ) -> None:
        """Release removals that a person has agreed to before anything held them, as a batch of their own."""

    async def held_of(self, key: MemberKey) -> frozenset[RoleId | None]:
        """Return the roles of a member whose removal is held; None stands for a kick."""

    async def is_released(self, removal: HeldRemoval, now: datetime) -> bool:
        """Say whether a release covers this removal and is younger than 30 minutes."""

    async def is_discarded(self, removal: HeldRemoval) -> bool:
        """Say whether a person decided that this member keeps it."""

    async def drop(self, key: MemberKey, role_ids: Collection[RoleId], *, is_live: bool = False) -> Sequence[BatchId]:
        """Take removals that are no longer wanted out of the open batches, and forget decisions to keep them.

        `is_live`: something speaks for the member's place again, so that no kick is wanted either. Returns the batches
        that wait for nobody any more: they are over.
        """

    async def open_batches(self, guild_id: GuildId | None = None) -> Sequence[Batch]:
        """Return the held batches."""

    async def decide(self, batch_id: BatchId, set_hash: str, verdict: str, actor: str, now: datetime) -> Batch:
        """Decide a batch; `verdict` is released or discarded. Raises UserError when the set is not the one shown."""

    async def release_one(self, batch_id: BatchId, set_hash: str, actor: str, now: datetime) -> Batch:
        """Release the first removal of a batch as a batch of its own; the rest stays held. Raises as `decide`."""


class Sessions(Protocol):
    """Server-side browser state, sealed; ids are kept as digests."""

    async def put(self, digest: str, kind: str, content: Mapping[str, str], expires_at: datetime) -> None:
        """Store or replace a session."""

    async def get(self, digest: str, kind: str, now: datetime) -> Mapping[str, str] | None:
        """Return a live session's content."""

    async def take(self, digest: str, kind: str, now: datetime) -> Mapping[str, str] | None:
        """Return and delete it in one step, so that it serves once."""

    async def prune(self, now: datetime) -> None:
        """Delete what has expired."""


class Retention(Protocol):
    """What is thrown away when it is old (DESIGN 5)."""

    async def prune(self, before: datetime, limit: int) -> int:
        """Empty or delete at most `limit` rows of each kind that are older than a moment; return how many there were.

        Bodies of events, deliveries, expired tokens and codes, failed tries, answered messages. Dedupe keys stay.
        """


class Transaction(Protocol):
    """One database transaction with every aggregate bound to it."""

    accounts: Accounts
    cursors: Cursors
    inbox: Inbox
    customers: Customers
    purchases: Purchases
    plans: Plans
    links: Links
    codes: Codes
    members: Members
    guilds: Guilds
    jobs: Jobs
    outbox: Outbox
    audit: Audit
    removals: Removals
    sessions: Sessions
    retention: Retention
    changes: Changes
    previews: Previews
    exemptions: Exemptions
    rules: NotificationRules
    posts: Posts
    plan_codes: PlanCodes
    payments: Payments
    adoptions: Adoptions
    crowds: Crowds
    member_settings: MembersSettings
    privacy: Privacy
    reports: Reports
    sign_ins: SignIns
    operators: Operators
    customer_settings: CustomersSettings
    mail_texts: MailTexts
    runs: Runs
    listings: Listings
    roster: Roster


class Store(Protocol):
    """The database. Raises Retry when it is locked, full or away."""

    def write(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction that commits at the end of the block and rolls back on an exception."""

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a transaction for reading only."""


class Intake(Protocol):
    """The fast door for webhooks."""

    async def accept(self, provider: str, events: Sequence[IncomingEvent]) -> int:
        """Store events with their jobs; return after the commit, shared with whoever waits too (group commit)."""
