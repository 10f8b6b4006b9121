"""Protocols of storage for what is sold and to whom, one class per aggregate. The queues are in ledgers.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from membership.errors import Reason
from membership.model import (
    AccountId,
    CustomerId,
    CustomerSnapshot,
    Grant,
    GrantId,
    GrantState,
    GuildId,
    HoldingState,
    MemberFacts,
    MemberKey,
    MessageId,
    Plan,
    PlanId,
    Proof,
    Purchase,
    PurchaseId,
    PurchaseSnapshot,
    RoleId,
    UserId,
)
from membership.ports import IncomingEvent, Price
from membership.records import (
    Account,
    Customer,
    Guild,
    Link,
    LinkToken,
    MemberRow,
    StoredCode,
    StoredEvent,
)


class Accounts(Protocol):
    """Seller accounts, their catalogue and their poll cursors."""

    async def ensure(self, provider: str, external_id: str, is_live: bool, now: datetime) -> Account:
        """Return the account, making it at first sight."""

    async def get(self, account_id: AccountId) -> Account:
        """Return one account. Raises KeyError."""

    async def all(self) -> Sequence[Account]:
        """Return every account."""

    async def record_prices(self, account_id: AccountId, prices: Sequence[Price]) -> None:
        """Write the catalogue down (upsert)."""

    async def prices(self, account_id: AccountId) -> Sequence[Price]:
        """Return the stored catalogue."""


class Cursors(Protocol):
    """Small named values that survive a restart."""

    async def get(self, name: str) -> str | None:
        """Return a value, None when never set."""

    async def put(self, name: str, value: str) -> None:
        """Set a value."""


class Inbox(Protocol):
    """Provider events, stored raw and unique."""

    async def add(self, provider: str, events: Sequence[IncomingEvent], now: datetime) -> int:
        """Store events that are new, each with an intake job in the same transaction; return how many were new."""

    async def get(self, event_id: int) -> StoredEvent:
        """Return one event. Raises KeyError."""

    async def newest_at(self, provider: str) -> datetime | None:
        """Return when a provider's newest event came in, None when there was none."""

    async def settle(self, event_id: int, state: str, note: str = "") -> None:
        """Set the state: done, ignored or quarantined."""


class Customers(Protocol):
    """Payers."""

    async def record(self, account_id: AccountId, snapshot: CustomerSnapshot) -> CustomerId:
        """Write a payer down and return our id; empty fields never overwrite known ones."""

    async def get(self, customer_id: CustomerId) -> Customer:
        """Return one payer. Raises KeyError."""

    async def in_guild(self, customer_id: CustomerId, guild_id: GuildId) -> Customer | None:
        """Return one payer if a purchase of theirs has a grant in this guild."""

    async def of_member(self, key: MemberKey) -> Sequence[Customer]:
        """Return the payers linked to a member with a grant in the member's guild."""

    async def search(
        self, guild_id: GuildId, text: str, limit: int, *, whole_address: bool = False
    ) -> Sequence[Customer]:
        """Find payers with a grant in this guild by the beginning of their e-mail or name, or by the exact id of the
        payer, of a purchase, or of the checkout it came from; in any case. `whole_address`: no e-mail by its beginning.
        """

    async def with_email(self, email: str, limit: int) -> Sequence[Customer]:
        """Return the payers with exactly this address, in any case, of whatever guild."""

    async def refuse_mail(self, customer_id: CustomerId) -> None:
        """Remember that mail to this payer bounces for good."""


