"""Keeps a second instance out before it does anything. Both locks end with the process, however it ends."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType
from typing import Protocol

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

try:
    import fcntl as _fcntl
except ImportError:  # Windows
    _fcntl = None  # type: ignore[assignment]

fcntl: ModuleType | None = _fcntl
_ADVISORY_KEY = 0x446F6F726C697374
""""Doorlist" in ASCII: PostgreSQL's advisory locks are numbers that the programs of a database agree on."""


class AlreadyRunning(Exception):
    """Another Doorlist uses this database."""


class InstanceLock(Protocol):
    """What a running instance holds."""

    async def release(self) -> None:
        """Let the next instance in."""


class FileLock:
    """An exclusive lock on a file beside the SQLite database."""

    def __init__(self, descriptor: int) -> None:
        """Take the open, locked file."""
        self._descriptor = descriptor

    @classmethod
    def take(cls, database: Path) -> FileLock:
        """Lock `<database>.lock`. Raises AlreadyRunning with the process id of the holder."""
        path = database.with_name(f"{database.name}.lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if fcntl is not None:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip() or "unknown"
            os.close(descriptor)
            raise AlreadyRunning(
                f"Doorlist is already running on {database} (process {holder}). Two at once would act twice on every "
                f"member. Stop the other one first, or give this one a database of its own."
            ) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(descriptor)

    async def release(self) -> None:
        """Let the next instance in; the file stays, removing it would race with who opens it now."""
        os.close(self._descriptor)


class AdvisoryLock:
    """An advisory lock of PostgreSQL, held by a connection of its own."""

    def __init__(self, connection: AsyncConnection) -> None:
        """Take the connection that holds the lock."""
        self._connection = connection

    @classmethod
    async def take(cls, engine: AsyncEngine) -> AdvisoryLock:
        """Lock the database. Raises AlreadyRunning with the server's process id of the holder."""
        connection = await engine.execution_options(isolation_level="AUTOCOMMIT").connect()
        is_ours = (
            await connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY_KEY})
        ).scalar_one()
        if is_ours:
            return cls(connection)
        found = await connection.execute(
            text(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = :high AND objid = :low "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            ),
            {"high": _ADVISORY_KEY >> 32, "low": _ADVISORY_KEY & 0xFFFFFFFF},
        )
        holder = found.scalar() or "unknown"
        await connection.close()
        raise AlreadyRunning(
            f"Doorlist is already running on this database (PostgreSQL backend {holder}). Two at once would act twice "
            f"on every member. Stop the other one first, or give this one a database of its own."
        )

    async def release(self) -> None:
        """Let the next instance in."""
        await self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_KEY})
        await self._connection.close()
