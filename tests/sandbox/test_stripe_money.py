"""Refunds, disputes and changes of a subscription: the events and the states that they leave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.stripe.disputes import Outcome
from tests.sandbox.stripe_stage import Stage, a_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as running:
        yield running


async def bought(stage: Stage) -> dict[str, Any]:
    """Buy once, forget the events of the purchase, and return the completed session."""
    price = stage.stripe.control.add_price("Lifetime", 1000, interval=None)
    session = stage.stripe.control.buy(price["id"], "ada@example.com")
    await stage.delivered()
    stage.shop.forget()
    return session


async def charge_of(stage: Stage, session: dict[str, Any]) -> dict[str, Any]:
    found = await stage.get("/v1/charges", payment_intent=session["payment_intent"])
    charge: dict[str, Any] = found["data"][0]
    return charge


async def test_a_full_refund_marks_the_charge_refunded(stage: Stage) -> None:
    session = await bought(stage)
    stage.stripe.control.refund(session["id"])
    assert await stage.delivered() == ["refund.created", "charge.refunded"]
    assert (await charge_of(stage, session))["refunded"] is True


async def test_a_partial_refund_does_not(stage: Stage) -> None:
    session = await bought(stage)
    stage.stripe.control.refund(session["id"], amount=400)
    charge = await charge_of(stage, session)
    assert (charge["refunded"], charge["amount_refunded"]) == (False, 400)


async def test_a_failed_refund_gives_the_money_back_to_the_seller(stage: Stage) -> None:
    session = await bought(stage)
    refund = stage.stripe.control.refund(session["id"], status="pending")
    assert (await charge_of(stage, session))["refunded"] is True
    stage.stripe.control.settle_refund(refund["id"], succeeded=False)
    assert (await charge_of(stage, session))["refunded"] is False
    assert "refund.failed" in await stage.delivered()


async def test_the_last_paid_invoice_is_refunded_while_the_next_is_a_draft(stage: Stage) -> None:
    control = stage.stripe.control
    session = control.buy(control.add_price("VIP", 900)["id"], "ada@example.com")
    first = control.payment_of(session["id"])
    await stage.clock.advance(timedelta(days=30))
    assert control.refund(session["subscription"])["payment_intent"] == first["id"]


async def test_more_than_was_paid_cannot_be_refunded(stage: Stage) -> None:
    session = await bought(stage)
    fields = {"payment_intent": session["payment_intent"], "amount": "1001"}
    assert (await stage.call("POST", "/v1/refunds", data=fields))[0] == 400


@pytest.mark.parametrize(
    ("outcome", "events"),
    [
        ("won", ["charge.dispute.closed", "charge.dispute.funds_reinstated"]),
        ("lost", ["charge.dispute.closed"]),
    ],
)
async def test_a_dispute_is_opened_and_decided(stage: Stage, outcome: Outcome, events: list[str]) -> None:
    session = await bought(stage)
    dispute = stage.stripe.control.dispute(session["id"])
    assert (await charge_of(stage, session))["disputed"] is True
    stage.stripe.control.close_dispute(dispute["id"], outcome)
    assert await stage.delivered() == ["charge.dispute.created", "charge.dispute.funds_withdrawn", *events]
    assert (await stage.get(f"/v1/disputes/{dispute['id']}"))["status"] == outcome


async def test_an_inquiry_takes_no_money_and_can_be_closed(stage: Stage) -> None:
    session = await bought(stage)
    inquiry = stage.stripe.control.dispute(session["id"], is_inquiry=True)
    assert inquiry["status"] == "warning_needs_response"
    await stage.post(f"/v1/disputes/{inquiry['id']}/close")
    assert await stage.delivered() == ["charge.dispute.created", "charge.dispute.closed"]
    assert inquiry["status"] == "warning_closed"


async def test_an_upgrade_is_one_event_on_the_same_subscription(stage: Stage) -> None:
    control = stage.stripe.control
    price, dearer = control.add_price("VIP", 900), control.add_price("Gold", 1900)
    subscription = control.buy(price["id"], "ada@example.com")["subscription"]
    await stage.delivered()
    stage.shop.forget()
    control.change_price(subscription, dearer["id"])
    assert await stage.delivered() == ["customer.subscription.updated"]
    changed = stage.shop.events[0]["data"]
    assert changed["object"]["id"] == subscription
    assert changed["object"]["items"]["data"][0]["price"]["id"] == dearer["id"]
    assert changed["previous_attributes"]["items"]["data"][0]["price"]["id"] == price["id"]


async def test_another_rhythm_starts_a_new_period_and_is_paid_at_once(stage: Stage) -> None:
    control = stage.stripe.control
    month, year = control.add_price("VIP", 900), control.add_price("VIP year", 9000, interval="year")
    subscription = control.buy(month["id"], "ada@example.com")["subscription"]
    await stage.delivered()
    stage.shop.forget()
    control.change_price(subscription, year["id"])
    assert "invoice.paid" in await stage.delivered()
    (item,) = (await stage.get(f"/v1/subscriptions/{subscription}"))["items"]["data"]
    assert item["current_period_end"] - item["current_period_start"] == 365 * 86400


async def test_items_are_added_and_removed(stage: Stage) -> None:
    control = stage.stripe.control
    price, extra = control.add_price("VIP", 900), control.add_price("Gold", 1900)
    subscription = control.buy(price["id"], "ada@example.com")["subscription"]
    two = await stage.post(
        f"/v1/subscriptions/{subscription}", **{"items[0][price]": extra["id"], "items[0][quantity]": "3"}
    )
    assert [(item["price"]["id"], item["quantity"]) for item in two["items"]["data"]] == [
        (price["id"], 1),
        (extra["id"], 3),
    ]
    first = two["items"]["data"][0]["id"]
    one = await stage.post(f"/v1/subscriptions/{subscription}", **{"items[0][id]": first, "items[0][deleted]": "true"})
    assert [item["price"]["id"] for item in one["items"]["data"]] == [extra["id"]]


async def test_a_deleted_customer_takes_the_subscriptions_along(stage: Stage) -> None:
    control = stage.stripe.control
    session = control.buy(control.add_price("VIP", 900)["id"], "ada@example.com")
    await stage.delivered()
    stage.shop.forget()
    await stage.call("DELETE", f"/v1/customers/{session['customer']}")
    assert await stage.delivered() == ["customer.subscription.deleted", "customer.deleted"]
    assert (await stage.get(f"/v1/customers/{session['customer']}"))["deleted"] is True
