"""What customers settle with Stripe: the end of a subscription and taking it back, the portal at a task, invoices."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Literal

import pytest

from membership.errors import Gone, Retry, UserError
from membership.model import PurchaseSnapshot, PurchaseStatus
from membership.ports import Invoice, InvoiceState
from providers.stripe import StripeProvider
from sandbox.stripe.shapes import Object
from tests.providers.stripe.local_stage import START, LocalStage, local_stage
from tests.providers.stripe.stand_in import StandIn, refuses

SHOP = "https://door.example/portal"


@pytest.fixture
async def stage() -> AsyncIterator[LocalStage]:
    async with local_stage() as opened:
        yield opened


async def bought(stage: LocalStage, interval: Literal["month"] | None = "month") -> PurchaseSnapshot:
    price = stage.local.control.add_price("Gold", 500, interval=interval)
    session = stage.local.control.open_checkout(price["id"])
    stage.local.control.pay(session["id"], "ada@example.com")
    purchase = await stage.only()
    if interval is None:  # a guest's, whom Stripe has no portal for
        return purchase
    return await stage.stripe.fetch(purchase.external_id)


def raw(stage: LocalStage, purchase: PurchaseSnapshot) -> Object:
    return stage.local.world.get("subscription", purchase.external_id)


async def test_a_subscription_ends_with_its_period(stage: LocalStage) -> None:
    purchase = await bought(stage)
    ending = await stage.stripe.end_at_period(purchase.external_id, is_ending=True)
    assert (ending.status, ending.ends_at) == (PurchaseStatus.ACTIVE, purchase.period_ends_at)
    assert ending.customer.email == "ada@example.com"
    await stage.clock.advance(timedelta(days=32))
    assert (await stage.stripe.fetch(purchase.external_id)).status is PurchaseStatus.ENDED


async def test_what_is_said_again_is_no_second_change(stage: LocalStage) -> None:
    purchase = await bought(stage)
    first = await stage.stripe.end_at_period(purchase.external_id, is_ending=True)
    await stage.clock.advance(timedelta(days=1))
    again = await stage.stripe.end_at_period(purchase.external_id, is_ending=True)
    assert again.ends_at == first.ends_at
    assert raw(stage, purchase)["canceled_at"] == int(START.timestamp())


@pytest.mark.parametrize("is_by_portal", [True, False])
async def test_an_end_is_taken_back_whoever_asked_for_it(stage: LocalStage, is_by_portal: bool) -> None:
    purchase = await bought(stage)
    if is_by_portal:
        stage.local.control.cancel_at_period_end(purchase.external_id)
    else:
        await stage.stripe.end_at_period(purchase.external_id, is_ending=True)
    kept = await stage.stripe.end_at_period(purchase.external_id, is_ending=False)
    assert kept.ends_at is None
    assert (raw(stage, purchase)["cancel_at"], raw(stage, purchase)["cancel_at_period_end"]) == (None, False)
    assert (await stage.stripe.end_at_period(purchase.external_id, is_ending=False)).ends_at is None


async def test_what_was_paid_once_cannot_be_cancelled(stage: LocalStage) -> None:
    purchase = await bought(stage, None)
    with pytest.raises(UserError, match="nothing to cancel"):
        await stage.stripe.end_at_period(purchase.external_id, is_ending=True)


async def test_what_has_ended_stays_ended(stage: LocalStage) -> None:
    purchase = await bought(stage)
    stage.local.control.cancel_now(purchase.external_id)
    ended = await stage.stripe.end_at_period(purchase.external_id, is_ending=True)
    assert ended.status is PurchaseStatus.ENDED
    with pytest.raises(UserError, match="buy it again"):
        await stage.stripe.end_at_period(purchase.external_id, is_ending=False)


async def test_a_subscription_on_a_schedule_is_the_sellers_to_change(stage: LocalStage) -> None:
    purchase = await bought(stage)
    raw(stage, purchase)["schedule"] = "sub_sched_1"
    with pytest.raises(UserError, match="seller"):
        await stage.stripe.end_at_period(purchase.external_id, is_ending=True)


async def test_a_subscription_that_stripe_does_not_have_is_gone(stage: LocalStage) -> None:
    with pytest.raises(Gone, match="purchase"):
        await stage.stripe.end_at_period("sub_none", is_ending=True)


async def test_nothing_is_asked_for_an_id_that_leads_elsewhere(stripe: StripeProvider, stand_in: StandIn) -> None:
    with pytest.raises(UserError):
        await stripe.end_at_period("sub_1/../../account", is_ending=True)
    assert stand_in.requests == []


async def test_the_portal_opens_at_a_task_and_leads_back(stage: LocalStage) -> None:
    purchase = await bought(stage)
    customer = purchase.customer.external_id
    await stage.stripe.portal(customer, SHOP, f"cancel:{purchase.external_id}")
    await stage.stripe.portal(customer, SHOP, "card")
    cancel, card = [row["flow"] for row in stage.local.world.rows("billing_portal.session")]
    assert cancel["subscription_cancel"]["subscription"] == purchase.external_id
    assert cancel["after_completion"]["redirect"] == {"return_url": SHOP}
    assert card["type"] == "payment_method_update"


async def test_the_portal_opens_without_a_task_that_stripe_refuses(stage: LocalStage) -> None:
    purchase = await bought(stage)
    (configuration,) = stage.local.world.rows("billing_portal.configuration")
    configuration["features"]["subscription_cancel"]["enabled"] = False
    url = await stage.stripe.portal(purchase.customer.external_id, SHOP, f"cancel:{purchase.external_id}")
    (session,) = stage.local.world.rows("billing_portal.session")
    assert (session["flow"], session["url"]) == (None, url)


async def test_a_made_up_task_opens_the_portal(stage: LocalStage) -> None:
    purchase = await bought(stage)
    await stage.stripe.portal(purchase.customer.external_id, SHOP, "cancel:../account")
    (session,) = stage.local.world.rows("billing_portal.session")
    assert session["flow"] is None


async def test_a_portal_in_trouble_is_no_refusal_of_the_task(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [refuses(503)] * 3
    with pytest.raises(Retry):
        await stripe.portal("cus_1", SHOP, "card")
    assert len(stand_in.requests) == 3


async def test_invoices_come_newest_first(stage: LocalStage) -> None:
    purchase = await bought(stage)
    await stage.clock.advance(timedelta(days=32))
    newer, older = await stage.stripe.invoices(purchase.customer.external_id, 20)
    assert newer.made_at > older.made_at
    assert older == Invoice(
        external_id=older.external_id,
        made_at=START,
        amount=500,
        currency="eur",
        state=InvoiceState.PAID,
        number=older.number,
        url=f"{stage.local.base_url}/invoice/{older.external_id}",
    )
    assert older.number
    assert len(await stage.stripe.invoices(purchase.customer.external_id, 1)) == 1


async def test_an_invoice_that_is_still_written_is_not_shown(stripe: StripeProvider, stand_in: StandIn) -> None:
    made_at = datetime(2026, 11, 1, tzinfo=UTC)
    common = {"object": "invoice", "created": int(made_at.timestamp()), "total": 900, "currency": "eur"}
    stand_in.listing(
        "/v1/invoices", {**common, "id": "in_2", "status": "draft"}, {**common, "id": "in_1", "status": "disputed"}
    )
    (shown,) = await stripe.invoices("cus_1", 20)
    assert (shown.external_id, shown.state, shown.url) == ("in_1", InvoiceState.UNKNOWN, "")


async def test_the_invoices_of_a_customer_whom_stripe_does_not_have_are_gone(stage: LocalStage) -> None:
    with pytest.raises(Gone, match="customer"):
        await stage.stripe.invoices("cus_none", 20)
