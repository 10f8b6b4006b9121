"""Small pieces that several aggregates build their queries from."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Table, case, literal_column
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

CHUNK = 500
"""Values in one IN list: SQLite takes 32,766 parameters, and small statements keep the database responsive."""

PART = 1000
"""Rows to read or write in one go before the event loop gets its turn (about 20 ms)."""


def insert_into(connection: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Start an INSERT that may say ON CONFLICT, in the words of the database at the other end."""
    return insert_in_words_of(connection.dialect.name, table)


def insert_in_words_of(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Start an INSERT for "sqlite" or "postgresql"."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


def smaller(left: ColumnElement[Any], right: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the smaller of two values; NULL counts as no value (MIN and LEAST differ between the databases)."""
    return case((left.is_(None), right), (right.is_(None), left), (right < left, right), else_=left)


def unindexed(column: ColumnElement[int]) -> ColumnElement[int]:
    """Return a number that no index is chosen for: SQLite would begin with all grants of a guild, not with one payer's.

    It has no statistics unless somebody runs ANALYZE, and takes both indexes for equally good.
    """
    return column + literal_column("0")


def row_count(result: Any) -> int:
    """Return how many rows a write touched."""
    return int(result.rowcount)
