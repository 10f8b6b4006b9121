"""Pictures of numbers, drawn with Pillow where it is installed; a line of bars in text otherwise. No chart service.

What a chart shows is in membership/charts.py. Series are told apart by place, colour (Okabe and Ito's, safe for the
colour-blind) and pattern.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence

from cogs import digest_texts
from membership.charts import ChartSpec

MOST_SPARKS = 40


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
