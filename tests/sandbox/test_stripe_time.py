"""What happens at the local Stripe when the clock moves: renewals, trials, dunning, ends, expiries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Literal

import pytest

from sandbox.stripe import Card
from sandbox.stripe.periods import period_end
from tests.sandbox.stripe_stage import START, Stage, a_stage

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as running:
        yield running


async def bought(stage: Stage, card: Card = Card.GOOD, **params: Any) -> str:
    """Buy a monthly subscription, forget the events of the purchase, and return its id."""
    price = stage.stripe.control.add_price("VIP", 900)
    session = stage.stripe.control.buy(price["id"], "ada@example.com", card=card, **params)
    await stage.delivered()
    stage.shop.forget()
    found: str = session["subscription"]
    return found


async def now(stage: Stage, subscription_id: str) -> dict[str, Any]:
    return await stage.get(f"/v1/subscriptions/{subscription_id}")


async def test_a_renewal_is_drafted_at_the_period_end_and_paid_an_hour_later(stage: Stage) -> None:
    subscription = await bought(stage)
    await stage.clock.advance(30 * DAY)
    assert await stage.delivered() == ["invoice.created", "customer.subscription.updated"]
    renewed = stage.shop.last("customer.subscription.updated")["data"]
    old = renewed["previous_attributes"]["items"]["data"][0]["current_period_end"]
    assert renewed["object"]["items"]["data"][0]["current_period_start"] == old
    stage.shop.forget()
    await stage.clock.advance(HOUR)
    assert "invoice.paid" in await stage.delivered()
    assert (await now(stage, subscription))["status"] == "active"


async def test_a_card_that_fails_later_leads_to_retries_and_the_end(stage: Stage) -> None:
    subscription = await bought(stage, Card.FAILS_LATER)
    await stage.clock.advance(30 * DAY + HOUR)
    assert "invoice.payment_failed" in await stage.delivered()
    assert (await now(stage, subscription))["status"] == "past_due"
    await stage.clock.advance(8 * DAY)
    assert (await stage.delivered()).count("invoice.payment_failed") == 4
    ended = stage.shop.last("customer.subscription.deleted")["data"]["object"]
    assert (ended["status"], ended["cancellation_details"]["reason"]) == ("canceled", "payment_failed")


@pytest.mark.parametrize("choice", ["unpaid", "past_due"])
async def test_the_seller_decides_what_follows_the_last_retry(
    stage: Stage, choice: Literal["unpaid", "past_due"]
) -> None:
    stage.stripe.settings.when_retries_end = choice
    subscription = await bought(stage, Card.FAILS_LATER)
    await stage.clock.advance(40 * DAY)
    assert (await now(stage, subscription))["status"] == choice


async def test_a_new_card_recovers_a_past_due_subscription(stage: Stage) -> None:
    subscription = await bought(stage)
    stage.stripe.control.fail_payment(subscription)
    assert (await now(stage, subscription))["status"] == "past_due"
    stage.stripe.control.recover_payment(subscription)
    assert (await now(stage, subscription))["status"] == "active"
    types = await stage.delivered()
    assert types.index("invoice.payment_failed") < types.index("invoice.paid")


async def test_a_scheduled_end_of_the_portal_comes_instead_of_a_renewal(stage: Stage) -> None:
    subscription = await bought(stage)
    stage.stripe.control.cancel_at_period_end(subscription)
    scheduled = await now(stage, subscription)
    assert (scheduled["cancel_at"], scheduled["cancel_at_period_end"]) == (
        scheduled["items"]["data"][0]["current_period_end"],
        False,
    )
    await stage.clock.advance(60 * DAY)
    assert (await stage.delivered())[1:] == ["customer.subscription.deleted"]
    assert (await now(stage, subscription))["ended_at"] == scheduled["cancel_at"]


async def test_an_undone_end_renews_again(stage: Stage) -> None:
    subscription = await bought(stage)
    stage.stripe.control.cancel_at_period_end(subscription)
    stage.stripe.control.undo_cancel(subscription)
    await stage.clock.advance(31 * DAY)
    assert (await now(stage, subscription))["status"] == "active"


async def test_a_trial_is_announced_three_days_ahead_and_then_charged(stage: Stage) -> None:
    subscription = await bought(stage, subscription_data={"trial_period_days": 7})
    assert (await now(stage, subscription))["status"] == "trialing"
    await stage.clock.advance(3 * DAY)
    assert await stage.delivered() == []
    await stage.clock.advance(DAY)
    assert await stage.delivered() == ["customer.subscription.trial_will_end"]
    await stage.clock.advance(3 * DAY + HOUR)
    assert (await now(stage, subscription))["status"] == "active"
    assert stage.shop.types.count("customer.subscription.trial_will_end") == 1
    await stage.delivered()
    assert stage.shop.last("invoice.paid")["data"]["object"]["amount_paid"] == 900


async def test_a_first_payment_that_never_comes_expires_after_23_hours(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    customer = await stage.post("/v1/customers", payment_method="pm_card_chargeCustomerFail")
    made = await stage.post("/v1/subscriptions", **{"customer": customer["id"], "items[0][price]": price["id"]})
    await stage.clock.advance(22 * HOUR)
    assert (await now(stage, made["id"]))["status"] == "incomplete"
    await stage.clock.advance(HOUR)
    assert (await now(stage, made["id"]))["status"] == "incomplete_expired"


async def test_a_paused_subscription_is_not_billed_until_it_resumes(stage: Stage) -> None:
    subscription = await bought(stage)
    stage.stripe.control.pause(subscription)
    await stage.clock.advance(40 * DAY)
    types = await stage.delivered()
    assert "customer.subscription.paused" in types
    assert "invoice.created" not in types
    resumed = await stage.post(f"/v1/subscriptions/{subscription}/resume")
    assert resumed["status"] == "active"
    assert {"customer.subscription.resumed", "invoice.paid"} <= set(await stage.delivered())


async def test_paused_collection_voids_the_invoice_and_keeps_the_status(stage: Stage) -> None:
    subscription = await bought(stage)
    stage.stripe.control.pause_collection(subscription, "void")
    await stage.clock.advance(30 * DAY + HOUR)
    types = await stage.delivered()
    assert "invoice.voided" in types
    assert "invoice.paid" not in types
    assert (await now(stage, subscription))["status"] == "active"


@pytest.mark.parametrize(("card", "verb"), [(Card.DEBIT, "succeeded"), (Card.DEBIT_FAILS, "failed")])
async def test_a_bank_debit_is_unpaid_first_and_decided_later(stage: Stage, card: Card, verb: str) -> None:
    price = stage.stripe.control.add_price("Lifetime", 19900, interval=None)
    session = stage.stripe.control.buy(price["id"], "ada@example.com", card=card)
    assert session["payment_status"] == "unpaid"
    await stage.clock.advance(HOUR)
    assert (await stage.delivered())[-1] == f"checkout.session.async_payment_{verb}"


async def test_an_open_session_expires(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    stage.stripe.control.open_checkout(price["id"])
    await stage.clock.advance(DAY)
    assert (await stage.delivered())[-1] == "checkout.session.expired"


async def test_a_year_in_one_jump_renews_every_month_in_order(stage: Stage) -> None:
    await bought(stage)
    await stage.clock.advance(366 * DAY)
    await stage.delivered()
    paid = [event for event in stage.shop.events if event["type"] == "invoice.paid"]
    assert len(paid) == 12
    created = [event["created"] for event in stage.shop.events]
    assert created == sorted(created)


def test_the_31st_becomes_the_last_day_and_comes_back() -> None:
    anchor = int(START.replace(month=1, day=31).timestamp())
    february = period_end(anchor, "month", 1, after=anchor)
    march = period_end(anchor, "month", 1, after=february)
    assert february == int(START.replace(month=2, day=28).timestamp())
    assert march == int(START.replace(month=3, day=31).timestamp())
