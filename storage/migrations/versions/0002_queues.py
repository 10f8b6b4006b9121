"""The first queues and records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.columns import Moment, RowId

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    _create_queues()
    _create_outbox()
    _create_records()
    _create_small_things()


def _row_id() -> sa.Column[int]:
    return sa.Column("id", RowId, nullable=False)


def _create_queues() -> None:
    op.create_table(
        "inbox_events",
        _row_id(),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbox_events"),
        sa.UniqueConstraint("provider", "external_id", name="uq_inbox_events_provider_external_id"),
    )
    op.create_table(
        "jobs",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("lane", sa.Integer(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("run_at", Moment()),
        sa.Column("not_before", Moment()),
        sa.Column("leased_until", Moment()),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("is_parked", sa.Boolean(), nullable=False),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name="pk_jobs"),
    )
    op.create_index(
        "ix_jobs_claim",
        "jobs",
        ["lane", "scope", "due_at"],
        sqlite_where=sa.text("is_parked = 0"),
        postgresql_where=sa.text("NOT is_parked"),
    )
    op.create_index(
        "ix_jobs_due_at",
        "jobs",
        ["due_at"],
        sqlite_where=sa.text("is_parked = 0"),
        postgresql_where=sa.text("NOT is_parked"),
    )


def _create_outbox() -> None:
    op.create_table(
        "outbox_messages",
        _row_id(),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("settled_at", Moment()),
        sa.PrimaryKeyConstraint("id", name="pk_outbox_messages"),
        sa.UniqueConstraint("dedupe_key", name="uq_outbox_messages_dedupe_key"),
    )
    op.create_index("ix_outbox_messages_kind_target_settled_at", "outbox_messages", ["kind", "target", "settled_at"])
    op.create_table(
        "deliveries",
        _row_id(),
        sa.Column("message_id", RowId, nullable=False),
        sa.Column("tried_at", Moment(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["outbox_messages.id"], name="fk_deliveries_message_id"),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_message_id", "deliveries", ["message_id"])


def _create_records() -> None:
    op.create_table(
        "audit_entries",
        _row_id(),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("customer_id", sa.BigInteger()),
        sa.Column("grant_id", sa.BigInteger()),
        sa.Column("detail", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_audit_entries"),
    )
    op.create_index("ix_audit_entries_guild_id_id", "audit_entries", ["guild_id", "id"])
    op.create_index("ix_audit_entries_user_id_id", "audit_entries", ["user_id", "id"])
    op.create_table(
        "removals",
        _row_id(),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("role_id", sa.BigInteger(), nullable=False),
        sa.Column("reserved_at", Moment(), nullable=False),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_removals"),
    )
    op.create_index("ix_removals_guild_id_reserved_at", "removals", ["guild_id", "reserved_at"])
    op.create_index(
        "ix_removals_guild_id_user_id_role_id_reserved_at",
        "removals",
        ["guild_id", "user_id", "role_id", "reserved_at"],
    )
    op.create_table(
        "removal_batches",
        _row_id(),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("decided_at", Moment()),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_removal_batches"),
    )
    op.create_index(
        "uq_removal_batches_held",
        "removal_batches",
        ["guild_id", "cause"],
        unique=True,
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )
    op.create_table(
        "removal_batch_items",
        sa.Column("batch_id", RowId, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["removal_batches.id"], name="fk_removal_batch_items_batch_id"),
        sa.PrimaryKeyConstraint("batch_id", "user_id", "role_id", name="pk_removal_batch_items"),
    )
    op.create_index(
        "ix_removal_batch_items_guild_id_user_id_role_id", "removal_batch_items", ["guild_id", "user_id", "role_id"]
    )


def _create_small_things() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "kind", name="pk_sessions"),
    )
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.create_table(
        "settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_settings"),
    )
    op.create_table(
        "cursors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_cursors"),
    )
