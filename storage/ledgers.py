"""The tables of the queues, the records and the small things, with their laws and indexes."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from storage.columns import Facts, Moment
from storage.schema import index_where, metadata, needed, row_id

# --------------------------------------------------------------------------------------------------------------- queues
inbox_events = Table(
    "inbox_events",
    metadata,
    row_id(),  # a rowid table on SQLite: 4 KB bodies in a WITHOUT ROWID table halve the speed of intake
    needed("provider", Text),
    needed("external_id", Text),
    needed("type", Text),
    needed("is_live", Boolean),
    needed("account", Text),
    needed("received_at", Moment),
    needed("state", Text),
    needed("note", Text),
    needed("body", LargeBinary),  # last: whoever reads the columns before it need not walk through it
    UniqueConstraint("provider", "external_id"),
    index_where("ix_inbox_events_new", "id", where="state = 'new'"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    needed("lane", Integer),
    needed("scope", Text),
    # What was asked for since the last claim; empty while a job runs that nobody has marked again.
    Column("run_at", Moment),
    Column("not_before", Moment),
    Column("leased_until", Moment),
    # When a claim may take it: run_at, not_before or leased_until, whichever rules now.
    needed("due_at", Moment),
    needed("generation", Integer),
    needed("attempts", Integer),
    needed("is_parked", Boolean),
    needed("last_error", Text),
    # One range per lane and scope: 100,000 jobs of a busy scope are stepped over, not read.
    Index(
        "ix_jobs_claim",
        "lane",
        "scope",
        "due_at",
        sqlite_where=text("is_parked = 0"),
        postgresql_where=text("NOT is_parked"),
    ),
    Index("ix_jobs_due_at", "due_at", sqlite_where=text("is_parked = 0"), postgresql_where=text("NOT is_parked")),
)

outbox_messages = Table(
    "outbox_messages",
    metadata,
    row_id(),
    needed("dedupe_key", Text, unique=True),
    needed("kind", Text),
    needed("target", Text),
    needed("template", Text),
    needed("facts", Facts),
    needed("created_at", Moment),
    needed("state", Text),
    Column("settled_at", Moment),
    Index(None, "kind", "target", "settled_at"),
    index_where("ix_outbox_messages_waiting", "id", where="state = 'waiting'"),
)

deliveries = Table(
    "deliveries",
    metadata,
    row_id(),
    needed("message_id", ForeignKey("outbox_messages.id"), index=True),
    needed("tried_at", Moment),
    needed("state", Text),
    needed("detail", Text),
)

# -------------------------------------------------------------------------------------------------------------- records
audit_entries = Table(
    "audit_entries",
    metadata,
    row_id(),
    needed("at", Moment),
    needed("event", Text),
    needed("actor", Text),
    Column("guild_id", BigInteger),
    Column("user_id", BigInteger),
    Column("customer_id", BigInteger),  # no foreign keys: the record outlives what it tells of
    Column("grant_id", BigInteger),
    Column("detail", Facts),
    Index(None, "guild_id", "id"),
    Index(None, "guild_id", "at"),
    Index(None, "user_id", "id"),
    index_where("ix_audit_entries_customer", "customer_id", "id", where="customer_id IS NOT NULL"),
    index_where("ix_audit_entries_grant", "grant_id", "id", where="grant_id IS NOT NULL"),
)

removals = Table(
    "removals",
    metadata,
    row_id(),
    needed("guild_id", BigInteger),
    needed("user_id", BigInteger),
    needed("role_id", BigInteger),  # 0 is a kick
    needed("reserved_at", Moment),
    needed("is_confirmed", Boolean),
    Index(None, "guild_id", "reserved_at"),
    Index(None, "guild_id", "user_id", "role_id", "reserved_at"),
)

removal_batches = Table(
    "removal_batches",
    metadata,
    row_id(),
    needed("guild_id", BigInteger),
    needed("cause", Text),
    needed("state", Text),
    needed("created_at", Moment),
    Column("decided_at", Moment),
    needed("decided_by", Text),
    index_where("uq_removal_batches_held", "guild_id", "cause", where="state = 'held'", is_unique=True),
)

removal_batch_items = Table(
    "removal_batch_items",
    metadata,
    Column("batch_id", ForeignKey("removal_batches.id"), primary_key=True),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),  # 0 is a kick
    needed("guild_id", BigInteger),
    Index(None, "guild_id", "user_id", "role_id"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    needed("content", Text),  # sealed, see secrets.py
    needed("expires_at", Moment, index=True),
)

settings = Table("settings", metadata, Column("name", Text, primary_key=True), needed("value", Text))

cursors = Table("cursors", metadata, Column("name", Text, primary_key=True), needed("value", Text))
