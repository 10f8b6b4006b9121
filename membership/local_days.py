"""A server's own days: its time zone, and the moments that its dates begin with. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from membership.records import Guild


def zone_of(guild: Guild) -> ZoneInfo:
    """Return a server's time zone; UTC for one that this machine does not know."""
    try:
        return ZoneInfo(guild.time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment that a date begins with.

    In UTC, for moments of one zone are subtracted as if no hour were ever missing.
    """
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
