"""What the end of access does: the rules, their evidence, kept roles, strips and kicks."""

from __future__ import annotations

import pytest

from membership.entitlements import decide
from membership.errors import Reason
from membership.model import (
    AccountId,
    Claim,
    Dispute,
    GrantState,
    HoldingState,
    Item,
    MemberFacts,
    OnEnd,
    PlanProduct,
    PurchaseId,
    PurchaseStatus,
    Refund,
)
from tests.membership.builders import (
    ACCOUNT,
    CHARLIE,
    DAY,
    FRIEND,
    GOLD,
    GOLD_ITEM,
    GOLD_PRODUCT,
    MOMENT,
    NOW,
    SILVER,
    SILVER_ITEM,
    SILVER_PRODUCT,
    a_claim,
    a_holding,
    a_plan,
    a_purchase,
    a_silver_plan,
    an_unlinked,
    decided,
    the_outcome,
)

OVER = a_purchase(PurchaseStatus.ENDED)
OTHER_OVER = a_purchase(PurchaseStatus.ENDED, id=PurchaseId(2))
LIVE_SILVER = a_claim(a_purchase(id=PurchaseId(2), items=(SILVER_ITEM,)), a_silver_plan())


@pytest.mark.parametrize("rule", [OnEnd.REMOVE_ROLES, OnEnd.REMOVE_ALL_ROLES, OnEnd.KICK])
def test_an_end_takes_the_roles_on_evidence(rule: OnEnd) -> None:
    decision = decided(a_claim(OVER, a_plan(on_end=rule)), held=(GOLD,))
    assert not decision.roles | decision.kept | decision.inferred
    assert decision.strips is (rule is OnEnd.REMOVE_ALL_ROLES)
    assert not decision.kick


def test_an_end_that_does_nothing_leaves_the_roles_for_good() -> None:
    decision = decided(a_claim(OVER, a_plan(on_end=OnEnd.NOTHING)), held=(GOLD,))
    assert decision.kept == {GOLD}
    assert decision.roles == frozenset()


def test_a_rule_that_removes_outweighs_one_that_does_nothing() -> None:
    lenient = a_claim(OVER, a_plan(on_end=OnEnd.NOTHING))
    strict = a_claim(OTHER_OVER, a_silver_plan(roles=(GOLD,), products=(GOLD_PRODUCT,)))
    assert not decided(lenient, strict, held=(GOLD,)).kept


def test_removing_everything_outweighs_a_plan_that_keeps_its_roles() -> None:
    lenient = a_claim(OVER, a_plan(on_end=OnEnd.NOTHING))
    strict = a_claim(OTHER_OVER, a_silver_plan(on_end=OnEnd.REMOVE_ALL_ROLES, products=(GOLD_PRODUCT,)))
    decision = decided(lenient, strict, held=(GOLD, SILVER))
    assert decision.strips
    assert not decision.kept


def test_nobody_is_stripped_while_another_purchase_lives() -> None:
    decision = decided(a_claim(OVER, a_plan(on_end=OnEnd.REMOVE_ALL_ROLES)), LIVE_SILVER, held=(GOLD, SILVER))
    assert not decision.strips
    assert decision.roles == {SILVER}


def test_a_member_is_stripped_once() -> None:
    claim = a_claim(OVER, a_plan(on_end=OnEnd.REMOVE_ALL_ROLES), state=GrantState.REVOKED)
    assert not decided(claim).strips


def test_a_waiting_kick_falls_due_to_the_moment() -> None:
    claim = a_claim(OVER, a_plan(on_end=OnEnd.KICK), state=GrantState.REVOKED, kick_at=NOW)
    early = decided(claim, now=NOW - MOMENT)
    assert not early.kick
    assert early.valid_until == NOW
    assert decided(claim).kick


def test_a_kick_waits_until_it_is_armed() -> None:
    assert not decided(a_claim(OVER, a_plan(on_end=OnEnd.KICK), state=GrantState.REVOKED)).kick


