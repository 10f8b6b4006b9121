"""Claim codes: 16 Crockford characters (80 bits), forgiving to read, kept only as a digest. Pure."""

from __future__ import annotations

import hashlib
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
LONGEST_INPUT = 200

_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1"})


def normalise(text: str) -> str | None:
    """Read what a person typed as a code; None when it cannot be one.

    Accepts any case, full-width letters, O for 0, I and L for 1. Whatever is neither letter nor digit is decoration:
    dashes, spaces, zero-width characters, quotes, code marks (threats C06). Letters of other alphabets are refused,
    not guessed.
    """
    if len(text) > LONGEST_INPUT:
        return None
    letters = "".join(sign for sign in unicodedata.normalize("NFKC", text) if sign.isalnum())
    if len(letters) != LENGTH or not letters.isascii():
        return None
    code = letters.upper().translate(_LOOKALIKES)
    return code if set(code) <= set(ALPHABET) else None


def from_bits(bits: int) -> str:
    """Spell 80 random bits as a code. Raises ValueError when they do not fit."""
    if not 0 <= bits < 1 << 5 * LENGTH:
        raise ValueError("a claim code has 80 bits")
    return "".join(ALPHABET[bits >> 5 * place & 31] for place in reversed(range(LENGTH)))


def grouped(code: str) -> str:
    """Write a code the way people read it: K7QF-2M9X-4TRW-8HNB."""
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4))


def digest(secret: str) -> str:
    """Return what is stored in place of a code or link token: they have 80 bits and more, so a plain hash is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()
