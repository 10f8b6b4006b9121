"""Checks who sent a webhook and reads its JSON. Works on raw bytes, before anything is parsed.

Own code because the vendor's verifier raises undeclared errors and accepts timestamps from the future. Whatever comes
in, only `BadSignature` and `BadPayload` come out.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

TOLERANCE_SECONDS = 300
_MAX_HEADER_LENGTH = 4096
_MAX_SIGNATURES = 16
_MAX_DEPTH = 64
_MAX_INTEGER_DIGITS = 18
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")


class BadSignature(Exception):
    """The sender did not prove to hold the secret, or the proof is not of this moment: answer 401."""


class BadPayload(Exception):
    """The sender is who they say, but the body is nothing we read: answer 400."""


def usable_secrets(*secrets: str) -> tuple[str, ...]:
    """Return the secrets that can protect anything: an empty one, or the bare prefix, would accept everybody's mail."""
    return tuple(secret.strip() for secret in secrets if secret.strip() not in ("", "whsec_"))


def single_header(headers: Mapping[str, str], name: str) -> str:
    """Return the one value of a header, in whatever case it is written. Raises BadSignature when absent or repeated."""
    values = [value for key, value in headers.items() if key.lower() == name.lower()]
    if len(values) != 1:
        raise BadSignature(f"{name}: one expected, {len(values)} came")
    return values[0]


def verify_stripe(header: str, body: bytes, *, secrets: Sequence[str], now: datetime) -> None:
    """Check a `Stripe-Signature` (`t=SECONDS,v1=HEX,...`) over the raw body. Raises BadSignature.

    Any of `secrets` may have signed and any `v1` may match, so that a secret can be rolled. The timestamp may be
    300 seconds away from `now`, in either direction.
    """
    timestamp, candidates = _parse_stripe_header(header)
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        raise BadSignature("timestamp outside the tolerance")
    signed = timestamp.encode() + b"." + body
    is_genuine = False
    for secret in secrets:
        digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        for candidate in candidates:
            is_genuine |= hmac.compare_digest(digest, candidate)
    if not is_genuine:
        raise BadSignature("no signature matches")


def read_json(body: bytes) -> Any:
    """Read JSON from a stranger as plain values. Raises BadPayload.

    Refuses what RFC 8259 or a database refuses: anything but UTF-8, NaN and Infinity, lone surrogates, NUL, integers
    beyond 18 digits, and nesting beyond 64.
    """
    try:
        value = json.loads(
            body.decode("utf-8"),
            parse_int=_bounded_integer,
            parse_float=_finite_number,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise BadPayload(f"not readable as JSON: {type(error).__name__}") from error
    _check_depth(value)
    # Half a character and NUL cannot stand in UTF-8 JSON as they are, only as an escape.
    if b"\\u" in body:
        _check_texts(value)
    return value


def _parse_stripe_header(header: str) -> tuple[str, list[str]]:
    if len(header) > _MAX_HEADER_LENGTH:
        raise BadSignature("header too long")
    pairs = [part.strip().partition("=") for part in header.split(",")]
    timestamps = [value for key, _, value in pairs if key == "t"]
    candidates = [value for key, _, value in pairs if key == "v1" and _HEX_DIGEST.fullmatch(value)]
    if len(timestamps) != 1 or not _TIMESTAMP.fullmatch(timestamps[0]):
        raise BadSignature("no timestamp")
    if not 0 < len(candidates) <= _MAX_SIGNATURES:
        raise BadSignature("no v1 signature")
    return timestamps[0], candidates


def _bounded_integer(text: str) -> int:
    if len(text.lstrip("-")) > _MAX_INTEGER_DIGITS:
        raise ValueError("integer out of range")
    return int(text)


def _finite_number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("number out of range")
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check_depth(value: Any) -> None:
    """Go down level by level, without recursion: the parser's own limit is deeper than our stack may be."""
    level = [value]
    for _ in range(_MAX_DEPTH + 1):
        level = [child for node in level for child in _children(node)]
        if not level:
            return
    raise BadPayload("nested too deeply")


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        node = list(node.values())
    return [child for child in node if isinstance(child, dict | list)] if isinstance(node, list) else []


def _check_texts(value: Any) -> None:
    waiting = [value]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend(node.keys())
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
        elif isinstance(node, str) and ("\0" in node or any("\ud800" <= letter <= "\udfff" for letter in node)):
            raise BadPayload("text contains NUL or half a character")
