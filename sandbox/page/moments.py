"""Moments as Discord writes them, in the reader's language: "21 dicembre 2026", "in 12 days". Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

UNITS = (
    timedelta(days=365),
    timedelta(days=30),
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(seconds=1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tongue:
    """How one language writes moments. `units`: for one and for many, in the order of UNITS."""

    days: tuple[str, ...]
    months: tuple[str, ...]
    units: tuple[tuple[str, str], ...]
    ahead: str
    ago: str
    now: str


_ENGLISH = _Tongue(
    days=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    months=("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
    units=tuple((name, f"{name}s") for name in ("year", "month", "day", "hour", "minute", "second")),
    ahead="in {gap}",
    ago="{gap} ago",
    now="now",
)
_TONGUES: Mapping[str, _Tongue] = {
    "it": _Tongue(
        days=("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
        months=(
            *("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno"),
            *("luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"),
        ),
        units=(
            ("anno", "anni"),
            ("mese", "mesi"),
            ("giorno", "giorni"),
            ("ora", "ore"),
            ("minuto", "minuti"),
            ("secondo", "secondi"),
        ),
        ahead="tra {gap}",
        ago="{gap} fa",
        now="adesso",
    )
}


def written(moment: datetime, style: str, language: str) -> str:
    """Write a moment in one of Discord's styles but R: t, d, D, f and F; any other is f."""
    tongue = _TONGUES.get(language, _ENGLISH)
    time, date = f"{moment:%H:%M}", f"{moment.day} {tongue.months[moment.month - 1]} {moment.year}"
    match style:
        case "t":
            return time
        case "d" | "D":
            return date
        case "F":
            return f"{tongue.days[moment.weekday()]} {date} {time}"
        case _:
            return f"{date} {time}"


def distance(moment: datetime, now: datetime, language: str = "en-US") -> str:
    """Say how far away a moment is: "in 12 days", "3 hours ago"."""
    tongue, gap = _TONGUES.get(language, _ENGLISH), abs(moment - now)
    for unit, (one, many) in zip(UNITS, tongue.units, strict=True):
        if gap >= unit:
            count = round(gap / unit)
            words = f"{count} {one if count == 1 else many}"
            return (tongue.ahead if moment > now else tongue.ago).format(gap=words)
    return tongue.now
