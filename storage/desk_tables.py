"""The tables of what the people who run a server decide and keep (membership/desk.py), and of payments for reports."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from membership.desk import AdoptionPolicy, NotifyMode, PaymentKind
from storage.columns import Facts, Moment, Word
from storage.schema import metadata, needed, row_id

changes = Table(
    "changes",
    metadata,
    row_id(),
    needed("guild_id", BigInteger),
    needed("actor", Text),
    needed("at", Moment),
    needed("kind", Text),
    needed("summary", Text),
    needed("before", Facts),
    needed("after", Facts),
    Column("undone_at", Moment),
    Index(None, "guild_id", "at"),
    Index(None, "guild_id", "id"),
)

previews = Table(
    "previews",
    metadata,
    Column("id", Text, primary_key=True),
    needed("guild_id", BigInteger),
    needed("actor", Text),
    needed("kind", Text),
    needed("content", Facts),
    needed("set_hash", Text),
    needed("created_at", Moment),
    needed("expires_at", Moment, index=True),
)

exemptions = Table(
    "exemptions",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    Column("until", Moment),
    needed("reason", Text),
    needed("actor", Text),
    needed("created_at", Moment),
)

notification_rules = Table(
    "notification_rules",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("event", Text, primary_key=True),
    needed("mode", Word(NotifyMode)),
    Column("channel_id", BigInteger),
    Column("ping_role_id", BigInteger),
)

posts = Table(
    "posts",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("problem_key", Text, primary_key=True),
    needed("channel_id", BigInteger),
    needed("message_id", BigInteger),
    needed("state", Text),
)

plan_codes = Table(
    "plan_codes",
    metadata,
    Column("digest", Text, primary_key=True),
    needed("guild_id", BigInteger),
    needed("plan_id", ForeignKey("plans.id")),
    Column("duration_days", Integer),
    needed("max_uses", Integer),
    needed("uses", Integer),
    Column("expires_at", Moment),
    needed("label", Text),
    needed("is_void", Boolean),
    needed("created_by", Text),
    needed("created_at", Moment),
    Index(None, "guild_id", "created_at"),
)

plan_code_uses = Table(
    "plan_code_uses",
    metadata,
    Column("digest", ForeignKey("plan_codes.digest"), primary_key=True),
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    needed("used_at", Moment),
    needed("purchase_id", ForeignKey("purchases.id")),
)

payments = Table(
    "payments",
    metadata,
    row_id(),
    needed("account_id", ForeignKey("accounts.id")),
    needed("purchase_id", ForeignKey("purchases.id"), index=True),
    needed("at", Moment, index=True),
    needed("amount", BigInteger),
    needed("currency", Text),
    needed("kind", Word(PaymentKind)),
    needed("key", Text, unique=True),
)

adoptions = Table(
    "adoptions",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("role_id", BigInteger, primary_key=True, autoincrement=False),
    needed("policy", Word(AdoptionPolicy)),
    needed("decided_by", Text),
    needed("decided_at", Moment),
    Column("notice_until", Moment),
)

member_settings = Table(
    "member_settings",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    needed("dms", Boolean),
    needed("language", Text),
)
