"""What every benchmark ends with: one line `NAME key=value ...` that a program can read. No measuring here."""

from __future__ import annotations

import math
from collections.abc import Sequence

Value = float | str


def last_line(name: str, **values: Value) -> str:
    """Return the line; numbers are rounded to four digits."""
    return " ".join([name, *(f"{key}={_spelled(value)}" for key, value in values.items())])


def parsed(line: str) -> tuple[str, dict[str, str]]:
    """Read such a line back: the benchmark's name and its values. Raises ValueError when it is something else."""
    name, *pairs = line.split()
    values = dict(pair.split("=", 1) for pair in pairs)
    return name, values


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` (0 to 1) of the values do not exceed. Raises on no values."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def verdict(*, is_met: bool, text: str) -> str:
    """Return a readable line for one target."""
    return f"  {'✓' if is_met else '✗'} {text}"


def _spelled(value: Value) -> str:
    if isinstance(value, str):
        return value
    if float(value).is_integer():
        return str(int(value))
    return f"{value:.4g}"
