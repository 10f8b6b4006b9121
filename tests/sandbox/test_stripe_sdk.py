"""The unmodified stripe-python SDK against the local Stripe: what a real program sees over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import stripe

from tests.sandbox.stripe_stage import KEY, Stage, a_stage

# The stage's clock stands elsewhere than the SDK's, so the age of a signature says nothing here.
FOREVER = 10**9


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as running:
        yield running


@pytest.fixture
async def sdk(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[stripe.StripeClient]:
    monkeypatch.setattr(stripe, "enable_telemetry", False)
    http = stripe.AIOHTTPClient(timeout=5)
    yield stripe.StripeClient(KEY, base_addresses={"api": stage.stripe.base_url}, http_client=http)
    await http.close_async()  # type: ignore[no-untyped-call]


async def test_a_subscription_bought_through_the_sdk_and_the_page_arrives_signed(
    stage: Stage, sdk: stripe.StripeClient
) -> None:
    product = await sdk.v1.products.create_async({"name": "VIP"})
    price = await sdk.v1.prices.create_async(
        {"product": product.id, "unit_amount": 900, "currency": "eur", "recurring": {"interval": "month"}}
    )
    session = await sdk.v1.checkout.sessions.create_async(
        {
            "mode": "subscription",
            "line_items": [{"price": price.id, "quantity": 1}],
            "client_reference_id": "link_token",
            "metadata": {"link": "link_token"},
            "subscription_data": {"metadata": {"link": "link_token"}},
            "success_url": f"{stage.stripe.base_url}/done?session_id={{CHECKOUT_SESSION_ID}}",
        },
        {"idempotency_key": "co_link_token"},
    )
    assert session.url is not None
    form = {"email": "ada@example.com", "name": "Ada", "pay_with": "good"}
    async with stage.browser.post(session.url, data=form, allow_redirects=False) as answer:
        assert answer.status == 303
        assert answer.headers["Location"].endswith(f"/done?session_id={session.id}")

    assert stage.shop.types[-1] == "checkout.session.completed"
    for body, signature in zip(stage.shop.bodies, stage.shop.signatures, strict=True):
        stripe.WebhookSignature.verify_header(body.decode(), signature, stage.secret)

    bought = await sdk.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["line_items", "customer", "subscription"]}
    )
    assert bought.payment_status == "paid"
    assert bought.line_items is not None
    assert [line.price.id for line in bought.line_items.data if line.price] == [price.id]
    assert isinstance(bought.customer, stripe.Customer)
    assert bought.customer.email == "ada@example.com"
    assert isinstance(bought.subscription, stripe.Subscription)
    assert bought.subscription.status == "active"
    assert bought.subscription.metadata["link"] == "link_token"


async def test_the_sdk_pages_through_all_subscriptions(stage: Stage, sdk: stripe.StripeClient) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    made = await stage.stripe.control.bulk_subscriptions(230, price["id"])
    page = await sdk.v1.subscriptions.list_async({"limit": 100, "status": "all"})
    seen = [one.id async for one in page.auto_paging_iter()]
    assert seen == made[::-1]
    assert stage.stripe.requests.counts["GET /v1/subscriptions"] == 3


async def test_the_sdk_reads_missed_events_in_order(stage: Stage, sdk: stripe.StripeClient) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    cursor = (await sdk.v1.events.list_async({"limit": 1})).data[0].id
    session = stage.stripe.control.buy(price["id"], "ada@example.com")
    stage.stripe.control.cancel_now(session["subscription"])
    types = ["checkout.session.completed", "customer.subscription.deleted"]
    page = await sdk.v1.events.list_async({"limit": 100, "types": types, "ending_before": cursor})
    assert [event.type async for event in page.auto_paging_iter()] == types


async def test_the_sdk_finds_the_subscription_of_a_refunded_payment(stage: Stage, sdk: stripe.StripeClient) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    session = stage.stripe.control.buy(price["id"], "ada@example.com")
    refund = stage.stripe.control.refund(session["id"])
    found = await sdk.raw_request_async(
        "get",
        "/v1/invoice_payments",
        payment={"type": "payment_intent", "payment_intent": refund["payment_intent"]},
        expand=["data.invoice"],
    )
    invoice = found.data["data"][0]["invoice"]
    assert invoice["parent"]["subscription_details"]["subscription"] == session["subscription"]


async def test_the_sdk_parses_thin_events(stage: Stage, sdk: stripe.StripeClient) -> None:
    secret = stage.stripe.add_endpoint(stage.shop_url, events=["customer.subscription.deleted"], is_thin=True)
    price = stage.stripe.control.add_price("VIP", 900)
    session = stage.stripe.control.buy(price["id"], "ada@example.com")
    await stage.delivered()
    stage.shop.forget()
    stage.stripe.control.cancel_now(session["subscription"])
    await stage.delivered()
    thin = stage.shop.bodies[-1].decode()
    event = sdk.parse_event_notification(thin, stage.shop.signatures[-1], secret, tolerance=FOREVER)
    assert event.type == "v1.customer.subscription.deleted"
    assert event.related_object is not None
    assert event.related_object.id == session["subscription"]


@pytest.mark.parametrize(
    ("key", "error"),
    [("sk_test_wrong", stripe.AuthenticationError), ("rk_test_narrow", stripe.PermissionError)],
)
async def test_the_sdk_raises_its_own_errors_for_keys(stage: Stage, key: str, error: type[Exception]) -> None:
    stage.stripe.add_restricted_key("rk_test_narrow", {"customers": "read"})
    http = stripe.AIOHTTPClient(timeout=5)
    client = stripe.StripeClient(key, base_addresses={"api": stage.stripe.base_url}, http_client=http)
    with pytest.raises(error):
        await client.v1.subscriptions.list_async()
    await http.close_async()  # type: ignore[no-untyped-call]


async def test_the_portal_link_of_the_sdk_opens_and_cancels(stage: Stage, sdk: stripe.StripeClient) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    bought = stage.stripe.control.buy(price["id"], "ada@example.com")
    portal = await sdk.v1.billing_portal.sessions.create_async({"customer": bought["customer"]})
    form = {"subscription": bought["subscription"], "action": "cancel_at_period_end"}
    async with stage.browser.post(portal.url, data=form) as answer:
        assert "Keep my subscription" in await answer.text()
    await stage.clock.advance(timedelta(days=31))
    assert (await sdk.v1.subscriptions.retrieve_async(bought["subscription"])).status == "canceled"
