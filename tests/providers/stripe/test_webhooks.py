"""The envelope: who signed, what came, for which account."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from providers.signatures import BadPayload, BadSignature
from providers.stripe import StripeProvider
from providers.stripe_events import Hint, hint, read_envelope
from tests.providers.stripe.conftest import NOW, SECRET, stripe_at
from tests.providers.stripe.stand_in import all_names, body_of
from tests.providers.stripe.test_signatures import signed

FIELDS = st.sampled_from(["id", "mode", "payment_intent", "charge", "subscription", "parent", "metadata", "customer"])
FOREIGN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.sampled_from(["", "sub_1", "setup"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize("name", all_names())
def test_every_event_is_recognised(name: str, stripe: StripeProvider) -> None:
    body, raw = body_of(name), json.loads(body_of(name))
    (event,) = stripe.verify({"Stripe-Signature": signed(body)}, body, now=NOW)
    assert (event.external_id, event.type, event.body) == (raw["id"], raw["type"], body)
    assert event.is_live is raw["livemode"]


def test_a_connected_account_is_named(stripe: StripeProvider) -> None:
    body = body_of("customer.subscription.updated.connect")
    (event,) = stripe.verify({"stripe-signature": signed(body)}, body, now=NOW)
    assert event.account == "acct_1CONNECTED"


def test_the_header_is_found_in_any_case(stripe: StripeProvider) -> None:
    body = body_of("invoice.paid")
    assert stripe.verify({"STRIPE-SIGNATURE": signed(body)}, body, now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b'"event"',
        b"null",
        b"{}",
        b'{"object": "charge"}',
        b'{"object": "event", "id": "evt_1", "type": "a"}',
        b'{"object": "event", "id": 1, "type": "a", "livemode": false}',
        b'{"object": "event", "id": "", "type": "a", "livemode": false}',
        b'{"object": "event", "id": "evt_1", "type": "", "livemode": false}',
        b'{"object": "event", "id": "evt_1", "type": "a", "livemode": "false"}',
        b'{"object": "event", "id": "' + b"x" * 256 + b'", "type": "a", "livemode": false}',
        b"\xff",
    ],
    ids=range(12),
)
def test_a_signed_body_that_is_no_event_is_a_bad_payload(body: bytes, stripe: StripeProvider) -> None:
    with pytest.raises(BadPayload):
        stripe.verify({"Stripe-Signature": signed(body)}, body, now=NOW)


def test_an_unreadable_body_with_a_wrong_signature_is_not_even_read(stripe: StripeProvider) -> None:
    with pytest.raises(BadSignature):
        stripe.verify({"Stripe-Signature": signed(b"other")}, b"\xff", now=NOW)


def test_both_secrets_are_accepted_while_one_replaces_the_other() -> None:
    stripe = stripe_at("http://127.0.0.1:9", previous_webhook_secret=SecretStr("whsec_old"))
    body = body_of("invoice.paid")
    for secret in (SECRET, "whsec_old"):
        assert stripe.verify({"Stripe-Signature": signed(body, secret=secret)}, body, now=NOW)


@pytest.mark.parametrize("empty", ["", " ", "whsec_"])
def test_without_a_secret_it_cannot_receive_and_accepts_nothing(empty: str) -> None:
    stripe = stripe_at("http://127.0.0.1:9", webhook_secret=SecretStr(empty))
    assert not stripe.can_receive
    with pytest.raises(BadSignature):
        stripe.verify({"Stripe-Signature": signed(b"{}", secret=empty)}, b"{}", now=NOW)


def test_a_replay_after_five_minutes_is_refused(stripe: StripeProvider) -> None:
    body = body_of("invoice.paid")
    with pytest.raises(BadSignature):
        stripe.verify({"Stripe-Signature": signed(body)}, body, now=NOW + timedelta(seconds=301))


@pytest.mark.parametrize("value", [None, {}, [], 1, "x", {"object": None}, {"object": []}])
async def test_an_event_about_nothing_we_can_read_is_ignored(value: Any, stripe: StripeProvider) -> None:
    raw = {**json.loads(body_of("customer.subscription.updated.active")), "data": value}
    body = json.dumps(raw).encode()
    (event,) = stripe.verify({"Stripe-Signature": signed(body)}, body, now=NOW)
    assert (await stripe.read(event)).is_ignored


@settings(max_examples=200)
@given(name=st.sampled_from(all_names()), data=FOREIGN)
def test_no_content_of_an_event_makes_anything_but_a_hint(name: str, data: Any) -> None:
    raw = {**json.loads(body_of(name)), "data": {"object": data}, "related_object": data}
    assert isinstance(hint(read_envelope(json.dumps(raw).encode())), Hint)
