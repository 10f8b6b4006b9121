"""What a checkout and a portal are asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from membership.errors import Gone, Retry
from membership.ports import CheckoutOrder
from providers.stripe import StripeProvider
from tests.providers.stripe.conftest import NOW
from tests.providers.stripe.stand_in import StandIn, refuses

NEW_SESSION = {"object": "checkout.session", "id": "cs_new", "url": "https://checkout.example/cs_new"}


def an_intent(**changes: Any) -> CheckoutOrder:
    order: dict[str, Any] = {
        "price_id": "price_1",
        "link_token": "tok",
        "success_url": "https://door.example/welcome?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://door.example/",
        "expires_at": NOW + timedelta(hours=2),
    }
    return CheckoutOrder(**{**order, **changes})


def sell(stand_in: StandIn, *, interval: str | None, trial_days: int | None = None) -> None:
    recurring = {"interval": interval, "trial_period_days": trial_days} if interval else None
    stand_in.put("/v1/prices/price_1", {"id": "price_1", "object": "price", "recurring": recurring})
    stand_in.put("/v1/checkout/sessions", NEW_SESSION)


async def test_a_subscription_is_sold_with_the_token_everywhere_it_must_survive(
    stripe: StripeProvider, stand_in: StandIn
) -> None:
    sell(stand_in, interval="month")
    assert await stripe.checkout(an_intent(email="ada@example.com")) == ("cs_new", "https://checkout.example/cs_new")
    assert stand_in.queries[-1] == {
        "mode": "subscription",
        "line_items[0][price]": "price_1",
        "line_items[0][quantity]": "1",
        "client_reference_id": "tok",
        "metadata[doorlist_link]": "tok",
        "subscription_data[metadata][doorlist_link]": "tok",
        "success_url": "https://door.example/welcome?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "https://door.example/",
        "expires_at": str(int((NOW + timedelta(hours=2)).timestamp())),
        "customer_email": "ada@example.com",
    }


async def test_a_price_with_a_trial_is_sold_with_it(stripe: StripeProvider, stand_in: StandIn) -> None:
    sell(stand_in, interval="month", trial_days=7)
    await stripe.checkout(an_intent())
    assert stand_in.queries[-1]["subscription_data[trial_period_days]"] == "7"


async def test_a_one_time_price_is_sold_to_a_customer_and_not_to_a_guest(
    stripe: StripeProvider, stand_in: StandIn
) -> None:
    sell(stand_in, interval=None)
    await stripe.checkout(an_intent())
    asked = stand_in.queries[-1]
    assert (asked["mode"], asked["customer_creation"]) == ("payment", "always")
    assert asked["payment_intent_data[metadata][doorlist_link]"] == "tok"
    assert "customer_email" not in asked


async def test_the_token_makes_a_repetition_harmless(stripe: StripeProvider, stand_in: StandIn) -> None:
    sell(stand_in, interval="month")
    await stripe.checkout(an_intent())
    stand_in.faults = [refuses(500)]
    await stripe.checkout(an_intent())
    keys = [headers["Idempotency-Key"] for headers in stand_in.headers if "Idempotency-Key" in headers]
    assert len(keys) == 3
    assert len(set(keys)) == 1


async def test_a_price_is_looked_up_once(stripe: StripeProvider, stand_in: StandIn) -> None:
    sell(stand_in, interval="month")
    await stripe.checkout(an_intent())
    await stripe.checkout(an_intent(link_token="other"))
    assert stand_in.paths().count("/v1/prices/price_1") == 1


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        (timedelta(minutes=5), timedelta(minutes=31)),
        (timedelta(hours=1), timedelta(hours=1)),
        (timedelta(days=3), timedelta(hours=23, minutes=59)),
    ],
)
async def test_a_checkout_ends_when_stripe_allows(
    asked: timedelta, given: timedelta, stripe: StripeProvider, stand_in: StandIn
) -> None:
    sell(stand_in, interval="month")
    await stripe.checkout(an_intent(expires_at=NOW + asked))
    assert stand_in.queries[-1]["expires_at"] == str(int((NOW + given).timestamp()))


async def test_a_price_that_is_not_sold_any_more_is_gone(stripe: StripeProvider) -> None:
    with pytest.raises(Gone, match="price"):
        await stripe.checkout(an_intent())


async def test_the_portal_opens_for_a_customer(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.put("/v1/billing_portal/sessions", {"object": "billing_portal.session", "url": "https://portal.example/"})
    assert await stripe.portal("cus_1", "https://door.example/") == "https://portal.example/"
    assert stand_in.queries[-1] == {"customer": "cus_1", "return_url": "https://door.example/"}


async def test_a_portal_while_stripe_is_down_is_tried_later(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [refuses(503)] * 3
    with pytest.raises(Retry, match=r"^Stripe has trouble \(503\)$"):
        await stripe.portal("cus_1", "https://door.example/")
