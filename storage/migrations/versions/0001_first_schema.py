"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.columns import Moment, RowId, SearchKey

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    _create_catalogue()
    _create_purchases()
    _create_plans()
    _create_links()
    _create_members()
    _create_queues()
    _create_outbox()
    _create_records()
    _create_small_things()
    _create_desk()
    _create_money()
    _create_web()


def _row_id() -> sa.Column[int]:
    return sa.Column("id", RowId, nullable=False)


def _create_catalogue() -> None:
    op.create_table(
        "accounts",
        _row_id(),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_accounts"),
        sa.UniqueConstraint("provider", "external_id", "is_live", name="uq_accounts_provider_external_id_is_live"),
    )
    op.create_table(
        "products",
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_products_account_id"),
        sa.PrimaryKeyConstraint("account_id", "external_id", name="pk_products"),
    )
    op.create_table(
        "prices",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("interval", sa.Text(), nullable=False),
        sa.Column("trial_days", sa.Integer(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "product_id"],
            ["products.account_id", "products.external_id"],
            name="fk_prices_account_id_product_id",
        ),
        sa.PrimaryKeyConstraint("account_id", "external_id", name="pk_prices"),
    )
    op.create_index("ix_prices_account_id_product_id", "prices", ["account_id", "product_id"])
    op.create_table(
        "customers",
        _row_id(),
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("is_mail_refused", sa.Boolean(), nullable=False),
        sa.Column("is_deleted", sa.Boolean(), nullable=False),
        sa.Column("erased_at", Moment()),
        sa.Column("email_key", SearchKey, nullable=False),
        sa.Column("name_key", SearchKey, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_customers_account_id"),
        sa.PrimaryKeyConstraint("id", name="pk_customers"),
        sa.UniqueConstraint("account_id", "external_id", name="uq_customers_account_id_external_id"),
    )
    op.create_index("ix_customers_email_key", "customers", ["email_key"])
    op.create_index("ix_customers_name_key", "customers", ["name_key"])


def _create_purchases() -> None:
    op.create_table(
        "purchases",
        _row_id(),
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("customer_id", RowId, nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("raw_status", sa.Text(), nullable=False),
        sa.Column("read_at", Moment(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("period_ends_at", Moment()),
        sa.Column("ends_at", Moment()),
        sa.Column("trial_ends_at", Moment()),
        sa.Column("past_due_since", Moment()),
        sa.Column("refund", sa.Text(), nullable=False),
        sa.Column("dispute", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("checkout_id", sa.Text(), nullable=False),
        sa.Column("may_give_access", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_purchases_account_id"),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_purchases_customer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_purchases"),
        sa.UniqueConstraint("account_id", "external_id", name="uq_purchases_account_id_external_id"),
    )
    op.create_index(
        "ix_purchases_account_id_may_give_access_read_at", "purchases", ["account_id", "may_give_access", "read_at"]
    )
    op.create_index(
        "ix_purchases_checkout_id",
        "purchases",
        ["checkout_id"],
        sqlite_where=sa.text("checkout_id <> ''"),
        postgresql_where=sa.text("checkout_id <> ''"),
    )
    op.create_index("ix_purchases_customer_id", "purchases", ["customer_id"])
    op.create_table(
        "purchase_items",
        sa.Column("purchase_id", RowId, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("period_ends_at", Moment()),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name="fk_purchase_items_purchase_id"),
        sa.PrimaryKeyConstraint("purchase_id", "position", name="pk_purchase_items"),
    )


def _create_plans() -> None:
    op.create_table(
        "plans",
        _row_id(),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("on_end", sa.Text(), nullable=False),
        sa.Column("on_refund", sa.Text()),
        sa.Column("on_past_due", sa.Text(), nullable=False),
        sa.Column("grace_days", sa.Integer(), nullable=False),
        sa.Column("past_due_role_id", sa.BigInteger()),
        sa.Column("trial_role_id", sa.BigInteger()),
        sa.Column("paused_grants", sa.Boolean(), nullable=False),
        sa.Column("duration_days", sa.Integer()),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_plans"),
        sa.UniqueConstraint("slug", name="uq_plans_slug"),
    )
    op.create_index("ix_plans_guild_id", "plans", ["guild_id"])
    op.create_table(
        "plan_roles",
        sa.Column("plan_id", RowId, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_plan_roles_plan_id"),
        sa.PrimaryKeyConstraint("plan_id", "role_id", name="pk_plan_roles"),
    )
    op.create_table(
        "plan_products",
        sa.Column("plan_id", RowId, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("price_id", sa.Text()),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_plan_products_account_id"),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_plan_products_plan_id"),
        sa.PrimaryKeyConstraint("plan_id", "position", name="pk_plan_products"),
    )
    op.create_index("ix_plan_products_account_id_product_id", "plan_products", ["account_id", "product_id"])
    op.create_table(
        "grants",
        _row_id(),
        sa.Column("purchase_id", RowId, nullable=False),
        sa.Column("plan_id", RowId, nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("price_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("episode", sa.Integer(), nullable=False),
        sa.Column("opened_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.Column("kick_at", Moment()),
        sa.Column("revoke_at", Moment()),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_grants_plan_id"),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name="fk_grants_purchase_id"),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        sa.UniqueConstraint("purchase_id", "plan_id", name="uq_grants_purchase_id_plan_id"),
    )
    op.create_index("ix_grants_guild_id_state_reason_id", "grants", ["guild_id", "state", "reason", "id"])
    op.create_index("ix_grants_guild_id_state_id", "grants", ["guild_id", "state", "id"])
    op.create_index("ix_grants_plan_id_state_id", "grants", ["plan_id", "state", "id"])
    op.create_index("ix_grants_guild_id_id", "grants", ["guild_id", "id"])
    op.create_index("ix_grants_plan_id_id", "grants", ["plan_id", "id"])


def _create_links() -> None:
    op.create_table(
        "links",
        _row_id(),
        sa.Column("customer_id", RowId, nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.Column("end_reason", sa.Text()),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_links_customer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_links"),
    )
    op.create_index("ix_links_customer_id_ended_at", "links", ["customer_id", "ended_at"])
    op.create_index("ix_links_user_id", "links", ["user_id"])
    op.create_index(
        "uq_links_live",
        "links",
        ["customer_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "link_tokens",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("purchase_id", RowId),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("is_spent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name="fk_link_tokens_purchase_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_link_tokens"),
    )
    op.create_index("ix_link_tokens_purchase_id", "link_tokens", ["purchase_id"])
    op.create_table(
        "claim_codes",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("purchase_id", RowId, nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.Column("used_by", sa.BigInteger()),
        sa.Column("used_at", Moment()),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name="fk_claim_codes_purchase_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_claim_codes"),
    )
    op.create_index("ix_claim_codes_purchase_id", "claim_codes", ["purchase_id"])
    op.create_table(
        "claim_failures",
        _row_id(),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_claim_failures"),
    )
    op.create_index("ix_claim_failures_user_id_failed_at", "claim_failures", ["user_id", "failed_at"])


def _create_members() -> None:
    op.create_table(
        "guilds",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
        sa.Column("claim_channel_id", sa.BigInteger()),
        sa.Column("invite_channel_id", sa.BigInteger()),
        sa.Column("event_channel_id", sa.BigInteger()),
        sa.Column("payment_channel_id", sa.BigInteger()),
        sa.Column("membership_channel_id", sa.BigInteger()),
        sa.Column("panel_channel_id", sa.BigInteger()),
        sa.Column("panel_message_id", sa.BigInteger()),
        sa.Column("welcome_channel_id", sa.BigInteger()),
        sa.Column("welcome_message_id", sa.BigInteger()),
        sa.Column("invite_url", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("digest_hour", sa.Integer(), nullable=False),
        sa.Column("manual_change", sa.Text(), nullable=False),
        sa.Column("dms", sa.Boolean(), nullable=False),
        sa.Column("paused_at", Moment()),
        sa.Column("paused_by", sa.Text(), nullable=False),
        sa.Column("pause_reason", sa.Text(), nullable=False),
        sa.Column("accent", sa.Text(), nullable=False),
        sa.Column("support_address", sa.Text(), nullable=False),
        sa.Column("imprint", sa.Text(), nullable=False),
        sa.Column("claim_cursor", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id", name="pk_guilds"),
    )
    op.create_table(
        "guild_accounts",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", RowId, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_guild_accounts_account_id"),
        sa.PrimaryKeyConstraint("guild_id", "account_id", name="pk_guild_accounts"),
    )
    op.create_table(
        "members",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("name_key", SearchKey, nullable=False),
        sa.Column("desired", sa.Text(), nullable=False),
        sa.Column("observed", sa.Text(), nullable=False),
        sa.Column("is_present", sa.Boolean(), nullable=False),
        sa.Column("observed_at", Moment(), nullable=False),
        sa.Column("next_check_at", Moment()),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name="pk_members"),
    )
    op.create_index(
        "ix_members_drifted",
        "members",
        ["guild_id", "user_id"],
        sqlite_where=sa.text("desired <> observed AND is_present"),
        postgresql_where=sa.text("desired <> observed AND is_present"),
    )
    op.create_index(
        "ix_members_due",
        "members",
        ["guild_id", "next_check_at"],
        sqlite_where=sa.text("next_check_at IS NOT NULL"),
        postgresql_where=sa.text("next_check_at IS NOT NULL"),
    )
    op.create_index("ix_members_guild_id_name_key", "members", ["guild_id", "name_key"])
    op.create_index("ix_members_guild_id_observed_at", "members", ["guild_id", "observed_at"])
    op.create_table(
        "holdings",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("repairs", sa.Integer(), nullable=False),
        sa.Column("repairs_since", Moment()),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", "role_id", name="pk_holdings"),
    )
    op.create_index("ix_holdings_guild_id_role_id", "holdings", ["guild_id", "role_id"])
    op.create_index("ix_holdings_user_id", "holdings", ["user_id"])
    op.create_table(
        "handled_messages",
        sa.Column("message_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("handled_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("message_id", name="pk_handled_messages"),
    )


def _create_queues() -> None:
    op.create_table(
        "inbox_events",
        _row_id(),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("received_at", Moment(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_inbox_events"),
        sa.UniqueConstraint("provider", "external_id", name="uq_inbox_events_provider_external_id"),
    )
    op.create_index(
        "ix_inbox_events_new",
        "inbox_events",
        ["id"],
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
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
    op.create_index(
        "ix_outbox_messages_waiting",
        "outbox_messages",
        ["id"],
        sqlite_where=sa.text("state = 'waiting'"),
        postgresql_where=sa.text("state = 'waiting'"),
    )
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
    op.create_index("ix_audit_entries_guild_id_at", "audit_entries", ["guild_id", "at"])
    op.create_index("ix_audit_entries_user_id_id", "audit_entries", ["user_id", "id"])
    for name in ("customer", "grant"):
        is_there = sa.text(f"{name}_id IS NOT NULL")
        op.create_index(
            f"ix_audit_entries_{name}",
            "audit_entries",
            [f"{name}_id", "id"],
            sqlite_where=is_there,
            postgresql_where=is_there,
        )
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


def _create_desk() -> None:
    op.create_table(
        "changes",
        _row_id(),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("undone_at", Moment()),
        sa.PrimaryKeyConstraint("id", name="pk_changes"),
    )
    op.create_index("ix_changes_guild_id_at", "changes", ["guild_id", "at"])
    op.create_index("ix_changes_guild_id_id", "changes", ["guild_id", "id"])
    op.create_table(
        "previews",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("set_hash", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_previews"),
    )
    op.create_index("ix_previews_expires_at", "previews", ["expires_at"])
    op.create_table(
        "exemptions",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("until", Moment()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "user_id", name="pk_exemptions"),
    )
    op.create_table(
        "notification_rules",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.BigInteger()),
        sa.Column("ping_role_id", sa.BigInteger()),
        sa.PrimaryKeyConstraint("guild_id", "event", name="pk_notification_rules"),
    )
    op.create_table(
        "posts",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("problem_key", sa.Text(), nullable=False),
        sa.Column("channel_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "problem_key", name="pk_posts"),
    )
    op.create_table(
        "adoptions",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.Column("notice_until", Moment()),
        sa.PrimaryKeyConstraint("guild_id", "role_id", name="pk_adoptions"),
    )
    op.create_table(
        "member_settings",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("dms", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_member_settings"),
    )


def _create_money() -> None:
    op.create_table(
        "plan_codes",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("guild_id", sa.BigInteger(), nullable=False),
        sa.Column("plan_id", RowId, nullable=False),
        sa.Column("duration_days", sa.Integer()),
        sa.Column("max_uses", sa.Integer(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("expires_at", Moment()),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("is_void", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name="fk_plan_codes_plan_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_plan_codes"),
    )
    op.create_index("ix_plan_codes_guild_id_created_at", "plan_codes", ["guild_id", "created_at"])
    op.create_table(
        "plan_code_uses",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("used_at", Moment(), nullable=False),
        sa.Column("purchase_id", RowId, nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["plan_codes.digest"], name="fk_plan_code_uses_digest"),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name="fk_plan_code_uses_purchase_id"),
        sa.PrimaryKeyConstraint("digest", "user_id", name="pk_plan_code_uses"),
    )
    op.create_table(
        "payments",
        _row_id(),
        sa.Column("account_id", RowId, nullable=False),
        sa.Column("purchase_id", RowId, nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_payments_account_id"),
        sa.ForeignKeyConstraint(["purchase_id"], ["purchases.id"], name="fk_payments_purchase_id"),
        sa.PrimaryKeyConstraint("id", name="pk_payments"),
        sa.UniqueConstraint("key", name="uq_payments_key"),
    )
    op.create_index("ix_payments_at", "payments", ["at"])
    op.create_index("ix_payments_purchase_id", "payments", ["purchase_id"])


def _create_web() -> None:
    op.create_table(
        "sign_ins",
        _row_id(),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("mail_digest", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("began_at", Moment(), nullable=False),
        sa.Column("seen_at", Moment(), nullable=False),
        sa.Column("proved_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_ins"),
        sa.UniqueConstraint("digest", name="uq_sign_ins_digest"),
    )
    op.create_index("ix_sign_ins_user_id", "sign_ins", ["user_id"])
    op.create_index("ix_sign_ins_mail_digest", "sign_ins", ["mail_digest"])
    op.create_index("ix_sign_ins_expires_at", "sign_ins", ["expires_at"])
    op.create_table(
        "operators",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("added_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_operators"),
    )
    op.create_table(
        "customer_settings",
        sa.Column("customer_id", RowId, nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("reminders", sa.Boolean(), nullable=False),
        sa.Column("delivered", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], name="fk_customer_settings_customer_id"),
        sa.PrimaryKeyConstraint("customer_id", name="pk_customer_settings"),
    )
    op.create_table(
        "mail_texts",
        sa.Column("guild_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("intro", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("guild_id", "template", "language", name="pk_mail_texts"),
    )
    op.create_table(
        "runs",
        _row_id(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("guild_id", sa.BigInteger()),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment()),
        sa.Column("looked_at", sa.Integer(), nullable=False),
        sa.Column("changed", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_guild_id_id", "runs", ["guild_id", "id"])
    op.create_index("ix_runs_started_at", "runs", ["started_at"])
