"""Reads how long something lasts from what a person typed or picked: "30d", "1 year", "2026-12-24", "forever". Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from membership.errors import UserError

FOREVER = "forever"
END_OF_MONTH = "end of month"
LONGEST = timedelta(days=366 * 20)
USUAL: Sequence[tuple[str, str]] = (
    ("7 days", "7d"),
    ("30 days", "30d"),
    ("90 days", "90d"),
    ("1 year", "1y"),
    ("until the end of the month", END_OF_MONTH),
    ("forever", FOREVER),
)
"""What is offered before anything is typed: the words, and what `read_until` reads."""

_DAYS = {"d": 1, "day": 1, "w": 7, "week": 7, "m": 30, "month": 30, "y": 365, "year": 365}
_SPAN = re.compile(r"(\d{1,5})\s*([a-z]+?)s?")


def read_until(text: str, now: datetime) -> datetime | None:
    """Return when something ends that begins `now`, None for never. Raises UserError for what cannot be read."""
    wish = " ".join(text.lower().split()).removeprefix("until ").removeprefix("the ")
    if wish == FOREVER:
        return None
    if wish == END_OF_MONTH:
        return (now.replace(day=1) + timedelta(days=32)).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    until = _span(wish, now) or _date(wish)
    if until is None:
        raise UserError(f"I cannot read “{text[:50]}”. Write 30d, 12 weeks, 1 year, 2026-12-24, or forever.")
    if not now < until <= now + LONGEST:
        raise UserError("That is in the past, or more than 20 years away.")
    return until


def read_days(text: str) -> int | None:
    """Return for how many days something lasts that begins later, None for ever. Raises UserError for a date, too."""
    wish = " ".join(text.lower().split()).removeprefix("for ")
    if wish == FOREVER:
        return None
    days = _days(wish)
    if days is None:
        raise UserError(f"I cannot read “{text[:50]}”. Write 30d, 12 weeks, 1 year, or forever.")
    if not 0 < days <= LONGEST.days:
        raise UserError("That is nothing, or more than 20 years.")
    return days


def read_since(text: str, now: datetime) -> datetime | None:
    """Return when a look back begins: "30d" ago, or a day; None for "" and "forever". Raises UserError."""
    wish = " ".join(text.lower().split()).removeprefix("since ").removesuffix(" ago")
    if wish in ("", FOREVER):
        return None
    span, day_end = _span(wish, now), _date(wish)
    if span is not None:
        return now - (span - now)
    if day_end is None:
        raise UserError(f"I cannot read “{text[:50]}”. Write 30d, 12 weeks, 1 year, or 2026-12-24.")
    return day_end - timedelta(days=1)


def _span(wish: str, now: datetime) -> datetime | None:
    days = _days(wish)
    return None if days is None else now + min(timedelta(days=days), LONGEST + timedelta(days=1))


def _days(wish: str) -> int | None:
    found = _SPAN.fullmatch(wish)
    return None if found is None or found[2] not in _DAYS else int(found[1]) * _DAYS[found[2]]


def _date(wish: str) -> datetime | None:
    """Read a day as lasting until its end."""
    try:
        return datetime.strptime(wish, "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except ValueError:
        return None