class Purchases(Protocol):
    """Snapshots of what was bought, and the grants they carry."""

    async def record(
        self, account_id: AccountId, customer_id: CustomerId, snapshot: PurchaseSnapshot
    ) -> tuple[Purchase | None, Purchase]:
        """Write a snapshot down; return (before, after).

        A snapshot older than the stored one changes nothing (after == before). `past_due_since` is set to
        `snapshot.read_at` at the first sight of past_due and cleared when the status leaves it.
        """

    async def get(self, purchase_id: PurchaseId) -> Purchase:
        """Return one purchase. Raises KeyError."""

    async def in_guild(self, purchase_id: PurchaseId, guild_id: GuildId) -> Purchase | None:
        """Return one purchase if it has a grant in this guild."""

    async def find(self, account_id: AccountId, external_id: str) -> Purchase | None:
        """Return a purchase by the provider's id."""

    async def by_checkout(self, checkout_id: str) -> Purchase | None:
        """Return the purchase that came out of a checkout."""

    async def of_customer(self, customer_id: CustomerId) -> Sequence[Purchase]:
        """Return a payer's purchases, newest first."""

    async def live_unseen(
        self, account_id: AccountId, read_before: datetime, after: PurchaseId, limit: int
    ) -> Sequence[Purchase]:
        """Return purchases stored as live that no snapshot has confirmed since `read_before`, by rising id."""

    async def matching(self, plan: Plan, after: PurchaseId, limit: int) -> Sequence[Purchase]:
        """Return purchases with an item that unlocks a plan, by rising id after `after`."""

    async def open_grant(self, purchase: Purchase, plan: Plan, now: datetime) -> Grant:
        """Return the purchase's grant on a plan, opened as pending at first; a live one follows the purchase's item."""

    async def grants(self, purchase_id: PurchaseId) -> Sequence[Grant]:
        """Return a purchase's grants."""

    async def grant_in_guild(self, grant_id: GrantId, guild_id: GuildId) -> Grant | None:
        """Return one grant if it is in this guild."""

    async def set_grant(self, grant: Grant) -> None:
        """Store a grant's state, reason, episode, ended_at, kick_at and revoke_at."""

    async def grant_counts(self, guild_id: GuildId) -> Mapping[tuple[PlanId, GrantState], int]:
        """Count a guild's grants by plan and state."""

    async def active_counts(self, guild_id: GuildId) -> Mapping[tuple[PlanId, GrantState], int]:
        """Count a guild's grants that give access now: delivered, late, or kept by the brake, not everything held."""

    async def grants_in_state(
        self, guild_id: GuildId, state: GrantState, reason: Reason | None, limit: int
    ) -> Sequence[Grant]:
        """Return a guild's grants in one state (and for one reason)."""


class Plans(Protocol):
    """Plans and what unlocks them."""

    async def create(self, plan: Plan) -> Plan:
        """Store a new plan (its id is ignored) and return it with its id. Raises UserError when the slug is taken."""

    async def replace(self, plan: Plan) -> None:
        """Store a plan's new form."""

    async def get(self, plan_id: PlanId) -> Plan:
        """Return one plan. Raises KeyError."""

    async def in_guild(self, plan_id: PlanId, guild_id: GuildId) -> Plan | None:
        """Return one plan if it is of this guild."""

    async def by_slug(self, slug: str) -> Plan | None:
        """Return a plan by its slug."""

    async def all(self, guild_id: GuildId | None = None) -> Sequence[Plan]:
        """Return the plans, of one guild when asked."""

    async def unlocked_by(self, account_id: AccountId, product_ids: Sequence[str]) -> Sequence[Plan]:
        """Return plans that are not archived and that one of the products may unlock."""


class Links(Protocol):
    """Proven ties and the single-purpose tokens that make them."""

    async def active(self, customer_id: CustomerId) -> Link | None:
        """Return the live link of a payer."""

    async def customers_of(self, user_id: UserId) -> Sequence[CustomerId]:
        """Return the payers linked to a Discord user."""

    async def bind(self, customer_id: CustomerId, user_id: UserId, proof: Proof, now: datetime) -> Link | None:
        """Link a payer; end the link to another user (reason moved) and return it, None when there was none."""

    async def end(self, customer_id: CustomerId, reason: Reason, now: datetime) -> Link | None:
        """End the live link and return it."""

    async def holders(self, customer_id: CustomerId) -> Sequence[Link]:
        """Return every link that a payer ever had, live or over, oldest first."""

    async def switched_at(self, customer_id: CustomerId, after: datetime) -> Sequence[datetime]:
        """Return when another Discord user followed the one before, however that one was taken off, oldest first."""

    async def issue_token(
        self, digest: str, purchase_id: PurchaseId | None, user_id: UserId | None, expires_at: datetime
    ) -> None:
        """Keep a link token's digest."""

    async def token(self, digest: str) -> LinkToken | None:
        """Look a token up."""

    async def attach_token(self, digest: str, purchase_id: PurchaseId) -> None:
        """Tie a checkout's token to the purchase that came out of it."""

    async def expire_token(self, digest: str, now: datetime) -> None:
        """End a token whose checkout can no longer be paid; unknown ones are ignored."""

    async def spend_tokens(self, purchase_id: PurchaseId) -> None:
        """Mark all tokens of a purchase as spent."""


