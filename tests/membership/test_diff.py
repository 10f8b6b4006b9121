"""The steps from what is to what should be, case by case."""

from __future__ import annotations

import pytest

from membership.diff import (
    REPAIR_WINDOW,
    Add,
    Disown,
    Join,
    Kick,
    Own,
    Remove,
    Step,
    diff,
    is_left_away,
)
from membership.entitlements import Decision
from membership.model import Holding, HoldingState, Observation, RoleId
from tests.membership.builders import (
    FRIEND,
    GOLD,
    HOUR,
    MOMENT,
    NOW,
    SILVER,
    a_decision,
    a_holding,
    limits,
    seen,
)

ADDING, HELD, REMOVING = HoldingState.ADDING, HoldingState.HELD, HoldingState.REMOVING
PUT_GOLD = (Own(GOLD, ADDING), Add(GOLD))
REPAIR_GOLD = (Own(GOLD, ADDING, is_repair=True), Add(GOLD))


def steps(decision: Decision, observed: Observation, *holdings: Holding, can_join: bool = False) -> tuple[Step, ...]:
    return diff(decision, observed, holdings, limits(can_join=can_join), now=NOW)


def test_a_wanted_role_is_owned_and_then_put() -> None:
    assert steps(a_decision(GOLD), seen()) == PUT_GOLD


def test_a_role_that_is_there_and_held_needs_nothing() -> None:
    assert steps(a_decision(GOLD), seen(GOLD), a_holding(GOLD)) == ()


def test_a_role_that_somebody_else_gave_stays_theirs() -> None:
    assert steps(a_decision(GOLD), seen(GOLD)) == ()
    assert steps(a_decision(), seen(GOLD)) == ()


@pytest.mark.parametrize("state", [ADDING, REMOVING])
def test_a_write_that_is_seen_to_have_arrived_is_held(state: HoldingState) -> None:
    assert steps(a_decision(GOLD), seen(GOLD), a_holding(GOLD, state)) == (Own(GOLD, HELD),)


@pytest.mark.parametrize("state", [ADDING, REMOVING])
def test_a_write_that_was_cut_short_is_no_repair(state: HoldingState) -> None:
    worn_out = a_holding(GOLD, state, repairs=3, repairs_since=NOW)
    assert steps(a_decision(GOLD), seen(), worn_out) == PUT_GOLD


def test_a_role_taken_by_hand_is_put_back() -> None:
    assert steps(a_decision(GOLD), seen(), a_holding(GOLD)) == REPAIR_GOLD


def test_a_role_taken_by_hand_again_and_again_is_left_to_a_person() -> None:
    holding = a_holding(GOLD, repairs=2, repairs_since=NOW - HOUR)
    assert steps(a_decision(GOLD), seen(), holding) == REPAIR_GOLD
    worn_out = a_holding(GOLD, repairs=3, repairs_since=NOW - HOUR)
    assert steps(a_decision(GOLD), seen(), worn_out) == ()


def test_repairs_are_forgotten_after_a_day() -> None:
    holding = a_holding(GOLD, repairs=3, repairs_since=NOW)
    assert is_left_away(holding, limits(), NOW + REPAIR_WINDOW - MOMENT)
    assert not is_left_away(holding, limits(), NOW + REPAIR_WINDOW)


def test_a_limit_of_no_repairs_puts_nothing_back() -> None:
    assert is_left_away(a_holding(GOLD), limits(repairs=0), NOW)


def test_our_role_goes_when_nothing_wants_it() -> None:
    assert steps(a_decision(), seen(GOLD), a_holding(GOLD)) == (Remove(GOLD, is_evidenced=True),)


def test_a_removal_says_when_only_an_edited_plan_asks_for_it() -> None:
    decision = a_decision(inferred=frozenset({GOLD}))
    assert steps(decision, seen(GOLD), a_holding(GOLD)) == (Remove(GOLD, is_evidenced=False),)


@pytest.mark.parametrize("state", HoldingState)
def test_a_role_that_is_already_gone_is_only_forgotten(state: HoldingState) -> None:
    assert steps(a_decision(), seen(), a_holding(GOLD, state)) == (Disown(GOLD),)


def test_a_kept_role_stays_and_is_no_longer_ours() -> None:
    assert steps(a_decision(kept=frozenset({GOLD})), seen(GOLD), a_holding(GOLD)) == (Disown(GOLD),)


def test_an_upgrade_puts_the_new_role_before_it_takes_the_old_one() -> None:
    assert steps(a_decision(SILVER), seen(GOLD), a_holding(GOLD)) == (
        Own(SILVER, ADDING),
        Add(SILVER),
        Remove(GOLD, is_evidenced=True),
    )


def test_stripping_takes_every_assignable_role() -> None:
    boosted = RoleId(999)
    assert steps(a_decision(strips=True), seen(GOLD, FRIEND, boosted), a_holding(GOLD)) == (
        Remove(GOLD, is_evidenced=True),
        Remove(FRIEND, is_evidenced=True, is_ours=False),
    )


def test_a_kick_comes_last() -> None:
    assert steps(a_decision(kick=True), seen(GOLD), a_holding(GOLD)) == (Remove(GOLD, is_evidenced=True), Kick())


def test_nobody_is_kicked_who_is_not_there() -> None:
    assert steps(a_decision(kick=True), None) == ()


def test_the_roles_of_a_member_who_left_are_remembered_in_case_they_come_back_with_them() -> None:
    assert steps(a_decision(GOLD), None, a_holding(GOLD), a_holding(SILVER)) == (
        Own(GOLD, ADDING),
        Own(SILVER, REMOVING),
    )
    assert steps(a_decision(GOLD), None, a_holding(GOLD, ADDING), a_holding(SILVER, REMOVING)) == ()


def test_a_role_that_an_ended_plan_leaves_alone_is_not_remembered() -> None:
    assert steps(a_decision(kept=frozenset({GOLD})), None, a_holding(GOLD)) == (Disown(GOLD),)


def test_a_remembered_role_is_taken_from_who_comes_back_with_it() -> None:
    assert steps(a_decision(), seen(GOLD), a_holding(GOLD, REMOVING)) == (Remove(GOLD, is_evidenced=True),)


def test_who_may_be_added_comes_in_with_all_their_roles() -> None:
    assert steps(a_decision(GOLD), None, a_holding(SILVER, REMOVING), can_join=True) == (Join(), *PUT_GOLD)


def test_a_plan_without_roles_brings_its_member_in() -> None:
    assert steps(a_decision(is_wanted=True), None, can_join=True) == (Join(),)


def test_nobody_is_added_whom_no_purchase_wants() -> None:
    assert steps(a_decision(), None, can_join=True) == ()
