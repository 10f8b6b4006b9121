"""Lists as the platforms write them become memberships, and what is unclear says why."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from membership.errors import UserError
from membership.import_dates import read_moment
from membership.import_formats import Format, parse

FIXTURES = Path(__file__).parent.parent / "fixtures" / "imports"
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
ADA = 80351110224678912


@pytest.mark.parametrize(
    ("form", "entries", "problems", "over"),
    [
        (
            "generic",
            [f"ada@example.com {ADA} Gold -"],
            {3: "neither", 2: "same membership as row 4", 5: "cannot read"},
            0,
        ),
        ("stripe", [f"ada@example.com {ADA} Gold 04-01", "cem@example.com - Gold 04-01"], {5: "neither"}, 1),
        ("patreon", ["ada@example.com - Gold 04-01", "dee@example.com - Silver 06-02"], {3: "overdue"}, 2),
        ("memberful", [f"ada@example.com {ADA} Gold 01-01"], {4: "cannot read the date"}, 1),
        (
            "whop",
            [f"ada@example.com {ADA} Gold 04-01", "ben@example.com - Gold -"],
            {4: "rounded", 5: "do not know the status"},
            0,
        ),
        ("launchpass", ["ada@example.com - Gold -"], {}, 1),
    ],
)
def test_each_list_is_known_by_its_headings(form: str, entries: list[str], problems: dict[int, str], over: int) -> None:
    sheet = parse((FIXTURES / f"{form}.csv").read_bytes(), None, NOW)
    assert sheet.format is Format(form)
    found = [
        f"{each.email} {each.user_id or '-'} {each.tier.title()} {f'{each.until:%m-%d}' if each.until else '-'}"
        for each in sheet.entries
    ]
    assert found == entries
    said = {each.row: each.text for each in sheet.problems}
    assert said.keys() == problems.keys()
    assert all(words in said[row] for row, words in problems.items())
    assert sheet.over == over
    assert sheet.rows == len(sheet.entries) + len(sheet.problems) + sheet.over


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("2026-12-31", "2027-01-01T00:00"),
        ("2026-12-31 10:00:00", "2026-12-31T10:00"),
        ("2026-12-31T10:00:00.401Z", "2026-12-31T10:00"),
        ("2026-12-31T10:00:00+02:00", "2026-12-31T08:00"),
        ("12/31/2026", "2027-01-01T00:00"),
        ("31.12.2026 10:00", "2026-12-31T10:00"),
        ("Dec 31, 2026", "2027-01-01T00:00"),
        ("1798711200", "2026-12-31T10:00"),
        ("never", None),
    ],
)
def test_dates_are_read_as_lists_write_them(text: str, read: str | None) -> None:
    moment, is_clear = read_moment(text)
    assert is_clear
    assert (moment and moment.isoformat()[:16]) == read


@pytest.mark.parametrize("text", ["03/04/2026", "31/31/2026", "soon", "9999-12-31", "0", "२०२६"])
def test_a_date_that_may_mean_two_days_is_not_guessed(text: str) -> None:
    assert read_moment(text) == (None, False)


def test_a_file_without_members_says_what_is_missing() -> None:
    with pytest.raises(UserError, match="no column with e-mail addresses"):
        parse(b"a,b\n1,2\n", None, NOW)
    with pytest.raises(UserError, match="no rows"):
        parse(b"email\n", None, NOW)
