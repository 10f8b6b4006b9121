"""Dates as member lists write them. A date without a time lasts until the end of that day, in UTC. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_NUMBERS = re.compile(r"(\d{1,2})[/.](\d{1,2})[/.](\d{4})(?:\s+(\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_SPELLED = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y")
_NO_DATE = frozenset(("", "-", "n/a", "na", "none", "null", "never", "forever", "lifetime"))


def read_moment(text: str) -> tuple[datetime | None, bool]:
    """Return the moment that is meant, None for none, and whether that is clear."""
    plain = text.strip()
    if plain.casefold() in _NO_DATE:
        return None, True
    try:
        found = _since_1970(plain) or _iso(plain) or _numbers(plain) or _spelled(plain)
    except (ValueError, OverflowError):
        found = None
    return found, found is not None


def _iso(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        return None
    is_day = len(text) <= len("2026-12-31")
    return _aware(moment) + timedelta(days=is_day)


def _since_1970(text: str) -> datetime | None:
    if not text.isascii() or not text.isdigit() or len(text) not in (10, 13):
        return None
    return datetime.fromtimestamp(int(text[:10]), UTC)


def _numbers(text: str) -> datetime | None:
    """Read 12/31/2026 and 31.12.2026; where it may be either, nobody can tell, and None says so."""
    found = _NUMBERS.fullmatch(text)
    if found is None:
        return None
    first, second, year = (int(each) for each in found.groups()[:3])
    if first <= 12 and second <= 12 and first != second and "." not in text:
        return None
    day, month = (first, second) if first > 12 or "." in text else (second, first)
    hour, minute, second_of_minute = (int(each or 0) for each in found.groups()[3:])
    moment = datetime(year, month, day, hour, minute, second_of_minute, tzinfo=UTC)
    return moment + timedelta(days=found.group(4) is None)


def _spelled(text: str) -> datetime | None:
    plain = " ".join(text.replace(",", " ").split())
    for form in _SPELLED:
        try:
            return datetime.strptime(plain, form).replace(tzinfo=UTC) + timedelta(days=1)
        except ValueError:
            continue
    return None


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
