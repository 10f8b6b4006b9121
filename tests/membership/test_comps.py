"""What we give and take ourselves: comps end by our clock, revocations by the word of staff."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given

from membership.diff import delivered_roles
from membership.entitlements import Access, decide
from membership.errors import Reason
from membership.model import (
    Claim,
    GrantState,
    Item,
    MemberFacts,
    OnEnd,
    PlanId,
    Purchase,
    PurchaseId,
    PurchaseKind,
    PurchaseStatus,
    Refund,
)
from tests.membership.builders import (
    DAY,
    GOLD,
    MOMENT,
    NOW,
    a_claim,
    a_pass,
    a_plan,
    a_purchase,
    decided,
    the_outcome,
)
from tests.membership.strategies import LAWS, members

COMP_ITEM = Item(product_id="plan:1", price_id="")


def a_comp(**named: Any) -> Purchase:
    return a_purchase(**{"kind": PurchaseKind.COMP, "items": (COMP_ITEM,), **named})


def a_revoked(claim: Claim, at: datetime = NOW) -> Claim:
    return a_claim(claim.purchase, claim.plan, revoke_at=at)


def test_a_comp_needs_no_mapping_and_no_end() -> None:
    outcome = the_outcome(a_claim(a_comp(), a_plan(products=())))
    assert (outcome.access, outcome.reason, outcome.roles) == (Access.GRANTED, Reason.COMP, frozenset({GOLD}))
    assert outcome.until is None


def test_a_comp_of_another_plan_gives_nothing() -> None:
    other = a_comp(items=(Item(product_id="plan:2", price_id=""),))
    assert the_outcome(a_claim(other)).access is Access.ENDED


def test_a_provider_cannot_sell_what_only_we_give() -> None:
    assert the_outcome(a_claim(a_purchase(items=(COMP_ITEM,)))).access is Access.ENDED


def test_a_comp_ends_to_the_moment_by_our_own_clock_and_by_the_rule_of_the_plan() -> None:
    claim = a_claim(a_comp(ends_at=NOW), a_plan(on_end=OnEnd.KICK))
    assert decided(claim, now=NOW - MOMENT).valid_until == NOW
    outcome = the_outcome(claim, held=(GOLD,))
    assert (outcome.access, outcome.reason, outcome.rule) == (Access.ENDED, Reason.EXPIRED, OnEnd.KICK)
    assert outcome.is_evidence


def test_a_subscription_does_not_end_by_our_clock() -> None:
    assert the_outcome(a_claim(a_purchase(ends_at=NOW - DAY))).access is Access.GRANTED


def test_a_comp_that_is_withdrawn_was_revoked() -> None:
    assert the_outcome(a_claim(a_comp(status=PurchaseStatus.ENDED))).reason is Reason.REVOKED


@pytest.mark.parametrize("status", list(PurchaseStatus))
def test_staff_end_a_grant_whatever_was_paid(status: PurchaseStatus) -> None:
    outcome = the_outcome(a_revoked(a_claim(a_purchase(status))), held=(GOLD,))
    assert (outcome.access, outcome.reason, outcome.is_evidence) == (Access.ENDED, Reason.REVOKED, True)


def test_a_revocation_in_the_future_waits_for_its_moment() -> None:
    decision = decided(a_revoked(a_claim(), NOW + DAY))
    assert (decision.roles, decision.valid_until) == (frozenset({GOLD}), NOW + DAY)


def test_the_earlier_end_counts() -> None:
    assert the_outcome(a_revoked(a_claim(a_comp(ends_at=NOW + DAY)), NOW + 2 * DAY)).until == NOW + DAY


def test_a_refund_says_nothing_more_about_a_revoked_grant() -> None:
    plan = a_plan(on_end=OnEnd.NOTHING, on_refund=OnEnd.KICK)
    outcome = the_outcome(a_revoked(a_claim(a_purchase(refund=Refund.FULL), plan)))
    assert (outcome.reason, outcome.rule) == (Reason.REVOKED, OnEnd.NOTHING)


def test_a_pass_that_staff_end_early_makes_way_for_the_next() -> None:
    month = a_plan(duration_days=30)
    first = a_revoked(a_claim(a_pass(1, started_at=NOW - 10 * DAY), month), NOW - DAY)
    second = a_claim(a_pass(2, started_at=NOW - 5 * DAY), month)
    assert decided(first, second).outcomes[1].until == NOW + 29 * DAY


def test_a_role_that_a_new_grant_gives_was_not_taken_by_hand() -> None:
    known = a_claim()
    fresh = a_claim(a_purchase(id=PurchaseId(2)), state=GrantState.PENDING)
    assert delivered_roles(decided(known)) == {GOLD}
    assert delivered_roles(decided(known, fresh)) == frozenset()


@LAWS
@given(known=members())
def test_a_comp_that_runs_takes_nothing_away(known: MemberFacts) -> None:
    own = a_plan(id=PlanId(9), products=())
    comp = a_claim(a_comp(id=PurchaseId(9), items=(Item(product_id="plan:9", price_id=""),)), own)
    without, beside = decide(known, now=NOW), decide(replace(known, claims=(*known.claims, comp)), now=NOW)
    assert beside.roles == without.roles | {GOLD}
    assert not beside.kick
    assert not beside.strips


@LAWS
@given(known=members())
def test_what_staff_revoke_gives_no_role(known: MemberFacts) -> None:
    revoked = tuple(replace(claim, grant=replace(claim.grant, revoke_at=NOW)) for claim in known.claims)
    decision = decide(replace(known, claims=revoked), now=NOW)
    assert not decision.roles
    assert not decision.is_wanted
