"""Calendar arithmetic of billing: where a period that began at an anchor ends."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta

_DAYS = {"day": 1, "week": 7}
_MONTHS = {"month": 1, "year": 12}


def period_end(anchor: int, interval: str, count: int, *, after: int) -> int:
    """Return the first boundary later than `after`. The 31st becomes the last day of a shorter month and comes back."""
    step = 1
    if interval in _DAYS:
        length = int(timedelta(days=_DAYS[interval] * count).total_seconds())
        step = max(1, (after - anchor) // length + 1)
        return anchor + step * length
    # Jump near the answer, so that an old anchor does not cost a walk over all its months.
    months = _MONTHS[interval] * count
    step = max(1, (after - anchor) // (months * 31 * 86400))
    while add_months(anchor, step * months) <= after:
        step += 1
    return add_months(anchor, step * months)


def add_months(moment: int, months: int) -> int:
    """Return the same day and time `months` later, on the last day of the month where that day is missing."""
    start = datetime.fromtimestamp(moment, UTC)
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())
