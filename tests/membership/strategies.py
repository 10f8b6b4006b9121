"""Whatever may be true of one member, for the laws. The pools are small, so that things collide."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from membership.diff import Limits
from membership.errors import Reason
from membership.model import (
    Claim,
    Dispute,
    GrantState,
    Holding,
    HoldingState,
    Item,
    MemberFacts,
    Observation,
    OnEnd,
    OnPastDue,
    Plan,
    PlanId,
    Purchase,
    PurchaseId,
    PurchaseKind,
    PurchaseStatus,
    Refund,
    Seen,
)
from tests.membership.builders import (
    CHARLIE,
    FRIEND,
    GOLD,
    GOLD_ITEM,
    GOLD_PRODUCT,
    LATE,
    NOW,
    SILVER,
    SILVER_ITEM,
    SILVER_PRODUCT,
    TRIAL,
    a_claim,
    a_plan,
    a_purchase,
)

# A slow machine is no failure of a law.
LAWS = settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.too_slow])

OURS = (GOLD, SILVER, LATE, TRIAL)
EVERY_ROLE = (*OURS, FRIEND)

MOMENTS = st.sampled_from((-40, -10, -3, -1, 0, 1, 20)).map(lambda days: NOW + timedelta(days=days))
"""Moments that meet exactly with the durations below, and moments that do not."""

_COMP_ITEM = Item(product_id=a_plan().comp_product_id, price_id="")
_ITEMS: tuple[tuple[Item, ...], ...] = ((GOLD_ITEM,), (SILVER_ITEM,), (GOLD_ITEM, SILVER_ITEM), (_COMP_ITEM,), ())
_PRODUCTS = ((GOLD_PRODUCT,), (SILVER_PRODUCT,), (GOLD_PRODUCT, SILVER_PRODUCT), ())


def plans(number: int) -> st.SearchStrategy[Plan]:
    """Draw a plan with this id; plans share roles and products."""
    return st.builds(
        a_plan,
        id=st.just(PlanId(number)),
        roles=st.lists(st.sampled_from((GOLD, SILVER)), unique=True, max_size=2).map(tuple),
        products=st.sampled_from(_PRODUCTS),
        on_end=st.sampled_from(OnEnd),
        on_refund=st.none() | st.sampled_from(OnEnd),
        on_past_due=st.sampled_from(OnPastDue),
        grace_days=st.sampled_from((0, 3, 11)),
        past_due_role_id=st.none() | st.just(LATE),
        trial_role_id=st.none() | st.just(TRIAL),
        paused_grants=st.booleans(),
        duration_days=st.none() | st.sampled_from((1, 11, 30)),
    )


def purchases(number: int) -> st.SearchStrategy[Purchase]:
    """Draw a purchase with this id; most are in order with their money."""
    return st.builds(
        a_purchase,
        st.sampled_from(PurchaseStatus),
        id=st.just(PurchaseId(number)),
        kind=st.sampled_from(PurchaseKind),
        items=st.sampled_from(_ITEMS),
        started_at=MOMENTS,
        ends_at=st.none() | MOMENTS,
        past_due_since=st.none() | MOMENTS,
        refund=st.just(Refund.NONE) | st.sampled_from(Refund),
        dispute=st.just(Dispute.NONE) | st.sampled_from(Dispute),
    )


@st.composite
def claims(draw: st.DrawFn, purchase: Purchase, plan: Plan) -> Claim:
    """Draw one purchase's claim to one plan, in whatever state the grant is."""
    item = draw(st.sampled_from((GOLD_ITEM, SILVER_ITEM)))
    claim = a_claim(
        purchase,
        plan,
        state=draw(st.sampled_from(GrantState)),
        product_id=item.product_id,
        price_id=item.price_id,
        kick_at=draw(st.none() | MOMENTS),
        revoke_at=draw(st.none() | st.none() | MOMENTS),
    )
    is_linked = draw(st.sampled_from((True, True, True, False)))
    return replace(claim, is_linked=is_linked, unlink_reason=draw(st.sampled_from((Reason.MOVED, Reason.DISCONNECTED))))


def holdings() -> st.SearchStrategy[tuple[Holding, ...]]:
    """Draw what we put on a member, or meant to: each role at most once."""
    holding = st.builds(
        Holding,
        role_id=st.sampled_from(OURS),
        state=st.sampled_from(HoldingState),
        repairs=st.integers(min_value=0, max_value=4),
        repairs_since=st.none() | MOMENTS.filter(lambda moment: moment <= NOW),
    )
    return st.lists(holding, max_size=4, unique_by=lambda holding: holding.role_id).map(tuple)


@st.composite
def members(draw: st.DrawFn) -> MemberFacts:
    """Draw everything that may be known of one member: up to four claims on up to two plans."""
    known_plans = [draw(plans(number)) for number in range(1, draw(st.integers(1, 2)) + 1)]
    known_purchases = [draw(purchases(number)) for number in range(1, draw(st.integers(0, 3)) + 1)]
    pairs = [(purchase, plan) for purchase in known_purchases for plan in known_plans]
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=4)) if pairs else []
    drawn = tuple(draw(claims(purchase, plan)) for purchase, plan in chosen)
    return MemberFacts(key=CHARLIE, claims=drawn, holdings=draw(holdings()))


def observations() -> st.SearchStrategy[Observation]:
    """Draw what Discord shows: a member with any roles, or nobody."""
    is_pending = st.sampled_from((False, False, True))
    return st.none() | st.builds(Seen, roles=st.frozensets(st.sampled_from(EVERY_ROLE)), is_pending=is_pending)


def bounds() -> st.SearchStrategy[Limits]:
    """Draw the limits of the steps."""
    return st.builds(
        Limits,
        can_join=st.booleans(),
        assignable=st.frozensets(st.sampled_from(EVERY_ROLE)),
        repairs=st.integers(min_value=0, max_value=3),
        left_away=st.frozensets(st.sampled_from(OURS), max_size=1),
    )
