"""What a check is, what it finds, and how a set of checks is run. One kind for doctor, panel, plan save and start.

Nothing is checked here: each check brings its own `run`. What a check could not find out is skipped, never fine.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

import structlog

from membership.errors import Blocked, DoorlistError, Gone, Reason, Retry, UserError

log = structlog.stdlib.get_logger()

CHECK_SECONDS = 10.0
RUN_SECONDS = 60.0
AT_ONCE = 8

T = TypeVar("T")


class Outcome(StrEnum):
    """How a check came out; `SKIP` means that nobody knows."""

    OK = "ok"
    HINT = "hint"
    WARN = "warn"
    FAIL = "fail"
    SKIP = "skip"


class Category(StrEnum):
    """Where a check runs: before a start (a failure refuses it), at a plan's save, in /doorlist doctor, in `doctor`."""

    START = "start"
    SAVE = "save"
    PANEL = "panel"
    CLI = "cli"


class Area(StrEnum):
    """What a check looks at; the heading that it stands under, in the order in which people read them."""

    ENVIRONMENT = "Environment"
    CONFIGURATION = "Configuration"
    DISCORD = "Discord"
    PAYMENTS = "Payments"
    MAIL = "Mail"
    WEB = "Web"
    JOBS = "Jobs"
    DATA = "Data"
    PLAN = "Plan"


Repair = Callable[[], Awaitable[str]]
"""Puts one finding right and says what it did. Raises one of the four failures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a check found: `what` is the headline, `cause` why it matters, `fix` what to do.

    `affects` says whom it touches, "" for nobody in particular. `is_unreachable`: skipped because somebody else did
    not answer, so that trying again may tell.
    """

    outcome: Outcome
    what: str = ""
    cause: str = ""
    fix: str = ""
    affects: str = ""
    is_unreachable: bool = False
    repair: Repair | None = field(default=None, compare=False, repr=False)


