"""The inbox, the outbox, the audit, sessions, cursors and the brake's ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from membership.errors import UserError
from membership.model import BatchId, GuildId, HoldingState, Lane, MemberKey, RoleId, UserId
from membership.records import AuditEntry, Draft, HeldRemoval, RemovalCounts, Tries
from storage.ledgers import deliveries
from storage.store import Database
from tests.storage.builders import CHARLIE, DANA, GUILD, VIP, an_event
from tests.storage.databases import NOON

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
KEY = MemberKey(GUILD, CHARLIE)
ROLE = HeldRemoval(key=KEY, role_id=VIP)
KICK = HeldRemoval(key=KEY, role_id=None)


def a_draft(dedupe_key: str, *, target: str = "7", facts: Mapping[str, object] | None = None) -> Draft:
    return Draft(dedupe_key=dedupe_key, kind="mail", target=target, template="connect", facts=facts or {})


async def test_an_event_is_stored_once_with_one_job(database: Database) -> None:
    event = an_event(body=b'{"id": "evt_1"}', account="acct_9")
    async with database.write() as tx:
        assert await tx.inbox.add("stripe", [event, event], NOON) == 1
        assert await tx.inbox.add("stripe", [event], NOON) == 0
        assert await tx.inbox.add("dodo", [event], NOON) == 1
        jobs = await tx.jobs.claim(NOON, NOON + MINUTE, 10, [])
        stored = await tx.inbox.get(int(jobs[0].key))
    assert {(job.kind, job.lane, job.scope) for job in jobs} == {
        ("intake", Lane.EVENT, "dodo"),
        ("intake", Lane.EVENT, "stripe"),
    }
    assert (stored.event, stored.received_at, stored.state) == (event, NOON, "new")


async def test_a_settled_event_says_so(database: Database) -> None:
    async with database.write() as tx:
        await tx.inbox.add("stripe", [an_event()], NOON)
        (job,) = await tx.jobs.claim(NOON, NOON + MINUTE, 10, [])
        await tx.inbox.settle(int(job.key), "quarantined", "too odd")
        assert (await tx.inbox.get(int(job.key))).state == "quarantined"
        with pytest.raises(KeyError):
            await tx.inbox.get(99)


async def test_a_message_goes_out_once_per_dedupe_key(database: Database) -> None:
    async with database.write() as tx:
        facts = {"plan": "VIP", "at": NOON, "tries": [1, 2]}
        assert await tx.outbox.put(a_draft("connect:1", facts=facts), NOON)
        assert not await tx.outbox.put(a_draft("connect:1", target="8"), NOON)
        (job,) = await tx.jobs.claim(NOON, NOON + MINUTE, 10, [])
        message = await tx.outbox.get(int(job.key))
    assert message is not None
    assert (message.kind, message.target, message.facts) == (
        "mail",
        "7",
        {"plan": "VIP", "at": "2026-11-20T12:00:00+00:00", "tries": [1, 2]},
    )


async def test_of_many_who_queue_a_message_at_once_one_is_new(database: Database) -> None:
    async def put() -> bool:
        async with database.write() as tx:
            return await tx.outbox.put(a_draft("moved:1"), NOON)

    assert sum(await asyncio.gather(*(put() for _ in range(16)))) == 1


async def test_tries_that_may_have_arrived_are_counted_for_their_message_and_their_target(database: Database) -> None:
    async with database.write() as tx:
        await tx.outbox.put(a_draft("a"), NOON)
        (job,) = await tx.jobs.claim(NOON, NOON + MINUTE, 10, [])
        await tx.outbox.record_try(int(job.key), "silence", NOON, is_answered=False)
        tries = await tx.outbox.record_try(int(job.key), "silence", NOON + MINUTE, is_answered=False)
        assert tries == Tries(first_at=NOON, unanswered=2)
        assert await tx.outbox.sent_to("mail", "7", NOON) == 2
        assert await tx.outbox.sent_to("mail", "7", NOON + MINUTE) == 1
        assert await tx.outbox.sent_to("mail", "8", NOON) == 0


async def test_a_settled_message_waits_no_more_and_its_tries_are_kept(database: Database) -> None:
    async with database.write() as tx:
        await tx.outbox.put(a_draft("a"), NOON)
        (job,) = await tx.jobs.claim(NOON, NOON + MINUTE, 10, [])
        message_id = int(job.key)
        tries = await tx.outbox.record_try(message_id, "451 later", NOON, is_answered=True)
        assert tries == Tries(first_at=NOON, unanswered=0)
        assert await tx.outbox.get(message_id) is not None
        await tx.outbox.settle(message_id, "sent", "250 ok", NOON + MINUTE)
        await tx.outbox.settle(message_id, "dropped", "too late", NOON + DAY)
        assert await tx.outbox.get(message_id) is None
        rows = (await tx.connection.execute(select(deliveries.c.state).order_by(deliveries.c.id))).scalars().all()
        assert await tx.outbox.sent_to("mail", "7", NOON) == 1
        assert await tx.outbox.sent_to("mail", "7", NOON + DAY) == 0
        assert await tx.outbox.sent_to("dm", "7", NOON) == 0
    assert list(rows) == ["failed", "sent"]


async def test_audit_entries_come_newest_first(database: Database) -> None:
    first = AuditEntry(event="linked", actor="member", guild_id=GUILD, user_id=CHARLIE, detail={"proof": "oauth"})
    second = AuditEntry(event="brake", actor="system", guild_id=GuildId(5))
    async with database.write() as tx:
        number = await tx.audit.add(first, NOON)
        await tx.audit.add(second, NOON + MINUTE)
        assert [entry for _, _, entry in await tx.audit.recent(10)] == [second, first]
        assert list(await tx.audit.recent(10, guild_id=GUILD, user_id=CHARLIE)) == [(number, NOON, first)]
        assert list(await tx.audit.recent(10, user_id=DANA)) == []
        assert len(await tx.audit.recent(1)) == 1


async def test_a_cursor_keeps_its_last_value(database: Database) -> None:
    async with database.write() as tx:
        assert await tx.cursors.get("poll") is None
        await tx.cursors.put("poll", "evt_1")
        await tx.cursors.put("poll", "evt_2")
        assert await tx.cursors.get("poll") == "evt_2"


async def test_a_session_is_read_until_it_expires(database: Database) -> None:
    async with database.write() as tx:
        await tx.sessions.put("digest", "web", {"user": "1"}, NOON + MINUTE)
        await tx.sessions.put("digest", "web", {"user": "2"}, NOON + MINUTE)
        assert await tx.sessions.get("digest", "web", NOON) == {"user": "2"}
        assert await tx.sessions.get("digest", "oauth", NOON) is None
        assert await tx.sessions.get("digest", "web", NOON + MINUTE) is None
        await tx.sessions.prune(NOON + MINUTE)
        assert await tx.sessions.get("digest", "web", NOON) is None


async def test_of_many_who_take_a_session_at_once_one_gets_it(database: Database) -> None:
    async with database.write() as tx:
        await tx.sessions.put("digest", "oauth", {"state": "x"}, NOON + MINUTE)

    async def take() -> bool:
        async with database.write() as tx:
            return await tx.sessions.take("digest", "oauth", NOON) is not None

    assert sum(await asyncio.gather(*(take() for _ in range(16)))) == 1


async def test_session_content_is_not_readable_in_the_table(database: Database) -> None:
    async with database.write() as tx:
        await tx.sessions.put("digest", "web", {"token": "hunter2"}, NOON + MINUTE)
        content = (await tx.connection.execute(text("SELECT content FROM sessions"))).scalar_one()
    assert "hunter2" not in content


async def test_the_brake_counts_each_removal_once_and_not_the_released(database: Database) -> None:
    async with database.write() as tx:
        await tx.members.own(MemberKey(GUILD, DANA), VIP, HoldingState.HELD, NOON)
        await tx.removals.reserve(KEY, VIP, NOON, is_confirmed=False)
        await tx.removals.reserve(KEY, VIP, NOON + MINUTE, is_confirmed=False)
        await tx.removals.reserve(KEY, None, NOON, is_confirmed=False)
        await tx.removals.reserve(KEY, RoleId(7), NOON, is_confirmed=True)
        assert await tx.removals.counts(GUILD, NOON - DAY) == RemovalCounts(roles=1, kicks=1)
        assert await tx.removals.counts(GUILD, NOON + MINUTE) == RemovalCounts(roles=0, kicks=0)
        assert await tx.removals.paying(GUILD, NOON - DAY) == 2
        assert await tx.removals.paying(GUILD, NOON + MINUTE) == 1
        assert await tx.removals.is_reserved(ROLE, NOON - DAY)
        assert not await tx.removals.is_reserved(ROLE, NOON + DAY)


async def test_held_removals_of_one_cause_share_a_batch(database: Database) -> None:
    other = HeldRemoval(key=MemberKey(GUILD, UserId(5)), role_id=VIP)
    async with database.write() as tx:
        first = await tx.removals.hold(GUILD, [ROLE], "unevidenced", NOON)
        (before,) = await tx.removals.open_batches()
        assert await tx.removals.hold(GUILD, [ROLE, other], "unevidenced", NOON) == first
        assert await tx.removals.hold(GUILD, [KICK], "too_many_kicks", NOON) != first
        after, kicks = await tx.removals.open_batches(GUILD)
        assert list(await tx.removals.open_batches(GuildId(5))) == []
    assert before.removals == (ROLE,)
    assert after.removals == (other, ROLE)
    assert after.set_hash != before.set_hash
    assert kicks.removals == (KICK,)


async def test_a_release_covers_its_set_for_thirty_minutes(database: Database) -> None:
    async with database.write() as tx:
        batch_id = await tx.removals.hold(GUILD, [ROLE], "unevidenced", NOON)
        (batch,) = await tx.removals.open_batches()
        assert await tx.removals.decide(batch_id, batch.set_hash, "released", "bob", NOON) == batch
        assert await tx.removals.is_released(ROLE, NOON + 29 * MINUTE)
        assert not await tx.removals.is_released(ROLE, NOON + 30 * MINUTE)
        assert not await tx.removals.is_released(KICK, NOON)
        assert not await tx.removals.is_discarded(ROLE)
        assert list(await tx.removals.open_batches()) == []


async def test_one_removal_of_a_batch_is_released_and_the_rest_stays_held(database: Database) -> None:
    other = HeldRemoval(key=MemberKey(GUILD, UserId(5)), role_id=VIP)
    async with database.write() as tx:
        batch_id = await tx.removals.hold(GUILD, [ROLE, other], "unevidenced", NOON)
        (batch,) = await tx.removals.open_batches()
        released = await tx.removals.release_one(batch_id, batch.set_hash, "bob", NOON)
        (left,) = await tx.removals.open_batches()
        assert {*released.removals, *left.removals} == {ROLE, other}
        assert await tx.removals.is_released(released.removals[0], NOON)
        assert not await tx.removals.is_released(left.removals[0], NOON)
        with pytest.raises(UserError, match="has changed"):
            await tx.removals.release_one(batch_id, batch.set_hash, "bob", NOON)
        await tx.removals.release_one(batch_id, left.set_hash, "bob", NOON)
        assert list(await tx.removals.open_batches()) == []


async def test_the_database_knows_its_size(database: Database) -> None:
    assert await database.size() > 10_000


async def test_a_discarded_removal_stays_discarded_until_a_person_decides_again(database: Database) -> None:
    async with database.write() as tx:
        for verdict, at in (("discarded", NOON), ("released", NOON + DAY)):
            batch_id = await tx.removals.hold(GUILD, [ROLE], "unevidenced", at)
            (batch,) = await tx.removals.open_batches()
            await tx.removals.decide(batch_id, batch.set_hash, verdict, "bob", at)
            assert await tx.removals.is_discarded(ROLE) == (verdict == "discarded")


async def test_a_remembered_role_of_somebody_who_left_makes_nobody_a_paying_member(database: Database) -> None:
    async with database.write() as tx:
        await tx.members.own(KEY, VIP, HoldingState.REMOVING, NOON)
        assert await tx.removals.paying(GUILD, NOON - DAY) == 0


async def test_a_member_who_is_live_again_leaves_the_held_kicks_and_may_be_asked_about_anew(
    database: Database,
) -> None:
    async with database.write() as tx:
        discarded = await tx.removals.hold(GUILD, [ROLE], "unevidenced", NOON)
        (batch,) = await tx.removals.open_batches()
        await tx.removals.decide(discarded, batch.set_hash, "discarded", "bob", NOON)
        await tx.removals.hold(GUILD, [KICK], "too_many_kicks", NOON)
        await tx.removals.drop(KEY, [RoleId(7)])
        assert len(await tx.removals.open_batches()) == 1
        await tx.removals.drop(KEY, [RoleId(7)], is_live=True)
        assert list(await tx.removals.open_batches()) == []
        assert not await tx.removals.is_discarded(ROLE)


async def test_a_decision_to_keep_a_role_is_not_forgotten_before_it_is_carried_out(database: Database) -> None:
    async with database.write() as tx:
        await tx.members.own(KEY, VIP, HoldingState.HELD, NOON)
        batch_id = await tx.removals.hold(GUILD, [ROLE], "unevidenced", NOON)
        (batch,) = await tx.removals.open_batches()
        await tx.removals.decide(batch_id, batch.set_hash, "discarded", "bob", NOON)
        await tx.removals.drop(KEY, [RoleId(7)], is_live=True)
        assert await tx.removals.is_discarded(ROLE)
        await tx.removals.drop(KEY, [VIP])
        assert not await tx.removals.is_discarded(ROLE)


async def test_a_set_that_changed_since_it_was_shown_is_not_decided(database: Database) -> None:
    async with database.write() as tx:
        batch_id = await tx.removals.hold(GUILD, [ROLE], "unevidenced", NOON)
        (shown,) = await tx.removals.open_batches()
        await tx.removals.hold(GUILD, [KICK], "unevidenced", NOON)
        with pytest.raises(UserError, match="changed"):
            await tx.removals.decide(batch_id, shown.set_hash, "released", "bob", NOON)
        with pytest.raises(UserError, match="already"):
            await tx.removals.decide(BatchId(99), shown.set_hash, "released", "bob", NOON)


async def test_a_removal_that_is_no_longer_wanted_leaves_its_batch(database: Database) -> None:
    async with database.write() as tx:
        await tx.removals.hold(GUILD, [ROLE, KICK], "unevidenced", NOON)
        await tx.removals.hold(GUILD, [ROLE], "too_many_removals", NOON)
        await tx.removals.drop(KEY, [VIP])
        (batch,) = await tx.removals.open_batches()
    assert batch.removals == (KICK,)


async def test_a_batch_that_nobody_is_left_in_is_over_and_its_number_never_comes_again(database: Database) -> None:
    async with database.write() as tx:
        first = await tx.removals.hold(GUILD, [ROLE], "unevidenced", NOON)
        assert await tx.removals.drop(KEY, [VIP]) == [first]
        assert await tx.removals.drop(KEY, [VIP]) == []
        assert list(await tx.removals.open_batches()) == []
        assert await tx.removals.hold(GUILD, [ROLE], "unevidenced", NOON) != first
