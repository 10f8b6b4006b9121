"""The list of everybody who bought in a server: what fits, in which order, and how much is looked at for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from membership import roster_ledger
from membership.errors import Reason
from membership.model import CustomerSnapshot, Grant, GrantState, GuildId, MemberKey, Proof, UserId
from membership.records import MemberRow
from membership.roster_ledger import Place, RosterFilter, Trait
from storage import roster
from storage.store import Database, Transaction
from tests.storage.builders import CHARLIE, DANA, GUILD, a_plan, a_snapshot, an_account
from tests.storage.databases import NOON

ELSEWHERE = GuildId(2_200_000_000_000_000_002)
DELIVERED = Place(state=GrantState.DELIVERED)


async def a_membership(
    tx: Transaction,
    number: int,
    *,
    state: GrantState = GrantState.DELIVERED,
    reason: Reason = Reason.PAID,
    user_id: UserId | None = None,
    plan: str = "vip",
    **changes: object,
) -> Grant:
    """Let payer `number` hold a plan in a state; `changes` are of the purchase."""
    account_id = await an_account(tx)
    payer = CustomerSnapshot(external_id=f"cus_{number}", email=f"Buyer{number}@Example.com", name=f"Name {number}")
    customer_id = await tx.customers.record(account_id, payer)
    _, purchase = await tx.purchases.record(account_id, customer_id, a_snapshot(f"sub_{number}", **changes))
    sold = await tx.plans.by_slug(plan) or await a_plan(tx, plan)
    grant = replace(await tx.purchases.open_grant(purchase, sold, NOON), state=state, reason=reason)
    await tx.purchases.set_grant(grant)
    if user_id is not None:
        await tx.links.bind(customer_id, user_id, Proof.OAUTH, NOON)
    return grant


async def found(tx: Transaction, **wanted: object) -> list[str]:
    page = await tx.roster.page(GUILD, RosterFilter(**wanted), limit=50)  # type: ignore[arg-type]
    return [row.purchase.external_id for row in page.rows]


async def test_pages_go_from_the_newest_to_the_oldest_and_leave_nobody_out(database: Database) -> None:
    async with database.write() as tx:
        states = list(GrantState)
        for number in range(7):
            await a_membership(tx, number, state=states[number % len(states)])
        seen, before = [], None
        for _ in range(4):
            page = await tx.roster.page(GUILD, RosterFilter(), before=before, limit=2)
            seen.append([row.purchase.external_id for row in page.rows])
            before = page.next_before
    assert seen == [["sub_6", "sub_5"], ["sub_4", "sub_3"], ["sub_2", "sub_1"], ["sub_0"]]
    assert before is None


async def test_a_row_says_who_paid_and_who_is_connected(database: Database) -> None:
    async with database.write() as tx:
        await a_membership(tx, 1, user_id=CHARLIE)
        await a_membership(tx, 2)
        row = MemberRow(
            key=MemberKey(GUILD, CHARLIE),
            desired=frozenset(),
            observed=frozenset(),
            is_present=True,
            observed_at=NOON,
            name="charlie",
        )
        await tx.members.settle(row, None)
        nobody, charlie = (await tx.roster.page(GUILD, RosterFilter(), limit=50)).rows
    assert (charlie.user_id, charlie.name, charlie.is_present) == (CHARLIE, "charlie", True)
    assert (nobody.user_id, nobody.name, nobody.is_present) == (None, "", None)
    assert charlie.customer.email == "Buyer1@Example.com"
    assert charlie.purchase.items
    assert charlie.account.provider == "stripe"


async def test_another_servers_memberships_are_not_there(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_membership(tx, 1)
        for wanted in (RosterFilter(), RosterFilter(search="buyer1"), RosterFilter(plan_id=grant.plan_id)):
            assert (await tx.roster.page(ELSEWHERE, wanted, limit=50)).rows == ()
        assert await tx.roster.of_grants(ELSEWHERE, [grant.id]) == []


async def test_places_plans_and_connections_are_filters(database: Database) -> None:
    async with database.write() as tx:
        late = await a_membership(tx, 1, state=GrantState.PAST_DUE, reason=Reason.PAYMENT_FAILED, plan="gold")
        await a_membership(tx, 2, user_id=DANA)
        await a_membership(tx, 3, reason=Reason.TRIAL)
        trial = Place(state=GrantState.DELIVERED, reason=Reason.TRIAL)
        assert await found(tx, places=(trial,)) == ["sub_3"]
        assert await found(tx, places=(trial, Place(state=GrantState.PAST_DUE))) == ["sub_3", "sub_1"]
        assert await found(tx, plan_id=late.plan_id) == ["sub_1"]
        assert await found(tx, places=(trial,), plan_id=late.plan_id) == []
        assert await found(tx, is_linked=True) == ["sub_2"]
        assert await found(tx, places=()) == []


async def test_traits_look_at_the_purchase_and_at_the_link(database: Database) -> None:
    async with database.write() as tx:
        await a_membership(tx, 1, user_id=CHARLIE, ends_at=NOON + timedelta(days=3))
        await a_membership(tx, 2, refund="full")
        grant = await a_membership(tx, 3)
        await tx.purchases.set_grant(replace(grant, revoke_at=NOON + timedelta(days=1)))
        of = {trait: await found(tx, places=(replace(DELIVERED, trait=trait),)) for trait in Trait}
    assert of[Trait.ENDING] == ["sub_3", "sub_1"]
    assert of[Trait.RUNNING] == ["sub_2"]
    assert of[Trait.OVER] == ["sub_3", "sub_2"]
    assert of[Trait.LIVE] == ["sub_3", "sub_1"]
    assert of[Trait.CONNECTED] == ["sub_1"]
    assert of[Trait.ALONE] == ["sub_3", "sub_2"]


@pytest.mark.parametrize(
    "typed",
    [
        "BUYER1@ex", "name 1", "cus_1", "sub_1", "cs_1", "#1", "1", str(CHARLIE), f"<@{CHARLIE}>", "@Charl", "charlie",
    ],
)  # fmt: skip
async def test_a_payer_is_found_by_whatever_is_at_hand(database: Database, typed: str) -> None:
    async with database.write() as tx:
        await a_membership(tx, 1, user_id=CHARLIE, checkout_id="cs_1")
        await a_membership(tx, 2)
        row = MemberRow(
            key=MemberKey(GUILD, CHARLIE),
            desired=frozenset(),
            observed=frozenset(),
            is_present=True,
            observed_at=NOON,
            name="Charlie",
        )
        await tx.members.settle(row, None)
        assert await found(tx, search=typed) == ["sub_1"]


async def test_a_search_keeps_to_the_other_filters_and_says_when_it_is_too_wide(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.write() as tx:
        for number in range(4):
            state = GrantState.FAILED if number == 2 else GrantState.DELIVERED
            await a_membership(tx, number, state=state)
        failed = (Place(state=GrantState.FAILED),)
        assert await found(tx, places=failed, search="buyer") == ["sub_2"]
        first = await tx.roster.page(GUILD, RosterFilter(search="buyer"), limit=3)
        rest = await tx.roster.page(GUILD, RosterFilter(search="buyer"), before=first.next_before, limit=3)
        assert [len(first.rows), len(rest.rows), rest.next_before] == [3, 1, None]
        assert not first.is_crowded
        monkeypatch.setattr(roster, "MOST_PAYERS", 2)
        crowded = await tx.roster.page(GUILD, RosterFilter(search="buyer"), limit=50)
    assert crowded.is_crowded
    assert len(crowded.rows) == 2


async def test_what_no_index_knows_is_looked_for_a_part_at_a_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "WALK", 3)
    ending = RosterFilter(places=(replace(DELIVERED, trait=Trait.ENDING),))
    async with database.write() as tx:
        for number in range(8):
            ends_at = NOON if number in (0, 7) else None
            await a_membership(tx, number, ends_at=ends_at)
        seen: list[list[str]] = []
        before = None
        for _ in range(5):
            page = await tx.roster.page(GUILD, ending, before=before, limit=50)
            seen.append([row.purchase.external_id for row in page.rows])
            before = page.next_before
            if before is None:
                break
            assert page.is_cut
    assert [name for part in seen for name in part] == ["sub_7", "sub_0"]
    assert len(seen) == 3, "a walk of three at a time, and one row that tells that there is more"


async def test_no_page_sorts_or_reads_a_whole_server(sqlite: Database) -> None:
    """Every walk over memberships follows an index that is in the order of the page."""
    wanted = [
        RosterFilter(),
        RosterFilter(places=(Place(state=GrantState.DELIVERED, reason=Reason.TRIAL),)),
        RosterFilter(places=(replace(DELIVERED, trait=Trait.ENDING),)),
        RosterFilter(is_linked=True),
    ]
    async with sqlite.write() as tx:
        grant = await a_membership(tx, 1, user_id=CHARLIE)
        wanted += [replace(each, plan_id=grant.plan_id) for each in wanted]
        statements: list[tuple[str, Sequence[object]]] = []

        def note(
            _connection: object, _cursor: object, statement: str, parameters: Sequence[object], *_: object
        ) -> None:
            statements.append((statement, parameters))

        engine = tx.connection.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        for each in wanted:
            await tx.roster.page(GUILD, each, before=grant.id, limit=50)
        await tx.roster.page(GUILD, wanted[0], limit=50)
        event.remove(engine, "before_cursor_execute", note)
        for statement, parameters in list(statements):
            raw = await tx.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple(parameters))
            plan = " / ".join(str(row.detail) for row in raw)
            assert "SCAN" not in plan, (statement, plan)
            if "OFFSET" in statement or "grants.id >=" in statement:
                assert "TEMP B-TREE" not in plan, (statement, plan)
        assert (await tx.connection.execute(text("SELECT 1"))).scalar_one() == 1
    assert len(statements) > len(wanted)
    assert roster_ledger.WALK >= 1000
