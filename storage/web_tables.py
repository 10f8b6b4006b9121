"""The tables behind the pages: who is signed in where, what customers and servers chose for mails, and past runs."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, Table, Text

from membership.browsing import Person
from storage import desk_tables
from storage.columns import Moment, Word
from storage.schema import metadata, needed, row_id

sign_ins = Table(
    "sign_ins",
    metadata,
    row_id(),
    needed("digest", Text, unique=True),
    needed("kind", Word(Person)),
    Column("user_id", BigInteger),
    needed("mail_digest", Text),
    needed("content", Text),  # sealed, see secrets.py
    needed("began_at", Moment),
    needed("seen_at", Moment),
    needed("proved_at", Moment),
    needed("expires_at", Moment, index=True),
    Index(None, "user_id"),
    Index(None, "mail_digest"),
)

operators = Table(
    "operators",
    metadata,
    Column("user_id", BigInteger, primary_key=True, autoincrement=False),
    needed("added_at", Moment),
)

customer_settings = Table(
    "customer_settings",
    metadata,
    Column("customer_id", ForeignKey("customers.id"), primary_key=True),
    needed("language", Text),
    needed("time_zone", Text),
    needed("reminders", Boolean),
    needed("delivered", Boolean),
)

mail_texts = Table(
    "mail_texts",
    metadata,
    Column("guild_id", BigInteger, primary_key=True, autoincrement=False),
    Column("template", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    needed("subject", Text),
    needed("intro", Text),
)

runs = Table(
    "runs",
    metadata,
    row_id(),
    needed("kind", Text),
    Column("guild_id", BigInteger),
    needed("subject", Text),
    needed("started_at", Moment),
    Column("ended_at", Moment),
    needed("looked_at", Integer),
    needed("changed", Integer),
    needed("trouble", Text),
    Index(None, "guild_id", "id"),
    Index(None, "started_at"),
)

complete_metadata = desk_tables.member_settings.metadata
"""The metadata once all four modules have added their tables to it."""
