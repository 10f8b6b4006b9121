"""The table of EXPERIENCE 2.8, walked in full: each of Discord's answers becomes a failure, and each failure words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cogs.errors import BY_CODE, failure
from cogs.refusals import (
    REFUSALS,
    Problem,
    Trouble,
    member_sentence,
    problem_of,
    retry_text,
    staff_fix,
    staff_sentence,
)
from locales.catalogue import words_for
from membership.errors import DoorlistError, Gone, Reason, Retry
from tests.cogs.test_errors import answered

ENGLISH, ITALIAN = words_for("en"), words_for("it")

THE_TABLE: dict[tuple[int, int], Problem] = {
    (403, 50013): Reason.MISSING_PERMISSION,
    (403, 50001): Reason.MISSING_ACCESS,
    (404, 10011): Reason.ROLE_DELETED,
    (400, 50028): Reason.ROLE_DELETED,
    (404, 10004): Reason.BOT_NOT_IN_SERVER,
    (404, 10007): Reason.NOT_IN_SERVER,
    (404, 10013): Reason.ACCOUNT_GONE,
    (400, 30001): Reason.SERVER_LIMIT,
    (403, 40007): Reason.BANNED,
    (403, 50025): Reason.TOKEN_EXPIRED,
    (403, 50026): Reason.SCOPE_MISSING,
    (403, 50007): Reason.DMS_CLOSED,
    (403, 50278): Reason.DMS_CLOSED,
    (403, 60003): Reason.TWO_FACTOR_REQUIRED,
    (403, 40333): Trouble.BUSY,
    (503, 0): Trouble.BUSY,
    (429, 0): Trouble.PAUSE,
}

NOT_THE_MEMBERS_BUSINESS = {
    Reason.MISSING_ACCESS,
    Reason.BOT_NOT_IN_SERVER,
    Reason.ACCOUNT_GONE,
    Reason.DMS_CLOSED,
    Reason.TWO_FACTOR_REQUIRED,
    Trouble.CHANNEL_GONE,
    Trouble.MESSAGE_GONE,
    Trouble.PAUSE,
}

NOTHING: dict[str, object] = {}
FACTS: dict[str, object] = {"role_id": 7, "plan": "VIP", "server": "The Lounge", "bot": "doorlist", "seconds": 12}


def problem(status: int, code: int) -> Problem:
    refused = failure(answered(status, code, Retry_After="12"))
    assert isinstance(refused, DoorlistError)
    return problem_of(refused)


@pytest.mark.parametrize(("status", "code"), THE_TABLE)
def test_each_answer_of_discord_is_the_problem_of_its_row(status: int, code: int) -> None:
    assert problem(status, code) is THE_TABLE[status, code]


@pytest.mark.parametrize("code", BY_CODE)
def test_every_code_that_is_understood_has_its_words(code: int) -> None:
    assert problem(403, code) in REFUSALS


def test_a_broken_connection_is_trouble_at_discord() -> None:
    refused = failure(TimeoutError())
    assert isinstance(refused, DoorlistError)
    assert problem_of(refused) is Trouble.BUSY


@pytest.mark.parametrize("row", REFUSALS)
@pytest.mark.parametrize("facts", [NOTHING, FACTS])
def test_every_row_tells_staff_what_is_wrong_what_to_do_and_when_it_is_tried_again(
    row: Problem, facts: dict[str, object]
) -> None:
    for text in (staff_sentence(row, facts), staff_fix(row, facts), retry_text(row)):
        assert text.endswith(".")
        assert "{" not in text


@pytest.mark.parametrize("row", REFUSALS)
def test_members_hear_what_is_theirs_in_their_language(row: Problem) -> None:
    english, italian = member_sentence(ENGLISH, row), member_sentence(ITALIAN, row)
    assert bool(english) is (row not in NOT_THE_MEMBERS_BUSINESS)
    assert (english == italian) is (english == "")


def test_the_role_and_the_bot_are_named_in_the_fix() -> None:
    fix = staff_fix(Reason.ROLE_ABOVE_BOT, FACTS)
    assert fix == "Server Settings → Roles → drag doorlist above <@&7>."


def test_a_pause_says_how_long() -> None:
    assert problem_of(Retry("wait", after=timedelta(seconds=12))) is Trouble.PAUSE
    assert "for 12 s" in staff_sentence(Trouble.PAUSE, FACTS)


def test_names_of_roles_cannot_mention_anybody() -> None:
    assert "@\u200beveryone" in staff_sentence(Reason.ROLE_ABOVE_BOT, {"role": "@everyone"})


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in REFUSALS])
def test_a_reason_that_is_no_refusal_is_still_said_to_staff(reason: Reason) -> None:
    assert staff_sentence(reason, NOTHING)
    assert staff_fix(reason, NOTHING) == retry_text(reason) == member_sentence(ENGLISH, reason) == ""


def test_what_no_call_to_discord_ends_in_is_loud() -> None:
    with pytest.raises(KeyError):
        problem_of(Gone("cursor"))