class Codes(Protocol):
    """Claim codes and the tries against them."""

    async def issue(self, digest: str, purchase_id: PurchaseId, expires_at: datetime) -> None:
        """Keep a code's digest."""

    async def get(self, digest: str) -> StoredCode | None:
        """Look a code up."""

    async def use(self, digest: str, user_id: UserId, now: datetime) -> bool:
        """Use a code; exactly one caller ever gets True (a conditional update)."""

    async def record_failure(self, user_id: UserId, now: datetime) -> None:
        """Count a wrong try."""

    async def failures(self, user_id: UserId, since: datetime) -> int:
        """Count wrong tries of a person."""

    async def first_failure(self, user_id: UserId, since: datetime) -> datetime | None:
        """Return when the oldest of a person's wrong tries since a moment was."""


class Members(Protocol):
    """Members, their holdings, and the drift between desired and observed."""

    async def facts(self, key: MemberKey) -> MemberFacts:
        """Read everything `decide` needs: claims through live and ended links, and holdings."""

    async def keys_of_customer(self, customer_id: CustomerId) -> Sequence[MemberKey]:
        """Return the members that a payer's grants bear on, through live or ended links."""

    async def keys_of_guild(self, guild_id: GuildId, after: UserId, limit: int) -> Sequence[MemberKey]:
        """Return the members of a guild that a grant or a holding bears on, by rising user id after `after`."""

    async def get(self, key: MemberKey) -> MemberRow | None:
        """Return what was last wanted and seen of a member, None when they were never looked at."""

    async def count_present(self, guild_id: GuildId) -> int:
        """Count the members we look after who are in the guild."""

    async def own(
        self, key: MemberKey, role_id: RoleId, state: HoldingState, now: datetime, *, is_repair: bool = False
    ) -> None:
        """Write a holding (upsert). A repair counts within 24 hours of the first."""

    async def disown(self, key: MemberKey, role_id: RoleId) -> None:
        """Forget a holding."""

    async def settle(self, row: MemberRow, next_check_at: datetime | None) -> None:
        """Store what was wanted and seen. `observed_at` None means: written since, look again at the next sweep."""

    async def record_seen(
        self, guild_id: GuildId, seen: Mapping[UserId, tuple[frozenset[RoleId], bool]], now: datetime
    ) -> Sequence[MemberKey]:
        """Store what a sweep saw (managed roles, presence); return the members that now differ from desired."""

    async def drifted(self, guild_id: GuildId, limit: int) -> Sequence[MemberKey]:
        """Return members whose observed differs from desired, by the partial index."""

    async def due(self, guild_id: GuildId, now: datetime, limit: int) -> Sequence[MemberKey]:
        """Return members whose next_check_at has passed."""

    async def least_recently_seen(
        self, guild_id: GuildId, before: datetime, limit: int, *, leaving_out: Collection[UserId] = ()
    ) -> Sequence[MemberRow]:
        """Return managed members by oldest observed_at (never first), seen before `before`; without `leaving_out`."""


class Guilds(Protocol):
    """Server settings."""

    async def ensure(self, guild_id: GuildId, name: str) -> Guild:
        """Return a guild, making it (inactive) at first sight; keeps the name up to date."""

    async def get(self, guild_id: GuildId) -> Guild | None:
        """Return one guild."""

    async def all(self) -> Sequence[Guild]:
        """Return every guild."""

    async def replace(self, guild: Guild) -> None:
        """Store a guild's settings (not its claim cursor)."""

    async def accounts_of(self, guild_id: GuildId) -> Sequence[Account]:
        """Return the seller accounts whose products a guild may use. Ours for comps is never among them."""

    async def allow_account(self, guild_id: GuildId, account_id: AccountId) -> None:
        """Let a guild use the products of an account."""

    async def forbid_account(self, guild_id: GuildId, account_id: AccountId) -> None:
        """Take that back."""

    async def set_claim_cursor(self, guild_id: GuildId, message_id: MessageId) -> None:
        """Move the claim cursor forward, never back."""

    async def is_message_handled(self, message_id: MessageId) -> bool:
        """Say whether a claim message was answered before."""

    async def mark_message_handled(self, message_id: MessageId, now: datetime) -> None:
        """Remember an answered claim message."""
