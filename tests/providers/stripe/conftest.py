"""A Stripe provider in front of the stand-in, and the world it usually shows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from providers.base import Patience
from providers.config import StripeSettings
from providers.registry import build_stripe
from providers.stripe import StripeProvider
from tests.providers.stripe.stand_in import StandIn, object_of

NOW = datetime.fromtimestamp(1795132800, UTC)
SECRET = "whsec_vectorsecretcurrent"
QUICK = Patience(tries=3, first_wait_seconds=0.001, timeout_seconds=0.4, requests_per_second=10_000)


class FixedClock:
    """Always the same moment."""

    def now(self) -> datetime:
        return NOW


class NoRandomness:
    """The same every time."""

    def code(self) -> str:
        return "0" * 16

    def token(self) -> str:
        return "token"

    def jitter(self) -> float:
        return 0.0


def stripe_at(url: str, *, patience: Patience = QUICK, **settings: Any) -> StripeProvider:
    """Return a provider for the account behind `url`."""
    chosen = {"api_key": SecretStr("rk_test_doorlist"), "webhook_secret": SecretStr(SECRET), **settings}
    return build_stripe(
        StripeSettings(api_url=url, **chosen), clock=FixedClock(), randomness=NoRandomness(), patience=patience
    )


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    """Serve a stand-in that knows a subscription, an order and their customer."""
    stand_in = StandIn()
    stock(stand_in)
    async with TestServer(stand_in.application()) as server:
        stand_in.put("url", str(server.make_url("")).rstrip("/"))
        yield stand_in


@pytest.fixture
async def stripe(stand_in: StandIn) -> AsyncIterator[StripeProvider]:
    """Return the provider in front of the stand-in."""
    provider = stripe_at(stand_in.answers["url"])
    yield provider
    await provider.close()


def stock(stand_in: StandIn) -> None:
    """Put the story of the fixtures on the shelf: sub_1 is paid for by pi_1 through in_1, cs_test_1 is an order."""
    customer = object_of("customer.updated")
    stand_in.put("/v1/customers/cus_1", customer)
    stand_in.put("/v1/subscriptions/sub_1", a_subscription())
    stand_in.put("/v1/checkout/sessions/cs_test_1", an_order())
    stand_in.put("/v1/invoices/in_1", object_of("invoice.paid"))
    stand_in.put("/v1/charges/ch_1", a_charge())
    stand_in.listing("/v1/invoices")
    stand_in.listing("/v1/invoice_payments", an_invoice_payment(a_charge()))
    stand_in.listing("/v1/checkout/sessions", an_order())
    stand_in.listing("/v1/refunds")
    stand_in.listing("/v1/disputes")


def a_subscription(name: str = "customer.subscription.updated.active", **changes: Any) -> dict[str, Any]:
    """Return a subscription as a request for it answers: with its customer and its latest invoice expanded."""
    expanded = {"customer": object_of("customer.updated"), "latest_invoice": object_of("invoice.paid")}
    return {**object_of(name), **expanded, **changes}


def a_charge(**changes: Any) -> dict[str, Any]:
    """Return the charge ch_1 of 5.00, paid and not refunded."""
    charge = {**object_of("charge.refunded.full"), "amount_refunded": 0, "refunded": False}
    return {**charge, "refunds": {"object": "list", "data": [], "has_more": False}, **changes}


def a_refund(amount: int = 500, status: str = "succeeded") -> dict[str, Any]:
    """Return a refund of ch_1."""
    return {**object_of("refund.created.full"), "amount": amount, "status": status}


def a_dispute(status: str) -> dict[str, Any]:
    """Return a dispute of ch_1."""
    return {**object_of("charge.dispute.created"), "status": status}


def an_order(charge: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a paid checkout session with everything expanded that we ask for."""
    session = object_of("checkout.session.completed.payment.paid")
    payment = {**object_of("payment_intent.succeeded"), "latest_charge": charge or a_charge()}
    price = {"id": "price_pass", "object": "price", "product": "prod_pass", "currency": "eur", "unit_amount": 500}
    lines = {"object": "list", "data": [{"object": "item", "quantity": 2, "price": price}], "has_more": False}
    expanded = {"customer": object_of("customer.updated"), "payment_intent": payment, "line_items": lines}
    return {**session, **expanded, **changes}


def an_invoice_payment(charge: dict[str, Any]) -> dict[str, Any]:
    """Return the payment of in_1, with its invoice and its charge expanded."""
    payment_intent = {**object_of("payment_intent.succeeded"), "latest_charge": charge}
    payment = {"type": "payment_intent", "payment_intent": payment_intent}
    invoice = object_of("invoice.paid")
    return {"id": "inpay_1", "object": "invoice_payment", "invoice": invoice, "payment": payment, "status": "paid"}
