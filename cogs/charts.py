"""Pictures of numbers, drawn with Pillow where it is installed; a line of bars in text otherwise. No chart service.

A chart is a `ChartSpec`. Lines stand above, bars below with their zero line; every series is named where it is drawn,
and told apart by place, colour (Okabe and Ito's, safe for the colour-blind) and pattern, so that no legend is needed.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cogs import digest_texts

MOST_SPARKS = 40


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


def is_drawable() -> bool:
    """Say whether pictures can be drawn here: Pillow is installed."""
    return importlib.util.find_spec("PIL") is not None


async def png(spec: ChartSpec) -> bytes | None:
    """Draw a chart, 1400 × 440; None without Pillow, which is loaded at the first chart and works in a thread."""
    return await asyncio.to_thread(_draw, spec) if is_drawable() else None


def sparkline(values: Sequence[float]) -> str:
    """Write numbers as at most forty bars, from the lowest to the highest; neighbours are put together."""
    step = -(-len(values) // MOST_SPARKS) or 1
    parts = [values[at : at + step] for at in range(0, len(values), step)]
    return digest_texts.sparkline([round(sum(part) / len(part)) for part in parts])


def _draw(spec: ChartSpec) -> bytes:
    # Pillow takes 18 MB and a tenth of a second to load: whoever never asks for a report does not pay for it.
    from cogs import chart_drawing  # noqa: PLC0415

    return chart_drawing.draw(spec)
