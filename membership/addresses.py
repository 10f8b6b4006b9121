"""E-mail addresses as they may be shown to people who have no right to read them in full. Pure."""

from __future__ import annotations


def masked(email: str) -> str:
    """Hide all of an address's name but its first letter: a••@example.com; "" for what is no address."""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}••@{domain}" if at else ""
