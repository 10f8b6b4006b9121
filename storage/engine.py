"""Opens SQLite or PostgreSQL through SQLAlchemy and names the failures of both. No tables, no transactions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import event, exc
from sqlalchemy.engine import Connection, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from membership.errors import Retry
from storage import one_trip

BUSY_TIMEOUT_MS = 5000
BEGIN = "doorlist_begin"
"""The execution option that says how SQLite opens a transaction: BEGIN or BEGIN IMMEDIATE."""

_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}",
    "PRAGMA journal_mode = WAL",
    # NORMAL loses the last commits when the power goes: an answered webhook would be a lie.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # Larger intervals make the one commit that pays for the checkpoint slower than anybody should wait.
    "PRAGMA wal_autocheckpoint = 1000",
    "PRAGMA journal_size_limit = 67108864",
    "PRAGMA cache_size = -16384",
)

_RETRYABLE_SQLITE = {
    sqlite3.SQLITE_BUSY: "the database is locked by another program",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "the database cannot be written",
    sqlite3.SQLITE_IOERR: "the disk failed",
    sqlite3.SQLITE_CANTOPEN: "the database file cannot be opened",
    sqlite3.SQLITE_INTERRUPT: "the database was interrupted",
}
_RETRYABLE_POSTGRESQL = {
    "08": "the connection to the database was lost",
    "25006": "the database cannot be written",
    "40": "another transaction was in the way",
    "53": "the database has run out of room",
    "55P03": "the database is locked",
    "57": "the database is shutting down or took too long",
    "58": "the database's disk failed",
}


def sqlite_path(url: str, root: Path) -> Path | None:
    """Return the file of a SQLite URL, a relative one seen from `root`; None for another database."""
    parsed = make_url(url)
    return root / (parsed.database or "") if parsed.get_backend_name() == "sqlite" else None


def open_engine(url: str, root: Path) -> AsyncEngine:
    """Make the engine for `sqlite:///path` or `postgresql://...`; connects to nothing yet."""
    parsed = make_url(url)
    path = sqlite_path(url, root)
    if path is not None:
        return _open_sqlite(path)
    return create_async_engine(
        parsed.set(drivername="postgresql+asyncpg"),
        pool_size=5,
        max_overflow=5,
        pool_timeout=10,
        pool_recycle=1800,
        connect_args={"timeout": 10, "command_timeout": 60},
    )


def _open_sqlite(path: Path) -> AsyncEngine:
    engine = create_async_engine(
        "sqlite+aiosqlite://",
        async_creator=partial(one_trip.connect, path, _PRAGMAS),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=10,
        pool_reset_on_return=None,
    )

    @event.listens_for(engine.sync_engine, "reset")
    def abandon(connection: Any, _record: Any, state: Any) -> None:
        # A COMMIT that failed (disk full) leaves the transaction open; asking first saves a thread hop every time.
        if not state.terminate_only and connection.driver_connection.in_transaction:
            connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(BEGIN, "BEGIN"))

    return engine


@contextmanager
def failures() -> Iterator[None]:
    """Turn a database in trouble into Retry; a wrong statement or a broken constraint stays a loud bug."""
    try:
        yield
    except exc.TimeoutError as error:
        raise Retry("every connection to the database is busy") from error
    except exc.DBAPIError as error:
        why = trouble(error)
        if why is None:
            raise
        raise Retry(why) from error


def trouble(error: exc.DBAPIError) -> str | None:
    """Say in plain words what is wrong with the database, None when the fault is ours."""
    if error.connection_invalidated:
        return "the connection to the database was lost"
    code = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _RETRYABLE_SQLITE.get(code & 0xFF)  # the low byte is the family, the rest the special case
    state = getattr(error.orig, "sqlstate", None) or ""
    return next((why for prefix, why in _RETRYABLE_POSTGRESQL.items() if state.startswith(prefix)), None)
