"""The results of checks as people and as machines read them: one line for each area, and what is wrong in full."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from membership.checks import Outcome, Result, redacted, tally

WIDTH = 112
_INDENT = "         "
MARKS = {Outcome.FAIL: "✗", Outcome.WARN: "!", Outcome.HINT: "·", Outcome.SKIP: "-"}
_WORDS = {
    Outcome.OK: "fine",
    Outcome.HINT: "hint",
    Outcome.WARN: "warning",
    Outcome.FAIL: "failed",
    Outcome.SKIP: "skipped",
}
_PLURALS = {Outcome.HINT: "hints", Outcome.WARN: "warnings"}
_ORDER = (Outcome.OK, Outcome.FAIL, Outcome.WARN, Outcome.HINT, Outcome.SKIP)


def as_text(results: Sequence[Result]) -> str:
    """Write the results as the terminal shows them."""
    lines: list[str] = []
    width = max((len(result.area) for result in results), default=0) + 1
    for area, group in groupby(results, key=lambda result: result.area):
        found = list(group)
        lines.append(f"{area:<{width}}{counts(tally(found))}")
        lines += [line for result in worst_first(found) for line in _paragraph(result)]
        lines += [f"  {line}" for line in skips(found)]
    lines += ["", _last_line(results)]
    return "\n".join(map(printable, lines)) + "\n"


def as_json(results: Sequence[Result]) -> str:
    """Write the results for machines."""
    shown = [
        {
            "id": result.id,
            "area": result.area.lower(),
            "outcome": result.outcome,
            "what": result.what,
            "cause": result.cause,
            "fix": result.fix,
            "affects": result.affects,
            "is_fixable": result.is_fixable,
        }
        for result in results
    ]
    found = tally(results)
    summary = {_WORDS[outcome]: found[outcome] for outcome in _ORDER}
    return json.dumps({"checks": shown, "summary": summary}, ensure_ascii=False, indent=2) + "\n"


def report(results: Sequence[Result]) -> str:
    """Write the results so that they can be shown to strangers: without addresses and secrets."""
    return redacted(as_text(results))


def counts(found: Counter[Outcome]) -> str:
    """Write how many checks came out how: 16 fine · 1 failed."""
    return " · ".join(_counted(found[outcome], outcome) for outcome in _ORDER if found[outcome])


def printable(text: str) -> str:
    """Leave out what would steer a terminal: names come from people."""
    return "".join(letter for letter in text if letter.isprintable())


def _counted(number: int, outcome: Outcome) -> str:
    return f"{number} {_WORDS[outcome] if number == 1 else _PLURALS.get(outcome, _WORDS[outcome])}"


def worst_first(results: Sequence[Result]) -> list[Result]:
    """Return what is wrong, the worst first; what is fine or was skipped is left out."""
    wrong = [result for result in results if result.outcome not in (Outcome.OK, Outcome.SKIP)]
    return sorted(wrong, key=lambda result: _ORDER.index(result.outcome))


def _paragraph(result: Result) -> list[str]:
    head = f"  {MARKS[result.outcome]} {result.id:<4} {result.what}"
    affects = f"Affects {result.affects}." if result.affects else ""
    fix = f"Fix: {result.fix}" if result.fix else ""
    return [head, *(line for part in (result.cause, affects, fix) if part for line in _wrapped(part))]


def skips(results: Sequence[Result]) -> list[str]:
    """Write one line for each reason to skip, with the checks that it is the reason of."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        if result.outcome is Outcome.SKIP:
            reasons.setdefault(result.cause, []).append(result.id)
    return [f"{MARKS[Outcome.SKIP]} {_spans(ids)} skipped: {why}" for why, ids in reasons.items()]


def _spans(ids: Sequence[str]) -> str:
    """Write ids that follow each other as a span: D03–D17."""
    numbers = sorted(set(ids))
    groups: list[list[str]] = []
    for number in numbers:
        if groups and int(number[1:]) == int(groups[-1][-1][1:]) + 1:
            groups[-1].append(number)
        else:
            groups.append([number])
    return ", ".join(group[0] if len(group) == 1 else f"{group[0]}–{group[-1]}" for group in groups)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=_INDENT,
        subsequent_indent=_INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _last_line(results: Sequence[Result]) -> str:
    found = tally(results)
    told = ", ".join(_counted(found[outcome], outcome) for outcome in _ORDER if found[outcome])
    is_fixable = any(result.is_fixable for result in results)
    advice = "                 python3 bot.py doctor --fix   to repair what I can" if is_fixable else ""
    return f"{found.total()} checks: {told}{advice}"
