"""Where everything of a chart stands. Needs Pillow, so that charts.py imports it only when a chart is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cogs.chart_canvas import HEIGHT, WIDTH, Canvas, Colour, fitting, width_of
from membership.charts import ChartSpec, Series, Shape, bar_ends, bar_range, line_range

_BACKGROUND: Colour = (0x1E, 0x21, 0x26)
_TEXT: Colour = (0xF2, 0xF4, 0xF7)
_MUTED: Colour = (0xA9, 0xB0, 0xB9)
_GRID: Colour = (0x3A, 0x40, 0x48)
_BLUE: Colour = (0x56, 0xB4, 0xE9)
_BLUE_SHADE: Colour = (0x27, 0x3D, 0x4B)
_ORANGE: Colour = (0xE6, 0x9F, 0x00)

_EDGE = 36
_TITLE, _BODY, _SMALL = 34, 26, 22
_TOP, _BOTTOM = 88, HEIGHT - 86
_GAP = 24
_NUMBER = 26
"""The height that a number at the end of a bar takes."""
_WIDEST = 120
_FIRM = 16
"""Up to so many bars, each has its number written at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """A part of the picture with its own scale: `low` is at the bottom, `high` at the top."""

    left: float
    right: float
    top: float
    bottom: float
    low: float
    high: float
    count: int

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)

    @property
    def step(self) -> float:
        return (self.right - self.left) / max(self.count, 1)

    def middle(self, number: int) -> float:
        return self.left + self.step * (number + 0.5)


def draw(spec: ChartSpec) -> bytes:
    """Draw a chart as PNG."""
    canvas = Canvas(_BACKGROUND)
    canvas.text((_EDGE, 26), fitting(spec.title, _TITLE, WIDTH - 2 * _EDGE), size=_TITLE, colour=_TEXT)
    canvas.text((_EDGE, HEIGHT - 38), fitting(spec.note, _SMALL, WIDTH - 2 * _EDGE), size=_SMALL, colour=_MUTED)
    lines, bars = spec.lines, spec.bars
    middle = _TOP + (_BOTTOM - _TOP) * 0.4 if lines and bars else _BOTTOM if lines else _TOP
    left, right = _EDGE + _scale_width(spec), WIDTH - _EDGE - _words_width(spec)
    count = len(spec.labels)
    if lines:
        low, high = line_range(lines)
        panel = _Panel(left=left, right=right, top=_TOP, bottom=middle, low=low, high=high, count=count)
        _draw_lines(canvas, panel, spec, lines)
    if bars:
        low, high = bar_range(bars)
        top = middle + (_GAP if lines else 0) + _NUMBER
        bottom = _BOTTOM - (_NUMBER if low < 0 else 0)
        panel = _Panel(left=left, right=right, top=top, bottom=bottom, low=low, high=high, count=count)
        _draw_bars(canvas, panel, spec, bars)
    _draw_labels(canvas, _Panel(left=left, right=right, top=0, bottom=0, low=0, high=1, count=count), spec.labels)
    return canvas.png()


def _number_text(value: float, spec: ChartSpec) -> str:
    """Write a number at a bar: 1,204 or 117.50."""
    decimals = 0 if value == int(value) else max(spec.decimals, 1)
    return f"{value:,.{decimals}f}"


def _scale_text(value: float, spec: ChartSpec) -> str:
    """Write a number of the scale: 1,204 EUR."""
    return f"{_number_text(abs(value), spec)} {spec.unit}".strip()


# ------------------------------------------------------------------------------------------------------------- lines


def _draw_lines(canvas: Canvas, panel: _Panel, spec: ChartSpec, lines: Sequence[Series]) -> None:
    for value in (panel.low, panel.high):
        _gridline(canvas, panel, value, spec, is_zero=value == 0)
    for series in lines:
        points = [(panel.middle(number), panel.y(value)) for number, value in enumerate(series.values)]
        if not points:
            continue
        if panel.low == 0:
            floor_y = panel.y(0)
            canvas.area([(points[0][0], floor_y), *points, (points[-1][0], floor_y)], colour=_BLUE_SHADE)
            _gridline(canvas, panel, 0, spec, is_zero=True)
        if len(points) > 1:
            canvas.line(points, colour=_BLUE, width=4)
        canvas.dot(points[-1], colour=_BLUE, radius=7)
        canvas.text((panel.right + 18, points[-1][1]), series.words, size=_BODY, colour=_BLUE, anchor="lm")


# -------------------------------------------------------------------------------------------------------------- bars


