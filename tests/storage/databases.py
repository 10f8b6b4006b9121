"""Fresh databases for tests: SQLite by copying a migrated file, PostgreSQL from a server of our own, started once."""

from __future__ import annotations

import asyncio
import atexit
import functools
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import pytest
from pydantic import SecretStr

from storage.config import DatabaseSettings
from storage.store import Database

KEY = "sF9vVQ0Yc2vF1mJb5r7uXo3n8kq4TzLwEaHdGiRpCys="
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TEMPLATE = "doorlist_template"
_names = itertools.count(1)


class MovableClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime = NOON) -> None:
        self.moment = now

    def now(self) -> datetime:
        return self.moment

    def move(self, by: timedelta) -> datetime:
        self.moment += by
        return self.moment


@asynccontextmanager
async def sqlite_database(folder: Path, clock: MovableClock | None = None) -> AsyncIterator[Database]:
    """Open an empty SQLite database in `folder`."""
    path = folder / "doorlist.db"
    shutil.copyfile(await asyncio.to_thread(sqlite_template), path)
    async with _opened(f"sqlite:///{path}", clock) as database:
        yield database


@asynccontextmanager
async def postgres_database(clock: MovableClock | None = None) -> AsyncIterator[Database]:
    """Open an empty PostgreSQL database. Skips the test when this machine has no server programs."""
    async with empty_postgres(TEMPLATE) as url, _opened(url, clock) as database:
        yield database


@asynccontextmanager
async def empty_postgres(template: str) -> AsyncIterator[str]:
    """Make a database from a template ("template0": no tables at all) and return its URL."""
    server = await asyncio.to_thread(postgres_server)
    name = f"doorlist_{next(_names)}"
    await _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield postgres_url(server, name)
    finally:
        await _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def settings(url: str) -> DatabaseSettings:
    """Return settings with a fixed key."""
    return DatabaseSettings(url=url, encryption_key=SecretStr(KEY))


def postgres_url(folder: Path, name: str) -> str:
    """Return the URL of a database of the server whose socket is in `folder`."""
    return f"postgresql://doorlist@/{name}?host={folder}"


@functools.cache
def sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="doorlist-template-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = folder / "template.db"
    asyncio.run(_migrate(f"sqlite:///{path}"))
    return path


@functools.cache
def postgres_server() -> Path:
    """Start PostgreSQL for this test run on a socket of its own and return the socket's folder."""
    programs = _postgres_programs()
    folder = Path(tempfile.mkdtemp(prefix="doorlist-postgres-"))
    user = _unprivileged_user()
    if user is not None:
        shutil.chown(folder, user)
    folder.chmod(0o755)

    def run(*command: str) -> None:
        groups: list[int] | None = [] if user else None
        group = pwd.getpwnam(user).pw_gid if user else None
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            cwd=folder,
            user=user,
            group=group,
            extra_groups=groups,
            timeout=60,
        )

    run(
        str(programs / "initdb"),
        "-D",
        "cluster",
        "-U",
        "doorlist",
        "--auth=trust",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C",
    )
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    run(str(programs / "pg_ctl"), "-D", "cluster", "-w", "-l", "log", "-o", options, "start")

    def stop() -> None:
        run(str(programs / "pg_ctl"), "-D", "cluster", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    asyncio.run(_make_postgres_template(folder))
    return folder


def _postgres_programs() -> Path:
    found = shutil.which("pg_ctl")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if found:
        return Path(found).resolve().parent
    if not folders:
        pytest.skip("PostgreSQL's server programs (initdb, pg_ctl) are not installed")
    return folders[0]


def _unprivileged_user() -> str | None:
    """Return whom to run the server as: it refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


async def _make_postgres_template(folder: Path) -> None:
    await _administer(folder, f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
    await _migrate(postgres_url(folder, TEMPLATE))


async def _migrate(url: str) -> None:
    database = await Database.open(settings(url), MovableClock())
    await database.close()


async def _administer(folder: Path, statement: str) -> None:
    connection = await asyncpg.connect(host=str(folder), user="doorlist", database="postgres")
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def _opened(url: str, clock: MovableClock | None) -> AsyncIterator[Database]:
    database = await Database.open(settings(url), clock or MovableClock())
    try:
        yield database
    finally:
        await database.close()
