"""Stories over the local Stripe: bought, changed, refunded, disputed, ended; by snapshot, old and thin events alike."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from membership.errors import Blocked, Gone, Retry
from membership.model import Dispute, PurchaseKind, PurchaseStatus, Refund
from membership.ports import CheckoutOrder
from sandbox.stripe.cards import Card
from sandbox.stripe.faults import Fault
from tests.providers.stripe.local_stage import START, LocalStage, local_stage

ENDPOINTS: dict[str, dict[str, Any]] = {
    "present": {},
    "2024-06-20": {"api_version": "2024-06-20"},
    "2017-08-15": {"api_version": "2017-08-15"},
    "thin": {"is_thin": True},
}


@pytest.fixture(params=list(ENDPOINTS))
async def stage(request: pytest.FixtureRequest) -> AsyncIterator[LocalStage]:
    """Open a stage for each way in which an endpoint may get its events."""
    async with local_stage(**ENDPOINTS[request.param]) as stage:
        yield stage


@pytest.fixture
async def present() -> AsyncIterator[LocalStage]:
    """Open a stage whose endpoint has the present version."""
    async with local_stage() as stage:
        yield stage


def a_price(stage: LocalStage, *, interval: str | None = "month") -> str:
    return str(stage.local.control.add_price("Gold", 500, interval=interval)["id"])  # type: ignore[arg-type]


def an_intent(price_id: str) -> CheckoutOrder:
    return CheckoutOrder(
        price_id=price_id,
        link_token="tok_1",
        success_url="https://door.example/welcome",
        cancel_url="https://door.example/",
        expires_at=START + timedelta(hours=2),
        email="ada@example.com",
    )


@pytest.mark.parametrize(("interval", "kind"), [("month", PurchaseKind.SUBSCRIPTION), (None, PurchaseKind.ONE_TIME)])
async def test_our_own_checkout_comes_back_with_its_token(
    interval: str | None, kind: PurchaseKind, stage: LocalStage
) -> None:
    session_id, url = await stage.stripe.checkout(an_intent(a_price(stage, interval=interval)))
    assert url.startswith(stage.local.base_url)
    stage.local.control.pay(session_id, "ada@example.com")
    purchase = await stage.only()
    assert (purchase.kind, purchase.status) == (kind, PurchaseStatus.ACTIVE)
    assert purchase.link_token == "tok_1"
    assert (purchase.customer.email, purchase.amount, purchase.currency) == ("ada@example.com", 500, "eur")
    assert purchase.customer.external_id


async def test_the_same_token_gives_the_same_checkout(present: LocalStage) -> None:
    order = an_intent(a_price(present))
    assert await present.stripe.checkout(order) == await present.stripe.checkout(order)


async def test_a_checkout_that_nobody_paid_gives_its_token_back(stage: LocalStage) -> None:
    await stage.stripe.checkout(an_intent(a_price(stage)))
    await stage.clock.advance(timedelta(hours=3))
    await stage.settle()
    assert [token for reading in stage.readings for token in reading.expired_tokens] == ["tok_1"]
    assert stage.known == {}


async def test_a_subscription_lives_through_failure_recovery_pause_and_end(stage: LocalStage) -> None:
    control = stage.local.control
    bought = control.buy(a_price(stage), "ada@example.com")["subscription"]
    statuses = [(await stage.only()).status]
    for change in (control.fail_payment, control.recover_payment, control.pause, control.resume, control.cancel_now):
        change(bought)
        statuses.append((await stage.only()).status)
    assert statuses == [
        PurchaseStatus.ACTIVE,
        PurchaseStatus.PAST_DUE,
        PurchaseStatus.ACTIVE,
        PurchaseStatus.PAUSED,
        PurchaseStatus.ACTIVE,
        PurchaseStatus.ENDED,
    ]


async def test_an_end_that_is_scheduled_keeps_access_and_can_be_taken_back(stage: LocalStage) -> None:
    bought = stage.local.control.buy(a_price(stage), "ada@example.com")["subscription"]
    stage.local.control.cancel_at_period_end(bought)
    scheduled = await stage.only()
    stage.local.control.undo_cancel(bought)
    undone = await stage.only()
    assert (scheduled.status, scheduled.ends_at) == (PurchaseStatus.ACTIVE, scheduled.period_ends_at)
    assert undone.ends_at is None


async def test_an_upgrade_and_more_seats_show_in_the_items(stage: LocalStage) -> None:
    control, better = stage.local.control, a_price(stage)
    bought = control.buy(a_price(stage), "ada@example.com")["subscription"]
    control.change_price(bought, better)
    control.change_quantity(bought, 3)
    (item,) = (await stage.only()).items
    assert (item.price_id, item.quantity) == (better, 3)


@pytest.mark.parametrize("interval", ["month", None])
@pytest.mark.parametrize(
    ("amount", "status", "expected"),
    [(None, "succeeded", Refund.FULL), (200, "succeeded", Refund.PARTIAL), (None, "pending", Refund.NONE)],
)
async def test_a_refund_is_seen(
    interval: str | None, amount: int | None, status: str, expected: Refund, stage: LocalStage
) -> None:
    session = stage.local.control.buy(a_price(stage, interval=interval), "ada@example.com")
    await stage.settle()
    stage.local.control.refund(session["id"], amount=amount, status=status)
    assert (await stage.only()).refund is expected


@pytest.mark.parametrize("interval", ["month", None])
@pytest.mark.parametrize(("succeeded", "expected"), [(True, Refund.FULL), (False, Refund.NONE)])
async def test_a_pending_refund_counts_only_when_it_succeeds(
    interval: str | None, succeeded: bool, expected: Refund, stage: LocalStage
) -> None:
    control = stage.local.control
    session = control.buy(a_price(stage, interval=interval), "ada@example.com")
    refund = control.refund(session["id"], status="pending")
    await stage.settle()
    control.settle_refund(refund["id"], succeeded=succeeded)
    assert (await stage.only()).refund is expected


@pytest.mark.parametrize("interval", ["month", None])
async def test_a_refund_that_comes_back_is_taken_back(interval: str | None, present: LocalStage) -> None:
    session = present.local.control.buy(a_price(present, interval=interval), "ada@example.com")
    refund = present.local.control.refund(session["id"])
    gone = (await present.only()).refund
    present.local.control.settle_refund(refund["id"], succeeded=False)
    assert (gone, (await present.only()).refund) == (Refund.FULL, Refund.NONE)


@pytest.mark.parametrize("interval", ["month", None])
async def test_a_dispute_is_seen_from_its_opening_to_its_end(interval: str | None, stage: LocalStage) -> None:
    session = stage.local.control.buy(a_price(stage, interval=interval), "ada@example.com")
    await stage.settle()
    dispute = stage.local.control.dispute(session["id"])
    opened = (await stage.only()).dispute
    stage.local.control.close_dispute(dispute["id"], "lost")
    assert (opened, (await stage.only()).dispute) == (Dispute.OPEN, Dispute.LOST)


async def test_an_inquiry_is_only_flagged_and_passes(stage: LocalStage) -> None:
    session = stage.local.control.buy(a_price(stage), "ada@example.com")
    dispute = stage.local.control.dispute(session["id"], is_inquiry=True)
    opened = (await stage.only()).dispute
    stage.local.control.close_dispute(dispute["id"], "warning_closed")
    assert (opened, (await stage.only()).dispute) == (Dispute.INQUIRY, Dispute.NONE)


async def test_an_ordinary_event_does_not_forget_a_refund(stage: LocalStage) -> None:
    bought = stage.local.control.buy(a_price(stage), "ada@example.com")["subscription"]
    stage.local.control.refund(bought)
    await stage.settle()
    stage.local.control.change_quantity(bought, 2)
    assert (await stage.only()).refund is Refund.FULL


async def test_a_renewal_that_fails_after_a_refund_does_not_clear_it(present: LocalStage) -> None:
    bought = present.local.control.buy(a_price(present), "ada@example.com")["subscription"]
    present.local.control.refund(bought)
    present.local.control.fail_payment(bought)
    purchase = await present.stripe.fetch(bought)
    assert (purchase.status, purchase.refund) == (PurchaseStatus.PAST_DUE, Refund.FULL)


async def test_a_renewal_after_a_refund_is_paid_access_again(present: LocalStage) -> None:
    bought = present.local.control.buy(a_price(present), "ada@example.com")["subscription"]
    present.local.control.refund(bought)
    assert (await present.stripe.fetch(bought)).refund is Refund.FULL
    await present.clock.advance(timedelta(days=32))
    assert (await present.stripe.fetch(bought)).refund is Refund.NONE


@pytest.mark.parametrize(
    ("card", "expected"), [(Card.DEBIT, PurchaseStatus.ACTIVE), (Card.DEBIT_FAILS, PurchaseStatus.EXPIRED)]
)
async def test_a_delayed_payment_waits_and_then_ends_one_way_or_the_other(
    card: Card, expected: PurchaseStatus, stage: LocalStage
) -> None:
    stage.local.control.buy(a_price(stage, interval=None), "ada@example.com", card=card)
    waiting = (await stage.only()).status
    stage.local.control.settle_debits()
    assert (waiting, (await stage.only()).status) == (PurchaseStatus.PENDING, expected)


async def test_the_listing_agrees_with_what_the_events_told(present: LocalStage) -> None:
    control = present.local.control
    monthly, once = a_price(present), a_price(present, interval=None)
    for number in range(3):
        control.buy(monthly, f"member{number}@example.com")
        control.buy(once, f"guest{number}@example.com")
    ended = control.buy(monthly, "gone@example.com")["subscription"]
    control.cancel_now(ended)
    await present.settle()
    listed = {purchase.external_id: purchase async for purchase in present.stripe.purchases()}
    assert set(listed) == set(present.known) - {ended}
    for external_id, purchase in listed.items():
        told = present.known[external_id]
        assert (purchase.status, purchase.items) == (told.status, told.items)
        assert purchase.customer.email == told.customer.email


async def test_a_long_listing_comes_whole(present: LocalStage) -> None:
    made = await present.local.control.bulk_subscriptions(230, a_price(present))
    listed = {purchase.external_id async for purchase in present.stripe.purchases()}
    assert listed == set(made)
    assert present.local.requests.counts["GET /v1/subscriptions"] == 3


@pytest.mark.parametrize("answer", ["truncated", "garbage", "reset", "status"])
async def test_a_broken_listing_ends_in_an_error(answer: str, present: LocalStage) -> None:
    await present.local.control.bulk_subscriptions(3, a_price(present))
    present.local.faults.add(Fault(answer=answer, path="/v1/subscriptions"))  # type: ignore[arg-type]
    with pytest.raises(Retry):
        _ = [purchase async for purchase in present.stripe.purchases()]


async def test_catching_up_brings_what_no_webhook_told_oldest_first(present: LocalStage) -> None:
    control, price = present.local.control, a_price(present)
    control.buy(price, "first@example.com")
    cursor = await present.stripe.newest_event()
    bought = control.buy(price, "ada@example.com")["subscription"]
    control.cancel_now(bought)
    events = [event async for event in present.stripe.events_after(cursor)]
    assert [event.type for event in events][-1] == "customer.subscription.deleted"
    assert "checkout.session.completed" in [event.type for event in events]
    (purchase,) = (await present.stripe.read(events[-1])).purchases
    assert (purchase.external_id, purchase.status) == (bought, PurchaseStatus.ENDED)


async def test_after_more_than_thirty_days_there_is_no_catching_up(present: LocalStage) -> None:
    present.local.control.buy(a_price(present), "ada@example.com")
    cursor = await present.stripe.newest_event()
    await present.clock.advance(timedelta(days=31))
    with pytest.raises(Gone, match="cursor"):
        _ = [event async for event in present.stripe.events_after(cursor)]


async def test_the_portal_opens_for_who_bought(present: LocalStage) -> None:
    customer = present.local.control.buy(a_price(present), "ada@example.com")["customer"]
    assert (await present.stripe.portal(customer, "https://door.example/")).startswith(present.local.base_url)


async def test_the_account_is_the_one_that_owns_the_key(present: LocalStage) -> None:
    assert await present.stripe.account() == (present.local.account_id, False)


async def test_the_prices_are_those_on_sale(present: LocalStage) -> None:
    price_id = a_price(present)
    (price,) = await present.stripe.prices()
    assert (price.external_id, price.product_name, price.interval) == (price_id, "Gold", "month")


async def test_a_trial_of_a_price_is_begun_by_a_checkout(present: LocalStage) -> None:
    present.local.control.add_price("Gold", 900, trial_days=7)
    (price,) = await present.stripe.prices()
    assert price.trial_days == 7
    session_id, _ = await present.stripe.checkout(an_intent(price.external_id))
    present.local.control.pay(session_id, "ada@example.com")
    assert (await present.stripe.fetch(session_id)).status is PurchaseStatus.TRIALING


async def test_a_revoked_key_is_the_operator_s_business(present: LocalStage) -> None:
    bought = present.local.control.buy(a_price(present), "ada@example.com")["subscription"]
    present.local.keys.revoke("sk_test_sandbox")
    with pytest.raises(Blocked):
        await present.stripe.fetch(bought)


async def test_an_outage_is_waited_out(present: LocalStage) -> None:
    bought = present.local.control.buy(a_price(present), "ada@example.com")["subscription"]
    present.local.start_outage()
    with pytest.raises(Retry):
        await present.stripe.fetch(bought)
    present.local.end_outage()
    assert (await present.stripe.fetch(bought)).status is PurchaseStatus.ACTIVE
