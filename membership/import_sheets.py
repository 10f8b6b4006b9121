"""A list of members as it is kept between being shown and being imported: one compressed text. Pure."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import datetime

from membership.import_formats import Entry, Format, Problem, Sheet
from membership.model import UserId


def pack(sheet: Sheet) -> str:
    """Write a list as text. Slow for many rows: call it in a thread."""
    entries = [
        (
            *(each.row, each.member_id, each.email, each.name, each.user_id, each.tier),
            None if each.until is None else each.until.isoformat(),
        )
        for each in sheet.entries
    ]
    problems = [(each.row, each.text) for each in sheet.problems]
    written = json.dumps([sheet.format.value, sheet.rows, sheet.over, entries, problems])
    return base64.b85encode(zlib.compress(written.encode())).decode()


def unpack(text: str) -> Sheet:
    """Read what `pack` wrote. Slow for many rows: call it in a thread."""
    form, rows, over, entries, problems = json.loads(zlib.decompress(base64.b85decode(text)))
    return Sheet(
        format=Format(form),
        rows=rows,
        over=over,
        entries=tuple(
            Entry(
                row=row,
                member_id=member_id,
                email=email,
                name=name,
                user_id=None if user_id is None else UserId(user_id),
                tier=tier,
                until=None if until is None else datetime.fromisoformat(until),
            )
            for row, member_id, email, name, user_id, tier, until in entries
        ),
        problems=tuple(Problem(row=row, text=words) for row, words in problems),
    )
