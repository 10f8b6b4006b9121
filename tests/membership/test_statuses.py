"""The table of DESIGN 3, row by row: what a purchase in each status gives."""

from __future__ import annotations

import pytest

from membership.entitlements import Access, access_of
from membership.errors import Reason
from membership.model import (
    Dispute,
    GrantState,
    OnEnd,
    OnPastDue,
    Purchase,
    PurchaseId,
    PurchaseKind,
    PurchaseStatus,
    Refund,
    RoleId,
)
from tests.membership.builders import (
    DAY,
    GOLD,
    GOLD_ITEM,
    LATE,
    MOMENT,
    NOW,
    SILVER,
    SILVER_ITEM,
    TRIAL,
    a_claim,
    a_plan,
    a_purchase,
    a_silver_plan,
    an_unlinked,
    decided,
    the_outcome,
)

NOTHING: frozenset[RoleId] = frozenset()


@pytest.mark.parametrize(
    ("status", "access", "reason", "roles"),
    [
        (PurchaseStatus.PENDING, Access.PENDING, Reason.WAITING_FOR_PAYMENT, NOTHING),
        (PurchaseStatus.TRIALING, Access.GRANTED, Reason.TRIAL, {GOLD}),
        (PurchaseStatus.ACTIVE, Access.GRANTED, Reason.PAID, {GOLD}),
        (PurchaseStatus.PAST_DUE, Access.GRANTED, Reason.PAYMENT_FAILED, {GOLD}),
        (PurchaseStatus.PAUSED, Access.ENDED, Reason.PAUSED, NOTHING),
        (PurchaseStatus.UNPAID, Access.ENDED, Reason.UNPAID, NOTHING),
        (PurchaseStatus.ENDED, Access.ENDED, Reason.CANCELLED, NOTHING),
        (PurchaseStatus.EXPIRED, Access.ENDED, Reason.EXPIRED, NOTHING),
        (PurchaseStatus.UNKNOWN, Access.HOLD, Reason.STATUS_UNKNOWN, {GOLD}),
    ],
)
def test_each_status_gives_what_the_table_says(
    status: PurchaseStatus, access: Access, reason: Reason, roles: frozenset[RoleId]
) -> None:
    outcome = the_outcome(a_claim(a_purchase(status)), held=(GOLD,))
    assert (outcome.access, outcome.reason) == (access, reason)
    assert outcome.roles == roles


@pytest.mark.parametrize("status", PurchaseStatus)
@pytest.mark.parametrize("rule", OnEnd)
def test_only_an_end_follows_the_rule_of_the_plan(status: PurchaseStatus, rule: OnEnd) -> None:
    outcome = the_outcome(a_claim(a_purchase(status), a_plan(on_end=rule)))
    assert outcome.rule is (rule if outcome.access is Access.ENDED else OnEnd.REMOVE_ROLES)


def test_a_cancelling_subscription_is_granted_past_its_end_until_its_status_says_so() -> None:
    cancelling = a_purchase(ends_at=NOW - DAY, period_ends_at=NOW - DAY)
    decision = decided(a_claim(cancelling))
    assert decision.roles == {GOLD}
    assert decision.valid_until is None


def test_a_trial_gives_the_trial_role_instead_where_the_plan_has_one() -> None:
    plan = a_plan(trial_role_id=TRIAL)
    assert decided(a_claim(a_purchase(PurchaseStatus.TRIALING), plan)).roles == {TRIAL}
    assert decided(a_claim(a_purchase(), plan), held=(TRIAL,)).roles == {GOLD}


def test_the_trial_role_goes_on_evidence_when_the_trial_is_paid() -> None:
    decision = decided(a_claim(a_purchase(), a_plan(trial_role_id=TRIAL, on_end=OnEnd.NOTHING)), held=(TRIAL,))
    assert not decision.kept
    assert not decision.inferred


