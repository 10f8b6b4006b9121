"""What holds for whatever comes: the laws of `decide` and `diff`."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from membership.diff import Add, Disown, Join, Kick, Limits, Own, Remove, diff
from membership.entitlements import Access, decide
from membership.model import MemberFacts, Observation
from tests.membership.builders import MOMENT, NOW
from tests.membership.strategies import LAWS, bounds, members, observations
from tests.membership.world import World

AGES = timedelta(days=3650)


@LAWS
@given(facts=members(), share=st.floats(min_value=0, max_value=1))
def test_a_decision_stays_the_same_until_the_moment_it_names(facts: MemberFacts, share: float) -> None:
    decision = decide(facts, now=NOW)
    last = NOW + AGES if decision.valid_until is None else decision.valid_until - MOMENT
    for moment in (NOW, NOW + share * (last - NOW), last):
        assert decide(facts, now=moment) == decision


@LAWS
@given(facts=members())
def test_a_decision_is_valid_for_a_while(facts: MemberFacts) -> None:
    valid_until = decide(facts, now=NOW).valid_until
    assert valid_until is None or valid_until > NOW


@LAWS
@given(facts=members(), data=st.data())
def test_the_order_of_the_claims_says_nothing(facts: MemberFacts, data: st.DataObject) -> None:
    shuffled = replace(facts, claims=tuple(data.draw(st.permutations(facts.claims))))
    one, other = decide(facts, now=NOW), decide(shuffled, now=NOW)
    assert replace(one, outcomes=()) == replace(other, outcomes=())
    assert {outcome.claim.grant.id: outcome for outcome in one.outcomes} == {
        outcome.claim.grant.id: outcome for outcome in other.outcomes
    }


@LAWS
@given(facts=members())
def test_a_decision_speaks_only_of_roles_of_the_plans_and_of_held_ones(facts: MemberFacts) -> None:
    decision = decide(facts, now=NOW)
    assert decision.roles <= frozenset().union(*(claim.plan.all_roles for claim in facts.claims))
    assert decision.roles == frozenset(decision.reasons)
    assert decision.kept | decision.inferred <= facts.held_roles - decision.roles
    assert not decision.kept & decision.inferred


@LAWS
@given(facts=members())
def test_every_claim_has_one_outcome_and_gives_only_the_roles_of_its_plan(facts: MemberFacts) -> None:
    outcomes = decide(facts, now=NOW).outcomes
    assert [outcome.claim for outcome in outcomes] == list(facts.claims)
    for outcome in outcomes:
        assert outcome.roles <= outcome.claim.plan.all_roles
        assert not outcome.roles or outcome.access in (Access.GRANTED, Access.HOLD)


@LAWS
@given(facts=members())
def test_nobody_is_thrown_out_or_stripped_while_something_speaks_for_them(facts: MemberFacts) -> None:
    decision = decide(facts, now=NOW)
    if any(outcome.is_live for outcome in decision.outcomes):
        assert not decision.kick
        assert not decision.strips


@LAWS
@given(facts=members(), observed=observations(), limits=bounds())
def test_an_unknown_purchase_changes_no_role_that_its_plan_could_give(
    facts: MemberFacts, observed: Observation, limits: Limits
) -> None:
    decision = decide(facts, now=NOW)
    steps = diff(decision, observed, facts.holdings, limits, now=NOW)
    unknown = [outcome for outcome in decision.outcomes if outcome.access is Access.HOLD]
    untouched = frozenset().union(*(outcome.claim.plan.all_roles for outcome in unknown))
    assert not untouched & facts.held_roles & {step.role_id for step in steps if isinstance(step, Remove)}
    given_otherwise = {
        role for outcome in decision.outcomes if outcome.access is not Access.HOLD for role in outcome.roles
    }
    added = {step.role_id for step in steps if isinstance(step, Add)}
    assert added <= given_otherwise | facts.held_roles


@LAWS
@given(facts=members(), observed=observations(), limits=bounds())
def test_only_our_own_unwanted_roles_are_taken_unless_everything_is(
    facts: MemberFacts, observed: Observation, limits: Limits
) -> None:
    decision = decide(facts, now=NOW)
    for step in diff(decision, observed, facts.holdings, limits, now=NOW):
        if not isinstance(step, Remove):
            continue
        assert step.role_id not in decision.roles | decision.kept
        assert step.is_ours is (step.role_id in facts.held_roles)
        assert step.is_evidenced is (step.role_id not in decision.inferred)
        assert step.is_ours or (decision.strips and step.role_id in limits.assignable)


@LAWS
@given(facts=members(), observed=observations(), limits=bounds())
def test_additions_come_before_removals(facts: MemberFacts, observed: Observation, limits: Limits) -> None:
    steps = diff(decide(facts, now=NOW), observed, facts.holdings, limits, now=NOW)
    places = [_place(step) for step in steps if not isinstance(step, Own | Disown)]
    assert places == sorted(places)


def _place(step: object) -> int:
    return next(place for place, kind in enumerate((Join, Add, Remove, Kick)) if isinstance(step, kind))


@LAWS
@given(facts=members(), observed=observations(), limits=bounds())
def test_every_role_is_owned_before_it_is_put(facts: MemberFacts, observed: Observation, limits: Limits) -> None:
    steps = diff(decide(facts, now=NOW), observed, facts.holdings, limits, now=NOW)
    for place, step in enumerate(steps):
        if isinstance(step, Add):
            assert any(isinstance(own, Own) and own.role_id == step.role_id for own in steps[:place])


@LAWS
@given(facts=members(), observed=observations(), limits=bounds())
def test_after_the_steps_there_is_nothing_left_to_do(facts: MemberFacts, observed: Observation, limits: Limits) -> None:
    world = World.of(facts, observed, limits, NOW)
    world.reconcile()
    assert world.steps == ()
    world.settle_grants()
    assert world.steps == ()


@LAWS
@given(facts=members(), observed=observations(), limits=bounds(), prefix=st.integers(0, 8))
def test_a_crash_after_any_act_ends_where_no_crash_does(
    facts: MemberFacts, observed: Observation, limits: Limits, prefix: int
) -> None:
    undisturbed, crashed = World.of(facts, observed, limits, NOW), World.of(facts, observed, limits, NOW)
    undisturbed.reconcile()
    crashed.reconcile(lambda place: place < prefix, is_settled=False)
    crashed.reconcile()
    assert crashed.end == undisturbed.end


@LAWS
@given(
    facts=members(),
    observed=observations(),
    limits=bounds(),
    rounds=st.lists(st.tuples(st.lists(st.booleans(), min_size=8, max_size=8), st.booleans()), max_size=3),
)
def test_refused_and_lost_acts_in_any_number_of_runs_end_where_none_do(
    facts: MemberFacts, observed: Observation, limits: Limits, rounds: list[tuple[list[bool], bool]]
) -> None:
    undisturbed, disturbed = World.of(facts, observed, limits, NOW), World.of(facts, observed, limits, NOW)
    undisturbed.reconcile()
    for happens, is_settled in rounds:
        disturbed.reconcile(lambda place, happens=happens: happens[place], is_settled=is_settled)  # type: ignore[misc]
    disturbed.reconcile()
    assert disturbed.end == undisturbed.end
