"""Objects of old and new API versions become the same snapshot, and nothing that is missing becomes an end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from membership.model import Item, PurchaseKind, PurchaseSnapshot, PurchaseStatus, Refund
from providers.stripe_shapes import Money, link_token, order_snapshot, refund_of, subscription_snapshot, worst
from tests.providers.stripe.conftest import NOW, a_charge, a_refund, a_subscription, an_order
from tests.providers.stripe.stand_in import all_names

PERIOD_END = datetime.fromtimestamp(1797724800, UTC)
SUBSCRIPTIONS = [name for name in all_names() if name.startswith("customer.subscription.")]
# What a subscription looked like to an account that stayed on its version of 2017.
FROM_2017: dict[str, Any] = {
    "id": "sub_1",
    "object": "subscription",
    "cancel_at_period_end": False,
    "canceled_at": None,
    "created": 1795132800,
    "current_period_end": 1797724800,
    "current_period_start": 1795132800,
    "customer": "cus_1",
    "discount": None,
    "ended_at": None,
    "items": {
        "object": "list",
        "data": [
            {
                "id": "si_1",
                "object": "subscription_item",
                "created": 1795132800,
                "plan": {"id": "gold", "object": "plan", "amount": 500, "currency": "eur", "product": "prod_gold"},
                "quantity": 1,
            }
        ],
        "has_more": False,
    },
    "livemode": False,
    "metadata": {},
    "plan": {"id": "gold", "object": "plan", "amount": 500, "currency": "eur", "product": "prod_gold"},
    "quantity": 1,
    "start": 1795132800,
    "status": "active",
    "trial_end": None,
    "trial_start": None,
}


def snapshot(name: str = "customer.subscription.updated.active", **changes: Any) -> PurchaseSnapshot:
    return subscription_snapshot(a_subscription(name, **changes), read_at=NOW)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("incomplete", PurchaseStatus.PENDING),
        ("incomplete_expired", PurchaseStatus.EXPIRED),
        ("trialing", PurchaseStatus.TRIALING),
        ("active", PurchaseStatus.ACTIVE),
        ("past_due", PurchaseStatus.PAST_DUE),
        ("paused", PurchaseStatus.PAUSED),
        ("unpaid", PurchaseStatus.UNPAID),
        ("canceled", PurchaseStatus.ENDED),
        ("something_new", PurchaseStatus.UNKNOWN),
        ("", PurchaseStatus.UNKNOWN),
        (None, PurchaseStatus.UNKNOWN),
        (7, PurchaseStatus.UNKNOWN),
    ],
)
def test_a_status_is_read_in_our_words(raw: Any, expected: PurchaseStatus) -> None:
    assert snapshot(status=raw).status is expected


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
def test_every_subscription_has_a_known_status_and_a_product(name: str) -> None:
    read = snapshot(name)
    assert read.kind is PurchaseKind.SUBSCRIPTION
    assert read.status is not PurchaseStatus.UNKNOWN
    assert all(item.product_id for item in read.items)
    assert read.items


@pytest.mark.parametrize("name", SUBSCRIPTIONS)
def test_no_missing_field_is_taken_for_an_end(name: str) -> None:
    whole = a_subscription(name)
    for field in whole:
        read = subscription_snapshot({key: value for key, value in whole.items() if key != field}, read_at=NOW)
        assert read.status in (snapshot(name).status, PurchaseStatus.UNKNOWN)
        assert read.refund is None


def test_the_version_of_2024_reads_like_the_present_one() -> None:
    old, new = snapshot("customer.subscription.updated.api-2024-06-20"), snapshot()
    assert old == new


def test_the_version_of_2017_is_read() -> None:
    read = subscription_snapshot(FROM_2017, read_at=NOW)
    assert read.items == (Item(product_id="prod_gold", price_id="gold", quantity=1, period_ends_at=PERIOD_END),)
    assert (read.status, read.amount, read.currency) == (PurchaseStatus.ACTIVE, 500, "eur")
    assert (read.period_ends_at, read.customer.external_id) == (PERIOD_END, "cus_1")


def test_a_subscription_with_only_a_plan_of_its_own_is_read() -> None:
    read = subscription_snapshot({**FROM_2017, "items": None}, read_at=NOW)
    assert [item.product_id for item in read.items] == ["prod_gold"]
    assert (read.items[0].price_id, read.items[0].period_ends_at) == ("gold", PERIOD_END)


def test_every_item_keeps_its_own_period() -> None:
    read = snapshot("customer.subscription.updated.multi_item_mixed_interval")
    assert [item.product_id for item in read.items] == ["prod_gold", "prod_addon"]
    assert read.items[0].period_ends_at != read.items[1].period_ends_at
    assert read.period_ends_at == PERIOD_END


def test_seats_are_the_quantity() -> None:
    assert snapshot("customer.subscription.updated.seats").items[0].quantity > 1


def test_an_update_that_is_not_paid_yet_changes_no_item() -> None:
    read = snapshot("customer.subscription.updated.pending_update")
    paid = a_subscription("customer.subscription.updated.pending_update")["items"]["data"]
    assert [item.price_id for item in read.items] == [row["price"]["id"] for row in paid]


def test_paused_collection_leaves_it_active() -> None:
    assert snapshot("customer.subscription.updated.pause_collection").status is PurchaseStatus.ACTIVE


def test_the_end_scheduled_in_the_portal_is_read() -> None:
    read = snapshot("customer.subscription.updated.cancel_at.flexible_portal")
    assert (read.status, read.ends_at) == (PurchaseStatus.ACTIVE, PERIOD_END)


def test_the_end_at_the_period_end_is_read() -> None:
    read = snapshot("customer.subscription.updated.cancel_at_period_end.classic", cancel_at=None)
    assert (read.status, read.ends_at) == (PurchaseStatus.ACTIVE, PERIOD_END)


def test_with_several_intervals_the_end_is_not_before_the_last_period() -> None:
    read = snapshot("customer.subscription.updated.multi_item_mixed_interval", cancel_at_period_end=True)
    assert read.ends_at == max(item.period_ends_at for item in read.items if item.period_ends_at)


def test_an_end_taken_back_leaves_none() -> None:
    assert snapshot("customer.subscription.updated.uncanceled").ends_at is None


def test_an_end_that_came_goes_before_a_scheduled_one() -> None:
    assert snapshot(ended_at=1795132900, cancel_at=1797724800).ends_at == datetime.fromtimestamp(1795132900, UTC)


def test_a_trial_has_an_end() -> None:
    read = snapshot("customer.subscription.created.trialing")
    assert read.status is PurchaseStatus.TRIALING
    assert read.trial_ends_at is not None


def test_the_customer_is_read_where_it_is_expanded() -> None:
    customer = {**a_subscription()["customer"], "name": "Buyer", "preferred_locales": ["de-AT", "en"]}
    read = snapshot(customer=customer)
    assert (read.customer.external_id, read.customer.name, read.customer.locale) == ("cus_1", "Buyer", "de-AT")
    assert read.customer.email == customer["email"]


def test_a_customer_that_is_only_named_has_no_e_mail_and_not_an_empty_one_of_somebody_else() -> None:
    read = snapshot(customer="cus_1")
    assert (read.customer.external_id, read.customer.email) == ("cus_1", "")


def test_the_language_of_the_checkout_goes_first() -> None:
    read = order_snapshot(an_order(locale="fr"), read_at=NOW, dispute=None)
    assert read.customer.locale == "fr"


def test_an_automatic_language_is_none() -> None:
    order = an_order(locale="auto")
    order["customer"]["preferred_locales"] = []
    assert order_snapshot(order, read_at=NOW, dispute=None).customer.locale == ""


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"client_reference_id": "a", "metadata": {"doorlist_link": "b"}}, "a"),
        ({"client_reference_id": None, "metadata": {"doorlist_link": "b"}}, "b"),
        ({"metadata": {"discord_user_id": "80351110224678912"}}, ""),
        ({"metadata": None}, ""),
        ({}, ""),
    ],
)
def test_the_link_token_is_found_and_nothing_else_is_taken_for_one(raw: dict[str, Any], expected: str) -> None:
    assert link_token(raw) == expected


def test_an_order_without_a_payment_has_nothing_refunded() -> None:
    order = an_order(payment_intent=None, payment_status="no_payment_required")
    read = order_snapshot(order, read_at=NOW, dispute=None)
    assert (read.status, read.refund) == (PurchaseStatus.ACTIVE, Refund.NONE)


@pytest.mark.parametrize(
    "order",
    [
        an_order(payment_intent="pi_1"),
        an_order(payment_intent={"id": "pi_1", "latest_charge": "ch_1"}),
        an_order(payment_intent={"id": "pi_1"}),
        {key: value for key, value in an_order().items() if key != "payment_intent"},
        an_order({key: value for key, value in a_charge(amount_refunded=500).items() if key != "refunds"}),
    ],
    ids=["only named", "charge only named", "without charge", "absent", "without refunds"],
)
def test_a_read_that_does_not_contain_the_refunds_does_not_know_them(order: dict[str, Any]) -> None:
    assert order_snapshot(order, read_at=NOW, dispute=None).refund is None


def test_with_more_refunds_than_are_shown_the_total_of_the_charge_decides() -> None:
    refunds = {"object": "list", "data": [a_refund(10)] * 10, "has_more": True}
    charge = a_charge(amount_refunded=500, refunds=refunds)
    assert refund_of(charge, refunds["data"]) is Refund.FULL  # type: ignore[arg-type]


def test_a_charge_that_was_captured_in_part_is_refunded_in_full_by_that_part() -> None:
    assert refund_of(a_charge(amount=500, amount_captured=200), [a_refund(200)]) is Refund.FULL


def test_a_charge_without_an_amount_says_nothing_about_refunds() -> None:
    assert refund_of({}, [a_refund(200)]) is None


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], Refund.NONE),
        ([Refund.FULL, Refund.FULL], Refund.FULL),
        ([Refund.FULL, Refund.NONE], Refund.PARTIAL),
        ([Refund.FULL, None], None),
    ],
)
def test_an_invoice_is_refunded_in_full_when_all_its_payments_are(
    parts: list[Refund | None], expected: Refund | None
) -> None:
    assert worst([Money(refund=part) for part in parts]).refund is expected
