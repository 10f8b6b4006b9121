"""Many members at once: whom a plan bears on, and what is known of each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from membership.crowds import People
from membership.desk import Exemption
from membership.errors import Reason
from membership.model import GrantState, GuildId, MemberKey, PlanProduct, PurchaseStatus, UserId
from storage.store import Database
from tests.storage.builders import CHARLIE, DANA, GUILD, a_linked_grant, a_plan, a_purchase, an_account
from tests.storage.databases import NOON

NOBODY = People(user_ids=(), next_after=None)


async def test_a_plan_bears_on_its_grants_and_on_linked_buyers_of_its_products(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx, DANA)
        vip = await tx.plans.by_slug("vip")
        assert vip is not None
        gold = await a_plan(tx, "gold", products=(PlanProduct(account_id=await an_account(tx), product_id="other"),))
        await a_purchase(tx, "sub_2", customer="cus_nobody_linked")
        page = await tx.crowds.granted(vip.id, 0)
        assert page == await tx.crowds.entitled(vip.id, 0) == People(user_ids=(DANA,), next_after=grant.id)
        assert await tx.crowds.granted(vip.id, grant.id) == NOBODY
        assert await tx.crowds.granted(gold.id, 0) == await tx.crowds.entitled(gold.id, 0) == NOBODY
        assert await tx.crowds.unlinked(vip) == 1
        assert await tx.crowds.buyers(vip, 0) == await tx.crowds.buyers(gold, 0) == NOBODY
        assert (await tx.crowds.buyers(replace(gold, products=vip.products), 0)).user_ids == (DANA,)
        assert await tx.crowds.buyers(replace(gold, products=vip.products, is_archived=True), 0) == NOBODY
        over = replace(grant, state=GrantState.REVOKED, reason=Reason.CANCELLED, ended_at=NOON)
        await tx.purchases.set_grant(over)
        assert await tx.crowds.entitled(vip.id, 0) == NOBODY


async def test_a_page_tells_of_each_what_one_look_at_them_would(database: Database) -> None:
    async with database.write() as tx:
        grant = await a_linked_grant(tx, CHARLIE)
        await a_linked_grant(tx, DANA, external_id="sub_2", customer="cus_2")
        moved = await tx.purchases.get(grant.purchase_id)
        await tx.links.end(moved.customer_id, Reason.MOVED, NOON)
        exemption = Exemption(
            key=MemberKey(GUILD, DANA), until=NOON + timedelta(days=1), reason="", actor="", created_at=NOON
        )
        await tx.exemptions.put(exemption)
        stranger = UserId(5)
        found = await tx.crowds.standings(GUILD, [DANA, CHARLIE, stranger], NOON)
        for standing, user in zip(found, (DANA, CHARLIE, stranger), strict=True):
            assert standing.facts == await tx.members.facts(MemberKey(GUILD, user))
        assert [standing.is_exempt for standing in found] == [True, False, False]
        # What somebody paid whose link is over opens nothing for them.
        assert [len(standing.others) for standing in found] == [1, 0, 0]
        elsewhere = (await tx.crowds.standings(GuildId(5), [DANA], NOON))[0]
        assert elsewhere.facts.claims == ()


async def test_the_longest_late_come_first(database: Database) -> None:
    async with database.write() as tx:
        for number, user in ((1, CHARLIE), (2, DANA)):
            await a_linked_grant(tx, user, external_id=f"sub_{number}", customer=f"cus_{number}")
        vip = await tx.plans.by_slug("vip")
        assert vip is not None
        assert await tx.crowds.past_due(vip.id, 10) == []
        for number in (2, 1):
            read_at = NOON + timedelta(hours=number)
            await a_purchase(
                tx, f"sub_{number}", customer=f"cus_{number}", status=PurchaseStatus.PAST_DUE, read_at=read_at
            )
        assert [each.external_id for each in await tx.crowds.past_due(vip.id, 10)] == ["sub_1", "sub_2"]


async def test_purchases_are_found_by_the_beginning_of_their_name_until_they_end(database: Database) -> None:
    async with database.write() as tx:
        account_id = await an_account(tx)
        for name in ("adopt:1:2:3", "adopt:1:2:4", "adopt:1:20:3", "adopt_1:2:5"):
            await a_purchase(tx, name, customer=name)
        await a_purchase(tx, "adopt:1:2:4", customer="adopt:1:2:4", status=PurchaseStatus.ENDED)
        found = await tx.crowds.named(account_id, "adopt:1:2:", 10)
        assert [each.external_id for each in found] == ["adopt:1:2:3"]