@pytest.mark.parametrize(
    ("mode", "roles"),
    [
        (OnPastDue.KEEP, {GOLD}),
        (OnPastDue.KEEP_AND_ROLE, {GOLD, LATE}),
        (OnPastDue.SWAP, {LATE}),
        (OnPastDue.REMOVE, NOTHING),
    ],
)
def test_a_failed_payment_gives_what_the_mode_says(mode: OnPastDue, roles: frozenset[RoleId]) -> None:
    plan = a_plan(on_past_due=mode, past_due_role_id=LATE)
    late = a_purchase(PurchaseStatus.PAST_DUE, past_due_since=NOW)
    assert decided(a_claim(late, plan)).roles == roles


@pytest.mark.parametrize("mode", [OnPastDue.KEEP, OnPastDue.KEEP_AND_ROLE, OnPastDue.SWAP])
def test_grace_ends_to_the_moment_after_its_days(mode: OnPastDue) -> None:
    plan = a_plan(on_past_due=mode, past_due_role_id=LATE, grace_days=3)
    claim = a_claim(a_purchase(PurchaseStatus.PAST_DUE, past_due_since=NOW), plan)
    over = NOW + 3 * DAY
    assert decided(claim).valid_until == over
    assert decided(claim, now=over - MOMENT).roles
    assert decided(claim, now=over).roles == NOTHING
    assert the_outcome(claim, now=over).reason is Reason.PAYMENT_FAILED


def test_without_grace_a_failed_payment_ends_at_once() -> None:
    late = a_purchase(PurchaseStatus.PAST_DUE, past_due_since=NOW)
    assert the_outcome(a_claim(late, a_plan(grace_days=0))).access is Access.ENDED


def test_grace_counts_from_the_reading_where_no_first_sight_is_stored() -> None:
    late = a_purchase(PurchaseStatus.PAST_DUE, read_at=NOW - DAY)
    assert decided(a_claim(late)).valid_until == NOW + 2 * DAY


def test_grace_that_ran_out_follows_the_rule_of_the_plan() -> None:
    late = a_purchase(PurchaseStatus.PAST_DUE, past_due_since=NOW - 4 * DAY)
    assert the_outcome(a_claim(late, a_plan(on_end=OnEnd.KICK))).rule is OnEnd.KICK


def test_the_past_due_role_goes_on_evidence_when_the_payment_arrives() -> None:
    plan = a_plan(on_past_due=OnPastDue.SWAP, past_due_role_id=LATE)
    decision = decided(a_claim(a_purchase(), plan), held=(LATE,))
    assert decision.roles == {GOLD}
    assert not decision.inferred


def test_the_past_due_role_goes_even_where_an_end_takes_nothing() -> None:
    plan = a_plan(on_past_due=OnPastDue.KEEP_AND_ROLE, past_due_role_id=LATE, on_end=OnEnd.NOTHING)
    decision = decided(a_claim(a_purchase(PurchaseStatus.ENDED), plan), held=(GOLD, LATE))
    assert decision.kept == {GOLD}
    assert not decision.inferred


def test_a_paused_purchase_grants_where_the_plan_says_so() -> None:
    outcome = the_outcome(a_claim(a_purchase(PurchaseStatus.PAUSED), a_plan(paused_grants=True)))
    assert (outcome.access, outcome.reason) == (Access.GRANTED, Reason.PAUSED)
    assert outcome.roles == {GOLD}


@pytest.mark.parametrize("kind", PurchaseKind)
@pytest.mark.parametrize(
    ("refund", "dispute", "reason"),
    [(Refund.FULL, Dispute.NONE, Reason.REFUNDED), (Refund.NONE, Dispute.LOST, Reason.DISPUTE_LOST)],
)
def test_money_that_went_back_ends_by_the_refund_rule(
    kind: PurchaseKind, refund: Refund, dispute: Dispute, reason: Reason
) -> None:
    plan = a_plan(on_end=OnEnd.KICK, on_refund=OnEnd.REMOVE_ALL_ROLES)
    outcome = the_outcome(a_claim(a_purchase(kind=kind, refund=refund, dispute=dispute), plan))
    assert (outcome.access, outcome.reason, outcome.rule) == (Access.ENDED, reason, OnEnd.REMOVE_ALL_ROLES)


def test_without_a_refund_rule_a_refund_ends_like_everything_else() -> None:
    outcome = the_outcome(a_claim(a_purchase(refund=Refund.FULL), a_plan(on_end=OnEnd.KICK)))
    assert outcome.rule is OnEnd.KICK