@pytest.mark.parametrize(
    "speaks",
    [
        a_claim(a_purchase(id=PurchaseId(2))),
        a_claim(a_purchase(PurchaseStatus.UNKNOWN, id=PurchaseId(2))),
        a_claim(a_purchase(dispute=Dispute.OPEN, id=PurchaseId(2))),
    ],
    ids=["paid", "unknown", "disputed"],
)
def test_nobody_is_kicked_while_another_purchase_may_speak_for_them(speaks: Claim) -> None:
    armed = a_claim(OVER, a_plan(on_end=OnEnd.KICK), state=GrantState.REVOKED, kick_at=NOW - DAY)
    assert not decided(armed, speaks).kick


def test_a_pending_purchase_does_not_stop_a_kick() -> None:
    armed = a_claim(OVER, a_plan(on_end=OnEnd.KICK), state=GrantState.REVOKED, kick_at=NOW)
    assert decided(armed, a_claim(a_purchase(PurchaseStatus.PENDING, id=PurchaseId(2)))).kick


def test_a_purchase_that_moved_away_kicks_only_its_present_account() -> None:
    armed = a_claim(OVER, a_plan(on_end=OnEnd.KICK), state=GrantState.REVOKED, kick_at=NOW)
    assert decided(armed).kick
    assert not decided(an_unlinked(armed)).kick


@pytest.mark.parametrize("rule", [OnEnd.NOTHING, OnEnd.REMOVE_ROLES, OnEnd.REMOVE_ALL_ROLES])
def test_a_kick_is_called_off_when_the_plan_no_longer_kicks(rule: OnEnd) -> None:
    decision = decided(a_claim(OVER, a_plan(on_end=rule), state=GrantState.REVOKED, kick_at=NOW + DAY))
    assert decision.valid_until is None
    assert not decided(*(outcome.claim for outcome in decision.outcomes), now=NOW + DAY).kick


def test_a_changed_plan_ends_the_old_one_on_evidence_and_by_no_rule() -> None:
    moved_up = a_purchase(items=(SILVER_ITEM,))
    claims = (a_claim(moved_up, a_plan(on_end=OnEnd.KICK)), a_claim(moved_up, a_silver_plan()))
    decision = decided(*claims, held=(GOLD,))
    assert decision.roles == {SILVER}
    assert not decision.inferred | decision.kept
    assert decision.outcomes[0].reason is Reason.PLAN_CHANGED
    assert decision.outcomes[0].rule is OnEnd.REMOVE_ROLES


def test_a_changed_price_is_a_changed_plan_where_the_price_counts() -> None:
    monthly = PlanProduct(account_id=ACCOUNT, product_id="prod_gold", price_id="price_gold")
    yearly = Item(product_id="prod_gold", price_id="price_gold_yearly")
    plan = a_plan(products=(monthly,))
    assert decided(a_claim(a_purchase(), plan)).roles == {GOLD}
    assert the_outcome(a_claim(a_purchase(items=(yearly,)), plan)).reason is Reason.PLAN_CHANGED


def test_a_changed_price_changes_nothing_where_only_the_product_counts() -> None:
    yearly = Item(product_id="prod_gold", price_id="price_gold_yearly")
    assert decided(a_claim(a_purchase(items=(yearly,)))).roles == {GOLD}


def test_any_item_of_a_purchase_unlocks() -> None:
    assert decided(a_claim(a_purchase(items=(SILVER_ITEM, GOLD_ITEM)))).roles == {GOLD}


def test_the_same_product_of_another_account_unlocks_nothing() -> None:
    assert not decided(a_claim(a_purchase(account_id=AccountId(2)))).roles


@pytest.mark.parametrize("products", [(), (SILVER_PRODUCT,)], ids=["deleted", "replaced"])
def test_a_mapping_that_we_took_away_is_no_evidence(products: tuple[PlanProduct, ...]) -> None:
    decision = decided(a_claim(plan=a_plan(products=products, on_end=OnEnd.REMOVE_ALL_ROLES)), held=(GOLD,))
    assert decision.inferred == {GOLD}
    assert not decision.strips
    assert decision.outcomes[0].reason is Reason.PLAN_UNMAPPED


