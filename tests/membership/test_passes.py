"""One-time purchases: for ever, or for days that stack."""

from __future__ import annotations

import pytest

from membership.entitlements import Access
from membership.errors import Reason
from membership.model import Dispute, OnEnd, Purchase, PurchaseKind, PurchaseStatus, Refund
from tests.membership.builders import (
    DAY,
    GOLD,
    MOMENT,
    NOW,
    SILVER,
    SILVER_PRODUCT,
    a_claim,
    a_pass,
    a_plan,
    a_purchase,
    a_silver_plan,
    an_unlinked,
    decided,
    the_outcome,
)

MONTH = a_plan(duration_days=30)


def test_without_a_duration_a_pass_lasts_for_ever() -> None:
    decision = decided(a_claim(a_pass(started_at=NOW - 4000 * DAY)))
    assert decision.roles == {GOLD}
    assert decision.valid_until is None


def test_a_pass_ends_to_the_moment_after_its_days() -> None:
    claim = a_claim(a_pass(started_at=NOW), MONTH)
    over = NOW + 30 * DAY
    assert decided(claim).valid_until == over
    assert decided(claim, now=over - MOMENT).roles == {GOLD}
    outcome = the_outcome(claim, now=over)
    assert (outcome.access, outcome.reason) == (Access.ENDED, Reason.EXPIRED)


def test_a_pass_that_is_over_follows_the_rule_of_the_plan_on_evidence() -> None:
    claim = a_claim(a_pass(started_at=NOW - 30 * DAY), a_plan(duration_days=30, on_end=OnEnd.NOTHING))
    assert decided(claim, held=(GOLD,)).kept == {GOLD}
    taken = decided(a_claim(claim.purchase, MONTH), held=(GOLD,))
    assert not taken.roles | taken.kept | taken.inferred


def test_a_duration_does_not_bound_a_subscription() -> None:
    decision = decided(a_claim(a_purchase(started_at=NOW - 400 * DAY), MONTH))
    assert decision.roles == {GOLD}
    assert decision.valid_until is None


def test_a_second_pass_starts_where_the_first_ends() -> None:
    first, second = a_claim(a_pass(1, started_at=NOW - 10 * DAY), MONTH), a_claim(a_pass(2, started_at=NOW), MONTH)
    one, other = decided(first, second).outcomes
    assert one.until == NOW + 20 * DAY
    assert other.until == NOW + 50 * DAY


def test_a_pass_bought_after_a_gap_starts_when_it_is_bought() -> None:
    first, second = a_claim(a_pass(1, started_at=NOW - 40 * DAY), MONTH), a_claim(a_pass(2, started_at=NOW), MONTH)
    one, other = decided(first, second).outcomes
    assert one.access is Access.ENDED
    assert other.until == NOW + 30 * DAY


def test_passes_bought_at_the_same_moment_stack_too() -> None:
    claims = [a_claim(a_pass(number, started_at=NOW), MONTH) for number in (2, 1, 3)]
    ends = {outcome.claim.purchase.id: outcome.until for outcome in decided(*claims).outcomes}
    assert ends == {1: NOW + 30 * DAY, 2: NOW + 60 * DAY, 3: NOW + 90 * DAY}


def test_the_end_of_a_stacked_pass_takes_no_role_while_the_next_one_runs() -> None:
    stripping = a_plan(duration_days=30, on_end=OnEnd.REMOVE_ALL_ROLES)
    claims = (a_claim(a_pass(1, started_at=NOW - 30 * DAY), stripping), a_claim(a_pass(2, started_at=NOW), stripping))
    decision = decided(*claims, held=(GOLD,))
    assert decision.roles == {GOLD}
    assert not decision.strips


@pytest.mark.parametrize(
    "void",
    [
        a_pass(1, started_at=NOW, refund=Refund.FULL),
        a_pass(1, started_at=NOW, dispute=Dispute.LOST),
        a_pass(1, started_at=NOW, status=PurchaseStatus.PENDING),
        a_pass(1, started_at=NOW, kind=PurchaseKind.SUBSCRIPTION),
    ],
    ids=["refunded", "dispute lost", "unpaid", "a subscription"],
)
def test_only_a_paid_pass_pushes_the_next_one_back(void: Purchase) -> None:
    claims = (a_claim(void, MONTH), a_claim(a_pass(2, started_at=NOW), MONTH))
    assert decided(*claims).outcomes[1].until == NOW + 30 * DAY


def test_a_pass_that_moved_to_another_account_does_not_stack() -> None:
    moved = an_unlinked(a_claim(a_pass(1, started_at=NOW), MONTH))
    assert decided(moved, a_claim(a_pass(2, started_at=NOW), MONTH)).outcomes[1].until == NOW + 30 * DAY


def test_a_disputed_pass_runs_on_while_it_is_suspended() -> None:
    disputed = a_claim(a_pass(1, started_at=NOW, dispute=Dispute.OPEN), MONTH)
    one, other = decided(disputed, a_claim(a_pass(2, started_at=NOW), MONTH)).outcomes
    assert one.access is Access.SUSPENDED
    assert other.until == NOW + 60 * DAY


def test_passes_of_different_plans_run_side_by_side() -> None:
    silver = a_silver_plan(duration_days=7, products=(*MONTH.products, SILVER_PRODUCT))
    bought = a_pass(1, started_at=NOW)
    decision = decided(a_claim(bought, MONTH), a_claim(bought, silver))
    assert decision.roles == {GOLD, SILVER}
    assert decision.valid_until == NOW + 7 * DAY