@pytest.mark.parametrize("harmless", [a_purchase(refund=Refund.PARTIAL), a_purchase(dispute=Dispute.INQUIRY)])
def test_a_partial_refund_and_an_inquiry_change_nothing(harmless: Purchase) -> None:
    outcome = the_outcome(a_claim(harmless))
    assert (outcome.access, outcome.reason) == (Access.GRANTED, Reason.PAID)
    assert outcome.roles == {GOLD}


def test_an_open_dispute_suspends_on_evidence_and_throws_nobody_out() -> None:
    claim = a_claim(a_purchase(dispute=Dispute.OPEN), a_plan(on_end=OnEnd.KICK), kick_at=NOW - DAY)
    decision = decided(claim, held=(GOLD,))
    assert decision.outcomes[0].access is Access.SUSPENDED
    assert not decision.roles | decision.kept | decision.inferred
    assert not decision.kick
    assert not decision.is_wanted


def test_a_won_dispute_restores() -> None:
    won = a_claim(a_purchase(dispute=Dispute.NONE), state=GrantState.HELD, reason=Reason.DISPUTED)
    assert decided(won).roles == {GOLD}


@pytest.mark.parametrize(
    "unreadable",
    [a_purchase(PurchaseStatus.UNKNOWN), a_purchase(items=()), a_purchase(PurchaseStatus.PENDING, items=())],
)
def test_what_cannot_be_read_keeps_what_is_held_and_puts_nothing(unreadable: Purchase) -> None:
    plan = a_plan(roles=(GOLD, SILVER), past_due_role_id=LATE, trial_role_id=TRIAL)
    claim = a_claim(unreadable, plan)
    assert decided(claim, held=(GOLD, LATE)).roles == {GOLD, LATE}
    assert decided(claim).roles == NOTHING
    assert not decided(claim).is_wanted


def test_an_unknown_status_outweighs_a_changed_plan() -> None:
    unknown = a_purchase(PurchaseStatus.UNKNOWN, items=(SILVER_ITEM,))
    assert the_outcome(a_claim(unknown), held=(GOLD,)).access is Access.HOLD


@pytest.mark.parametrize("over", [a_purchase(PurchaseStatus.ENDED, items=()), a_purchase(refund=Refund.FULL, items=())])
def test_a_read_without_items_can_still_say_that_it_is_over(over: Purchase) -> None:
    assert the_outcome(a_claim(over)).access is Access.ENDED


def test_a_purchase_that_nobody_is_linked_to_can_be_judged_alone() -> None:
    assert access_of(a_claim(a_purchase(PurchaseStatus.UNKNOWN)), now=NOW).roles == NOTHING
    assert access_of(a_claim(), now=NOW).roles == {GOLD}


def test_a_plan_without_roles_wants_the_member_all_the_same() -> None:
    decision = decided(a_claim(plan=a_plan(roles=())))
    assert decision.is_wanted
    assert decision.roles == NOTHING


def test_nobody_without_a_purchase_is_wanted() -> None:
    decision = decided()
    assert not decision.is_wanted
    assert not decision.roles | decision.kept | decision.inferred


def test_a_role_is_held_for_every_reason_and_goes_with_the_last() -> None:
    one, other = a_claim(), a_claim(a_purchase(id=PurchaseId(2)))
    assert decided(one, other).reasons == {GOLD: {one.grant.id, other.grant.id}}
    over = a_claim(a_purchase(PurchaseStatus.ENDED))
    assert decided(over, other, held=(GOLD,)).reasons == {GOLD: {other.grant.id}}
    assert decided(over, held=(GOLD,)).roles == NOTHING


def test_two_plans_of_one_purchase_give_the_union() -> None:
    bundle = a_purchase(items=(GOLD_ITEM,))
    second = a_silver_plan(products=a_plan().products)
    assert decided(a_claim(bundle), a_claim(bundle, second)).roles == {GOLD, SILVER}


def test_a_moved_purchase_gives_nothing_to_the_old_account() -> None:
    decision = decided(an_unlinked(a_claim()), held=(GOLD,))
    assert decision.outcomes[0].reason is Reason.MOVED
    assert not decision.roles | decision.kept | decision.inferred
