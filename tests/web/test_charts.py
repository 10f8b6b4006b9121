"""Charts as SVG: everything is placed inside, told in words and as a table, whatever the numbers are."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locales.catalogue import words_for
from membership.charts import ChartSpec, Grouping, Series, Shape, grouped_days
from web.charts import HEIGHT, WIDTH, Caption, Drawing, drawn

NUMBERS = st.lists(st.integers(0, 10**7), min_size=0, max_size=60)


def draw(*series: Series, unit: str = "", decimals: int = 0, locale: str = "en") -> Drawing:
    count = len(series[0].values) if series else 0
    labels = tuple(f"{number} Mar" for number in range(count))
    spec = ChartSpec(title="Members", labels=labels, series=series, unit=unit, decimals=decimals)
    caption = Caption(id="c", alt="Members rose.", columns=("Day", *(each.words for each in series)))
    return drawn(spec, caption, words_for(locale))


def line(*values: float) -> Series:
    return Series(words="active", values=values, shape=Shape.LINE)


def up(*values: float) -> Series:
    return Series(words="began", values=values, shape=Shape.BARS_UP)


def down(*values: float) -> Series:
    return Series(words="ended", values=values, shape=Shape.BARS_DOWN)


def heights(path: str) -> list[float]:
    return [float(found) for found in re.findall(r"v(-?[\d.]+)h", path)]


@given(NUMBERS)
def test_everything_is_placed_inside_the_drawing(values: list[int]) -> None:
    numbers = tuple(map(float, values))
    drawing = draw(line(*numbers), up(*numbers), down(*numbers))
    assert all(0 <= mark.x <= WIDTH and 0 <= mark.y <= HEIGHT for mark in drawing.marks)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in drawing.dots)
    assert all(0 <= rule.y <= HEIGHT for rule in drawing.rules)


@given(NUMBERS)
def test_the_table_says_every_number(values: list[int]) -> None:
    drawing = draw(up(*map(float, values)))
    shown = [int(row[1].replace(",", "")) for row in drawing.rows]
    assert shown == values


def test_a_chart_of_nothing_but_zeros_is_blank() -> None:
    assert draw(line(0, 0), up(0, 0), down(0, 0)).is_blank
    assert draw(up()).is_blank
    assert not draw(line(0, 0), up(0, 1)).is_blank


def test_bars_stand_on_a_zero_line_and_hang_from_it() -> None:
    drawing = draw(up(4, 0, 2), down(0, 2, 1))
    assert [rule.is_zero for rule in drawing.rules].count(True) == 1
    grown, hung = heights(drawing.ups[0]), heights(drawing.downs[0])
    assert grown[0] == pytest.approx(2 * grown[1], abs=0.2)
    assert grown[0] < 0 < hung[0]


def test_what_is_hardly_there_is_seen() -> None:
    assert heights(draw(up(100_000, 1)).ups[0])[1] == -1.5


def test_every_series_is_named_where_it_is_drawn() -> None:
    names = [mark.text for mark in draw(line(1, 2), up(1, 1), down(0, 1)).marks if mark.is_name]
    assert names == ["active", "began", "ended"]


def test_few_bars_have_their_numbers_written_at_their_ends() -> None:
    assert "7" in [mark.text for mark in draw(up(7, 3)).marks]
    assert "7" not in [mark.text for mark in draw(up(*([7.0] * 40))).marks]


def test_numbers_are_written_in_the_reader_s_language() -> None:
    assert draw(up(1234.5), unit="EUR", decimals=2, locale="it").rows[0][1] == "1234,50 EUR"
    assert draw(line(1234), locale="it").rows[0][1] == "1.234"


@pytest.mark.parametrize(
    ("days", "grouping", "groups"),
    [(7, Grouping.DAY, 7), (31, Grouping.DAY, 31), (90, Grouping.WEEK, 13), (365, Grouping.MONTH, 12)],
)
def test_many_days_are_put_together(days: int, grouping: Grouping, groups: int) -> None:
    first = date(2026, 1, 1)
    found, parts = grouped_days([first + timedelta(days=number) for number in range(days)])
    assert (found, len(parts)) == (grouping, groups)
    assert [number for part in parts for number in part] == list(range(days))
    assert len(parts[-1]) in (1, 7, 31)
