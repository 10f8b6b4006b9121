"""Every combination of status, rule, refund and dispute comes to something, and what it comes to makes sense."""

from __future__ import annotations

from itertools import product

import pytest

from membership.entitlements import Access
from membership.model import Dispute, GrantState, OnEnd, OnPastDue, PurchaseStatus, Refund
from tests.membership.builders import DAY, GOLD, LATE, NOW, TRIAL, a_claim, a_plan, a_purchase, decided

PLANS = [
    a_plan(
        on_end=on_end,
        on_refund=on_refund,
        on_past_due=on_past_due,
        paused_grants=paused_grants,
        past_due_role_id=LATE,
        trial_role_id=TRIAL,
        products=products,
    )
    for on_end, on_refund, on_past_due, paused_grants, products in product(
        OnEnd, (None, OnEnd.NOTHING, OnEnd.KICK), OnPastDue, (False, True), (a_plan().products, ())
    )
]
RULES = [
    a_plan(on_end=on_end, on_refund=on_refund)
    for on_end, on_refund in product(OnEnd, (None, OnEnd.NOTHING, OnEnd.KICK))
]
OVER = {PurchaseStatus.UNPAID, PurchaseStatus.ENDED, PurchaseStatus.EXPIRED}


@pytest.mark.parametrize("status", PurchaseStatus)
def test_every_combination_has_a_sensible_outcome(status: PurchaseStatus) -> None:
    for plan, refund, dispute in product(PLANS, Refund, Dispute):
        purchase = a_purchase(status, refund=refund, dispute=dispute, past_due_since=NOW)
        decision = decided(a_claim(purchase, plan), held=(GOLD, LATE, TRIAL))
        (outcome,) = decision.outcomes
        is_money_back = refund is Refund.FULL or dispute is Dispute.LOST
        if is_money_back:
            assert outcome.access is Access.ENDED
            assert outcome.rule is (plan.on_refund or plan.on_end)
        elif dispute is Dispute.OPEN:
            assert outcome.access is Access.SUSPENDED
        elif status is PurchaseStatus.UNKNOWN:
            assert outcome.access is Access.HOLD
            assert not decision.kept | decision.inferred
        elif status in OVER:
            assert outcome.access is Access.ENDED
            assert outcome.is_evidence
        assert bool(decision.roles) is (outcome.access in (Access.GRANTED, Access.HOLD))
        assert decision.strips is (outcome.access is Access.ENDED and outcome.rule is OnEnd.REMOVE_ALL_ROLES)
        assert not decision.kick


@pytest.mark.parametrize("state", GrantState)
@pytest.mark.parametrize("status", PurchaseStatus)
def test_only_an_ended_claim_whose_rule_says_so_kicks(status: PurchaseStatus, state: GrantState) -> None:
    for plan, refund, dispute in product(RULES, Refund, Dispute):
        purchase = a_purchase(status, refund=refund, dispute=dispute, past_due_since=NOW)
        decision = decided(a_claim(purchase, plan, state=state, kick_at=NOW - DAY))
        (outcome,) = decision.outcomes
        assert decision.kick is (outcome.access is Access.ENDED and outcome.rule is OnEnd.KICK)
