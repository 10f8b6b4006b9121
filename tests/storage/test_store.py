"""Opening, locking, migrating, transactions and failures of the database itself."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from membership.errors import Retry
from membership.ledgers import Intake, Store, Transaction
from membership.model import Lane
from storage.config import DatabaseSettings
from storage.engine import open_engine
from storage.intake import GroupCommit
from storage.lock import AlreadyRunning
from storage.migrate import NewerSchema, revisions, upgrade
from storage.secrets import WrongKey
from storage.store import ROOT, Database
from storage.store import Transaction as OurTransaction
from storage.web_tables import complete_metadata
from tests.storage.databases import NOON, MovableClock, empty_postgres, postgres_database, settings, sqlite_database


def as_ports(database: Database, intake: GroupCommit, tx: OurTransaction) -> tuple[Store, Intake, Transaction]:
    """Let the type checker prove that storage is what membership asks for."""
    return database, intake, tx


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "target_metadata": complete_metadata})
    return list(compare_metadata(context, complete_metadata))


async def test_the_migrations_make_exactly_the_schema(database: Database) -> None:
    async with database.write() as tx:
        assert await tx.connection.run_sync(differences) == []


async def test_an_interrupted_migration_leaves_nothing() -> None:
    async with empty_postgres("template0") as url:
        engine = open_engine(url, ROOT)
        async with engine.connect() as connection:
            transaction = await connection.begin()
            await connection.run_sync(upgrade)
            await transaction.rollback()
            tables = await connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
            assert tables.scalar_one() == 0
        await engine.dispose()


async def test_a_newer_schema_is_refused_untouched(tmp_path: Path) -> None:
    async with sqlite_database(tmp_path) as database, database.write() as tx:
        await tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(NewerSchema, match=r"9999.*newer version"):
        await Database.open(settings(f"sqlite:///{tmp_path}/doorlist.db"), MovableClock())


async def test_a_file_is_copied_before_it_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "doorlist.db"
    async with sqlite_database(tmp_path) as database, database.write() as tx:
        await tx.cursors.put("a", "b")
    later = tmp_path / "migrations"
    make_a_later_version(later)
    monkeypatch.setattr("storage.migrate.FOLDER", later)
    database = await Database.open(settings(f"sqlite:///{path}"), MovableClock())
    await database.close()
    with closing(sqlite3.connect(path.with_name("doorlist.db.before-9000"))) as copy:
        assert copy.execute("SELECT value FROM cursors").fetchall() == [("b",)]
        assert copy.execute("SELECT version_num FROM alembic_version").fetchall() == [(revisions_of_this_version(),)]
    with closing(sqlite3.connect(path)) as migrated:
        assert migrated.execute("SELECT * FROM later").fetchall() == []


def revisions_of_this_version() -> str:
    versions = (ROOT / "storage" / "migrations" / "versions").glob("[0-9]*.py")
    return max(path.stem.partition("_")[0] for path in versions)


def make_a_later_version(folder: Path) -> None:
    """Copy the migrations and add one to them, as an update would."""
    (folder / "versions").mkdir(parents=True)
    original = ROOT / "storage" / "migrations"
    for path in (original / "env.py", *(original / "versions").glob("[0-9]*.py")):
        target = folder / path.relative_to(original)
        target.write_text(path.read_text("utf-8"), "utf-8")
    (folder / "versions" / "9000_later.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n"
        f"revision, down_revision = '9000', {revisions_of_this_version()!r}\n"
        "def upgrade():\n    op.create_table('later', sa.Column('id', sa.Integer(), primary_key=True))\n",
        "utf-8",
    )


async def test_a_start_without_migrations_is_quick_and_leaves_alembic_alone(tmp_path: Path) -> None:
    async with sqlite_database(tmp_path):
        pass
    program = (
        "import asyncio, sys\nfrom storage.store import Database\n"
        "from tests.storage.databases import MovableClock, settings\n"
        "async def main():\n"
        "    database = await Database.open(settings(sys.argv[1]), MovableClock())\n"
        "    await database.close()\n"
        "asyncio.run(main())\nassert 'alembic' not in sys.modules\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, f"sqlite:///{tmp_path}/doorlist.db", cwd=ROOT
    )
    assert await asyncio.wait_for(process.wait(), 30) == 0


async def test_the_revisions_are_known_by_their_file_names() -> None:
    assert revisions()[0] == "0001"


async def test_a_second_instance_is_refused_with_what_to_do(database: Database, tmp_path: Path) -> None:
    url = database.url
    with pytest.raises(AlreadyRunning, match=r"already running.*\d+.*Stop the other one"):
        await Database.open(settings(url), MovableClock())


async def test_a_tool_may_look_in_beside_a_running_instance(database: Database) -> None:
    tool = await Database.open(settings(database.url), MovableClock(), is_exclusive=False)
    async with tool.read() as tx:
        assert await tx.accounts.all() == []
    await tool.close()


async def test_a_closed_instance_lets_the_next_one_in(database: Database) -> None:
    await database.close()
    again = await Database.open(settings(database.url), MovableClock())
    await again.close()


async def test_a_failed_block_leaves_nothing_behind(database: Database) -> None:
    async def fail() -> None:
        async with database.write() as tx:
            await tx.cursors.put("a", "b")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with database.read() as tx:
        assert await tx.cursors.get("a") is None


async def test_a_read_block_never_writes(sqlite: Database) -> None:
    async with sqlite.read() as tx:
        await tx.cursors.put("a", "b")
    async with sqlite.read() as tx:
        assert await tx.cursors.get("a") is None


async def test_a_cancelled_block_rolls_back_and_the_next_one_works(database: Database) -> None:
    async def hang() -> None:
        async with database.write() as tx:
            await tx.cursors.put("a", "b")
            await asyncio.sleep(60)

    for delay in (0.0, 0.001, 0.005, 0.05):
        task = asyncio.create_task(hang())
        await asyncio.sleep(delay)
        task.cancel()
        await asyncio.wait([task])
        async with database.write() as tx:
            assert await tx.cursors.get("a") is None


async def test_a_transaction_inside_another_is_a_loud_bug(sqlite: Database) -> None:
    with pytest.raises(RuntimeError, match="already open"):
        async with sqlite.write(), sqlite.read():
            pass


async def test_a_broken_constraint_is_a_loud_bug(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.write() as tx:
            await tx.connection.execute(text("INSERT INTO purchase_items VALUES (9, 0, 'a', 'b', 1, NULL)"))


async def test_a_naive_datetime_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="time zone"):
        async with database.write() as tx:
            await tx.jobs.mark("member", "1", lane=Lane.EVENT, run_at=datetime(2026, 1, 1))  # noqa: DTZ001 - the point


async def test_moments_come_back_in_utc_to_the_microsecond(database: Database) -> None:
    moment = datetime(2026, 3, 29, 3, 30, 0, 123457, tzinfo=timezone(timedelta(hours=2)))
    async with database.write() as tx:
        await tx.jobs.mark("member", "1", lane=Lane.EVENT, run_at=moment)
        due_at = await tx.jobs.next_run_at()
    assert due_at == moment
    assert due_at.tzinfo is UTC


async def test_a_full_disk_is_a_retry_and_heals(sqlite: Database) -> None:
    async with sqlite.read() as tx:
        pages = (await tx.connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await tx.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Retry, match="full"):
        async with sqlite.write() as tx:
            await tx.cursors.put("big", "x" * 10_000_000)
    async with sqlite.read() as tx:
        await tx.connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    async with sqlite.write() as tx:
        await tx.cursors.put("big", "x" * 10_000_000)


async def test_a_server_that_is_away_is_a_retry(tmp_path: Path) -> None:
    with pytest.raises(Retry, match="reached"):
        await Database.open(settings(f"postgresql://doorlist@/none?host={tmp_path}"), MovableClock())


async def test_a_lost_connection_is_a_retry_and_heals() -> None:
    async with postgres_database() as database:
        with pytest.raises(Retry):
            async with database.write() as tx:
                await tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        async with database.write() as tx:
            await tx.cursors.put("a", "b")


async def test_the_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    url = DatabaseSettings(url=f"sqlite:///{tmp_path}/new/doorlist.db")
    for _ in range(2):
        database = await Database.open(url, MovableClock())
        await database.close()
    for name in ("encryption_key", "doorlist.db"):
        assert stat.S_IMODE((tmp_path / "new" / name).stat().st_mode) == 0o600


async def test_the_wrong_key_is_noticed_at_the_start(tmp_path: Path) -> None:
    async with sqlite_database(tmp_path):
        pass
    other = SecretStr("A" * 43 + "=")
    with pytest.raises(WrongKey, match="backup"):
        await Database.open(
            DatabaseSettings(url=f"sqlite:///{tmp_path}/doorlist.db", encryption_key=other), MovableClock()
        )


async def test_sqlite_is_set_up_to_lose_nothing(sqlite: Database) -> None:
    expected = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    async with sqlite.read() as tx:
        found = {name: (await tx.connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one() for name in expected}
    assert found == expected


async def test_marking_many_members_leaves_the_event_loop_free(database: Database) -> None:
    longest, is_over = 0.0, False

    async def watch() -> None:
        nonlocal longest
        last = time.perf_counter()
        while not is_over:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            longest, last = max(longest, now - last), now

    watcher = asyncio.create_task(watch())
    keys = [(f"1:{number}", "1") for number in range(30_000)]
    started = time.perf_counter()
    async with database.write() as tx:
        await tx.jobs.mark_many("member", keys, lane=Lane.BULK, run_at=NOON)
    is_over = True
    await watcher
    assert longest < (time.perf_counter() - started) / 3
