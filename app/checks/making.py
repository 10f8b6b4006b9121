"""Short words for making checks: a finding of each severity, and a check that looks at every server in question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence

from app.checks.patient import Patient, ServerFile
from cogs.examination import GuildExamination
from membership.checks import Area, Category, Check, Finding, Outcome, Repair, Run, in_words
from membership.errors import Blocked, DoorlistError, Gone, Reason, Retry

EVERYWHERE = (Category.CLI, Category.PANEL)
ONLY_CLI = (Category.CLI,)
BEFORE_START = (Category.CLI, Category.START)

ServerRule = Callable[[ServerFile, GuildExamination], Awaitable[Sequence[Finding]]]


def fail(what: str, cause: str, fix: str, *, affects: str = "", repair: Repair | None = None) -> Finding:
    """Return that something does not work."""
    return Finding(outcome=Outcome.FAIL, what=what, cause=cause, fix=fix, affects=affects, repair=repair)


def warn(what: str, cause: str, fix: str, *, affects: str = "", repair: Repair | None = None) -> Finding:
    """Return that something works badly, or soon will not."""
    return Finding(outcome=Outcome.WARN, what=what, cause=cause, fix=fix, affects=affects, repair=repair)


def hint(what: str, cause: str, fix: str, *, affects: str = "", repair: Repair | None = None) -> Finding:
    """Return that something could be better."""
    return Finding(outcome=Outcome.HINT, what=what, cause=cause, fix=fix, affects=affects, repair=repair)


def check(number: str, area: Area, title: str, run: Run, *, where: Collection[Category] = EVERYWHERE) -> Check:
    """Return a check."""
    return Check(id=number, area=area, title=title, categories=where, run=run)


def in_each_server(patient: Patient, rule: ServerRule) -> Run:
    """Return a run of a rule over every server; one that cannot be looked at is skipped by name."""

    async def look(file: ServerFile) -> Sequence[Finding]:
        try:
            return await rule(file, await patient.server(file.guild.id))
        except DoorlistError as failure:
            return [_not_looked_at(file, failure)]

    async def run() -> Sequence[Finding]:
        return [finding for found in await asyncio.gather(*map(look, await patient.files())) for finding in found]

    return run


def is_outside(failure: DoorlistError) -> bool:
    """Say whether Discord tells that the bot is not in a server."""
    is_gone = isinstance(failure, Gone) and failure.what == "guild"
    return is_gone or (isinstance(failure, Blocked) and failure.reason is Reason.MISSING_ACCESS)


def listed(names: Sequence[str], *, most: int = 5) -> str:
    """Join names, the first few of many."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _not_looked_at(file: ServerFile, failure: DoorlistError) -> Finding:
    why = "the bot is not in this server" if is_outside(failure) else in_words(failure)
    return Finding(
        outcome=Outcome.SKIP,
        what=f'Server "{file.guild.name}"',
        cause=f"could not check: {why}",
        is_unreachable=isinstance(failure, Retry),
    )
