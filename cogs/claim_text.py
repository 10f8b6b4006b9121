"""Finds the code in what a person wrote. Pure; whether it is a real code is not decided here."""

from __future__ import annotations

import re

from membership import codes

LONGEST_CLAIM = 300
_CLAIM = re.compile(r"claim\b[\s:]*(.*)", re.IGNORECASE | re.DOTALL)


def claim_command(prefix: str) -> str:
    """Return what people type before a code: "!claim" by the prefix, the slash command where there is none."""
    return f"{prefix}claim" if prefix else "/claim"


def read_claim(text: str, *, prefix: str, bot_id: int, is_direct: bool) -> str | None:
    """Return what follows "claim", "" when nothing does, None when the message is no claim.

    A claim starts with the prefix ("!claim"; a prefix of "" turns this form off) or with a mention of the bot. In a
    direct message the bare word is enough, and so is a bare code.
    """
    text = text.strip()
    if len(text) > LONGEST_CLAIM:
        return None
    mentions = (f"<@{bot_id}>", f"<@!{bot_id}>")
    for mention in mentions:
        if text.startswith(mention):
            return _after_claim(_without(text.removeprefix(mention).strip(), prefix))
    if prefix and text.startswith(prefix):
        return _after_claim(text.removeprefix(prefix).lstrip())
    if is_direct:
        return text if codes.normalise(text) else _after_claim(text)
    return None


def _without(text: str, prefix: str) -> str:
    return text.removeprefix(prefix).lstrip() if prefix else text


def _after_claim(text: str) -> str | None:
    found = _CLAIM.fullmatch(text)
    return found.group(1).strip() if found else None
