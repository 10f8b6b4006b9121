"""The tables of what is sold and who holds what, with their laws and indexes; queues and records: ledgers.py.

Discord's ids (guild, user, role, channel, message) are 64-bit integers without foreign keys: Discord's rows, not ours.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from membership.errors import Reason
from membership.model import (
    Dispute,
    GrantState,
    HoldingState,
    ManualChange,
    OnEnd,
    OnPastDue,
    Proof,
    PurchaseKind,
    PurchaseStatus,
    Refund,
)
from membership.records import DigestRhythm
from storage.columns import Moment, RoleSet, RowId, SearchKey, Word

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def row_id() -> Column[int]:
    """Return a column for our own number of a row."""
    return Column("id", RowId, primary_key=True)


def needed(name: str, kind: Any, *rest: Any, **options: Any) -> Column[Any]:
    """Return a column that is never empty."""
    return Column(name, kind, *rest, nullable=False, **options)


def index_where(name: str, *columns: str, where: str, is_unique: bool = False) -> Index:
    """Return an index of only some rows."""
    return Index(name, *columns, unique=is_unique, sqlite_where=text(where), postgresql_where=text(where))


# ------------------------------------------------------------------------------------------------ what is sold, to whom
accounts = Table(
    "accounts",
    metadata,
    row_id(),
    needed("provider", Text),
    needed("external_id", Text),
    needed("is_live", Boolean),
    needed("created_at", Moment),
    UniqueConstraint("provider", "external_id", "is_live"),
)

products = Table(
    "products",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    Column("external_id", Text, primary_key=True),
    needed("name", Text),
)

prices = Table(
    "prices",
    metadata,
    Column("account_id", BigInteger, primary_key=True),
    Column("external_id", Text, primary_key=True),
    needed("product_id", Text),
    needed("amount", BigInteger),
    needed("currency", Text),
    needed("interval", Text),
    needed("trial_days", Integer),
    needed("is_active", Boolean),
    ForeignKeyConstraint(["account_id", "product_id"], ["products.account_id", "products.external_id"]),
    Index(None, "account_id", "product_id"),
)

customers = Table(
    "customers",
    metadata,
    row_id(),
    needed("account_id", ForeignKey("accounts.id")),
    needed("external_id", Text),
    needed("email", Text),
    needed("name", Text),
    needed("locale", Text),
    needed("is_mail_refused", Boolean),
    needed("is_deleted", Boolean),
    # Who was erased stays so, whatever a provider's events say of them later.
    Column("erased_at", Moment),
    # What staff type the beginning of: case-folded.
    needed("email_key", SearchKey, index=True),
    needed("name_key", SearchKey, index=True),
    UniqueConstraint("account_id", "external_id"),
)

purchases = Table(
    "purchases",
    metadata,
    row_id(),
    needed("account_id", ForeignKey("accounts.id")),
    needed("customer_id", ForeignKey("customers.id"), index=True),
    needed("external_id", Text),
    needed("kind", Word(PurchaseKind)),
    needed("status", Word(PurchaseStatus)),
    needed("raw_status", Text),
    needed("read_at", Moment),
    needed("started_at", Moment),
    Column("period_ends_at", Moment),
    Column("ends_at", Moment),
    Column("trial_ends_at", Moment),
    Column("past_due_since", Moment),
    needed("refund", Word(Refund)),
    needed("dispute", Word(Dispute)),
    needed("amount", BigInteger),
    needed("currency", Text),
    needed("checkout_id", Text),
    # Follows from the status; kept so that "may give access and was not read lately" is an index look-up.
    needed("may_give_access", Boolean),
    UniqueConstraint("account_id", "external_id"),
    index_where("ix_purchases_checkout_id", "checkout_id", where="checkout_id <> ''"),
    Index(None, "account_id", "may_give_access", "read_at"),
)

purchase_items = Table(
    "purchase_items",
    metadata,
    Column("purchase_id", ForeignKey("purchases.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    needed("product_id", Text),
    needed("price_id", Text),
    needed("quantity", Integer),
    Column("period_ends_at", Moment),
)

# ------------------------------------------------------------------------------------------------------ what it unlocks
plans = Table(
    "plans",
    metadata,
    row_id(),
    needed("guild_id", BigInteger, index=True),
    needed("name", Text),
    needed("slug", Text, unique=True),
    needed("on_end", Word(OnEnd)),
    Column("on_refund", Word(OnEnd)),
    needed("on_past_due", Word(OnPastDue)),
    needed("grace_days", Integer),
    Column("past_due_role_id", BigInteger),
    Column("trial_role_id", BigInteger),
    needed("paused_grants", Boolean),
    Column("duration_days", Integer),
    needed("is_archived", Boolean),
)

plan_roles = Table(
    "plan_roles",
    metadata,
    Column("plan_id", ForeignKey("plans.id"), primary_key=True),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    needed("position", Integer),
)

plan_products = Table(
    "plan_products",
    metadata,
    Column("plan_id", ForeignKey("plans.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    needed("account_id", ForeignKey("accounts.id")),
    needed("product_id", Text),
    Column("price_id", Text),
    Index(None, "account_id", "product_id"),
)

grants = Table(
    "grants",
    metadata,
    row_id(),
    needed("purchase_id", ForeignKey("purchases.id")),
    needed("plan_id", ForeignKey("plans.id")),
    needed("guild_id", BigInteger),
    needed("product_id", Text),
    needed("price_id", Text),
    needed("state", Word(GrantState)),
    needed("reason", Word(Reason)),
    needed("episode", Integer),
    needed("opened_at", Moment),
    Column("ended_at", Moment),
    Column("kick_at", Moment),
    Column("revoke_at", Moment),
    UniqueConstraint("purchase_id", "plan_id"),
    # Each list of memberships is a walk along one of these, newest first.
    Index(None, "guild_id", "state", "reason", "id"),
    Index(None, "guild_id", "state", "id"),
    Index(None, "plan_id", "state", "id"),
    Index(None, "guild_id", "id"),
    Index(None, "plan_id", "id"),
)

# ---------------------------------------------------------------------------------------------------- who it is tied to
links = Table(
    "links",
    metadata,
    row_id(),
    needed("customer_id", ForeignKey("customers.id")),
    needed("user_id", BigInteger, index=True),
    needed("proof", Word(Proof)),
    needed("created_at", Moment),
    Column("ended_at", Moment),
    Column("end_reason", Word(Reason)),
    Index(None, "customer_id", "ended_at"),
    index_where("uq_links_live", "customer_id", where="ended_at IS NULL", is_unique=True),
)

link_tokens = Table(
    "link_tokens",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("purchase_id", ForeignKey("purchases.id"), index=True),
    Column("user_id", BigInteger),
    needed("expires_at", Moment),
    needed("is_spent", Boolean),
)

claim_codes = Table(
    "claim_codes",
    metadata,
    Column("digest", Text, primary_key=True),
    needed("purchase_id", ForeignKey("purchases.id"), index=True),
    needed("expires_at", Moment),
    Column("used_by", BigInteger),
    Column("used_at", Moment),
)

claim_failures = Table(
    "claim_failures",
    metadata,
    row_id(),
    needed("user_id", BigInteger),
    needed("failed_at", Moment),
    Index(None, "user_id", "failed_at"),
)

handled_messages = Table(
    "handled_messages",
    metadata,
    Column("message_id", BigInteger, primary_key=True, autoincrement=False),
    needed("handled_at", Moment),
)

# -------------------------------------------------------------------------------------------------- servers and members
guilds = Table(
    "guilds",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    needed("name", Text),
    needed("is_active", Boolean),
    needed("approved_by", Text),
    Column("claim_channel_id", BigInteger),
    Column("invite_channel_id", BigInteger),
    Column("event_channel_id", BigInteger),
    Column("payment_channel_id", BigInteger),
    Column("membership_channel_id", BigInteger),
    Column("panel_channel_id", BigInteger),
    Column("panel_message_id", BigInteger),
    Column("welcome_channel_id", BigInteger),
    Column("welcome_message_id", BigInteger),
    needed("invite_url", Text),
    needed("language", Text),
    needed("time_zone", Text),
    needed("digest", Word(DigestRhythm)),
    needed("digest_hour", Integer),
    needed("manual_change", Word(ManualChange)),
    needed("dms", Boolean),
    Column("paused_at", Moment),
    needed("paused_by", Text),
    needed("pause_reason", Text),
    needed("accent", Text),
    needed("support_address", Text),
    needed("imprint", Text),
    Column("claim_cursor", BigInteger),
)

guild_accounts = Table(
    "guild_accounts",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
)

members = Table(
    "members",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    needed("name", Text),
    needed("name_key", SearchKey),
    needed("desired", RoleSet),
    needed("observed", RoleSet),
    needed("is_present", Boolean),
    # NEVER instead of NULL: the two databases disagree about where NULL sorts.
    needed("observed_at", Moment),
    Column("next_check_at", Moment),
    Index(None, "guild_id", "observed_at"),
    Index(None, "guild_id", "name_key"),
    index_where("ix_members_drifted", "guild_id", "user_id", where="desired <> observed AND is_present"),
    index_where("ix_members_due", "guild_id", "next_check_at", where="next_check_at IS NOT NULL"),
)

holdings = Table(
    "holdings",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    needed("state", Word(HoldingState)),
    needed("repairs", Integer),
    Column("repairs_since", Moment),
    needed("changed_at", Moment),
    Index(None, "guild_id", "role_id"),
    Index(None, "user_id"),
)