@pytest.mark.parametrize("status", [PurchaseStatus.ENDED, PurchaseStatus.UNPAID, PurchaseStatus.EXPIRED])
def test_an_ended_purchase_is_evidence_whatever_became_of_the_mapping(status: PurchaseStatus) -> None:
    decision = decided(a_claim(a_purchase(status), a_plan(products=())), held=(GOLD,))
    assert not decision.roles | decision.inferred


def test_the_end_of_one_purchase_is_no_evidence_against_an_unmapped_other() -> None:
    over, unmapped = a_claim(OVER), a_claim(a_purchase(id=PurchaseId(2)), a_silver_plan(roles=(GOLD,), products=()))
    assert decided(over, unmapped, held=(GOLD,)).inferred == {GOLD}


def test_a_role_that_was_taken_out_of_the_plan_waits_for_a_person() -> None:
    assert decided(a_claim(), held=(GOLD, FRIEND)).inferred == {FRIEND}


def test_a_held_role_without_any_purchase_waits_for_a_person() -> None:
    assert decided(held=(GOLD,)).inferred == {GOLD}


def test_a_purchase_that_ended_long_ago_is_no_evidence_about_a_role_held_since() -> None:
    assert decided(a_claim(OVER, state=GrantState.REVOKED), held=(GOLD,)).inferred == {GOLD}


def test_a_purchase_that_ended_is_evidence_for_the_removal_that_began_with_it() -> None:
    begun = a_holding(GOLD, HoldingState.REMOVING)
    claims = (a_claim(OVER, state=GrantState.REVOKED),)
    assert decide(MemberFacts(key=CHARLIE, claims=claims, holdings=(begun,)), now=NOW).inferred == frozenset()


@pytest.mark.parametrize("reason", [Reason.MOVED, Reason.DISCONNECTED])
@pytest.mark.parametrize("state", [GrantState.DELIVERED, GrantState.REVOKED])
def test_a_link_that_is_over_is_evidence_for_the_old_account(reason: Reason, state: GrantState) -> None:
    claim = an_unlinked(a_claim(plan=a_plan(on_end=OnEnd.NOTHING), state=state), reason)
    decision = decided(claim, held=(GOLD,))
    assert not decision.roles | decision.kept | decision.inferred
    assert decision.outcomes[0].reason is reason


def test_the_next_moment_is_the_earliest_of_all() -> None:
    late = a_claim(a_purchase(PurchaseStatus.PAST_DUE, past_due_since=NOW))
    armed = a_claim(OTHER_OVER, a_plan(on_end=OnEnd.KICK), state=GrantState.REVOKED, kick_at=NOW + DAY)
    assert decided(late, armed).valid_until == NOW + DAY


def test_a_rule_that_did_nothing_long_ago_keeps_no_role_held_since() -> None:
    decision = decided(a_claim(OVER, a_plan(on_end=OnEnd.NOTHING), state=GrantState.REVOKED), held=(GOLD,))
    assert not decision.kept


def test_a_refund_after_the_move_is_no_business_of_the_old_account() -> None:
    refunded = a_claim(a_purchase(refund=Refund.FULL), a_plan(on_end=OnEnd.KICK))
    outcome = the_outcome(an_unlinked(refunded))
    assert (outcome.reason, outcome.rule) == (Reason.MOVED, OnEnd.REMOVE_ROLES)


def test_a_changed_plan_still_names_the_end_of_its_grace() -> None:
    late = a_purchase(PurchaseStatus.PAST_DUE, items=(SILVER_ITEM,), past_due_since=NOW)
    decision = decided(a_claim(late))
    assert decision.outcomes[0].reason is Reason.PLAN_CHANGED
    assert decision.valid_until == NOW + 3 * DAY
