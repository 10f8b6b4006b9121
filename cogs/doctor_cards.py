"""The card of `/doorlist doctor`: what is fine as a count, what is wrong with its cause and its fix. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from cogs.cards import Attachment, Button, Buttons, Card, Divider, Download, Line, Style, Text, Tone
from cogs.words import code_text
from membership.check_words import MARKS, counts, report, skips, worst_first
from membership.checks import Outcome, Result, tally

AGAIN, REPORT = "doctor", "doctor-report"
REPORT_FILE = "doorlist-doctor.txt"
_LINK = "/oauth2/authorize?"


def doctor_card(results: Sequence[Result]) -> Card:
    """Return the results by area; an area where all is well is one line."""
    lines: list[Line] = []
    for area, group in groupby(results, key=lambda result: result.area):
        found = list(group)
        lines.append(Text(f"**{area}** · {counts(tally(found))}"))
        lines += [Text(_paragraph(result)) for result in worst_first(found)]
        lines += [Text(f"-# {_harmless(line)}") for line in skips(found)]
    buttons = (
        Button(label="Run again", action=AGAIN, style=Style.MAIN),
        Button(label="Download report", action=REPORT),
    )
    return Card(title="Doctor", lines=(*lines, Divider(), Buttons(buttons)), tone=tone_of(results))


def report_card(results: Sequence[Result]) -> Card:
    """Return the same as a text file without addresses and secrets, to show to others."""
    about = Text("The report holds no mail address and no secret. Names of your roles and channels are in it.")
    file = Attachment(file_name=REPORT_FILE, content=report(results).encode())
    return Card(lines=(about, Download(REPORT_FILE)), files=(file,))


def tone_of(results: Sequence[Result]) -> Tone:
    """Return the colour of the worst outcome."""
    found = tally(results)
    if found[Outcome.FAIL]:
        return Tone.BAD
    return Tone.WARN if found[Outcome.WARN] else Tone.GOOD


def _paragraph(result: Result) -> str:
    lines = [f"{MARKS[result.outcome]} **{result.id}** {_harmless(result.what)}", _harmless(result.cause)]
    lines += [f"Affects {_harmless(result.affects)}."] if result.affects else []
    lines += [f"→ {_harmless(result.fix)}"] if result.fix else []
    return "\n".join(lines)


def _harmless(text: str) -> str:
    """Take the markup out of names that people gave, word by word; our own invite link stays one."""
    return " ".join(word if _LINK in word and word.startswith("https://") else code_text(word) for word in text.split())
