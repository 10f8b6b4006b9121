"""The shared readers never trip over foreign JSON, and the pace keeps its rate."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.base import Pace, integer, moment, nested, reference, rows, text

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "data", "a"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(value=ANYTHING)
def test_a_field_of_any_shape_can_be_read(value: Any) -> None:
    raw = {"a": value}
    assert isinstance(text(raw, "a"), str)
    assert isinstance(reference(raw, "a"), str)
    assert all(isinstance(row, dict) for row in rows(raw, "a"))
    assert isinstance(nested(raw, "a", "a"), dict)
    assert isinstance(integer(raw, "a"), int | None)
    assert isinstance(moment(raw, "a"), datetime | None)


@pytest.mark.parametrize("value", [None, True, "1795132800", 1795132800.0, -1, 10**15])
def test_what_is_no_second_is_no_moment(value: Any) -> None:
    assert moment({"at": value}, "at") is None


def test_seconds_become_aware_utc() -> None:
    assert moment({"at": 1795132800}, "at") == datetime(2026, 11, 20, tzinfo=UTC)


async def turns(count: int, *, keys: int = 1) -> list[float]:
    """Take turns at 10 a second with a burst of 2, on a clock that moves only by waiting; return when each came."""
    now, taken = 0.0, []

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    pace = Pace(10, burst=2, monotonic=lambda: now, sleep=sleep)
    for number in range(count):
        await pace.turn(str(number % keys))
        taken.append(round(now, 6))
    return taken


async def test_a_burst_goes_through_and_then_the_rate_holds() -> None:
    assert await turns(6) == [0, 0, 0, 0.1, 0.2, 0.3]


async def test_keys_do_not_wait_for_each_other() -> None:
    assert await turns(6, keys=2) == [0] * 6
