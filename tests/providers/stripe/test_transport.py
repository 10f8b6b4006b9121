"""Whatever happens on the way to Stripe comes out as one of our names, and nothing is read into silence."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from pydantic import SecretStr

from membership.errors import Audience, Blocked, Gone, Reason, Retry
from membership.model import PurchaseStatus
from providers.base import Patience
from providers.stripe import StripeProvider
from tests.providers.stripe.conftest import stripe_at
from tests.providers.stripe.stand_in import (
    Fault,
    StandIn,
    closes_at_once,
    cuts_the_body,
    hangs,
    refuses,
    says,
)

PASSING = {
    "429": refuses(429),
    "429 lock_timeout": refuses(429, "lock_timeout"),
    "400 rate_limit": refuses(400, "rate_limit"),
    "409": refuses(409),
    "500": refuses(500),
    "503": refuses(503),
    "502 with a page": says(502, "<html>Bad gateway</html>", content_type="text/html"),
    "200 with a page": says(200, "<html>Log in to the hotel</html>", content_type="text/html"),
    "404 with a page": says(404, "<html>Not here</html>", content_type="text/html"),
    "an empty body": says(200, ""),
    "half a document": says(200, '{"object": "subscription", "id": "sub_1", "status": "canc'),
    "a list": says(200, "[]"),
    "an empty object": says(200, "{}"),
    "another object": says(200, '{"object": "charge", "id": "sub_1", "status": "canceled"}'),
    "null": says(200, "null"),
    "a cut body": cuts_the_body,
    "a closed connection": closes_at_once,
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_a_passing_trouble_is_tried_again(fault: Fault, stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [fault]
    assert (await stripe.fetch("sub_1")).status is PurchaseStatus.ACTIVE


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
async def test_a_lasting_trouble_is_left_to_the_queue(fault: Fault, stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [fault] * 10
    with pytest.raises(Retry) as caught:
        await stripe.fetch("sub_1")
    assert caught.value.after is None
    assert 3 <= len(stand_in.requests) <= 6  # aiohttp itself repeats a GET whose connection was closed


async def test_a_server_that_hangs_is_left_after_one_timeout(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [hangs] * 3
    with pytest.raises(Retry):
        await stripe.fetch("sub_1")
    assert len(stand_in.requests) == 1


async def test_a_server_that_is_not_there_is_tried_again_later() -> None:
    stripe = stripe_at("http://127.0.0.1:9")
    with pytest.raises(Retry):
        await stripe.fetch("sub_1")
    await stripe.close()


async def test_the_wait_that_stripe_asks_for_is_passed_on(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [says(429, '{"error": {"message": "slow down"}}', Retry_After="90")]
    with pytest.raises(Retry) as caught:
        await stripe.fetch("sub_1")
    assert caught.value.after == timedelta(seconds=90)


@pytest.mark.parametrize("asked", ["soon", "-5", "٣", "0", "Fri, 20 Nov 2026 00:00:00 GMT"])
async def test_a_wait_that_cannot_be_read_is_our_own(asked: str, stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [says(429, '{"error": {"message": "slow down"}}', Retry_After=asked)]
    assert (await stripe.fetch("sub_1")).status is PurchaseStatus.ACTIVE


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("body", ['{"error": {"type": "invalid_request_error", "message": "no"}}', "<html></html>"])
async def test_a_refused_key_waits_for_the_operator(
    status: int, body: str, stripe: StripeProvider, stand_in: StandIn
) -> None:
    stand_in.faults = [says(status, body)]
    with pytest.raises(Blocked) as caught:
        await stripe.fetch("sub_1")
    assert (caught.value.reason, caught.value.audience) == (Reason.CREDENTIALS_REFUSED, Audience.OPERATOR)
    assert len(stand_in.requests) == 1


async def test_requests_keep_under_the_limit_of_an_endpoint(stand_in: StandIn) -> None:
    stripe = stripe_at(stand_in.answers["url"], patience=Patience(requests_per_second=50))
    await stripe.fetch("sub_1")
    started_at = time.monotonic()
    await asyncio.gather(*[stripe.fetch("cs_test_1") for _ in range(15)])
    assert time.monotonic() - started_at >= 10 / 50
    await stripe.close()


async def test_the_key_is_never_in_an_error(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [refuses(401, message="Invalid API Key provided: rk_test_doorlist")]
    with pytest.raises(Blocked) as caught:
        await stripe.fetch("sub_1")
    assert "rk_test_doorlist" not in f"{caught.value} {caught.value.detail}"


async def test_only_stripe_s_own_word_makes_something_gone(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [refuses(404, "resource_missing", "No such subscription: 'sub_1'")]
    with pytest.raises(Gone):
        await stripe.fetch("sub_1")


async def test_an_object_of_the_other_mode_is_not_gone(stripe: StripeProvider, stand_in: StandIn) -> None:
    words = "No such subscription: 'sub_1'; a similar object exists in live mode, but a test mode key was used."
    stand_in.faults = [refuses(404, "resource_missing", words)]
    with pytest.raises(Blocked):
        await stripe.fetch("sub_1")


async def test_a_request_that_stripe_calls_wrong_is_loud(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [refuses(400, "parameter_unknown", "Received unknown parameter")]
    with pytest.raises(Exception, match="unknown parameter") as caught:
        await stripe.fetch("sub_1")
    assert not isinstance(caught.value, Retry | Blocked | Gone)


async def test_a_404_that_is_not_stripe_s_own_word_is_no_news(stripe: StripeProvider, stand_in: StandIn) -> None:
    stand_in.faults = [refuses(404, "", "Not Found")] * 4
    with pytest.raises(Retry):
        await stripe.fetch("sub_1")


async def test_a_connected_account_is_named_in_every_request(stand_in: StandIn) -> None:
    stripe = stripe_at(stand_in.answers["url"], account_id="acct_1CONNECTED")
    await stripe.fetch("sub_1")
    await stripe.close()
    assert {headers["Stripe-Account"] for headers in stand_in.headers} == {"acct_1CONNECTED"}


async def test_nothing_about_this_machine_is_sent(stripe: StripeProvider, stand_in: StandIn) -> None:
    await stripe.fetch("sub_1")
    await stripe.fetch("sub_1")
    assert not any("telemetry" in f"{headers}".lower() for headers in stand_in.headers)


async def test_the_event_loop_goes_on_while_the_first_request_is_prepared(stripe: StripeProvider) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        ticking = group.create_task(tick())
        await stripe.fetch("sub_1")
        ticking.cancel()
    assert ticks > 10


@pytest.mark.parametrize(
    ("key", "is_live"), [("sk_live_1", True), ("rk_live_1", True), ("sk_test_1", False), ("rk_test_live_", False)]
)
async def test_the_key_tells_live_from_test(key: str, is_live: bool, stand_in: StandIn) -> None:
    stand_in.put("/v1/account", {"id": "acct_1", "object": "account"})
    stripe = stripe_at(stand_in.answers["url"], api_key=SecretStr(key))
    assert await stripe.account() == ("acct_1", is_live)
    assert await stripe.account() == ("acct_1", is_live)
    assert len(stand_in.requests) == 1
    await stripe.close()


def test_a_process_that_never_asks_stripe_does_not_load_the_sdk() -> None:
    code = "import sys, providers.registry; sys.exit('stripe' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
