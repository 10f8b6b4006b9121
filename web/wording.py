"""Values as people read them, for pages and mails alike: money, days, plain single-line names. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from membership.model import minor_digits

_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£"}


def money(amount: int, currency: str) -> str:
    """Write minor units for a page: 900, "eur" becomes "9.00 €", as in Discord; other currencies keep their code."""
    code = currency.upper()
    return f"{_number(amount, currency)} {_SIGNS.get(code, code)}"


def money_with_code(amount: int, currency: str) -> str:
    """Write minor units for a mail, which any program may show: 900, "eur" becomes "9.00 EUR"."""
    return f"{_number(amount, currency)} {currency.upper()}"


def moment(value: datetime | str) -> datetime:
    """Read an aware datetime or what `isoformat` made of it (facts of a mail went through JSON)."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def single_line(text: str) -> str:
    """Fold whatever could break a header or a subject line into single spaces; drop invisible control characters."""
    visible = (" " if letter.isspace() else letter for letter in text)
    kept = (letter for letter in visible if unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    return " ".join("".join(kept).split())


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does: "VIP", "VIP and Course", "VIP, Course and Lounge"."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def shortened(text: str, length: int) -> str:
    """Cut a text to at most `length` characters, marked with an ellipsis."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _number(amount: int, currency: str) -> str:
    digits = minor_digits(currency)
    return f"{Decimal(amount).scaleb(-digits):,.{digits}f}"
