"""A list of members as it is kept between being shown and being imported: one compressed text. Pure."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import datetime

from membership.import_formats import Entry, Format, Problem, Sheet
from membership.model import UserId


def pack(sheet: Sheet) -> str:
    """Write a list as text, a line for each row. Slow for many rows: call it in a thread, which it leaves to others."""
    lines = [json.dumps([sheet.format.value, sheet.rows, sheet.over, len(sheet.entries)])]
    for each in sheet.entries:
        until = None if each.until is None else each.until.isoformat()
        lines.append(json.dumps([each.row, each.member_id, each.email, each.name, each.user_id, each.tier, until]))
    lines += [json.dumps([each.row, each.text]) for each in sheet.problems]
    return base64.b64encode(zlib.compress("\n".join(lines).encode())).decode()


def unpack(text: str) -> Sheet:
    """Read what `pack` wrote. Slow for many rows: call it in a thread."""
    first, *lines = zlib.decompress(base64.b64decode(text)).decode().split("\n")
    form, rows, over, count = json.loads(first)
    return Sheet(
        format=Format(form),
        rows=rows,
        over=over,
        entries=tuple(_entry(line) for line in lines[:count]),
        problems=tuple(Problem(row=row, text=words) for row, words in map(json.loads, lines[count:])),
    )


def _entry(line: str) -> Entry:
    row, member_id, email, name, user_id, tier, until = json.loads(line)
    return Entry(
        row=row,
        member_id=member_id,
        email=email,
        name=name,
        user_id=None if user_id is None else UserId(user_id),
        tier=tier,
        until=None if until is None else datetime.fromisoformat(until),
    )
