"""A payment becomes a role, once, however often and in whatever order the news of it comes."""

from __future__ import annotations

from itertools import islice, permutations
from pathlib import Path

from membership.model import PurchaseId
from membership.policy import Policy
from tests.scenarios.stage import Stage, stage

CONNECT_MAIL = "You're in — connect Discord to unlock VIP"
DELIVERED_MAIL = "VIP is active on Demo Server"
ORDERS = 12
LIVES = 6


async def test_a_purchase_becomes_a_role_once_the_buyer_has_typed_the_mailed_code(both_stores: Stage) -> None:
    s = both_stores
    s.buys("ada")
    await s.claims("ada")
    await s.eventually(lambda: s.has("ada", "VIP"), "Ada's role")
    await s.settled()
    assert s.posts() == ["✅ VIP given to @\u200bAda"]
    assert s.mails("ada") == [CONNECT_MAIL, DELIVERED_MAIL]


async def test_a_buyer_who_signs_in_from_the_mail_is_added_to_the_server_with_the_role(s: Stage) -> None:
    s.buys("ada")
    page = await s.connects("ada")
    assert page.status == 200
    await s.eventually(lambda: s.has("ada", "VIP"), "Ada's role")


async def test_the_same_events_three_times_give_each_mail_once_one_role_write_and_one_post(s: Stage) -> None:
    s.outside.stripe.deliveries.trouble.copies = 3
    await s.is_member("ada")
    assert s.outside.stripe.attempts_of("checkout.session.completed") == 3
    assert s.mails("ada") == [CONNECT_MAIL, DELIVERED_MAIL]
    assert s.role_writes("ada") == [("PUT", "VIP")]
    assert s.posts() == ["✅ VIP given to @\u200bAda"]


async def test_events_that_come_in_reverse_end_in_the_same_role_and_mails(s: Stage) -> None:
    s.outside.stripe.deliveries.trouble.is_held = True
    s.buys("ada")
    s.outside.stripe.deliveries.release(lambda events: events[::-1])
    await s.claims("ada")
    await s.settled()
    assert s.roles("ada") == {"VIP"}
    assert s.mails("ada") == [CONNECT_MAIL, DELIVERED_MAIL]


async def test_the_events_of_a_purchase_end_in_one_state_in_every_order(s: Stage) -> None:
    buyers = [f"buyer{number}" for number in range(ORDERS)]
    deliveries = s.outside.stripe.deliveries
    for buyer, order in zip(buyers, _orders(), strict=True):
        deliveries.trouble.is_held = True
        s.buys(buyer)
        deliveries.release(lambda events, order=order: [events[place] for place in order])  # type: ignore[misc]
    await s.settled()
    assert [s.mails(buyer) for buyer in buyers] == [[CONNECT_MAIL]] * ORDERS
    async with s.process.database.read() as tx:
        grants = [grant for number in range(1, ORDERS + 1) for grant in await tx.purchases.grants(PurchaseId(number))]
    assert {(grant.state.value, grant.reason.value) for grant in grants} == {("pending", "not_linked")}
    assert len(grants) == ORDERS


async def test_lives_from_payment_to_end_whose_events_come_shuffled_leave_no_role(tmp_path: Path) -> None:
    async with stage(tmp_path, policy=Policy(brake_removals=100)) as s:
        members = await s.are_members(*(f"member{number}" for number in range(LIVES)))
        s.outside.stripe.deliveries.trouble.is_held = True
        for bought in members.values():
            s.stripe.fail_payment(bought.subscription)
            s.stripe.recover_payment(bought.subscription)
            s.stripe.cancel_at_period_end(bought.subscription)
            s.stripe.cancel_now(bought.subscription)
        s.outside.stripe.deliveries.release_shuffled(seed=1)
        await s.settled()
        assert [s.roles(member) for member in members] == [set()] * LIVES
        mails = [CONNECT_MAIL, DELIVERED_MAIL, "Your VIP membership has ended"]
        assert [s.mails(member) for member in members] == [mails] * LIVES


async def test_of_two_plans_with_one_role_the_end_of_one_leaves_the_role(s: Stage) -> None:
    monthly = await s.is_member("ada", "vip")
    yearly = await s.is_member("ada", "vip-year")
    s.stripe.cancel_now(monthly.subscription)
    await s.settled()
    assert s.role_writes("ada") == [("PUT", "VIP")]
    s.stripe.cancel_now(yearly.subscription)
    await s.settled()
    assert s.roles("ada") == set()


async def test_an_upgrade_and_a_downgrade_put_the_new_role_before_they_take_the_old_one(s: Stage) -> None:
    await s.plan("vip-year", roles=("Gold",))
    bought = await s.is_member("ada", "vip")
    s.stripe.change_price(bought.subscription, s.ware("vip-year").price_id)
    await s.settled()
    assert s.roles("ada") == {"Gold"}
    s.stripe.change_price(bought.subscription, s.ware("vip").price_id)
    await s.settled()
    assert s.roles("ada") == {"VIP"}
    assert s.role_writes("ada") == [
        ("PUT", "VIP"),
        ("PUT", "Gold"),
        ("DELETE", "VIP"),
        ("PUT", "VIP"),
        ("DELETE", "Gold"),
    ]
    assert s.mails("ada") == [CONNECT_MAIL, DELIVERED_MAIL]


def _orders() -> list[tuple[int, ...]]:
    """Return some of the 120 orders of five events, spread over all of them."""
    return list(islice(permutations(range(5)), 0, None, 120 // ORDERS))
