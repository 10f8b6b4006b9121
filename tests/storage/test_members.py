"""Members: the facts for a decision, holdings, drift."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import text

from membership.errors import Reason
from membership.model import Holding, HoldingState, MemberKey, PlanId, Proof, RoleId, UserId
from membership.records import MemberRow
from storage.store import Database, Transaction
from tests.storage.builders import CHARLIE, DANA, GUILD, VIP, a_linked_grant, a_plan, a_purchase
from tests.storage.databases import NOON

KEY = MemberKey(GUILD, CHARLIE)
DAY = timedelta(days=1)
OTHER_ROLE = RoleId(77)


async def settle(
    tx: Transaction,
    user: int,
    *,
    desired: Iterable[RoleId] = (),
    observed: Iterable[RoleId] = (),
    seen_at: datetime | None = NOON,
    next_check_at: datetime | None = None,
) -> MemberRow:
    row = MemberRow(
        key=MemberKey(GUILD, UserId(user)),
        desired=frozenset(desired),
        observed=frozenset(observed),
        is_present=True,
        observed_at=seen_at,
    )
    await tx.members.settle(row, next_check_at)
    return row


async def test_facts_hold_grant_purchase_plan_and_holdings(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        await tx.members.own(KEY, VIP, HoldingState.HELD, NOON)
        purchase, plan = await tx.purchases.get(grant.purchase_id), await tx.plans.get(grant.plan_id)
        facts = await tx.members.facts(KEY)
    (claim,) = facts.claims
    assert (claim.grant, claim.purchase, claim.plan, claim.is_linked) == (grant, purchase, plan, True)
    assert facts.holdings == (Holding(role_id=VIP, state=HoldingState.HELD),)


async def test_a_stranger_has_no_facts(database: Database) -> None:
    async with database.write() as tx:
        await a_linked_grant(tx)
        facts = await tx.members.facts(MemberKey(GUILD, DANA))
    assert (facts.claims, facts.holdings) == ((), ())


async def test_after_a_move_the_old_account_sees_an_unlinked_claim(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        customer_id = (await tx.purchases.get(grant.purchase_id)).customer_id
        await tx.links.bind(customer_id, DANA, Proof.CODE, NOON + DAY)
        (old,) = (await tx.members.facts(KEY)).claims
        (new,) = (await tx.members.facts(MemberKey(GUILD, DANA))).claims
    assert (old.is_linked, old.unlink_reason) == (False, Reason.MOVED)
    assert new.is_linked


async def test_who_came_back_sees_one_linked_claim(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        customer_id = (await tx.purchases.get(grant.purchase_id)).customer_id
        await tx.links.end(customer_id, Reason.DISCONNECTED, NOON)
        await tx.links.bind(customer_id, CHARLIE, Proof.CODE, NOON + DAY)
        (claim,) = (await tx.members.facts(KEY)).claims
    assert claim.is_linked


async def test_the_last_reason_to_unlink_is_the_one_that_counts(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        customer_id = (await tx.purchases.get(grant.purchase_id)).customer_id
        await tx.links.bind(customer_id, DANA, Proof.CODE, NOON)
        await tx.links.bind(customer_id, CHARLIE, Proof.CODE, NOON)
        await tx.links.end(customer_id, Reason.DISCONNECTED, NOON + DAY)
        (claim,) = (await tx.members.facts(KEY)).claims
    assert claim.unlink_reason is Reason.DISCONNECTED


async def test_it_knows_whom_a_change_concerns(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx)
        customer_id = (await tx.purchases.get(grant.purchase_id)).customer_id
        await tx.links.bind(customer_id, DANA, Proof.CODE, NOON)
        dana = MemberKey(GUILD, DANA)
        assert set(await tx.members.keys_of_customer(customer_id)) == {KEY, dana}
        assert (await tx.crowds.linked(grant.plan_id, 0)).user_ids == (DANA,)
        assert (await tx.crowds.linked(PlanId(99), 0)).user_ids == ()


async def test_it_knows_on_whom_we_hold_a_role(database: Database) -> None:
    async with database.write() as tx:
        await tx.members.own(KEY, VIP, HoldingState.REMOVING, NOON)
        assert (await tx.crowds.holders(GUILD, VIP, 0)).user_ids == (CHARLIE,)
        assert await tx.crowds.count_holders(GUILD, VIP) == 1


async def test_a_disowned_role_is_forgotten(database: Database) -> None:
    async with database.write() as tx:
        await tx.members.own(KEY, VIP, HoldingState.HELD, NOON)
        await tx.members.disown(KEY, VIP)
        assert (await tx.members.facts(KEY)).holdings == ()


async def test_repairs_count_within_a_day_of_the_first(database: Database) -> None:
    async with database.write() as tx:
        for hours in (0, 5, 23):
            await tx.members.own(KEY, VIP, HoldingState.ADDING, NOON + timedelta(hours=hours), is_repair=True)
            await tx.members.own(KEY, VIP, HoldingState.HELD, NOON + timedelta(hours=hours))
        (holding,) = (await tx.members.facts(KEY)).holdings
        assert (holding.state, holding.repairs, holding.repairs_since) == (HoldingState.HELD, 3, NOON)
        await tx.members.own(KEY, VIP, HoldingState.ADDING, NOON + DAY, is_repair=True)
        (holding,) = (await tx.members.facts(KEY)).holdings
        assert (holding.repairs, holding.repairs_since) == (1, NOON + DAY)


async def test_drift_is_what_differs_whatever_the_order_of_roles(database: Database) -> None:
    roles = [RoleId(9), RoleId(10), RoleId(1_300_000_000_000_000_001)]
    async with database.write() as tx:
        await settle(tx, 1, desired=roles, observed=reversed(roles))
        await settle(tx, 2, desired=roles, observed=roles[:1])
        assert list(await tx.members.drifted(GUILD, 10)) == [MemberKey(GUILD, UserId(2))]


async def test_a_sweep_returns_who_differs_now_and_adds_nobody(database: Database) -> None:
    async with database.write() as tx:
        for user in (1, 2):
            await settle(tx, user, desired=[VIP], observed=[VIP], seen_at=NOON - DAY)
        seen = {
            UserId(1): (frozenset({VIP}), True),
            UserId(2): (frozenset[RoleId](), True),
            UserId(3): (frozenset({VIP}), True),
        }
        drifted = await tx.members.record_seen(GUILD, seen, NOON)
        rows = await tx.members.least_recently_seen(GUILD, NOON + DAY, 10)
    assert list(drifted) == [MemberKey(GUILD, UserId(2))]
    assert {(row.key.user_id, row.is_present, row.observed_at) for row in rows} == {(1, True, NOON), (2, True, NOON)}


async def test_who_is_not_in_the_guild_does_not_drift(database: Database) -> None:
    async with database.write() as tx:
        await settle(tx, 1, desired=[VIP], observed=[VIP], seen_at=NOON - DAY)
        assert list(await tx.members.record_seen(GUILD, {UserId(1): (frozenset(), False)}, NOON)) == []
        assert list(await tx.members.drifted(GUILD, 10)) == []


async def test_members_are_due_when_their_moment_has_passed(database: Database) -> None:
    async with database.write() as tx:
        await settle(tx, 1, next_check_at=NOON)
        await settle(tx, 2, next_check_at=NOON + DAY)
        await settle(tx, 3)
        assert list(await tx.members.due(GUILD, NOON, 10)) == [MemberKey(GUILD, UserId(1))]


async def test_the_longest_unseen_come_first_and_the_never_seen_before_them(database: Database) -> None:
    async with database.write() as tx:
        fresh = await settle(tx, 1, seen_at=NOON)
        old = await settle(tx, 2, seen_at=NOON - DAY, desired=[VIP])
        never = await settle(tx, 3, seen_at=None)
        found = await tx.members.least_recently_seen(GUILD, NOON, 10)
        assert list(found) == [never, old]
        assert fresh not in found


async def test_the_drift_query_reads_only_the_partial_index(sqlite: Database) -> None:
    assert "ix_members_drifted" in await plan_of(sqlite, "desired <> observed AND is_present", "user_id")


async def test_the_due_query_reads_only_the_partial_index(sqlite: Database) -> None:
    assert "ix_members_due" in await plan_of(sqlite, "next_check_at <= 5", "next_check_at")


async def plan_of(database: Database, condition: str, order: str) -> str:
    query = f"SELECT user_id FROM members WHERE guild_id = 1 AND {condition} ORDER BY {order} LIMIT 50"
    async with database.read() as tx:
        rows = (await tx.connection.execute(text(f"EXPLAIN QUERY PLAN {query}"))).all()
    assert all("TEMP B-TREE" not in row.detail for row in rows)
    return " ".join(row.detail for row in rows)


async def test_a_plan_without_products_keeps_its_claims(database: Database) -> None:
    async with database.write() as tx:
        purchase = await a_purchase(tx, items=())
        plan = await a_plan(tx, products=(), roles=())
        grant = await tx.purchases.open_grant(purchase, plan, NOON)
        await tx.links.bind(purchase.customer_id, CHARLIE, Proof.STAFF, NOON)
        (claim,) = (await tx.members.facts(KEY)).claims
    assert (claim.grant, claim.purchase.items, claim.plan.products) == (grant, (), ())
