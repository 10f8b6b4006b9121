"""Charts on pages: what a `ChartSpec` comes to as lines, areas and words of an inline SVG. Pure; charts.html draws it.

No script, no style attribute, no chart service: colours are classes of the stylesheet, so that they follow light and
dark. Every chart has its sentence for those who cannot see it, and its numbers as a table (EXPERIENCE 5.4).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from locales.catalogue import Words
from membership.charts import ChartSpec, Series, Shape, bar_ends, bar_range, line_range

WIDTH, HEIGHT = 340, 230
_TOP, _BOTTOM, _RIGHT = 22, 206, WIDTH - 6
_GAP = 26
_LETTER = 6.4
"""About how wide a letter or digit is, in units of the drawing; text is 12 high."""
_WIDEST = 34
_FIRM = 14
"""Up to so many bars, each has its number written at its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A piece of text in the drawing. `anchor` is start, middle or end; `is_name`: it names a series."""

    x: float
    y: float
    text: str
    anchor: str
    is_name: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A level line across a panel."""

    y: float
    is_zero: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A chart ready to be drawn. `lines`, `areas`, `ups` and `downs` are SVG paths; `rows` the table, a label first.

    `is_blank`: there is nothing but zeros to draw, and `alt` says as much.
    """

    id: str
    title: str
    alt: str
    note: str
    left: float
    rules: tuple[Rule, ...]
    lines: tuple[str, ...]
    areas: tuple[str, ...]
    ups: tuple[str, ...]
    downs: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    marks: tuple[Mark, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_blank: bool
    width: int = WIDTH
    height: int = HEIGHT
    right: int = _RIGHT


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """What stands around a chart: `alt` says it in a sentence, `columns` head the table: the places, then each series.

    `id` is unique on its page.
    """

    id: str
    alt: str
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Panel:
    """A part of the drawing with its own scale: `low` is at the bottom, `high` at the top."""

    left: float
    top: float
    bottom: float
    low: float
    high: float
    count: int

    def y(self, value: float) -> float:
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)

    @property
    def step(self) -> float:
        return (_RIGHT - self.left) / max(self.count, 1)

    def middle(self, number: int) -> float:
        return self.left + self.step * (number + 0.5)


class _Pen:
    """Writes numbers in the reader's language, and gathers what is drawn."""

    def __init__(self, words: Words, spec: ChartSpec) -> None:
        self.words = words
        self.spec = spec
        self.rules: list[Rule] = []
        self.marks: list[Mark] = []
        self.dots: list[tuple[float, float]] = []
        self.paths: dict[str, list[str]] = {"lines": [], "areas": [], "ups": [], "downs": []}

    def number(self, value: float) -> str:
        if value == int(value) and not self.spec.decimals:
            return self.words.number(int(value))
        return self.words.amount(f"{value:.{self.spec.decimals}f}")

    def scale(self, value: float) -> str:
        is_whole = value == int(value)
        return self.words.number(int(abs(value))) if is_whole else self.words.amount(f"{abs(value):.1f}")

    def mark(self, x: float, y: float, text: str, *, anchor: str, is_name: bool = False) -> None:
        self.marks.append(Mark(x=_round(x), y=_round(y), text=text, anchor=anchor, is_name=is_name))


def drawn(spec: ChartSpec, caption: Caption, words: Words) -> Drawing:
    """Place everything of a chart."""
    pen = _Pen(words, spec)
    lines, bars = spec.lines, spec.bars
    left = max((len(pen.scale(value)) for value in _ends(lines, bars)), default=1) * _LETTER + 8
    middle = _TOP + (_BOTTOM - _TOP) * 0.45 if lines and bars else _BOTTOM if lines else _TOP
    count = len(spec.labels)
    if lines:
        low, high = line_range(lines)
        _draw_lines(pen, _Panel(left=left, top=_TOP, bottom=middle, low=low, high=high, count=count), lines)
    if bars:
        low, high = bar_range(bars)
        top, bottom = middle + (_GAP if lines else 0), _BOTTOM - (14 if low < 0 else 0)
        _draw_bars(pen, _Panel(left=left, top=top, bottom=bottom, low=low, high=high, count=count), bars)
    _draw_labels(pen, _Panel(left=left, top=0, bottom=0, low=0, high=1, count=count), spec.labels)
    return Drawing(
        id=caption.id,
        title=spec.title,
        alt=caption.alt,
        note=spec.note,
        left=_round(left),
        rules=tuple(pen.rules),
        dots=tuple(pen.dots),
        marks=tuple(pen.marks),
        columns=caption.columns,
        rows=tuple(_rows(pen, spec)),
        is_blank=not any(any(series.values) for series in spec.series),
        lines=tuple(pen.paths["lines"]),
        areas=tuple(pen.paths["areas"]),
        ups=tuple(pen.paths["ups"]),
        downs=tuple(pen.paths["downs"]),
    )


