"""How the database is: its schema, its health, its disk and its queues. Reads only, takes no lock, migrates nothing."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select, text

from membership.model import GuildId, RoleId
from storage.config import DatabaseSettings
from storage.engine import failures, open_engine, sqlite_path
from storage.ledgers import inbox_events, jobs, outbox_messages
from storage.migrate import current_revision, revisions
from storage.schema import holdings
from storage.secrets import KEY_FILE
from storage.store import ROOT, Database

_NETWORK_DISKS = frozenset({"nfs", "nfs4", "cifs", "smbfs", "smb3", "9p", "afs", "fuse.sshfs", "glusterfs", "ceph"})
_MOUNTS = Path("/proc/self/mounts")
_MOST_FLAWS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaExamination:
    """Which schema a database has. `revision` None: it is empty. `missing` are the versions that it still lacks."""

    revision: str | None
    missing: tuple[str, ...]
    is_newer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueExamination:
    """What waits. `late_sweep_since`: since when the oldest sweep should have run, None when none is due."""

    parked: int
    last_error: str
    late_sweep_since: datetime | None
    waiting_mails: int
    oldest_mail_at: datetime | None


def database_file(settings: DatabaseSettings) -> Path | None:
    """Return the SQLite file, None for another database."""
    return sqlite_path(settings.url, ROOT)


def key_file(settings: DatabaseSettings) -> Path | None:
    """Return where the encryption key is kept, None when it is configured."""
    if settings.encryption_key.get_secret_value():
        return None
    file = database_file(settings)
    return (file.parent if file else ROOT / "data") / KEY_FILE


def running_process(settings: DatabaseSettings) -> str:
    """Return the process id that the lock file names, "" when there is none or it no longer runs."""
    file = database_file(settings)
    lock = file.with_name(f"{file.name}.lock") if file else None
    if lock is None or not lock.exists():
        return ""
    holder = lock.read_text("utf-8", errors="replace").strip()
    return holder if holder.isdigit() and _is_alive(int(holder)) else ""


def network_disk(file: Path, mounts: str | None = None) -> str:
    """Return the kind of network disk that a file is on ("nfs4"), "" for a disk of this machine or where unknown."""
    if mounts is None:
        mounts = _MOUNTS.read_text("utf-8", errors="replace") if _MOUNTS.exists() else ""
    folder = str(file.resolve().parent)
    found = [line.split() for line in mounts.splitlines() if len(line.split()) > 2]
    above = [(place, kind) for _, place, kind, *_ in found if os.path.commonpath([place, folder]) == place]
    _, kind = max(above, key=lambda entry: len(entry[0]), default=("", ""))
    return kind if kind in _NETWORK_DISKS else ""


async def examine_schema(settings: DatabaseSettings) -> SchemaExamination:
    """Read which schema the database has. Raises Retry when it cannot be reached. The SQLite file must exist."""
    engine = open_engine(settings.url, ROOT)
    try:
        with failures():
            async with engine.connect() as connection:
                current = await connection.run_sync(current_revision)
    finally:
        await engine.dispose()
    known = revisions()
    is_newer = current is not None and current not in known
    behind = [revision for revision in known if current is None or revision > current]
    return SchemaExamination(revision=current, missing=() if is_newer else tuple(behind), is_newer=is_newer)


async def find_damage(database: Database) -> Sequence[str]:
    """Return what is wrong inside a SQLite file, at most five lines; PostgreSQL looks after itself."""
    async with database.read() as tx:
        if tx.connection.dialect.name != "sqlite":
            return []
        checked = await tx.connection.execute(text(f"PRAGMA quick_check({_MOST_FLAWS})"))
        flaws = [str(line) for line in checked.scalars() if line != "ok"]
        broken = await tx.connection.execute(text("PRAGMA foreign_key_check"))
        flaws += [f"a row of {row[0]} belongs to a row of {row[2]} that is not there" for row in broken]
    return flaws[:_MOST_FLAWS]


async def examine_queues(database: Database) -> QueueExamination:
    """Look at the jobs that need a person, at the sweeps, and at the mails that wait."""
    is_mail = (outbox_messages.c.kind == "mail") & (outbox_messages.c.state == "waiting")
    async with database.read() as tx:
        run = tx.connection.execute
        parked = (await run(select(func.count()).where(jobs.c.is_parked))).scalar_one()
        error = (await run(select(jobs.c.last_error).where(jobs.c.is_parked).order_by(jobs.c.due_at.desc()))).scalar()
        sweep = (await run(select(func.min(jobs.c.due_at)).where(jobs.c.kind == "sweep", ~jobs.c.is_parked))).scalar()
        mails = (await run(select(func.count(), func.min(outbox_messages.c.created_at)).where(is_mail))).one()
    return QueueExamination(
        parked=parked,
        last_error=error or "",
        late_sweep_since=sweep,
        waiting_mails=mails[0],
        oldest_mail_at=mails[1],
    )


async def has_event(database: Database, provider: str, external_id: str) -> bool:
    """Say whether a provider's event has come in."""
    same = (inbox_events.c.provider == provider) & (inbox_events.c.external_id == external_id)
    async with database.read() as tx:
        return (await tx.connection.execute(select(inbox_events.c.id).where(same))).first() is not None


async def holder_counts(database: Database, guild_id: GuildId) -> Mapping[RoleId, int]:
    """Count on how many members of a guild we hold each role."""
    counted = select(holdings.c.role_id, func.count()).where(holdings.c.guild_id == guild_id)
    async with database.read() as tx:
        found = await tx.connection.execute(counted.group_by(holdings.c.role_id))
        return {RoleId(role_id): count for role_id, count in found}


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
