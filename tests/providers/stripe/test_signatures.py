"""Only Stripe gets in, whatever is sent, and nothing but the two declared errors gets out."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.signatures import BadPayload, BadSignature, read_json, single_header, usable_secrets, verify_stripe
from tests.providers.stripe.stand_in import FIXTURES, body_of

T = 1795132800
NOW = datetime.fromtimestamp(T, UTC)
SECRET = "whsec_vectorsecretcurrent"
VECTORS: list[dict[str, Any]] = json.loads((FIXTURES / "stripe-signature-vectors.json").read_text())


def signed(body: bytes, *, timestamp: str = str(T), secret: str = SECRET) -> str:
    digest = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def vector_body(vector: dict[str, Any]) -> bytes:
    return body_of(vector["file"].removeprefix("composed/").removesuffix(".json"))


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.get("case", vector["file"]))
def test_it_agrees_with_signatures_that_stripe_python_made(vector: dict[str, Any]) -> None:
    now = datetime.fromtimestamp(vector["now"], UTC)
    if vector["expect"] == "ok":
        verify_stripe(vector["header"], vector_body(vector), secrets=vector["secrets"], now=now)
    else:
        with pytest.raises(BadSignature):
            verify_stripe(vector["header"], vector_body(vector), secrets=vector["secrets"], now=now)


@pytest.mark.parametrize("position", range(0, 512, 7))
def test_it_refuses_a_body_with_one_bit_flipped(position: int) -> None:
    body = bytearray(body_of("invoice.paid"))
    body[position] ^= 1
    with pytest.raises(BadSignature):
        verify_stripe(signed(body_of("invoice.paid")), bytes(body), secrets=[SECRET], now=NOW)


@pytest.mark.parametrize("position", range(64))
def test_it_refuses_a_signature_with_one_digit_changed(position: int) -> None:
    prefix, digest = signed(b"{}").split("v1=")
    changed = digest[:position] + ("0" if digest[position] != "0" else "1") + digest[position + 1 :]
    with pytest.raises(BadSignature):
        verify_stripe(f"{prefix}v1={changed}", b"{}", secrets=[SECRET], now=NOW)


@pytest.mark.parametrize(("seconds", "is_accepted"), [(-301, False), (-300, True), (300, True), (301, False)])
def test_it_accepts_five_minutes_either_way_and_not_a_second_more(seconds: int, is_accepted: bool) -> None:
    now = NOW + timedelta(seconds=seconds)
    if is_accepted:
        verify_stripe(signed(b"{}"), b"{}", secrets=[SECRET], now=now)
    else:
        with pytest.raises(BadSignature):
            verify_stripe(signed(b"{}"), b"{}", secrets=[SECRET], now=now)


@pytest.mark.parametrize(
    "timestamp", ["", "abc", "-1795132800", "+1795132800", " 1795132800", "NaN", "inf", "1e9", "1" * 40, "١٧٩٥١٣٢٨٠٠"]
)
def test_it_refuses_a_timestamp_that_is_not_plain_digits_even_when_it_is_signed(timestamp: str) -> None:
    with pytest.raises(BadSignature):
        verify_stripe(signed(b"{}", timestamp=timestamp), b"{}", secrets=[SECRET], now=NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        ",",
        "=",
        "t=1795132800",
        f"t={T},t={T},{signed(b'{}').split(',')[1]}",
        signed(b"{}").upper(),
        signed(b"{}") + "," * 65536,
        f"t={T}," + ",".join(["v1=" + "0" * 64] * 17),
        "\ud800",
        "t=1795132800,v1=" + "é" * 64,
    ],
    ids=range(10),
)
def test_it_refuses_a_malformed_header(header: str) -> None:
    with pytest.raises(BadSignature):
        verify_stripe(header, b"{}", secrets=[SECRET], now=NOW)


@pytest.mark.parametrize("secret", ["", " ", "\t\n", "whsec_", " whsec_ "])
def test_an_empty_secret_protects_nothing_and_is_not_used(secret: str) -> None:
    assert usable_secrets(secret, "whsec_real") == ("whsec_real",)


def test_without_a_secret_nothing_is_accepted() -> None:
    with pytest.raises(BadSignature):
        verify_stripe(signed(b"{}", secret=""), b"{}", secrets=[], now=NOW)


@pytest.mark.parametrize("headers", [{}, {"Stripe-Signature": "a", "stripe-signature": "b"}])
def test_a_header_that_is_absent_or_repeated_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        single_header(headers, "Stripe-Signature")


@settings(max_examples=400)
@given(header=st.text(max_size=300) | st.from_regex(r"t=\d{1,15}(,v[01]=[0-9a-f]{60,64}){0,3}"), body=st.binary())
def test_no_header_makes_anything_but_a_refusal(header: str, body: bytes) -> None:
    with pytest.raises(BadSignature):
        verify_stripe(header, body, secrets=[SECRET], now=NOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 19 + b"}",
        b'{"a": ' + b"9" * 5000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": "\\u0000"}',
        '{"a": "é\\u0000"}'.encode(),
        b"[" * 66 + b"]" * 66,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=range(18),
)
def test_it_refuses_what_is_not_harmless_json(body: bytes) -> None:
    with pytest.raises(BadPayload):
        read_json(body)


@settings(max_examples=400)
@given(body=st.binary(max_size=200) | st.text(alphabet='{}[]",:\\u0d8-+.eE1tn ', max_size=60).map(str.encode))
def test_reading_strange_bytes_raises_nothing_but_a_bad_payload(body: bytes) -> None:
    try:
        read_json(body)
    except BadPayload:
        return
    json.loads(body)


_plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**17), 10**17)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(value=_plain)
def test_ordinary_json_is_read_as_it_is(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value