def _draw_bars(canvas: Canvas, panel: _Panel, spec: ChartSpec, bars: Sequence[Series]) -> None:
    room = min(panel.step * 0.7, _WIDEST)
    for value in bar_ends(bars):
        _gridline(canvas, panel, value, spec, is_zero=False)
    for series in bars:
        is_down = series.shape is Shape.BARS_DOWN
        colour = _ORANGE if is_down else _BLUE
        for number, value in enumerate(series.values):
            if value:
                _draw_bar(canvas, panel, (panel.middle(number), room), -value if is_down else value)
        _write_values(canvas, panel, spec, series)
        _write_words(canvas, panel, series, colour)
    _gridline(canvas, panel, 0, spec, is_zero=True)
    if not any(value for series in bars for value in series.values):
        middle = ((panel.left + panel.right) / 2, (panel.top + panel.bottom) / 2 - 18)
        canvas.text(middle, "Nothing in this time", size=_BODY, colour=_MUTED, anchor="mm")


def _draw_bar(canvas: Canvas, panel: _Panel, place: tuple[float, float], value: float) -> None:
    middle, room = place
    zero, end = panel.y(0), panel.y(value)
    if value > 0:
        canvas.bar((middle - room / 2, min(end, zero - 2), middle + room / 2, zero), colour=_BLUE)
    else:
        canvas.striped_bar((middle - room / 2, zero, middle + room / 2, max(end, zero + 2)), colour=_ORANGE)


def _write_values(canvas: Canvas, panel: _Panel, spec: ChartSpec, series: Series) -> None:
    """Write every number at the end of its bar where there is room, else the largest alone."""
    is_down = series.shape is Shape.BARS_DOWN
    texts = [_number_text(value, spec) for value in series.values]
    is_roomy = len(texts) <= _FIRM and all(width_of(text, _SMALL) < panel.step - 6 for text in texts)
    largest = max(range(len(texts)), key=lambda number: series.values[number], default=0)
    for number, text in enumerate(texts):
        if series.values[number] and (is_roomy or number == largest):
            y = panel.y(-series.values[number] if is_down else series.values[number]) + (6 if is_down else -6)
            half = width_of(text, _SMALL) / 2
            x = min(max(panel.middle(number), panel.left + half), panel.right - half)
            canvas.text((x, y), text, size=_SMALL, colour=_TEXT, anchor="ma" if is_down else "ms")


def _write_words(canvas: Canvas, panel: _Panel, series: Series, colour: Colour) -> None:
    is_down = series.shape is Shape.BARS_DOWN
    y = panel.y(0) + (8 if is_down else -8)
    canvas.text((panel.right + 18, y), series.words, size=_BODY, colour=colour, anchor="la" if is_down else "ls")


# ------------------------------------------------------------------------------------------------------------ around


def _gridline(canvas: Canvas, panel: _Panel, value: float, spec: ChartSpec, *, is_zero: bool) -> None:
    y = panel.y(value)
    canvas.line([(panel.left, y), (panel.right, y)], colour=_MUTED if is_zero else _GRID, width=2)
    if not is_zero and abs(y - panel.y(max(0, panel.low))) < _SMALL:
        return  # its number would cover the zero
    canvas.text((panel.left - 14, y), _scale_text(value, spec), size=_SMALL, colour=_MUTED, anchor="rm")


def _draw_labels(canvas: Canvas, panel: _Panel, labels: Sequence[str]) -> None:
    """Write the first and the last label, and as many between them as there is room for."""
    if not labels:
        return
    widest = max(width_of(label, _SMALL) for label in labels)
    every = max(1, -(-int(widest + 24) // max(int(panel.step), 1)))
    shown = [number for number in range(len(labels)) if (len(labels) - 1 - number) % every == 0]
    for number in shown:
        text = fitting(labels[number], _SMALL, max(panel.step * every - 12, 40))
        half = width_of(text, _SMALL) / 2
        x = min(max(panel.middle(number), _EDGE + half), WIDTH - _EDGE - half)
        canvas.text((x, _BOTTOM + 8), text, size=_SMALL, colour=_MUTED, anchor="ma")


def _scale_width(spec: ChartSpec) -> float:
    """Return the room that the numbers of the scale take at the left."""
    lines, bars = spec.lines, spec.bars
    ends = [0.0, *(line_range(lines) if lines else ()), *bar_ends(bars)]
    return max(width_of(_scale_text(end, spec), _SMALL) for end in ends) + 14


def _words_width(spec: ChartSpec) -> float:
    widths = [width_of(series.words, _BODY) for series in spec.series]
    return min(max(widths, default=0) + 18, WIDTH / 3)
