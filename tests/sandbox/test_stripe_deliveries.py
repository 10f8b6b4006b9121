"""How the local Stripe delivers events: signed per attempt, retried, and in every kind of disorder on demand."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.sandbox.stripe_stage import Stage, a_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as running:
        yield running


async def some_events(stage: Stage) -> list[str]:
    """Cause three different events and return their types in the order of their making."""
    customer = await stage.post("/v1/customers", name="Ada")
    await stage.post(f"/v1/customers/{customer['id']}", name="Ada L.")
    await stage.call("DELETE", f"/v1/customers/{customer['id']}")
    return ["customer.created", "customer.updated", "customer.deleted"]


def time_of(signature: str) -> int:
    return int(signature.split(",", maxsplit=1)[0].removeprefix("t="))


async def test_a_failed_delivery_is_signed_anew_and_retried_on_the_sandbox_clock(stage: Stage) -> None:
    stage.shop.status = 500
    await stage.post("/v1/customers", name="Ada")
    await stage.delivered()
    await stage.delivered()
    assert len(stage.shop.bodies) == 1
    stage.shop.status = 200
    await stage.clock.advance(timedelta(minutes=6))
    await stage.delivered()
    first, second = stage.shop.signatures
    assert stage.shop.bodies[0] == stage.shop.bodies[1]
    assert time_of(second) - time_of(first) >= 300
    for signature, body in zip(stage.shop.signatures, stage.shop.bodies, strict=True):
        signed = f"{time_of(signature)}.".encode() + body
        digest = hmac.new(stage.secret.encode(), signed, hashlib.sha256).hexdigest()
        assert signature.endswith(f"v1={digest}")
    assert [line.status for line in stage.stripe.deliveries.log] == [500, 200]


async def test_deliveries_stop_after_three_days(stage: Stage) -> None:
    stage.shop.status = 500
    await stage.post("/v1/customers", name="Ada")
    for _ in range(100):
        await stage.delivered()
        await stage.clock.advance(timedelta(hours=1))
    assert len(stage.shop.bodies) == 10
    assert stage.stripe.deliveries.waiting == 0
    missed = await stage.get("/v1/events", delivery_success="false")
    assert [event["type"] for event in missed["data"]] == ["customer.created"]


async def test_held_events_are_released_in_any_order(stage: Stage) -> None:
    stage.stripe.deliveries.trouble.is_held = True
    types = await some_events(stage)
    assert await stage.delivered() == []
    stage.stripe.deliveries.release(lambda events: events[::-1])
    assert await stage.delivered() == types[::-1]


async def test_copies_carry_the_same_event_and_twins_do_not(stage: Stage) -> None:
    stage.stripe.deliveries.trouble.copies = 3
    await stage.post("/v1/customers", name="Ada")
    await stage.delivered()
    assert len(stage.shop.bodies) == 3
    assert len({event["id"] for event in stage.shop.events}) == 1
    stage.stripe.deliveries.trouble.copies = 1
    stage.stripe.events.twins = True
    stage.shop.forget()
    await stage.post("/v1/customers", name="Ben")
    await stage.delivered()
    assert len({event["id"] for event in stage.shop.events}) == 2


async def test_dropped_and_delayed_events_can_still_be_listed(stage: Stage) -> None:
    stage.stripe.deliveries.trouble.drop = lambda event: event["type"] == "customer.created"
    stage.stripe.deliveries.trouble.delay = timedelta(minutes=2)
    types = await some_events(stage)
    assert await stage.delivered() == []
    await stage.clock.advance(timedelta(minutes=2))
    assert await stage.delivered() == types[1:]
    assert [event["type"] for event in (await stage.get("/v1/events"))["data"]] == types[::-1]


async def test_an_outage_stops_deliveries_until_a_later_retry(stage: Stage) -> None:
    stage.stripe.control.add_price("VIP", 900)
    stage.stripe.start_outage()
    assert await stage.delivered() == []
    stage.stripe.end_outage()
    await stage.clock.advance(timedelta(minutes=6))
    assert await stage.delivered() == ["product.created", "price.created"]


async def test_every_endpoint_gets_its_own_version_and_signature(stage: Stage) -> None:
    events = ["customer.subscription.deleted"]
    stage.stripe.add_endpoint(stage.shop_url, events=events, api_version="2024-06-20")
    price = stage.stripe.control.add_price("VIP", 900)
    bought = stage.stripe.control.buy(price["id"], "ada@example.com")
    stage.stripe.control.cancel_now(bought["subscription"])
    await stage.delivered()
    new, old = [event for event in stage.shop.events if event["type"] == events[0]]
    assert new["id"] == old["id"]
    assert "current_period_end" in old["data"]["object"]
    assert "current_period_end" not in new["data"]["object"]
    assert stage.shop.signatures[-1] != stage.shop.signatures[-2]


async def test_an_event_can_be_sent_again(stage: Stage) -> None:
    await stage.post("/v1/customers", name="Ada")
    await stage.delivered()
    stage.stripe.deliveries.resend((await stage.get("/v1/events"))["data"][0])
    await stage.delivered()
    assert len(stage.shop.bodies) == 2
    assert stage.shop.bodies[0] == stage.shop.bodies[1]


async def test_a_started_stripe_delivers_by_itself(stage: Stage) -> None:
    await stage.stripe.start()
    await stage.post("/v1/customers", name="Ada")
    async with asyncio.timeout(5):
        while not stage.shop.bodies:  # noqa: ASYNC110 - the shop has no signal to wait for
            await asyncio.sleep(0.01)
    assert stage.shop.types == ["customer.created"]


async def test_a_change_says_what_was_before(stage: Stage) -> None:
    customer = await stage.post("/v1/customers", name="Ada")
    await stage.post(f"/v1/customers/{customer['id']}", name="Ben")
    await stage.delivered()
    changed = stage.shop.last("customer.updated")["data"]
    assert changed["previous_attributes"] == {"name": "Ada"}
    assert changed["object"]["name"] == "Ben"


async def test_an_event_keeps_the_state_of_its_moment(stage: Stage) -> None:
    customer = await stage.post("/v1/customers", name="Ada")
    await stage.post(f"/v1/customers/{customer['id']}", name="Ben")
    first = (await stage.get("/v1/events", type="customer.created"))["data"][0]
    assert first["data"]["object"]["name"] == "Ada"


async def test_five_hundred_ends_at_once_all_arrive(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    stage.stripe.deliveries.parallel = 8
    made = await stage.stripe.control.bulk_subscriptions(500, price["id"])
    await stage.delivered()
    stage.shop.forget()
    await stage.stripe.control.bulk_cancel(made)
    assert (await stage.delivered()).count("customer.subscription.deleted") == 500
