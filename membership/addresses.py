"""E-mail addresses: when two are one mailbox, and how they are shown to who may not read them in full. Pure."""

from __future__ import annotations

import unicodedata

_CAPITALS = str.maketrans({letter: letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


def same_address(one: str, other: str) -> bool:
    """Say whether two addresses are one mailbox to everybody: A is a, and no other letter is another.

    "straße" and "strasse" are found by one search key, and may be two people.
    """
    return bool(one) and _plain(one) == _plain(other)


def _plain(address: str) -> str:
    return unicodedata.normalize("NFC", address.strip()).translate(_CAPITALS)


def masked(email: str) -> str:
    """Hide all of an address's name but its first letter: a••@example.com; "" for what is no address."""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}••@{domain}" if at else ""
