"""Brings a database to the schema of this version. Copies a SQLite file first, refuses one from the future."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

FOLDER = Path(__file__).parent / "migrations"


class NewerSchema(Exception):
    """The database was written by a newer Doorlist than this one."""


def revisions() -> list[str]:
    """Return the known schema versions, oldest first: the numbers in front of the files' names."""
    return sorted(path.stem.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))


async def migrate(engine: AsyncEngine, path: Path | None) -> None:
    """Run what is missing, all of it in one transaction. `path` is the SQLite file. Raises NewerSchema."""
    known = revisions()
    async with engine.connect() as connection:
        current = await connection.run_sync(current_revision)
    if current == known[-1]:
        return
    if current is not None and current not in known:
        raise NewerSchema(
            f"This database has schema {current}; this version of Doorlist knows up to {known[-1]}. "
            "Nothing was changed. Start the newer version again, or restore the copy made before the update."
        )
    if current is not None and path is not None:
        await asyncio.to_thread(_copy, path, path.with_name(f"{path.name}.before-{known[-1]}"))
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)


def upgrade(connection: Connection) -> None:
    """Run Alembic on an open connection."""
    # Imported late: Alembic costs a fifth of a second, and nearly every start has nothing to migrate.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def current_revision(connection: Connection) -> str | None:
    """Return the schema version of a database, None for an empty one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return found


def _copy(source: Path, target: Path) -> None:
    """Copy a database with its write-ahead log, page by page."""
    with closing(sqlite3.connect(source)) as original, closing(sqlite3.connect(target)) as copy:
        original.backup(copy)
    target.chmod(0o600)