def _draw_lines(pen: _Pen, panel: _Panel, lines: Sequence[Series]) -> None:
    for value in dict.fromkeys((panel.low, panel.high)):
        _rule(pen, panel, value)
    for series in lines:
        points = [(_round(panel.middle(at)), _round(panel.y(value))) for at, value in enumerate(series.values)]
        if not points:
            continue
        path = "L".join(f"{x} {y}" for x, y in points)
        pen.paths["lines"].append(f"M{path}")
        if panel.low == 0:
            floor_y = _round(panel.y(0))
            pen.paths["areas"].append(f"M{points[0][0]} {floor_y}L{path}L{points[-1][0]} {floor_y}z")
        pen.dots.append(points[-1])
        # Above the last point, where it is named; below it when there is no room above.
        y = points[-1][1] - 8 if points[-1][1] - 8 > 12 else points[-1][1] + 18
        pen.mark(_RIGHT, y, series.words, anchor="end", is_name=True)


def _draw_bars(pen: _Pen, panel: _Panel, bars: Sequence[Series]) -> None:
    room = min(panel.step * 0.7, _WIDEST)
    for value in bar_ends(bars):
        _rule(pen, panel, value)
    _rule(pen, panel, 0)
    for series in bars:
        is_down = series.shape is Shape.BARS_DOWN
        pen.paths["downs" if is_down else "ups"].append(_bars_path(panel, series, room))
        _write_values(pen, panel, series)
        y = panel.bottom + 12 if is_down else panel.top - 6
        pen.mark(_RIGHT, y, series.words, anchor="end", is_name=True)


def _bars_path(panel: _Panel, series: Series, room: float) -> str:
    zero, sign = panel.y(0), -1 if series.shape is Shape.BARS_DOWN else 1
    parts = []
    for at, value in enumerate(series.values):
        if value:
            height = panel.y(sign * value) - zero
            # What is there at all is seen.
            height = min(height, -1.5) if sign > 0 else max(height, 1.5)
            x, wide = _round(panel.middle(at) - room / 2), _round(room)
            parts.append(f"M{x} {_round(zero)}v{_round(height)}h{wide}v{_round(-height)}z")
    return "".join(parts)


def _write_values(pen: _Pen, panel: _Panel, series: Series) -> None:
    """Write every number at the end of its bar where there is room for all."""
    is_down = series.shape is Shape.BARS_DOWN
    texts = [pen.number(value) for value in series.values]
    if len(texts) > _FIRM or any(len(text) * _LETTER > panel.step for text in texts):
        return
    for at, text in enumerate(texts):
        value = series.values[at]
        if value:
            y = panel.y(-value if is_down else value) + (12 if is_down else -4)
            pen.mark(panel.middle(at), y, text, anchor="middle")


def _rule(pen: _Pen, panel: _Panel, value: float) -> None:
    y = panel.y(value)
    pen.rules.append(Rule(y=_round(y), is_zero=value == 0))
    is_beside_zero = value != 0 and abs(y - panel.y(max(0, panel.low))) < 12 and panel.low <= 0
    if not is_beside_zero:
        pen.mark(panel.left - 5, y + 4, pen.scale(value), anchor="end")


def _draw_labels(pen: _Pen, panel: _Panel, labels: Sequence[str]) -> None:
    """Write the last label, and as many before it as there is room for."""
    if not labels:
        return
    widest = max(map(len, labels)) * _LETTER + 12
    every = max(1, -(-int(widest) // max(int(panel.step), 1)))
    for number in range(len(labels) - 1, -1, -every):
        half = len(labels[number]) * _LETTER / 2
        x = min(max(panel.middle(number), half), _RIGHT - half)
        pen.mark(x, HEIGHT - 6, labels[number], anchor="middle")


def _rows(pen: _Pen, spec: ChartSpec) -> Iterator[tuple[str, ...]]:
    for at, label in enumerate(spec.labels):
        yield label, *(f"{pen.number(series.values[at])} {spec.unit}".strip() for series in spec.series)


def _ends(lines: Sequence[Series], bars: Sequence[Series]) -> list[float]:
    return [*(line_range(lines) if lines else ()), *bar_ends(bars)]


def _round(value: float) -> float:
    """Cut what nobody sees: a page is small."""
    rounded = round(value, 1)
    return int(rounded) if rounded == int(rounded) else rounded
