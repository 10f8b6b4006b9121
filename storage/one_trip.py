"""An aiosqlite connection that crosses to its thread once per statement instead of four times, and once less per BEGIN.

SQLAlchemy asks for a cursor, executes, fetches and closes: with aiosqlite each is a trip to the thread and back (0.1 ms
on an idle machine, several on a busy one). Here one trip does all of it. Everything else is aiosqlite's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite

_FETCHED_AT_ONCE = 64


class Cursor:
    """The part of a cursor that SQLAlchemy uses; rows are there as soon as `execute` returns."""

    def __init__(self, connection: Connection) -> None:
        """Take the connection to run statements on."""
        self._connection = connection
        self._rows: list[Any] = []
        self.arraysize = 1
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Cursor:
        """Need nothing: the real cursor lives only within a trip."""
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Cursor:
        """Run one statement and fetch its rows; a BEGIN waits for the statement after it."""
        if sql.startswith("BEGIN"):
            self._connection.begin_with = sql
            return self
        return await self._trip(lambda connection: connection.execute(sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Cursor:
        """Run one statement for many sets of parameters."""
        return await self._trip(lambda connection: connection.executemany(sql, parameters))

    async def fetchall(self) -> list[Any]:
        """Return the rows that came back with the statement."""
        return self._rows

    async def close(self) -> None:
        """Need nothing."""

    async def _trip(self, run: Callable[[sqlite3.Connection], sqlite3.Cursor]) -> Cursor:
        begin, self._connection.begin_with = self._connection.begin_with, ""

        def work(connection: sqlite3.Connection) -> None:
            if begin:
                connection.execute(begin)
            cursor = run(connection)
            if cursor.description:
                self._rows = cursor.fetchall()
            self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid
            cursor.close()

        await self._connection.run(work)
        return self


class Connection(aiosqlite.Connection):
    """An aiosqlite connection with those cursors."""

    begin_with = ""

    def cursor(self) -> Cursor:  # type: ignore[override]
        """Return a cursor; no trip."""
        return Cursor(self)

    async def run(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Run a function on the connection's thread."""
        await self._execute(work, self._conn)  # type: ignore[no-untyped-call]

    async def commit(self) -> None:
        """Commit; without a trip when nothing was done since BEGIN."""
        if not self._is_unused():
            await super().commit()

    async def rollback(self) -> None:
        """Roll back; without a trip when nothing was done since BEGIN."""
        if not self._is_unused():
            await super().rollback()

    def _is_unused(self) -> bool:
        was_unused, self.begin_with = bool(self.begin_with), ""
        return was_unused


async def connect(path: Path, pragmas: Sequence[str]) -> Connection:
    """Open a database file; transactions begin only by BEGIN."""

    def open_file() -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None)
        for pragma in pragmas:
            connection.execute(pragma)
        return connection

    connection = Connection(open_file, _FETCHED_AT_ONCE)
    connection._thread.daemon = True  # as SQLAlchemy does: a forgotten connection must not keep the process alive
    await connection
    return connection
