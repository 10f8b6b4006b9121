"""Every event is followed to what it is about, with as few requests as the read budget says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from membership.errors import Gone, Retry
from membership.model import Dispute, PurchaseKind, PurchaseStatus, Refund
from membership.ports import IncomingEvent
from providers.stripe import StripeProvider
from providers.stripe_events import read_envelope
from tests.providers.stripe.conftest import (
    NOW,
    a_charge,
    a_dispute,
    a_refund,
    a_subscription,
    an_invoice_payment,
    an_order,
)
from tests.providers.stripe.stand_in import StandIn, all_names, body_of, object_of

SUBSCRIPTION = ["/v1/subscriptions/sub_1"]
SESSION = ["/v1/checkout/sessions/cs_test_1"]
PAYMENT_OF_A_SUBSCRIPTION = ["/v1/invoice_payments", *SUBSCRIPTION, "/v1/invoice_payments"]
NOTHING: list[str] = []

# The read budget: which requests each event costs. A name stands for all fixtures that begin with it.
BUDGET = {
    "customer.subscription.": SUBSCRIPTION,
    "invoice.": SUBSCRIPTION,
    "invoice.paid.manual_no_subscription": NOTHING,
    "subscription_schedule.": SUBSCRIPTION,
    "checkout.session.": SESSION,
    "checkout.session.expired": NOTHING,
    "customer.deleted": ["/v1/customers/cus_1"],
    "customer.updated": ["/v1/customers/cus_1"],
    "charge.": PAYMENT_OF_A_SUBSCRIPTION,
    "refund.": PAYMENT_OF_A_SUBSCRIPTION,
    "payment_intent.": NOTHING,
    "entitlements.": NOTHING,
    "thin/subscription.": SUBSCRIPTION,
    "thin/checkout.session.completed": SESSION,
    "thin/charge.refunded": ["/v1/charges/ch_1", *PAYMENT_OF_A_SUBSCRIPTION],
    "thin/unknown": SUBSCRIPTION,
}


def event(name: str) -> IncomingEvent:
    return read_envelope(body_of(name))


def changed_event(name: str, **changes: Any) -> IncomingEvent:
    raw = json.loads(body_of(name))
    raw["data"]["object"].update(changes)
    return read_envelope(json.dumps(raw).encode())


def thin(kind: str, target: str) -> IncomingEvent:
    raw = json.loads(body_of("thin/subscription.updated"))
    raw.update(type=kind, related_object={"id": target, "type": "any", "url": "/any"})
    return read_envelope(json.dumps(raw).encode())


def ordered(stand_in: StandIn, charge: dict[str, Any], **changes: Any) -> None:
    """Let every payment be that of the order, none of a subscription."""
    session = an_order(charge, **changes)
    stand_in.listing("/v1/invoice_payments")
    stand_in.listing("/v1/checkout/sessions", session)
    stand_in.put("/v1/checkout/sessions/cs_test_1", session)


@pytest.mark.parametrize("name", all_names())
async def test_an_event_costs_exactly_its_budget(name: str, stripe: StripeProvider, stand_in: StandIn) -> None:
    await stripe.read(event(name))
    longest = max((prefix for prefix in BUDGET if name.startswith(prefix)), key=len)
    assert stand_in.paths() == BUDGET[longest]


@pytest.mark.parametrize(
    ("kind", "target", "cost"),
    [
        ("v1.customer.subscription.item_quantity_changed", "sub_1", SUBSCRIPTION),
        ("v1.invoice.paid", "in_1", ["/v1/invoices/in_1", *SUBSCRIPTION]),
        ("v1.refund.failed", "re_1", ["/v1/refunds/re_1", *PAYMENT_OF_A_SUBSCRIPTION]),
        ("v1.charge.dispute.created", "dp_1", ["/v1/disputes/dp_1", *PAYMENT_OF_A_SUBSCRIPTION]),
        ("v1.subscription_schedule.aborted", "sub_sched_1", ["/v1/subscription_schedules/sub_sched_1", *SUBSCRIPTION]),
        ("v1.checkout.session.expired", "cs_test_1", SESSION),
        ("v1.customer.updated", "cus_1", ["/v1/customers/cus_1"]),
        ("v1.price.updated", "price_1", NOTHING),
        ("v2.core.event_destination.ping", "", NOTHING),
    ],
)
async def test_a_thin_event_costs_one_request_more_where_its_object_is_only_named(
    kind: str, target: str, cost: list[str], stripe: StripeProvider, stand_in: StandIn
) -> None:
    stand_in.put("/v1/refunds/re_1", a_refund())
    stand_in.put("/v1/disputes/dp_1", a_dispute("needs_response"))
    stand_in.put("/v1/subscription_schedules/sub_sched_1", object_of("subscription_schedule.aborted"))
    await stripe.read(thin(kind, target))
    assert stand_in.paths() == cost


@pytest.mark.parametrize("kind", ["balance.available", "invoice.created", "charge.succeeded", "brand.new"])
async def test_an_unknown_type_is_ignored_without_a_request(
    kind: str, stripe: StripeProvider, stand_in: StandIn
) -> None:
    raw = {**json.loads(body_of("invoice.paid")), "type": kind}
    reading = await stripe.read(read_envelope(json.dumps(raw).encode()))
    assert reading.is_ignored
    assert stand_in.requests == []


@pytest.mark.parametrize("kind", ["product.created", "product.updated", "price.created", "price.updated"])
@pytest.mark.parametrize("is_thin", [False, True])
async def test_a_changed_product_or_price_asks_for_the_catalogue_without_a_request(
    kind: str, is_thin: bool, stripe: StripeProvider, stand_in: StandIn
) -> None:
    snapshot = read_envelope(json.dumps({**json.loads(body_of("invoice.paid")), "type": kind}).encode())
    reading = await stripe.read(thin(f"v1.{kind}", "price_1") if is_thin else snapshot)
    assert (reading.is_catalogue, reading.is_ignored) == (True, False)
    assert stand_in.requests == []


async def test_the_fetched_state_counts_and_not_the_event(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.put("/v1/subscriptions/sub_1", a_subscription(status="canceled", ended_at=1795132000))
    (purchase,) = (await stripe.read(event("customer.subscription.updated.active"))).purchases
    assert purchase.status is PurchaseStatus.ENDED
    assert purchase.read_at == NOW


async def test_an_ordinary_subscription_event_does_not_know_of_refunds(stripe: StripeProvider) -> None:
    (purchase,) = (await stripe.read(event("customer.subscription.updated.active"))).purchases
    assert (purchase.refund, purchase.dispute) == (None, None)


async def test_an_invoice_of_an_old_version_leads_to_its_subscription(stripe: StripeProvider) -> None:
    (purchase,) = (await stripe.read(changed_event("invoice.paid", parent=None, subscription="sub_1"))).purchases
    assert purchase.external_id == "sub_1"


async def test_a_checkout_of_a_subscription_brings_the_token_of_the_session(
    stripe: StripeProvider, stand_in: StandIn
) -> None:
    bought = a_subscription(metadata={"doorlist_link": "from_the_subscription"})
    session = {**object_of("checkout.session.completed.subscription"), "subscription": bought}
    stand_in.put("/v1/checkout/sessions/cs_test_1", session)
    (purchase,) = (await stripe.read(event("checkout.session.completed.subscription"))).purchases
    assert (purchase.external_id, purchase.link_token) == ("sub_1", "lnk_7Yq2mH0c")
    assert purchase.checkout_id == "cs_test_1"


async def test_a_one_time_purchase_is_read_whole_with_one_request(stripe: StripeProvider) -> None:
    (purchase,) = (await stripe.read(event("checkout.session.completed.payment.paid"))).purchases
    assert (purchase.external_id, purchase.kind) == ("cs_test_1", PurchaseKind.ONE_TIME)
    assert (purchase.status, purchase.raw_status) == (PurchaseStatus.ACTIVE, "paid")
    assert [(item.product_id, item.price_id, item.quantity) for item in purchase.items] == [
        ("prod_pass", "price_pass", 2)
    ]
    assert (purchase.refund, purchase.dispute) == (Refund.NONE, Dispute.NONE)
    assert (purchase.amount, purchase.currency) == (500, "eur")
    assert purchase.link_token == "lnk_7Yq2mH0c"


async def test_a_guest_is_known_by_the_e_mail_of_the_checkout(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.put("/v1/checkout/sessions/cs_test_1", an_order(customer=None))
    (purchase,) = (await stripe.read(event("checkout.session.completed.guest"))).purchases
    assert (purchase.customer.external_id, purchase.customer.email) == ("", "buyer@example.com")


async def test_a_delayed_payment_waits_as_pending(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.put("/v1/checkout/sessions/cs_test_1", an_order(payment_status="unpaid"))
    (purchase,) = (await stripe.read(event("checkout.session.completed.payment.unpaid_async"))).purchases
    assert purchase.status is PurchaseStatus.PENDING


async def test_a_delayed_payment_that_failed_is_over_because_the_event_says_so(
    stripe: StripeProvider, stand_in: StandIn
) -> None:
    stand_in.put("/v1/checkout/sessions/cs_test_1", an_order(payment_status="unpaid"))
    reading = await stripe.read(event("checkout.session.async_payment_failed"))
    assert reading.purchases[0].status is PurchaseStatus.EXPIRED


@pytest.mark.parametrize("state", ["requires_payment_method", "canceled"])
async def test_a_delayed_payment_that_failed_is_over_without_the_event(
    state: str, stripe: StripeProvider, stand_in: StandIn
) -> None:
    payment = {**object_of("payment_intent.succeeded"), "status": state, "latest_charge": None}
    stand_in.put("/v1/checkout/sessions/cs_test_1", an_order(payment_status="unpaid", payment_intent=payment))
    assert (await stripe.fetch("cs_test_1")).status is PurchaseStatus.EXPIRED


async def test_an_expired_checkout_gives_its_token_back(stripe: StripeProvider) -> None:
    reading = await stripe.read(event("checkout.session.expired"))
    assert reading.expired_tokens == ("lnk_7Yq2mH0c",)
    assert not reading.is_ignored


async def test_an_expired_checkout_that_is_only_named_gives_its_token_back(
    stripe: StripeProvider, stand_in: StandIn
) -> None:
    stand_in.put("/v1/checkout/sessions/cs_test_1", object_of("checkout.session.expired"))
    reading = await stripe.read(thin("v1.checkout.session.expired", "cs_test_1"))
    assert reading.expired_tokens == ("lnk_7Yq2mH0c",)


@pytest.mark.parametrize("mode", ["setup", "subscription"])
async def test_a_session_that_sold_nothing_is_ignored(mode: str, stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.put("/v1/checkout/sessions/cs_test_1", an_order(mode=mode))
    assert (await stripe.read(event("checkout.session.completed.payment.paid"))).is_ignored


async def test_a_changed_customer_is_read_again(stripe: StripeProvider) -> None:
    (customer,) = (await stripe.read(event("customer.updated"))).customers
    assert (customer.external_id, customer.is_deleted) == ("cus_1", False)
    assert customer.email == object_of("customer.updated")["email"]


async def test_a_deleted_customer_is_read_as_deleted(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.put("/v1/customers/cus_1", {"id": "cus_1", "object": "customer", "deleted": True})
    (customer,) = (await stripe.read(event("customer.deleted"))).customers
    assert customer.is_deleted


@pytest.mark.parametrize(
    "name", ["charge.refunded.full", "refund.created.full", "refund.failed", "thin/charge.refunded"]
)
@pytest.mark.parametrize(
    ("refunds", "expected"),
    [
        ([], Refund.NONE),
        ([a_refund(200)], Refund.PARTIAL),
        ([a_refund(200), a_refund(300)], Refund.FULL),
        ([a_refund(500)], Refund.FULL),
        ([a_refund(500, "pending")], Refund.NONE),
        ([a_refund(500, "requires_action")], Refund.NONE),
        ([a_refund(500, "failed")], Refund.NONE),
        ([a_refund(500, "canceled")], Refund.NONE),
        ([a_refund(500, "failed"), a_refund(500)], Refund.FULL),
    ],
)
async def test_only_refunds_that_succeeded_count(
    name: str, refunds: list[dict[str, Any]], expected: Refund, stripe: StripeProvider, stand_in: StandIn
) -> None:
    returned = sum(refund["amount"] for refund in refunds)
    charge = a_charge(amount_refunded=returned, refunds={"object": "list", "data": refunds, "has_more": False})
    stand_in.listing("/v1/invoice_payments", an_invoice_payment(charge))
    stand_in.listing("/v1/refunds", *refunds)
    (of_subscription,) = (await stripe.read(event(name))).purchases
    ordered(stand_in, charge)
    (of_order,) = (await stripe.read(event(name))).purchases
    assert (of_subscription.external_id, of_subscription.refund) == ("sub_1", expected)
    assert (of_order.external_id, of_order.refund) == ("cs_test_1", expected)


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        (["warning_needs_response"], Dispute.INQUIRY),
        (["warning_under_review"], Dispute.INQUIRY),
        (["warning_closed"], Dispute.NONE),
        (["needs_response"], Dispute.OPEN),
        (["under_review"], Dispute.OPEN),
        (["lost"], Dispute.LOST),
        (["won"], Dispute.NONE),
        (["prevented"], Dispute.NONE),
        (["won", "needs_response"], Dispute.OPEN),
        (["won", "something_new"], None),
    ],
)
async def test_a_dispute_reads_as_the_worst_of_its_charge(
    statuses: list[str], expected: Dispute | None, stripe: StripeProvider, stand_in: StandIn
) -> None:
    charge = a_charge(disputed=True)
    stand_in.listing("/v1/invoice_payments", an_invoice_payment(charge))
    stand_in.listing("/v1/disputes", *[a_dispute(status) for status in statuses])
    (of_subscription,) = (await stripe.read(event("charge.dispute.closed.won"))).purchases
    ordered(stand_in, charge)
    (of_order,) = (await stripe.read(event("charge.dispute.closed.won"))).purchases
    assert (of_subscription.dispute, of_order.dispute) == (expected, expected)


async def test_a_refund_of_an_earlier_period_leaves_the_present_one_alone(
    stripe: StripeProvider, stand_in: StandIn
) -> None:
    refunded = a_charge(id="ch_old", amount_refunded=500)

    def payments(query: dict[str, str]) -> dict[str, Any]:
        charge = a_charge() if query.get("invoice") == "in_1" else refunded
        return {"object": "list", "data": [an_invoice_payment(charge)], "has_more": False}

    stand_in.put("/v1/invoice_payments", payments)
    (purchase,) = (await stripe.read(event("charge.refunded.full"))).purchases
    assert purchase.refund is Refund.NONE


async def test_a_charge_from_before_payment_intents_is_looked_at_and_ignored(
    stripe: StripeProvider, stand_in: StandIn
) -> None:
    stand_in.put("/v1/charges/ch_1", a_charge(payment_intent=None))
    assert (await stripe.read(changed_event("charge.refunded.full", payment_intent=None))).is_ignored
    assert stand_in.paths() == ["/v1/charges/ch_1"]


async def test_a_payment_outside_checkout_is_ignored(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.listing("/v1/invoice_payments")
    stand_in.listing("/v1/checkout/sessions")
    assert (await stripe.read(event("charge.refunded.full"))).is_ignored


async def test_a_new_dispute_is_told_to_staff(stripe: StripeProvider) -> None:
    assert "disputed" in (await stripe.read(event("charge.dispute.created"))).notice


async def test_an_invoice_that_will_never_be_paid_is_told_to_staff(stripe: StripeProvider) -> None:
    assert "uncollectible" in (await stripe.read(event("invoice.marked_uncollectible"))).notice


async def test_fetching_a_subscription_reads_its_money_too(stripe: StripeProvider, stand_in: StandIn) -> None:
    purchase = await stripe.fetch("sub_1")
    assert (purchase.refund, purchase.dispute) == (Refund.NONE, Dispute.NONE)
    assert stand_in.paths() == [*SUBSCRIPTION, "/v1/invoice_payments"]


@pytest.mark.parametrize("status", ["draft", "open", "uncollectible", "void"])
async def test_an_unpaid_invoice_does_not_clear_the_refund_of_the_last_paid_one(
    status: str, stripe: StripeProvider, stand_in: StandIn
) -> None:
    paid = object_of("invoice.paid")
    stand_in.put("/v1/subscriptions/sub_1", a_subscription(latest_invoice={**paid, "id": "in_2", "status": status}))
    stand_in.listing("/v1/invoices", paid)
    stand_in.listing("/v1/invoice_payments", an_invoice_payment(a_charge(amount_refunded=500)))
    stand_in.listing("/v1/refunds", a_refund(500))
    assert (await stripe.fetch("sub_1")).refund is Refund.FULL
    assert stand_in.paths() == [*SUBSCRIPTION, "/v1/invoices", "/v1/invoice_payments", "/v1/refunds"]
    assert (stand_in.queries[1]["status"], stand_in.queries[2]["invoice"]) == ("paid", paid["id"])


async def test_a_subscription_of_which_no_invoice_was_ever_paid_has_nothing_refunded(
    stripe: StripeProvider, stand_in: StandIn
) -> None:
    invoice = {**object_of("invoice.paid"), "status": "open"}
    stand_in.put("/v1/subscriptions/sub_1", a_subscription(latest_invoice=invoice))
    assert (await stripe.fetch("sub_1")).refund is Refund.NONE
    assert stand_in.paths() == [*SUBSCRIPTION, "/v1/invoices"]


async def test_a_payment_that_is_not_shown_leaves_the_refund_unknown(stripe: StripeProvider, stand_in: StandIn) -> None:
    payment = {"id": "inpay_1", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}}
    stand_in.listing("/v1/invoice_payments", payment)
    assert (await stripe.fetch("sub_1")).refund is None


async def test_fetching_what_stripe_does_not_have_says_that_the_purchase_is_gone(stripe: StripeProvider) -> None:
    with pytest.raises(Gone, match="purchase"):
        await stripe.fetch("sub_unknown")


@pytest.mark.parametrize(
    "external_id",
    ["", "cus_1", "cs_", "cs_/../../customers/cus_1", "cs_1?expand[]=x", "sub_1/cancel", "cs_é", "sub_1\n"],
)
async def test_what_cannot_be_a_purchase_is_not_asked_for(
    external_id: str, stripe: StripeProvider, stand_in: StandIn
) -> None:
    with pytest.raises(Gone, match="purchase"):
        await stripe.fetch(external_id)
    assert stand_in.requests == []


async def test_an_open_checkout_is_not_a_purchase_yet(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.put("/v1/checkout/sessions/cs_test_1", an_order(status="open", payment_status="unpaid"))
    with pytest.raises(Retry):
        await stripe.fetch("cs_test_1")


async def test_an_answer_about_another_subscription_is_not_believed(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.put("/v1/subscriptions/sub_1", a_subscription(id="sub_2"))
    with pytest.raises(Retry):
        await stripe.fetch("sub_1")
