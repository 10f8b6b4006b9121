"""The brake: which removals go on, over single ones and over any sequence of them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from membership.brake import WINDOW, Proposed, Verdict, brake
from membership.policy import Policy
from membership.records import RemovalCounts
from tests.membership.builders import NOW
from tests.membership.strategies import LAWS


def proposed(*, is_kick: bool = False, is_evidenced: bool = True, is_released: bool = False) -> Proposed:
    return Proposed(is_kick=is_kick, is_evidenced=is_evidenced, is_released=is_released)


def counts(*, roles: int = 0, kicks: int = 0, paying: int = 0) -> RemovalCounts:
    return RemovalCounts(roles=roles, kicks=kicks, paying=paying)


POLICIES = st.builds(
    Policy,
    brake_removals=st.integers(0, 4),
    brake_removal_percent=st.integers(0, 100),
    brake_kicks=st.integers(0, 4),
    brake_kick_percent=st.integers(0, 100),
)
COUNTS = st.builds(counts, roles=st.integers(0, 30), kicks=st.integers(0, 30), paying=st.integers(0, 40))
PROPOSED = st.builds(proposed, is_kick=st.booleans(), is_evidenced=st.booleans(), is_released=st.booleans())


@pytest.mark.parametrize(("paying", "allowed"), [(0, 10), (100, 10), (109, 10), (110, 11), (1000, 100)])
def test_ten_removals_or_a_tenth_go_through(paying: int, allowed: int) -> None:
    assert brake(proposed(), counts(roles=allowed - 1, paying=paying), Policy()) is Verdict.ALLOW
    assert brake(proposed(), counts(roles=allowed, paying=paying), Policy()) is Verdict.TOO_MANY_REMOVALS


@pytest.mark.parametrize(("paying", "allowed"), [(0, 3), (150, 3), (199, 3), (200, 4), (1000, 20)])
def test_three_kicks_or_two_in_a_hundred_go_through(paying: int, allowed: int) -> None:
    kick = proposed(is_kick=True)
    assert brake(kick, counts(kicks=allowed - 1, paying=paying), Policy()) is Verdict.ALLOW
    assert brake(kick, counts(kicks=allowed, paying=paying), Policy()) is Verdict.TOO_MANY_KICKS


def test_kicks_and_removals_are_counted_apart() -> None:
    assert brake(proposed(), counts(kicks=99), Policy()) is Verdict.ALLOW
    assert brake(proposed(is_kick=True), counts(roles=99), Policy()) is Verdict.ALLOW


def test_a_removal_without_evidence_waits_even_when_nothing_else_happened() -> None:
    assert brake(proposed(is_evidenced=False), counts(paying=1000), Policy()) is Verdict.UNEVIDENCED


@LAWS
@given(removal=PROPOSED, seen=COUNTS, policy=POLICIES)
def test_what_a_person_released_always_goes_on(removal: Proposed, seen: RemovalCounts, policy: Policy) -> None:
    released = proposed(is_kick=removal.is_kick, is_evidenced=removal.is_evidenced, is_released=True)
    assert brake(released, seen, policy) is Verdict.ALLOW


@LAWS
@given(is_kick=st.booleans(), seen=COUNTS, policy=POLICIES)
def test_nothing_without_evidence_goes_on_unreleased(is_kick: bool, seen: RemovalCounts, policy: Policy) -> None:
    assert brake(proposed(is_kick=is_kick, is_evidenced=False), seen, policy) is Verdict.UNEVIDENCED


@LAWS
@given(removal=PROPOSED, seen=COUNTS, policy=POLICIES, roles=st.integers(0, 9), kicks=st.integers(0, 9))
def test_more_removals_before_never_let_more_through(
    removal: Proposed, seen: RemovalCounts, policy: Policy, roles: int, kicks: int
) -> None:
    more = counts(roles=seen.roles + roles, kicks=seen.kicks + kicks, paying=seen.paying)
    if brake(removal, more, policy) is Verdict.ALLOW:
        assert brake(removal, seen, policy) is Verdict.ALLOW


@LAWS
@given(removal=PROPOSED, seen=COUNTS, policy=POLICIES, joined=st.integers(0, 99))
def test_more_paying_members_never_hold_more_back(
    removal: Proposed, seen: RemovalCounts, policy: Policy, joined: int
) -> None:
    larger = counts(roles=seen.roles, kicks=seen.kicks, paying=seen.paying + joined)
    if brake(removal, seen, policy) is Verdict.ALLOW:
        assert brake(removal, larger, policy) is Verdict.ALLOW


GAPS = st.sampled_from((timedelta(0), timedelta(hours=1), timedelta(hours=11), WINDOW, WINDOW * 2))


@LAWS
@given(policy=POLICIES, paying=st.integers(0, 40), tries=st.lists(st.tuples(GAPS, PROPOSED), min_size=10, max_size=40))
def test_no_sequence_gets_more_through_a_window_than_the_limit(
    policy: Policy, paying: int, tries: list[tuple[timedelta, Proposed]]
) -> None:
    went: dict[bool, list[datetime]] = {True: [], False: []}
    now = NOW
    for gap, removal in tries:
        now += gap
        roles, kicks = (sum(moment >= now - WINDOW for moment in went[is_kick]) for is_kick in (False, True))
        verdict = brake(removal, counts(roles=roles, kicks=kicks, paying=paying), policy)
        if verdict is Verdict.ALLOW and not removal.is_released:
            assert removal.is_evidenced
            went[removal.is_kick].append(now)
    limits = {
        True: max(policy.brake_kicks, paying * policy.brake_kick_percent // 100),
        False: max(policy.brake_removals, paying * policy.brake_removal_percent // 100),
    }
    for is_kick, moments in went.items():
        for end in moments:
            assert sum(end - WINDOW <= moment <= end for moment in moments) <= limits[is_kick]
