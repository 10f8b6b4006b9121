"""Links, link tokens and claim codes, also under races."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from membership.errors import Reason
from membership.model import Proof, UserId
from storage.store import Database
from tests.storage.builders import CHARLIE, DANA, a_purchase
from tests.storage.databases import NOON

DAY = timedelta(days=1)


async def test_binding_links_and_tells_of_nobody_before(database: Database) -> None:
    async with database.write() as tx:
        customer_id = (await a_purchase(tx)).customer_id
        assert await tx.links.bind(customer_id, CHARLIE, Proof.OAUTH, NOON) is None
        link = await tx.links.active(customer_id)
        assert list(await tx.links.customers_of(CHARLIE)) == [customer_id]
    assert link is not None
    assert (link.user_id, link.proof, link.created_at) == (CHARLIE, Proof.OAUTH, NOON)


async def test_moving_ends_the_previous_link_and_returns_it(database: Database) -> None:
    async with database.write() as tx:
        customer_id = (await a_purchase(tx)).customer_id
        await tx.links.bind(customer_id, CHARLIE, Proof.OAUTH, NOON)
        previous = await tx.links.bind(customer_id, DANA, Proof.CODE, NOON + DAY)
        assert previous is not None
        assert previous.user_id == CHARLIE
        assert list(await tx.links.customers_of(CHARLIE)) == []
        assert await tx.links.switched_at(customer_id, NOON) == [NOON + DAY]
        assert await tx.links.switched_at(customer_id, NOON + DAY) == []


async def test_binding_to_the_same_user_changes_nothing(database: Database) -> None:
    async with database.write() as tx:
        customer_id = (await a_purchase(tx)).customer_id
        await tx.links.bind(customer_id, CHARLIE, Proof.OAUTH, NOON)
        assert await tx.links.bind(customer_id, CHARLIE, Proof.CODE, NOON + DAY) is None
        link = await tx.links.active(customer_id)
    assert link is not None
    assert link.proof is Proof.OAUTH


async def test_disconnecting_is_not_a_move(database: Database) -> None:
    async with database.write() as tx:
        customer_id = (await a_purchase(tx)).customer_id
        await tx.links.bind(customer_id, CHARLIE, Proof.OAUTH, NOON)
        ended = await tx.links.end(customer_id, Reason.DISCONNECTED, NOON)
        assert ended is not None
        assert await tx.links.active(customer_id) is None
        assert await tx.links.end(customer_id, Reason.DISCONNECTED, NOON) is None
        assert await tx.links.switched_at(customer_id, NOON - DAY) == []


async def test_of_many_who_bind_at_once_one_link_is_left(database: Database) -> None:
    async with database.write() as tx:
        customer_id = (await a_purchase(tx)).customer_id

    async def bind(user: int) -> None:
        async with database.write() as tx:
            await tx.links.bind(customer_id, UserId(user), Proof.OAUTH, NOON)

    await asyncio.gather(*(bind(user) for user in range(1, 17)))
    async with database.read() as tx:
        linked = [user for user in range(1, 17) if await tx.links.customers_of(UserId(user))]
        assert len(linked) == 1
        assert len(await tx.links.switched_at(customer_id, NOON - DAY)) == 15


async def test_a_token_is_tied_to_the_purchase_that_came_out_of_it(database: Database) -> None:
    async with database.write() as tx:
        await tx.links.issue_token("digest", None, CHARLIE, NOON + DAY)
        purchase = await a_purchase(tx)
        await tx.links.attach_token("digest", purchase.id)
        await tx.links.spend_tokens(purchase.id)
        token = await tx.links.token("digest")
        assert await tx.links.token("other") is None
    assert token is not None
    assert (token.purchase_id, token.user_id, token.is_spent, token.expires_at) == (
        purchase.id,
        CHARLIE,
        True,
        NOON + DAY,
    )


async def test_of_64_racers_exactly_one_uses_a_code(database: Database) -> None:
    async with database.write() as tx:
        await tx.codes.issue("digest", (await a_purchase(tx)).id, NOON + DAY)

    async def use(user: int) -> bool:
        async with database.write() as tx:
            return await tx.codes.use("digest", UserId(user), NOON)

    won = await asyncio.gather(*(use(user) for user in range(1, 65)))
    async with database.read() as tx:
        code = await tx.codes.get("digest")
    assert sum(won) == 1
    assert code is not None
    assert code.used_by == 1 + won.index(True)


async def test_an_expired_code_cannot_be_used(database: Database) -> None:
    async with database.write() as tx:
        await tx.codes.issue("digest", (await a_purchase(tx)).id, NOON)
        assert not await tx.codes.use("digest", CHARLIE, NOON)


async def test_wrong_tries_are_counted_per_person_and_time(database: Database) -> None:
    async with database.write() as tx:
        await tx.codes.record_failure(CHARLIE, NOON - DAY)
        await tx.codes.record_failure(CHARLIE, NOON)
        await tx.codes.record_failure(DANA, NOON)
        assert await tx.codes.failures(CHARLIE, NOON) == 1
        assert await tx.codes.failures(CHARLIE, NOON - DAY) == 2
