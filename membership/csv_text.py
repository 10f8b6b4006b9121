"""CSV as people and platforms write it: read tolerantly, written so that no spreadsheet takes a cell for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from membership.errors import UserError

MOST_BYTES = 10_000_000
MOST_ROWS = 200_000
LONGEST_CELL = 1000
_DELIMITERS = (",", ";", "\t", "|")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes a cell for a formula by: https://owasp.org/www-community/attacks/CSV_Injection"""
_GUARD = "'"
_BOMS = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"), (b"\xef\xbb\xbf", "utf-8-sig"))


def read(content: bytes) -> list[list[str]]:
    """Read all rows that are not empty, whatever the encoding and the separator. Raises UserError for what is too much.

    A cell that was guarded against being a formula comes back without its guard.
    """
    if len(content) > MOST_BYTES:
        raise UserError(f"That file is larger than {MOST_BYTES // 1_000_000} MB. Split it and import the parts.")
    text = _decoded(content).replace("\0", "")
    first, _, rest = text.partition("\n")
    if first.strip().casefold().startswith("sep=") and first.strip()[4:5] in _DELIMITERS:
        return list(_rows(rest, first.strip()[4]))
    return list(_rows(text, _delimiter(text)))


def write(rows: Iterable[Sequence[object]]) -> bytes:
    """Write rows for spreadsheets: UTF-8 with its mark, cells that could be formulas guarded by an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in rows:
        writer.writerow([guarded(cell) for cell in row])
    return out.getvalue().encode("utf-8-sig")


def guarded(cell: object) -> str:
    """Return a cell's text, with an apostrophe before what a spreadsheet would calculate; numbers stay numbers."""
    text = str(cell)
    is_number = isinstance(cell, int | float | Decimal)
    return _GUARD + text if text.startswith(_FORMULA) and not is_number else text


def _rows(text: str, delimiter: str) -> Iterator[list[str]]:
    found = 0
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            cells = [_unguarded(cell.strip()[:LONGEST_CELL]) for cell in row]
            if any(cells):
                found += 1
                if found > MOST_ROWS + 1:
                    raise UserError(f"That file has more than {MOST_ROWS:,} rows. Split it and import the parts.")
                yield cells
    except csv.Error as error:
        raise UserError("I cannot read that file as CSV. Save it as CSV again, in UTF-8, and send that.") from error


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith(_GUARD) and cell[1:].startswith(_FORMULA) else cell


def _decoded(content: bytes) -> str:
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, errors="replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    """Return what separates the headings: of those that may, the one that is there most often."""
    heading = next((line for line in text[:20_000].splitlines() if line.strip()), "")
    return max(_DELIMITERS, key=heading.count)
