"""The sliding window, and the spreading of role writes over Discord's fixed one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cogs.pacing import Pace, RoleLimits, RoleWindow
from membership.model import Lane


def written_at(lane: Lane, count: int, *, start: float = 0.0, window: RoleWindow | None = None) -> list[float]:
    """Return when `count` writes of one lane start if each starts as soon as it may."""
    window = window or RoleWindow(RoleLimits())
    now, times = start, []
    for _ in range(count):
        now += window.delay(lane, now)
        window.take(now)
        times.append(round(now, 6))
    return times


@given(st.lists(st.floats(0, 3), min_size=1, max_size=60), st.integers(1, 10))
def test_no_window_ever_holds_more_starts_than_the_limit(gaps: list[float], limit: int) -> None:
    pace, now, starts = Pace(limit, 1.0), 0.0, []
    for gap in gaps:
        now += gap
        now += pace.delay(now)
        pace.take(now)
        starts.append(now)
    for first, later in zip(starts, starts[limit:], strict=False):
        assert later - first >= 1.0 - 1e-9


def test_what_is_kept_for_others_is_not_used_up() -> None:
    pace = Pace(10, 1.0)
    for _ in range(7):
        assert pace.delay(0.0, keep=3) == 0
        pace.take(0.0)
    assert pace.delay(0.0, keep=3) == 1.0
    assert pace.delay(0.0) == 0


def test_a_bulk_run_uses_the_whole_bucket() -> None:
    assert sum(moment < 100 for moment in written_at(Lane.BULK, 200)) == 100


def test_a_bulk_run_keeps_tokens_for_a_person_in_every_moment_but_the_last() -> None:
    times = written_at(Lane.BULK, 10)
    assert times == [0, 0, 2, 3, 4, 5, 6, 7, 8, 9]


def test_a_few_events_do_not_wait() -> None:
    assert written_at(Lane.EVENT, 7) == [0] * 7


def test_a_person_never_waits_for_the_spreading() -> None:
    window = RoleWindow(RoleLimits())
    written_at(Lane.BULK, 5, window=window)
    assert window.delay(Lane.PERSON, 4.0) == 0


def test_after_a_pause_a_new_window_opens() -> None:
    window = RoleWindow(RoleLimits())
    written_at(Lane.BULK, 10, window=window)
    assert written_at(Lane.BULK, 2, start=60.0, window=window) == [60, 60]
