"""What the doctor reads from the database, on both of them."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

from membership.model import GuildId, HoldingState, Lane, MemberKey, RoleId, UserId
from membership.records import Draft
from storage.examination import (
    examine_queues,
    examine_schema,
    find_damage,
    has_event,
    holder_counts,
    key_file,
    running_process,
)
from storage.lock import FileLock
from storage.migrate import revisions
from storage.store import Database
from tests.storage.builders import an_event
from tests.storage.databases import NOON, MovableClock, empty_postgres, settings

GUILD, OTHER = GuildId(1), GuildId(2)
VIP, GOLD = RoleId(11), RoleId(12)


async def test_an_up_to_date_schema_lacks_nothing(database: Database) -> None:
    found = await examine_schema(settings(database.url))
    assert (found.revision, found.missing, found.is_newer) == (revisions()[-1], (), False)


async def test_an_empty_database_lacks_every_migration() -> None:
    async with empty_postgres("template0") as url:
        found = await examine_schema(settings(url))
    assert (found.revision, list(found.missing)) == (None, revisions())


async def test_a_sound_database_has_no_damage(database: Database) -> None:
    assert await find_damage(database) == []


async def test_empty_queues_hold_nothing_up(database: Database) -> None:
    found = await examine_queues(database)
    assert (found.parked, found.late_sweep_since, found.waiting_mails, found.oldest_mail_at) == (0, None, 0, None)


async def test_it_tells_of_parked_jobs_due_sweeps_and_waiting_mails(database: Database, clock: MovableClock) -> None:
    async with database.write() as tx:
        await tx.jobs.mark("member", "1:2", lane=Lane.EVENT, run_at=NOON)
        (job,) = await tx.jobs.claim(NOON, NOON + timedelta(minutes=1), 1, [])
        await tx.jobs.fail(job, "Discord said no", not_before=None)
        await tx.jobs.mark("sweep", "1", lane=Lane.BULK, run_at=NOON)
        for key in "ab":
            clock.move(timedelta(minutes=1))
            draft = Draft(dedupe_key=key, kind="mail", target="1", template="connect", facts={})
            await tx.outbox.put(draft, clock.now())
    found = await examine_queues(database)
    assert (found.parked, found.last_error, found.late_sweep_since) == (1, "Discord said no", NOON)
    assert (found.waiting_mails, found.oldest_mail_at) == (2, NOON + timedelta(minutes=1))


async def test_it_knows_which_events_came_in(database: Database) -> None:
    async with database.write() as tx:
        await tx.inbox.add("stripe", [an_event("evt_1")], NOON)
    assert await has_event(database, "stripe", "evt_1")
    assert not await has_event(database, "stripe", "evt_2")
    assert not await has_event(database, "other", "evt_1")


async def test_it_counts_holders_by_role_and_server(database: Database) -> None:
    async with database.write() as tx:
        for user, role in ((1, VIP), (2, VIP), (2, GOLD)):
            await tx.members.own(MemberKey(GUILD, UserId(user)), role, HoldingState.HELD, NOON)
        await tx.members.own(MemberKey(OTHER, UserId(1)), VIP, HoldingState.HELD, NOON)
    assert await holder_counts(database, GUILD) == {VIP: 2, GOLD: 1}


async def test_it_names_the_process_that_runs(tmp_path: Path) -> None:
    chosen = settings(f"sqlite:///{tmp_path}/doorlist.db")
    assert running_process(chosen) == ""
    lock = FileLock.take(tmp_path / "doorlist.db")
    assert running_process(chosen) == str(os.getpid())
    await lock.release()


def test_a_process_that_died_does_not_run(tmp_path: Path) -> None:
    (tmp_path / "doorlist.db.lock").write_text("4194305\n")  # above every process id of Linux
    assert running_process(settings(f"sqlite:///{tmp_path}/doorlist.db")) == ""


def test_a_configured_key_is_in_no_file() -> None:
    assert key_file(settings("sqlite:///data/doorlist.db")) is None
