"""What is old goes in portions; what keeps things from happening twice, and what still waits, stays."""

from __future__ import annotations

from sqlalchemy import Table, func, select

from membership.model import MessageId
from storage.ledgers import deliveries, inbox_events
from storage.schema import claim_codes, claim_failures, handled_messages, link_tokens
from storage.store import Database, Transaction
from tests.storage.builders import CHARLIE, a_purchase, an_event
from tests.storage.databases import NOON
from tests.storage.test_records import DAY, a_draft

LATER = NOON + DAY


async def rows(tx: Transaction, *tables: Table) -> list[int]:
    found = [await tx.connection.execute(select(func.count()).select_from(table)) for table in tables]
    return [count.scalar_one() for count in found]


async def test_the_body_of_an_old_event_goes_and_the_event_is_still_known(database: Database) -> None:
    async with database.write() as tx:
        await tx.inbox.add("stripe", [an_event("evt_old"), an_event("evt_new")], NOON)
        await tx.inbox.settle(1, "done")
        assert await tx.retention.prune(LATER, 10) == 1
        assert await tx.retention.prune(LATER, 10) == 0
        assert (await tx.inbox.get(1)).event.body == b""
        assert (await tx.inbox.get(2)).event.body == an_event("evt_new").body
        assert await tx.inbox.add("stripe", [an_event("evt_old")], LATER) == 0


async def test_an_event_that_is_young_keeps_its_body(database: Database) -> None:
    async with database.write() as tx:
        await tx.inbox.add("stripe", [an_event("evt_1")], NOON)
        await tx.inbox.settle(1, "done")
        assert await tx.retention.prune(NOON, 10) == 0


async def test_old_tries_go_but_not_those_of_a_message_that_waits(database: Database) -> None:
    async with database.write() as tx:
        await tx.outbox.put(a_draft("sent"), NOON)
        await tx.outbox.settle(1, "sent", "", NOON)
        await tx.outbox.put(a_draft("waits"), NOON)
        await tx.outbox.record_try(2, "451", NOON, is_answered=True)
        assert await tx.retention.prune(LATER, 10) == 1
        assert await rows(tx, deliveries) == [1]
        assert not await tx.outbox.put(a_draft("sent"), LATER)


async def test_secrets_go_when_they_have_been_expired_for_long_enough(database: Database) -> None:
    async with database.write() as tx:
        purchase = await a_purchase(tx)
        for digest, expires_at in (("old", NOON), ("young", LATER)):
            await tx.links.issue_token(digest, purchase.id, None, expires_at)
            await tx.codes.issue(digest, purchase.id, expires_at)
        assert await tx.retention.prune(LATER, 10) == 2
        assert (await tx.links.token("old"), await tx.codes.get("old")) == (None, None)
        assert await rows(tx, link_tokens, claim_codes) == [1, 1]


async def test_failed_tries_and_answered_messages_go_in_portions(database: Database) -> None:
    async with database.write() as tx:
        for number in range(3):
            await tx.codes.record_failure(CHARLIE, NOON)
            await tx.guilds.mark_message_handled(MessageId(number), NOON)
        assert [await tx.retention.prune(LATER, 2) for _ in range(3)] == [4, 2, 0]
        assert await rows(tx, claim_failures, handled_messages, inbox_events) == [0, 0, 0]
