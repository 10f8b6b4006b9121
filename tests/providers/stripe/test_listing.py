"""The full listing and the catch-up: complete, in order, and never quietly short."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from membership.errors import Blocked, Gone, Retry
from membership.model import Dispute, PurchaseSnapshot, Refund
from providers.stripe import StripeProvider
from providers.stripe_events import POLLED_TYPES
from tests.providers.stripe.conftest import NOW, a_charge, a_dispute, a_refund, a_subscription, an_order
from tests.providers.stripe.stand_in import StandIn, cuts_the_body, refuses, says

NEWEST = int(NOW.timestamp())


class Shelf:
    """A list that is paged as Stripe pages: newest first, with both cursors."""

    def __init__(self, found: Sequence[dict[str, Any]]) -> None:
        self.found = list(found)

    def __call__(self, query: dict[str, str]) -> dict[str, Any]:
        ids = [row["id"] for row in self.found]
        limit = int(query.get("limit", 10))
        if "ending_before" in query:
            end = ids.index(query["ending_before"])
            start = max(0, end - limit)
            return {"object": "list", "data": self.found[start:end], "has_more": start > 0}
        start = ids.index(query["starting_after"]) + 1 if "starting_after" in query else 0
        page = self.found[start : start + limit]
        return {"object": "list", "data": page, "has_more": start + limit < len(ids)}


def an_event(number: int, created: int = NEWEST) -> dict[str, Any]:
    return {
        "id": f"evt_{number}",
        "object": "event",
        "type": "customer.subscription.updated",
        "livemode": False,
        "created": created,
        "data": {"object": {"id": "sub_1", "object": "subscription"}},
    }


def shelve(stand_in: StandIn, *, subscriptions: int = 0, orders: int = 0) -> None:
    stand_in.put("/v1/subscriptions", Shelf([a_subscription(id=f"sub_{n}") for n in range(subscriptions)]))
    stand_in.put("/v1/checkout/sessions", Shelf([an_order(id=f"cs_{n}") for n in range(orders)]))


def shelve_events(stand_in: StandIn, count: int) -> None:
    events = [an_event(number) for number in range(count, 0, -1)]
    stand_in.put("/v1/events", Shelf(events))
    for event in events:
        stand_in.put(f"/v1/events/{event['id']}", event)


async def listed(stripe: StripeProvider) -> list[PurchaseSnapshot]:
    return [purchase async for purchase in stripe.purchases()]


async def test_everything_is_listed_page_by_page(stripe: StripeProvider, stand_in: StandIn) -> None:
    shelve(stand_in, subscriptions=230, orders=120)
    found = [purchase.external_id for purchase in await listed(stripe)]
    assert found == [f"sub_{n}" for n in range(230)] + [f"cs_{n}" for n in range(120)]
    assert stand_in.paths() == ["/v1/subscriptions"] * 3 + ["/v1/checkout/sessions"] * 2


async def test_a_listed_subscription_has_its_buyer_and_does_not_know_of_refunds(
    stripe: StripeProvider, stand_in: StandIn
) -> None:
    shelve(stand_in, subscriptions=1)
    (purchase,) = await listed(stripe)
    assert purchase.customer.email
    assert (purchase.refund, purchase.dispute) == (None, None)


async def test_sessions_that_are_no_order_are_left_out(stripe: StripeProvider, stand_in: StandIn) -> None:
    shelve(stand_in)
    stand_in.put("/v1/checkout/sessions", Shelf([an_order(mode="subscription"), an_order(mode="setup")]))
    assert await listed(stripe) == []


async def test_a_listed_order_knows_its_refunds(stripe: StripeProvider, stand_in: StandIn) -> None:
    shelve(stand_in)
    refunds = {"object": "list", "data": [a_refund(500)], "has_more": False}
    stand_in.put("/v1/checkout/sessions", Shelf([an_order(a_charge(amount_refunded=500, refunds=refunds))]))
    (purchase,) = await listed(stripe)
    assert purchase.refund is Refund.FULL


async def test_disputes_are_listed_once_and_only_where_there_is_one(stripe: StripeProvider, stand_in: StandIn) -> None:
    shelve(stand_in)
    disputed = [an_order(a_charge(id=f"ch_{n}", disputed=True), id=f"cs_{n}") for n in range(3)]
    stand_in.put("/v1/checkout/sessions", Shelf([an_order(id="cs_quiet"), *disputed]))
    stand_in.listing("/v1/disputes", {**a_dispute("lost"), "charge": "ch_1"}, {**a_dispute("won"), "charge": "ch_2"})
    states = [purchase.dispute for purchase in await listed(stripe)]
    assert states == [Dispute.NONE, None, Dispute.LOST, Dispute.NONE]
    assert stand_in.paths().count("/v1/disputes") == 1


@pytest.mark.parametrize("fault", [refuses(500), refuses(429), cuts_the_body, says(200, "{}")])
async def test_a_page_that_fails_breaks_the_listing_off(fault: Any, stripe: StripeProvider, stand_in: StandIn) -> None:
    shelve(stand_in, subscriptions=230)
    listing = stripe.purchases()
    for _ in range(100):
        await anext(listing)
    stand_in.faults = [fault] * 3
    with pytest.raises(Retry):
        await anext(listing)


@pytest.mark.parametrize("path", ["/v1/subscriptions", "/v1/checkout/sessions"])
async def test_a_refused_listing_is_never_an_empty_one(path: str, stripe: StripeProvider, stand_in: StandIn) -> None:
    shelve(stand_in, orders=1)
    stand_in.answers.pop(path)
    with pytest.raises(Gone, match="list"):
        await listed(stripe)
    stand_in.faults = [refuses(401)]
    with pytest.raises(Blocked):
        await listed(stripe)


async def test_a_list_that_promises_more_and_gives_nothing_is_an_error(
    stripe: StripeProvider, stand_in: StandIn
) -> None:
    stand_in.listing("/v1/subscriptions", has_more=True)
    with pytest.raises(Retry):
        await listed(stripe)


async def test_a_list_that_repeats_its_page_is_an_error(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.listing("/v1/subscriptions", a_subscription(), has_more=True)
    with pytest.raises(Retry):
        await listed(stripe)


async def test_catching_up_brings_every_event_once_oldest_first(stripe: StripeProvider, stand_in: StandIn) -> None:
    shelve_events(stand_in, 250)
    ids = [event.external_id async for event in stripe.events_after("evt_10")]
    assert ids == [f"evt_{number}" for number in range(11, 251)]


async def test_polling_without_news_costs_one_request(stripe: StripeProvider, stand_in: StandIn) -> None:
    shelve_events(stand_in, 3)
    cursor = await stripe.newest_event()
    assert cursor == "evt_3"
    stand_in.requests.clear()
    assert [event async for event in stripe.events_after(cursor)] == []
    assert stand_in.paths() == ["/v1/events"]


async def test_a_poll_goes_on_where_the_last_one_stopped(stripe: StripeProvider, stand_in: StandIn) -> None:
    shelve_events(stand_in, 3)
    last = [event.external_id async for event in stripe.events_after("evt_1")][-1]
    stand_in.requests.clear()
    assert [event async for event in stripe.events_after(last)] == []
    assert stand_in.paths() == ["/v1/events"]


async def test_the_poll_asks_for_no_more_types_than_stripe_takes(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.listing("/v1/events")
    assert await stripe.newest_event() == ""
    asked = [value for name, value in stand_in.queries[0].items() if name.startswith("types")]
    assert asked == list(POLLED_TYPES)
    assert len(asked) <= 20


async def test_a_cursor_older_than_thirty_days_is_gone(stripe: StripeProvider, stand_in: StandIn) -> None:
    old = int((NOW - timedelta(days=30)).timestamp())
    stand_in.put("/v1/events/evt_1", an_event(1, created=old))
    with pytest.raises(Gone, match="cursor"):
        _ = [event async for event in stripe.events_after("evt_1")]


@pytest.mark.parametrize("cursor", ["", "evt_unknown"])
async def test_a_cursor_that_stripe_does_not_know_is_gone(cursor: str, stripe: StripeProvider) -> None:
    with pytest.raises(Gone, match="cursor"):
        _ = [event async for event in stripe.events_after(cursor)]


async def test_a_listed_event_that_cannot_be_read_is_not_skipped(stripe: StripeProvider, stand_in: StandIn) -> None:
    shelve_events(stand_in, 2)
    stand_in.answers["/v1/events"].found[0].pop("livemode")
    with pytest.raises(Retry):
        _ = [event async for event in stripe.events_after("evt_1")]


async def test_prices_come_with_their_products(stripe: StripeProvider, stand_in: StandIn) -> None:
    gold = {"id": "prod_gold", "object": "product", "name": "Gold", "active": True}
    priced = {"object": "price", "currency": "eur", "unit_amount": 500, "active": True}
    stand_in.listing(
        "/v1/prices",
        {**priced, "id": "price_month", "product": gold, "recurring": {"interval": "month"}},
        {**priced, "id": "price_once", "product": gold, "recurring": None},
        {**priced, "id": "price_old", "product": {**gold, "active": False}, "recurring": None},
    )
    monthly, once = await stripe.prices()
    assert (monthly.external_id, monthly.product_id, monthly.product_name) == ("price_month", "prod_gold", "Gold")
    assert (monthly.amount, monthly.currency, monthly.interval) == (500, "eur", "month")
    assert once.interval == ""
