"""Accounts, payers, purchases and grants."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from membership.errors import Reason
from membership.model import (
    AccountId,
    CustomerId,
    CustomerSnapshot,
    GrantState,
    Item,
    PurchaseId,
    PurchaseStatus,
)
from membership.ports import Price
from membership.report_ledgers import Waiting
from storage.store import Database
from tests.storage.builders import CHARLIE, DANA, GUILD, a_linked_grant, a_plan, a_purchase, a_snapshot, an_account
from tests.storage.databases import NOON

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def test_an_account_is_made_once(database: Database) -> None:
    async with database.write() as tx:
        first = await tx.accounts.ensure("stripe", "acct_1", True, NOON)
        assert await tx.accounts.ensure("stripe", "acct_1", True, NOON) == first
        test_mode = await tx.accounts.ensure("stripe", "acct_1", False, NOON)
        assert list(await tx.accounts.all()) == [first, test_mode]
        assert await tx.accounts.get(first.id) == first


async def test_an_unknown_account_is_a_key_error(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(KeyError):
            await tx.accounts.get(AccountId(9))


async def test_the_catalogue_follows_the_provider(database: Database) -> None:
    old = Price(external_id="p1", product_id="prod_1", product_name="Vip", amount=900, currency="eur", interval="month")
    new = replace(old, product_name="VIP", amount=1000, trial_days=7)
    async with database.write() as tx:
        account_id = await an_account(tx)
        await tx.accounts.record_prices(account_id, [old])
        await tx.accounts.record_prices(account_id, [new])
        assert list(await tx.accounts.prices(account_id)) == [new]


async def test_a_price_that_is_no_longer_listed_stays_but_is_not_for_sale(database: Database) -> None:
    gone = Price(external_id="p1", product_id="prod_1", product_name="VIP", amount=900, currency="eur")
    kept = replace(gone, external_id="p2")
    async with database.write() as tx:
        account_id = await an_account(tx)
        await tx.accounts.record_prices(account_id, [gone, kept])
        await tx.accounts.record_prices(account_id, [kept])
        found = {price.external_id: price.is_active for price in await tx.accounts.prices(account_id)}
    assert found == {"p1": False, "p2": True}


async def test_empty_fields_never_overwrite_known_ones(database: Database) -> None:
    async with database.write() as tx:
        account_id = await an_account(tx)
        known = CustomerSnapshot(external_id="cus_1", email="ada@example.com", name="Ada", locale="de")
        customer_id = await tx.customers.record(account_id, known)
        assert await tx.customers.record(account_id, CustomerSnapshot(external_id="cus_1")) == customer_id
        customer = await tx.customers.get(customer_id)
    assert (customer.email, customer.name, customer.locale) == ("ada@example.com", "Ada", "de")


async def test_a_bouncing_address_is_remembered_until_it_changes(database: Database) -> None:
    async with database.write() as tx:
        account_id = await an_account(tx)
        old = CustomerSnapshot(external_id="cus_1", email="old@example.com")
        customer_id = await tx.customers.record(account_id, old)
        await tx.customers.refuse_mail(customer_id)
        await tx.customers.record(account_id, old)
        assert (await tx.customers.get(customer_id)).is_mail_refused
        await tx.customers.record(account_id, replace(old, email="new@example.com"))
        assert not (await tx.customers.get(customer_id)).is_mail_refused


async def test_a_snapshot_comes_back_as_it_was(database: Database) -> None:
    items = (
        Item(product_id="b", price_id="2", quantity=3, period_ends_at=NOON + DAY),
        Item(product_id="a", price_id="1"),
    )
    snapshot = a_snapshot(items=items, period_ends_at=NOON + DAY, amount=900, currency="eur", checkout_id="cs_1")
    async with database.write() as tx:
        account_id = await an_account(tx)
        customer_id = await tx.customers.record(account_id, snapshot.customer)
        before, stored = await tx.purchases.record(account_id, customer_id, snapshot)
        assert before is None
        assert await tx.purchases.get(stored.id) == stored
        assert await tx.purchases.find(account_id, "sub_1") == stored
        assert await tx.purchases.by_checkout("cs_1") == stored
        assert list(await tx.purchases.of_customer(customer_id)) == [stored]
    assert (stored.items, stored.period_ends_at, stored.amount, stored.read_at) == (items, NOON + DAY, 900, NOON)


async def test_an_older_snapshot_never_overwrites_a_newer_one(database: Database) -> None:
    async with database.write() as tx:
        newer = await a_purchase(tx, status=PurchaseStatus.ENDED, read_at=NOON)
        late = a_snapshot(status=PurchaseStatus.ACTIVE, read_at=NOON - timedelta(microseconds=1))
        before, after = await tx.purchases.record(newer.account_id, newer.customer_id, late)
    assert before == after == newer


async def test_any_order_of_snapshots_ends_in_one_state(database: Database) -> None:
    async with database.write() as tx:
        account_id = await an_account(tx)
        customer_id = await tx.customers.record(account_id, CustomerSnapshot(external_id="cus_1"))

    async def bring(minute: int, status: PurchaseStatus) -> None:
        async with database.write() as tx:
            snapshot = a_snapshot(status=status, read_at=NOON + minute * timedelta(minutes=1))
            await tx.purchases.record(account_id, customer_id, snapshot)

    statuses = (PurchaseStatus.PENDING, PurchaseStatus.ACTIVE, PurchaseStatus.PAST_DUE, PurchaseStatus.ENDED)
    await asyncio.gather(*(bring(minute, status) for minute, status in reversed(list(enumerate(statuses)))))
    async with database.read() as tx:
        found = await tx.purchases.find(account_id, "sub_1")
    assert found is not None
    assert found.status is PurchaseStatus.ENDED


async def test_past_due_counts_from_our_first_sight_of_it(database: Database) -> None:
    async with database.write() as tx:
        await a_purchase(tx, status=PurchaseStatus.PAST_DUE, read_at=NOON)
        again = await a_purchase(tx, status=PurchaseStatus.PAST_DUE, read_at=NOON + DAY)
    assert again.past_due_since == NOON


async def test_a_payment_clears_past_due_and_the_next_failure_counts_anew(database: Database) -> None:
    async with database.write() as tx:
        await a_purchase(tx, status=PurchaseStatus.PAST_DUE, read_at=NOON)
        paid = await a_purchase(tx, status=PurchaseStatus.ACTIVE, read_at=NOON + HOUR)
        failed = await a_purchase(tx, status=PurchaseStatus.PAST_DUE, read_at=NOON + DAY)
    assert paid.past_due_since is None
    assert failed.past_due_since == NOON + DAY


async def test_a_checkout_id_is_not_forgotten_by_a_snapshot_without_one(database: Database) -> None:
    async with database.write() as tx:
        await a_purchase(tx, checkout_id="cs_1")
        assert (await a_purchase(tx, read_at=NOON + HOUR)).checkout_id == "cs_1"


async def test_an_unknown_purchase_is_a_key_error(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(KeyError):
            await tx.purchases.get(PurchaseId(9))


async def test_it_finds_live_purchases_that_a_listing_did_not_name(database: Database) -> None:
    async with database.write() as tx:
        missing = await a_purchase(tx, "missing", read_at=NOON - DAY)
        await a_purchase(tx, "listed", read_at=NOON)
        await a_purchase(tx, "over", read_at=NOON - DAY, status=PurchaseStatus.ENDED)
        found = await tx.purchases.live_unseen(missing.account_id, NOON, PurchaseId(0), 10)
        after_it = await tx.purchases.live_unseen(missing.account_id, NOON, missing.id, 10)
    assert [purchase.external_id for purchase in found] == ["missing"]
    assert after_it == []


async def test_a_grant_opens_once_as_pending(database: Database) -> None:
    async with database.write() as tx:
        purchase, plan = await a_purchase(tx), await a_plan(tx)
        grant = await tx.purchases.open_grant(purchase, plan, NOON)
        assert await tx.purchases.open_grant(purchase, plan, NOON + DAY) == grant
        assert list(await tx.purchases.grants(purchase.id)) == [grant]
    assert (grant.state, grant.reason, grant.product_id, grant.episode) == (
        GrantState.PENDING,
        Reason.NOT_LINKED,
        "prod_1",
        1,
    )


@pytest.mark.parametrize(("state", "price"), [(GrantState.DELIVERED, "price_2"), (GrantState.REVOKED, "price_1")])
async def test_a_grant_follows_its_product_while_it_lives(database: Database, state: GrantState, price: str) -> None:
    async with database.write() as tx:
        plan = await a_plan(tx)
        grant = await tx.purchases.open_grant(await a_purchase(tx), plan, NOON)
        await tx.purchases.set_grant(replace(grant, state=state))
        items = (Item(product_id="prod_1", price_id="price_2"),)
        changed = await tx.purchases.open_grant(await a_purchase(tx, items=items, read_at=NOON + HOUR), plan, NOON)
    assert changed.price_id == price


async def test_a_grant_is_stored_whole(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        over = replace(
            grant, state=GrantState.REVOKED, reason=Reason.CANCELLED, episode=2, ended_at=NOON, kick_at=NOON + DAY
        )
        await tx.purchases.set_grant(over)
        assert list(await tx.purchases.grants(grant.purchase_id)) == [over]
        assert list(await tx.purchases.grants_in_state(GUILD, GrantState.REVOKED, Reason.CANCELLED, 5)) == [over]
        assert list(await tx.purchases.grants_in_state(GUILD, GrantState.REVOKED, None, 5)) == [over]
        assert not await tx.purchases.grants_in_state(GUILD, GrantState.REVOKED, Reason.PAID, 5)


async def test_it_counts_who_waits_since_when_and_whose_trial_ends(database: Database) -> None:
    async with database.write() as tx:
        for number, user in ((1, CHARLIE), (2, DANA)):
            grant = await a_linked_grant(
                tx, user, external_id=f"sub_{number}", customer=f"cus_{number}", now=NOON + number * DAY
            )
            await tx.purchases.set_grant(replace(grant, state=GrantState.DELIVERED, reason=Reason.TRIAL))
        changes: dict[str, Any] = {"trial_ends_at": NOON + DAY, "read_at": NOON + HOUR}
        await a_purchase(tx, "sub_2", customer="cus_2", **changes)
        assert await tx.reports.waiting(GUILD, GrantState.DELIVERED) == Waiting(count=2, since=NOON + DAY)
        assert await tx.reports.waiting(GUILD, GrantState.DELIVERED, Reason.PAID) == Waiting(count=0, since=None)
        assert await tx.reports.trials_ending(GUILD, NOON, NOON + DAY) == 0
        assert await tx.reports.trials_ending(GUILD, NOON, NOON + DAY + HOUR) == 1


async def test_an_unknown_payer_is_a_key_error(database: Database) -> None:
    async with database.read() as tx:
        with pytest.raises(KeyError):
            await tx.customers.get(CustomerId(9))
