"""How long something lasts, as people write it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from cogs.durations import USUAL, read_until
from membership.errors import UserError

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "until"),
    [
        ("30d", datetime(2026, 12, 20, 12, tzinfo=UTC)),
        ("2 Weeks", datetime(2026, 12, 4, 12, tzinfo=UTC)),
        ("until the end of month", datetime(2026, 12, 1, tzinfo=UTC)),
        ("2026-12-24", datetime(2026, 12, 25, tzinfo=UTC)),
        ("forever", None),
    ],
)
def test_a_duration_is_read_as_people_write_it(typed: str, until: datetime | None) -> None:
    assert read_until(typed, NOW) == until


def test_everything_that_is_offered_can_be_read() -> None:
    for _, value in USUAL:
        read_until(value, NOW)


@pytest.mark.parametrize("typed", ["", "soon", "30", "0d", "-1d", "2020-01-01", "99999y", "2026-13-01", "1 eon"])
def test_what_cannot_be_meant_is_refused_in_words(typed: str) -> None:
    with pytest.raises(UserError, match=r"cannot read|in the past"):
        read_until(typed, NOW)
