"""Honesty: what the local Stripe serves has the keys and types of Stripe's own published objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from sandbox.stripe.routes import ROUTES
from sandbox.stripe.shapes import published
from tests.sandbox import stripe_parameters
from tests.sandbox.stripe_stage import Stage, a_stage

# Newer than the published objects (2026-08): named by stripe-python 16.1 for 2026-10-28.endive.
NEWER = {
    "subscription": {"presentment_details", "status_details"},
    "subscription_item": {"billed_until", "current_trial"},
    "refund": {"failure_reason"},
    "payment_method": {"sepa_debit"},
    "webhook_endpoint": {"secret"},
    "event": set[str](),
}
# Left out on purpose: shown only when expanded, by other kinds of payment, or by older versions.
ABSENT = {
    "charge": {"refunds", "source"},
    "invoice": {"subscription"},
    "line_item": {"subscription"},
    "payment_method": {"card"},
    "product": {"package_dimensions"},
}


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as running:
        yield running


async def everything(stage: Stage) -> list[dict[str, Any]]:
    """Let one of each kind of object come into being, and fetch them all over HTTP."""
    control = stage.stripe.control
    price = control.add_price("VIP", 900)
    once = control.add_price("Lifetime", 19900, interval=None)
    first = control.buy(price["id"], "ada@example.com")
    control.buy(once["id"], "ben@example.com")
    control.refund(first["id"], amount=100)
    control.dispute(first["id"])
    control.pause(control.buy(price["id"], "kim@example.com")["subscription"])
    await stage.clock.advance(timedelta(days=32))
    await stage.post("/v1/billing_portal/sessions", customer=first["customer"])
    paths = ["products", "prices", "customers", "subscriptions", "checkout/sessions", "payment_intents", "charges"]
    paths += [
        "refunds",
        "disputes",
        "invoices",
        "invoice_payments",
        "webhook_endpoints",
        "billing_portal/configurations",
    ]
    found = [await stage.get("/v1/account")]
    for path in paths:
        found += (await stage.get(f"/v1/{path}"))["data"]
    found += (await stage.get("/v1/events", limit="1"))["data"]
    found += (await stage.get(f"/v1/checkout/sessions/{first['id']}/line_items"))["data"]
    return found


def differences(served: Any, example: Any, place: str) -> Iterator[str]:
    """Yield what differs. Null says nothing about a type, and an empty example says nothing about its keys."""
    if served is None or example is None:
        return
    if not isinstance(served, type(example)):
        yield f"{place}: {type(served).__name__} instead of {type(example).__name__}"
    elif isinstance(served, list) and served and example:
        for child in served:
            yield from differences(child, example[0], f"{place}[]")
    elif isinstance(served, dict):
        yield from _differences_of_keys(served, example, place)
        for name in example.keys() & served.keys():
            yield from differences(served[name], example[name], f"{place}.{name}")


def _differences_of_keys(served: dict[str, Any], example: dict[str, Any], place: str) -> Iterator[str]:
    """Only whole objects have a fixed set of keys; hashes inside them vary with what they describe."""
    kind = served.get("object")
    if not isinstance(kind, str):
        return
    for name in example.keys() - served.keys() - ABSENT.get(kind, set()):
        yield f"{place}.{name}: missing"
    for name in served.keys() - example.keys() - NEWER.get(kind, set()):
        yield f"{place}.{name}: not Stripe's"


async def test_every_object_has_the_published_keys_and_types(stage: Stage) -> None:
    served = await everything(stage)
    assert len({one["object"] for one in served}) == 16
    found = {
        line
        for one in served
        for line in differences(one, published()[one["object"]], one["object"])
        if not line.startswith("event.data.")
    }
    assert not found


async def test_the_parameters_are_those_of_the_sdk() -> None:
    names = sorted({route.parameters for route in ROUTES if route.parameters})
    assert stripe_parameters.declared(names) == stripe_parameters.recorded()


async def test_a_subscription_says_who_it_bills_until_when(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    bought = stage.stripe.control.buy(price["id"], "ada@example.com")
    subscription = await stage.get(f"/v1/subscriptions/{bought['subscription']}")
    (item,) = subscription["items"]["data"]
    assert "current_period_end" not in subscription
    assert item["current_period_end"] - item["current_period_start"] == 30 * 86400
    assert subscription["billing_mode"]["type"] == "flexible"


async def test_an_old_version_shows_the_old_shape(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    bought = stage.stripe.control.buy(price["id"], "ada@example.com")
    old = {"Stripe-Version": "2024-06-20"}
    _, subscription = await stage.call("GET", f"/v1/subscriptions/{bought['subscription']}", headers=old)
    assert subscription["current_period_end"] - subscription["current_period_start"] == 30 * 86400
    assert "current_period_end" not in subscription["items"]["data"][0]
    assert subscription["plan"]["id"] == price["id"]
    assert subscription["quantity"] == 1
    _, invoice = await stage.call("GET", f"/v1/invoices/{bought['invoice']}", headers=old)
    assert invoice["subscription"] == bought["subscription"]
    _, charge = await stage.call("GET", f"/v1/charges/{invoice['charge']}", headers=old)
    assert charge["invoice"] == bought["invoice"]
