"""Breakers and the limit on refused calls."""

from __future__ import annotations

from datetime import timedelta

import pytest

from cogs.guard import BREAKER_SECONDS, MOST_REFUSALS, Breakers, Refusals
from membership.errors import Audience, Blocked, DoorlistError, Gone, Reason, Retry

REFUSED = Blocked(Reason.MISSING_PERMISSION, audience=Audience.OWNER)


@pytest.mark.parametrize(
    "failure",
    [
        REFUSED,
        Blocked(Reason.ROLE_ABOVE_BOT, audience=Audience.OWNER),
        Blocked(Reason.MISSING_ACCESS, audience=Audience.OWNER),
        Gone("role"),
    ],
)
def test_a_lasting_refusal_is_remembered_for_an_hour(failure: DoorlistError) -> None:
    breakers = Breakers()
    breakers.note(1, "vip", failure, 0.0)
    assert type(breakers.refusal(1, "vip", BREAKER_SECONDS - 1)) is type(failure)
    assert breakers.refusal(1, "vip", BREAKER_SECONDS) is None


@pytest.mark.parametrize(
    "failure", [Retry("busy"), Gone("member"), Blocked(Reason.BANNED, audience=Audience.OWNER), Gone("guild")]
)
def test_what_concerns_one_member_or_one_moment_is_not_remembered(failure: DoorlistError) -> None:
    breakers = Breakers()
    breakers.note(1, "vip", failure, 0.0)
    assert breakers.refusal(1, "vip", 0.0) is None


def test_another_role_and_another_guild_are_not_concerned() -> None:
    breakers = Breakers()
    breakers.note(1, "vip", REFUSED, 0.0)
    assert breakers.refusal(1, "gold", 0.0) is None
    assert breakers.refusal(2, "vip", 0.0) is None


def test_a_reset_concerns_one_guild() -> None:
    breakers = Breakers()
    breakers.note(1, "vip", REFUSED, 0.0)
    breakers.note(2, "vip", REFUSED, 0.0)
    breakers.reset(1)
    assert breakers.refusal(1, "vip", 0.0) is None
    assert breakers.refusal(2, "vip", 0.0) is not None


def test_a_thousand_refusals_in_ten_minutes_stop_the_calls_until_the_oldest_is_ten_minutes_old() -> None:
    refusals = Refusals()
    for number in range(MOST_REFUSALS):
        refusals.check(number * 0.1)
        refusals.note(403, number * 0.1)
    with pytest.raises(Retry) as failure:
        refusals.check(100.0)
    assert failure.value.after == timedelta(seconds=500)
    refusals.check(600.1)


def test_good_answers_and_404s_do_not_count() -> None:
    refusals = Refusals()
    for _ in range(MOST_REFUSALS + 1):
        refusals.note(200, 0.0)
        refusals.note(404, 0.0)
    refusals.check(0.0)


def test_a_good_answer_between_ends_a_row_of_unauthorized() -> None:
    refusals = Refusals()
    for status in (401, 401, 200, 401):
        refusals.note(status, 0.0)
    refusals.check(0.0)


def test_a_new_login_allows_calls_again_after_three_unauthorized() -> None:
    refusals = Refusals()
    for _ in range(3):
        refusals.note(401, 0.0)
    with pytest.raises(Blocked):
        refusals.check(0.0)
    refusals.forgive()
    refusals.check(0.0)
