"""CSV in whatever form it comes, and no formula in what goes out."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership import csv_text
from membership.errors import UserError


@given(st.binary(max_size=400))
def test_it_never_fails_but_in_words(content: bytes) -> None:
    try:
        rows = csv_text.read(content)
    except UserError:
        return
    assert all(any(row) for row in rows)


@given(
    st.lists(st.lists(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), max_size=9)), max_size=5)
)
def test_what_it_writes_holds_no_formula_and_is_read_back(rows: list[list[str]]) -> None:
    written = csv_text.write([["first", "second", "third"], *rows])
    cells = [cell for row in csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")) for cell in row]
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    plain = [[cell.strip() for cell in row] for row in rows]
    if all(cell == inner for row, bare in zip(rows, plain, strict=True) for cell, inner in zip(row, bare, strict=True)):
        kept = [row for row in rows if any(row)]
        guarded = any(cell[:1] == "'" for row in rows for cell in row)
        assert guarded or csv_text.read(written)[1:] == kept


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_it_finds_the_encoding_and_the_separator(encoding: str, delimiter: str) -> None:
    text = f'name{delimiter}mail\r\n"Jürgen{delimiter} J"{delimiter}j@example.com\r\n'
    assert csv_text.read(text.encode(encoding)) == [["name", "mail"], [f"Jürgen{delimiter} J", "j@example.com"]]


def test_it_takes_no_more_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "MOST_ROWS", 3)
    assert len(csv_text.read(b"a,b\n" * 4)) == 4
    with pytest.raises(UserError, match="more than 3 rows"):
        csv_text.read(b"a,b\n" * 5)
    with pytest.raises(UserError, match="larger than 10 MB"):
        csv_text.read(b"a" * (csv_text.MOST_BYTES + 1))
