"""What the doctor finds in the database, the jobs, mail and the pages."""

from __future__ import annotations

import os
import sqlite3
from datetime import timedelta

from pydantic import SecretStr

from membership.checks import Outcome
from membership.model import Lane, MemberKey, RoleId, UserId
from membership.records import Draft, HeldRemoval
from storage.examination import database_file, key_file
from tests.app.clinic import Clinic


async def test_damage_in_the_database_is_named(clinic: Clinic) -> None:
    file = database_file(clinic.settings.database)
    assert file is not None
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("UPDATE plan_roles SET plan_id = 4711")
    found = await clinic.only("S01")
    assert found.outcome is Outcome.FAIL
    assert "plan_roles" in found.cause


async def test_open_migrations_are_counted_and_not_run(clinic: Clinic) -> None:
    file = database_file(clinic.settings.database)
    assert file is not None
    with sqlite3.connect(file) as connection:
        connection.execute("DELETE FROM alembic_version")
    found = await clinic.only("S02")
    assert found.outcome is Outcome.FAIL
    assert "migrations are open" in found.cause
    with sqlite3.connect(file) as connection:
        assert connection.execute("SELECT * FROM alembic_version").fetchall() == []


async def test_a_database_that_is_not_there_yet_is_skipped_and_not_made(clinic: Clinic) -> None:
    clinic.set("database", url=f"sqlite:///{clinic.folder}/new.db")
    found = await clinic.look("S01", "S02", "J01", "D08")
    assert {result.outcome for result in found} == {Outcome.SKIP}
    assert not (clinic.folder / "new.db").exists()


async def test_a_lost_encryption_key_is_no_reason_to_make_another(clinic: Clinic) -> None:
    clinic.set("database", encryption_key=SecretStr(""))
    found = await clinic.only("C07")
    assert found.outcome is Outcome.FAIL
    assert "encryption_key is missing" in found.cause
    made = key_file(clinic.settings.database)
    assert made is not None
    assert not made.exists()


async def test_a_wrong_encryption_key_is_told(clinic: Clinic) -> None:
    clinic.set("database", encryption_key=SecretStr("OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEwOTg="))
    found = await clinic.only("C07")
    assert found.outcome is Outcome.FAIL
    assert "not the one that this database was written with" in found.cause


async def test_a_run_that_is_late_is_told_by_how_much(clinic: Clinic) -> None:
    await clinic.clock.advance(timedelta(minutes=22))
    found = await clinic.only("J01")
    assert (found.outcome, "22 min ago" in found.cause) == (Outcome.FAIL, True)
    assert f"process {os.getpid()}" in found.fix  # the clinic holds the lock as a running Doorlist does


async def test_sweeps_that_do_not_keep_up_are_a_warning(clinic: Clinic) -> None:
    async with clinic.services.store.write() as tx:
        await tx.jobs.mark("sweep", str(clinic.guild_id), lane=Lane.BULK, run_at=clinic.clock.now())
    await clinic.clock.advance(timedelta(minutes=6))
    found = await clinic.only("J02")
    assert (found.outcome, "6 min" in found.cause) == (Outcome.WARN, True)


async def test_parked_jobs_are_shown_with_their_last_error(clinic: Clinic) -> None:
    async with clinic.services.store.write() as tx:
        now = clinic.clock.now()
        (job, *_) = await tx.jobs.claim(now, now + timedelta(minutes=1), 1, [])
        await tx.jobs.fail(job, "Stripe said no", not_before=None)
    found = await clinic.only("J03")
    assert (found.outcome, "Stripe said no" in found.cause) == (Outcome.WARN, True)


async def test_members_who_wait_for_days_are_counted(clinic: Clinic) -> None:
    await clinic.fails_to_deliver()
    assert await clinic.outcome("J03") is Outcome.OK
    await clinic.clock.advance(timedelta(days=3))
    found = await clinic.only("J03")
    assert "1 grant" in found.cause
    assert "role above bot" in found.cause


async def test_removals_that_nobody_decides_are_told(clinic: Clinic) -> None:
    removal = HeldRemoval(key=MemberKey(clinic.guild_id, UserId(1)), role_id=RoleId(clinic.vip_id))
    async with clinic.services.store.write() as tx:
        await tx.removals.hold(clinic.guild_id, [removal], "unevidenced", clinic.clock.now())
    assert await clinic.outcome("J04") is Outcome.OK
    await clinic.clock.advance(timedelta(days=2))
    assert "1 removals" in (await clinic.only("J04")).cause


async def test_a_pause_that_was_forgotten_is_told(clinic: Clinic) -> None:
    await clinic.guild(paused_at=clinic.clock.now())
    assert await clinic.outcome("J04") is Outcome.OK
    await clinic.clock.advance(timedelta(days=4))
    assert "paused since 4 d" in (await clinic.only("J04")).cause


async def test_a_mail_server_without_log_in_is_told(clinic: Clinic) -> None:
    smtp = clinic.settings.mail.smtp.model_copy(update={"username": "gate", "password": SecretStr("wrong")})
    clinic.set("mail", smtp=smtp)
    found = await clinic.only("M01")
    assert (found.outcome, "refuses us" in found.cause) == (Outcome.FAIL, True)


async def test_a_silent_mail_server_is_unreachable(clinic: Clinic) -> None:
    clinic.set("mail", smtp=clinic.settings.mail.smtp.model_copy(update={"port": 9}))
    found = await clinic.only("M01")
    assert (found.outcome, found.is_unreachable) == (Outcome.SKIP, True)


async def test_a_sender_of_another_domain_is_a_warning(clinic: Clinic) -> None:
    clinic.set("mail", smtp=clinic.settings.mail.smtp.model_copy(update={"username": "ada@other.example"}))
    assert "demo.example" in (await clinic.only("M02")).cause


async def test_mails_that_wait_are_counted(clinic: Clinic) -> None:
    draft = Draft(dedupe_key="1", kind="mail", target="1", template="connect", facts={})
    async with clinic.services.store.write() as tx:
        await tx.outbox.put(draft, clinic.clock.now())
    assert await clinic.outcome("M06") is Outcome.OK
    await clinic.clock.advance(timedelta(hours=2))
    found = await clinic.only("M06")
    assert (found.outcome, found.cause) == (Outcome.WARN, "1 mail wait, the oldest since 2 h.")


async def test_an_address_that_leads_elsewhere_is_told(clinic: Clinic) -> None:
    clinic.set("web", public_url=clinic.outside.url)
    found = await clinic.only("W01")
    assert (found.outcome, "not as Doorlist" in found.cause) == (Outcome.FAIL, True)


async def test_an_address_that_nobody_answers_at_is_unreachable(clinic: Clinic) -> None:
    clinic.set("web", public_url="http://127.0.0.1:9")
    assert (await clinic.only("W01")).is_unreachable
