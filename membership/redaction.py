"""A provider's event as staff may read it: what names a person, a place or a secret is hidden. Pure.

Only what is known to be harmless is shown: numbers, booleans, ids and words of closed sets, under keys that are not
about people. Everything else, and all that a buyer or a seller wrote freely, is a row of dots.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from membership.addresses import masked

HIDDEN = "•••"
DEEPEST = 30
LONGEST_BODY = 200_000
_SENSITIVE = re.compile(
    r"e_?mail|name|phone|address|city|street|line[12]|postal|zip|secret|password|token|url|uri|link|^ip$|ip_?address"
    r"|description|note|message|title|metadata|^custom_|nick|birth|dob|tax|iban|last4|fingerprint|account_number|memo"
    r"|reference|receipt|signature|coordinates|latitude|longitude|user_?agent",
    re.IGNORECASE,
)
_ID = re.compile(r"[a-z]{1,12}(?:_(?:test|live))?_[A-Za-z0-9]{6,64}")
_SECRET_ID = re.compile(r"(?:sk|rk|pk|whsec|ek|pst|tok|seti|src_client|.*_secret)_", re.IGNORECASE)
_WORD = re.compile(r"[a-z]{1,24}(?:[_.][a-z]{1,24}){0,5}|[A-Z]{2,3}|\d{4}-\d{2}-\d{2}(?:[T ][\d:.]+(?:Z|[+-][\d:]+)?)?")


def redacted(body: bytes) -> str:
    """Return a JSON body, indented, without what is private; what is no JSON is not shown at all."""
    if not body:
        return ""
    if len(body) > LONGEST_BODY:
        return HIDDEN
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        return HIDDEN
    return json.dumps(_shown(read, is_private=False, depth=0), indent=2, ensure_ascii=False)


def _shown(value: object, *, is_private: bool, depth: int) -> object:
    match value:
        case _ if depth > DEEPEST:
            return HIDDEN
        case dict():
            return _shown_object(value, is_private=is_private, depth=depth)
        case list():
            return [_shown(each, is_private=is_private, depth=depth + 1) for each in value]
        case None | bool():
            return value
        case int() | float():
            return HIDDEN if is_private else value
        case str():
            return _shown_text(value, is_private=is_private)
        case _:
            return HIDDEN


def _shown_object(value: Mapping[str, object], *, is_private: bool, depth: int) -> dict[str, object]:
    shown: dict[str, object] = {}
    for key, each in value.items():
        # What a seller wrote may be a key, too.
        label = HIDDEN if is_private and not _WORD.fullmatch(key) else key
        is_below_private = is_private or bool(_SENSITIVE.search(key))
        shown[label] = _shown(each, is_private=is_below_private, depth=depth + 1)
    return shown


def _shown_text(value: str, *, is_private: bool) -> str:
    if not value:
        return ""
    if is_private:
        return masked(value) or HIDDEN
    is_harmless = _ID.fullmatch(value) or _WORD.fullmatch(value)
    return value if is_harmless and not _SECRET_ID.match(value) else HIDDEN
