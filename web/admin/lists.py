"""What the long lists of the staff pages share: where a page begins, the way to the next, and dates of filters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from yarl import URL

from membership.listing_ledgers import Page
from web.numbers import number_in
from web.visits import StaffVisit

T = TypeVar("T")


def before_of(visit: StaffVisit) -> int:
    """Return the number that the page begins before, 0 for the newest."""
    return number_in(visit.query("before")) or 0


def older_url(visit: StaffVisit, page: Page[T]) -> str:
    """Return the address of the next page with the same filters, "" when there is none."""
    if page.next_before is None:
        return ""
    return str(visit.request.rel_url.update_query({"before": str(page.next_before)}))


def address(path: str, filters: Mapping[str, str]) -> str:
    """Return an address with those filters that are set."""
    return str(URL(path).with_query({name: value for name, value in filters.items() if value}))


def day_of(visit: StaffVisit, name: str, *, is_end: bool = False) -> datetime | None:
    """Read a date of the address as the midnight that it begins with, or ends with, in the server's zone."""
    try:
        found = date.fromisoformat(visit.query(name))
        day = found + timedelta(days=1) if is_end else found
    except (ValueError, OverflowError):
        return None
    return datetime.combine(day, time(), tzinfo=visit.zone)
