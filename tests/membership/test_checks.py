"""How checks are run and counted: nothing unknown counts as fine, and one broken check hides no other."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from membership.check_words import as_text, counts, report
from membership.checks import (
    Area,
    Category,
    Check,
    Finding,
    Once,
    Outcome,
    Result,
    Skip,
    by_check,
    chosen,
    redacted,
    run_checks,
    tally,
)
from membership.errors import Audience, Blocked, DoorlistError, Gone, Reason, Retry, UserError

Run = Callable[[], Awaitable[Sequence[Finding]]]


def a_check(run: Run, *, number: str = "D01", area: Area = Area.DISCORD, where: Category = Category.CLI) -> Check:
    return Check(id=number, area=area, title="The token works", categories=(where,), run=run)


def finding(outcome: Outcome, cause: str = "because") -> Run:
    async def run() -> Sequence[Finding]:
        return [Finding(outcome=outcome, cause=cause)]

    return run


def raising(failure: Exception) -> Run:
    async def run() -> Sequence[Finding]:
        raise failure

    return run


async def nothing_wrong() -> Sequence[Finding]:
    return []


async def results(*checks: Check, **bounds: float) -> list[Result]:
    return await run_checks(checks, reference=lambda: "7F3K", **bounds)


async def test_a_check_that_finds_nothing_is_fine() -> None:
    (result,) = await results(a_check(nothing_wrong))
    assert (result.outcome, result.what) == (Outcome.OK, "The token works")


@pytest.mark.parametrize(
    ("failure", "why", "is_unreachable"),
    [
        (Retry("Discord is not connected"), "could not check: Discord is not connected", True),
        (Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR, detail="no"), "could not check: no", False),
        (Gone("guild"), "could not check: the guild no longer exists", False),
        (UserError("There is no plan."), "could not check: There is no plan.", False),
        (Skip("mail is not set up"), "mail is not set up", False),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_could_not_be_found_out_is_skipped_with_the_reason(
    failure: DoorlistError | Skip, why: str, is_unreachable: bool
) -> None:
    (result,) = await results(a_check(raising(failure)))
    assert (result.outcome, result.cause, result.is_unreachable) == (Outcome.SKIP, why, is_unreachable)
    assert tally([result])[Outcome.OK] == 0


async def test_a_broken_check_fails_by_reference_and_hides_no_other() -> None:
    broken, sound = await results(a_check(raising(KeyError("secret"))), a_check(nothing_wrong, number="D02"))
    assert broken.outcome is Outcome.FAIL
    assert "7F3K" in broken.fix
    assert "secret" not in broken.cause + broken.fix
    assert sound.outcome is Outcome.OK


async def test_a_check_that_hangs_is_skipped() -> None:
    async def hang() -> Sequence[Finding]:
        await asyncio.Event().wait()
        return []

    (result,) = await results(a_check(hang), check_seconds=0.01)
    assert (result.outcome, result.is_unreachable) == (Outcome.SKIP, True)


async def test_what_a_long_run_does_not_get_to_is_skipped() -> None:
    (result,) = await results(a_check(nothing_wrong), run_seconds=0)
    assert (result.outcome, result.is_unreachable) == (Outcome.SKIP, True)


async def test_a_repair_makes_a_result_fixable() -> None:
    async def repair() -> str:
        return "done"

    async def run() -> Sequence[Finding]:
        return [Finding(outcome=Outcome.FAIL, repair=repair)]

    fixable, other = await results(a_check(run), a_check(finding(Outcome.FAIL), number="D02"))
    assert (fixable.is_fixable, other.is_fixable) == (True, False)


def test_a_check_counts_once_by_its_worst_result() -> None:
    found = [
        Result(id="D08", area=Area.DISCORD, outcome=outcome, what="")
        for outcome in (Outcome.OK, Outcome.SKIP, Outcome.FAIL)
    ]
    assert by_check(found) == {"D08": Outcome.FAIL}
    assert counts(tally(found)) == "1 failed"


def test_a_check_that_was_partly_skipped_is_not_fine() -> None:
    found = [Result(id="D08", area=Area.DISCORD, outcome=outcome, what="") for outcome in (Outcome.SKIP, Outcome.OK)]
    assert by_check(found) == {"D08": Outcome.SKIP}


def test_checks_are_chosen_by_category_and_area_in_reading_order() -> None:
    checks = [
        a_check(nothing_wrong, number="D02"),
        a_check(nothing_wrong, number="D01"),
        a_check(nothing_wrong, number="E01", area=Area.ENVIRONMENT),
        a_check(nothing_wrong, number="D03", where=Category.PANEL),
    ]
    assert [check.id for check in chosen(checks, category=Category.CLI)] == ["E01", "D01", "D02"]
    assert [check.id for check in chosen(checks, category=Category.CLI, areas=[Area.DISCORD])] == ["D01", "D02"]


async def test_the_outside_is_asked_once_for_all_checks() -> None:
    asked = []

    async def ask() -> str:
        asked.append(1)
        return "answer"

    once = Once(ask)
    assert [*await asyncio.gather(once.get(), once.get())] == ["answer", "answer"]
    assert len(asked) == 1


async def test_everybody_who_asks_gets_the_failure() -> None:
    asked = []

    async def ask() -> str:
        asked.append(1)
        raise Retry("away")

    once = Once(ask)
    for _ in range(2):
        with pytest.raises(Retry):
            await once.get()
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("the key rk_live_51Habc", "the key (hidden)"),
        ("whsec_1IRPxBFWGyEb is wrong", "(hidden) is wrong"),
        ("ada.lovelace@example.com waits", "a••@example.com waits"),
        ("postgresql://me:hunter2@host/db", "postgresql://(hidden)@host/db"),
        ("https://gate.example.com/webhooks/stripe", "https://gate.example.com/webhooks/stripe"),
    ],
)
def test_a_report_hides_people_and_secrets(text: str, shown: str) -> None:
    assert redacted(text) == shown
    result = Result(id="P03", area=Area.PAYMENTS, outcome=Outcome.FAIL, what="Webhook", cause=text, fix="")
    assert shown in report([result])


def test_a_name_cannot_steer_the_terminal() -> None:
    result = Result(id="D08", area=Area.DISCORD, outcome=Outcome.FAIL, what="\x1b[2JVIP", cause="gone")
    assert "\x1b" not in as_text([result])


def test_skipped_checks_share_a_line_by_reason() -> None:
    found = [
        Result(id=f"P0{number}", area=Area.PAYMENTS, outcome=Outcome.SKIP, what="", cause="no key")
        for number in (1, 2, 3, 5)
    ]
    assert as_text(found).splitlines()[:2] == ["Payments 4 skipped", "  - P01–P03, P05 skipped: no key"]
