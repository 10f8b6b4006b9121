"""What a chart shows, and the scale it is drawn on (EXPERIENCE 5.4). Pure; who draws it is in cogs and in web.

Lines stand above, bars below with their zero line; every series is named where it is drawn, so that no legend is
needed. The renderers are three: SVG for pages, a picture for Discord, a line of bars in text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import floor, log10

_DAILY, _WEEKLY = 31, 92


class Shape(StrEnum):
    """How a series is drawn."""

    LINE = "line"
    BARS_UP = "bars up"
    BARS_DOWN = "bars down"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One row of numbers, as many as the chart has labels, and the few words that are written beside it.

    What hangs down are positive numbers, too.
    """

    words: str
    values: tuple[float, ...]
    shape: Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartSpec:
    """What a chart shows. `labels`: one for each place; `unit` follows numbers ("€"); `note`: what they rest on."""

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str = ""
    note: str = ""
    decimals: int = 0

    @property
    def lines(self) -> list[Series]:
        """Return what is drawn as lines."""
        return [series for series in self.series if series.shape is Shape.LINE]

    @property
    def bars(self) -> list[Series]:
        """Return what is drawn as bars."""
        return [series for series in self.series if series.shape is not Shape.LINE]


class Grouping(StrEnum):
    """How the days of a chart are put together, so that there are not too many places."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def grouped_days(days: Sequence[date]) -> tuple[Grouping, list[list[int]]]:
    """Put days together for a chart: each alone, in weeks, or in months; each group as the numbers of its days.

    Weeks are counted back from the last day, so that the last one is whole.
    """
    if len(days) <= _DAILY:
        return Grouping.DAY, [[number] for number in range(len(days))]
    grouping = Grouping.WEEK if len(days) <= _WEEKLY else Grouping.MONTH
    groups: dict[int, list[int]] = {}
    for number, each in enumerate(days):
        is_week = grouping is Grouping.WEEK
        key = -((len(days) - 1 - number) // 7) if is_week else each.year * 12 + each.month
        groups.setdefault(key, []).append(number)
    return grouping, list(groups.values())


def summed(numbers: Sequence[float], groups: Sequence[Sequence[int]]) -> tuple[float, ...]:
    """Add up the numbers of each group."""
    return tuple(sum(numbers[number] for number in part) for part in groups)


def line_range(lines: Sequence[Series]) -> tuple[float, float]:
    """Begin at zero, unless all numbers are so high that nothing could be told apart; the scale says where."""
    values = [value for series in lines for value in series.values] or [0.0]
    low, high = min(values), max(values)
    if low > high / 2:
        step = max(round_up((high - low) / 4 or high / 100), 1)
        low, high = floor(low / step) * step, (floor(high / step) + 1) * step
        return (low, high) if low > 0 else (0, high)
    return 0, round_up(high) or 1


def bar_ends(bars: Sequence[Series]) -> list[float]:
    """Return the round numbers that the bars stay under, upwards and downwards; none where there are no bars."""
    ends = {Shape.BARS_UP: 0.0, Shape.BARS_DOWN: 0.0}
    for series in bars:
        ends[series.shape] = max(ends[series.shape], round_up(max(series.values, default=0)))
    return [end for end in (ends[Shape.BARS_UP], -ends[Shape.BARS_DOWN]) if end]


def bar_range(bars: Sequence[Series]) -> tuple[float, float]:
    """Give both directions the same scale; a side that is all but flat still has the height of a line of text."""
    ends = bar_ends(bars)
    low, high = min(0.0, *ends, 0.0), max(0.0, *ends, 0.0)
    least = (high - low) * 0.25 or 1.0
    is_both = any(series.shape is Shape.BARS_DOWN for series in bars)
    return (min(low, -least) if is_both else low), max(high, least)


def round_up(value: float) -> float:
    """Return the next round number above a value: 1, 2, 2.5, 5 or 10 times a power of ten."""
    if value <= 0:
        return 0
    power: float = 10 ** floor(log10(value))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value)