Run = Callable[[], Awaitable[Sequence[Finding]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing to look at. `title` says what is well when it is; `run` returns nothing when it is."""

    id: str
    area: Area
    title: str
    categories: Collection[Category]
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One finding of one check, or its being fine; a check with several findings has several results."""

    id: str
    area: Area
    outcome: Outcome
    what: str
    cause: str = ""
    fix: str = ""
    affects: str = ""
    is_unreachable: bool = False
    repair: Repair | None = field(default=None, compare=False, repr=False)

    @property
    def is_fixable(self) -> bool:
        """Say whether `doctor --fix` can put it right."""
        return self.repair is not None


class Skip(Exception):
    """There is nothing to check here; the text says why, for people."""


class Once(Generic[T]):
    """Asks the outside once for several checks; all of them get the answer, or the failure."""

    def __init__(self, ask: Callable[[], Awaitable[T]]) -> None:
        """Take what asks. It may raise the four failures, and Skip."""
        self._ask = ask
        self._turn = asyncio.Lock()
        self._answers: list[T] = []
        self._failure: DoorlistError | Skip | None = None

    async def get(self) -> T:
        """Return the answer, asking at the first need. Raises what the asking raised."""
        async with self._turn:
            if self._failure is not None:
                raise self._failure
            if not self._answers:
                try:
                    self._answers.append(await self._ask())
                except (DoorlistError, Skip) as failure:
                    self._failure = failure
                    raise
            return self._answers[0]


def chosen(checks: Iterable[Check], *, category: Category, areas: Collection[Area] = ()) -> list[Check]:
    """Return the checks of a category, of some areas only when any are named, by area and then by id."""
    order = list(Area)
    found = [check for check in checks if category in check.categories and (not areas or check.area in areas)]
    return sorted(found, key=lambda check: (order.index(check.area), check.id))


async def run_checks(
    checks: Sequence[Check],
    *,
    reference: Callable[[], str],
    check_seconds: float = CHECK_SECONDS,
    run_seconds: float = RUN_SECONDS,
) -> list[Result]:
    """Run the checks side by side and return their results in the order of the checks.

    `reference` names a fault of a check in the log. What is not done after `run_seconds` is skipped.
    """
    turns = asyncio.Semaphore(AT_ONCE)
    end = asyncio.get_running_loop().time() + run_seconds

    async def run_one(check: Check) -> list[Result]:
        async with turns:
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return [_result(check, _not_in_time("the other checks took too long"))]
            return [_result(check, finding) for finding in await _findings(check, min(check_seconds, left), reference)]

    return [result for results in await asyncio.gather(*map(run_one, checks)) for result in results]


def by_check(results: Iterable[Result]) -> Mapping[str, Outcome]:
    """Return the outcome of each check by its id: the worst of its results."""
    outcomes: dict[str, Outcome] = {}
    for result in results:
        outcomes[result.id] = max(outcomes.get(result.id, Outcome.OK), result.outcome, key=_SEVERITY.index)
    return outcomes


def tally(results: Iterable[Result]) -> Counter[Outcome]:
    """Count the checks by outcome."""
    return Counter(by_check(results).values())


def in_words(failure: DoorlistError) -> str:
    """Say a failure in a sentence for staff."""
    match failure:
        case Retry():
            return failure.why
        case Blocked(reason=Reason.CREDENTIALS_REFUSED):
            return failure.detail or "the credentials were refused"
        case Blocked():
            return failure.detail or str(failure.reason).replace("_", " ")
        case Gone():
            return f"the {failure.what} no longer exists"
        case UserError():
            return failure.text
        case _:
            return str(failure)


def redacted(text: str) -> str:
    """Hide addresses of people and anything that could be a secret, so that a report can be shown to others."""
    text = _MAIL.sub(lambda found: f"{found[1]}••@{found[2]}", text)
    return _SECRET.sub("(hidden)", text)


# The worst last. A check that found a failure and could not look at the rest has failed.
_SEVERITY = (Outcome.OK, Outcome.HINT, Outcome.SKIP, Outcome.WARN, Outcome.FAIL)
_MAIL = re.compile(r"\b([\w])[\w.+-]*@([\w-]+(?:\.[\w-]+)+)")
_SECRET = re.compile(
    r"\b(?:[rs]k_(?:live|test)_|whsec_)\w+"  # Stripe's keys and secrets
    r"|\b[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}"  # a bot's token
    r"|(?<=//)[^@/\s]+(?=@)"  # name and password in an address
)


async def _findings(check: Check, seconds: float, reference: Callable[[], str]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(seconds):
            found = await check.run()
    except TimeoutError:
        return [_not_in_time(f"no answer within {seconds:.0f} s")]
    except Skip as reason:
        return [Finding(outcome=Outcome.SKIP, cause=str(reason))]
    except DoorlistError as failure:
        why, is_away = f"could not check: {in_words(failure)}", isinstance(failure, Retry)
        return [Finding(outcome=Outcome.SKIP, cause=why, is_unreachable=is_away)]
    except Exception as bug:
        # One broken check must not hide what the others found.
        name = reference()
        log.error("check_failed", check=check.id, reference=name, exc_info=bug)
        return [
            Finding(
                outcome=Outcome.FAIL,
                cause="This check itself is broken. That is a fault in Doorlist, not in your set-up.",
                fix=f"Report it with the log line that carries {name}.",
            )
        ]
    return found or [Finding(outcome=Outcome.OK)]


def _not_in_time(why: str) -> Finding:
    return Finding(outcome=Outcome.SKIP, cause=f"could not check: {why}", is_unreachable=True)


def _result(check: Check, finding: Finding) -> Result:
    return Result(
        id=check.id,
        area=check.area,
        outcome=finding.outcome,
        what=finding.what or check.title,
        cause=finding.cause,
        fix=finding.fix,
        affects=finding.affects,
        is_unreachable=finding.is_unreachable,
        repair=finding.repair,
    )
