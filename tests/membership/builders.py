"""Builders for the words of the core: each test names only what matters to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from membership.diff import Limits
from membership.entitlements import Decision, Outcome, decide
from membership.errors import Reason
from membership.model import (
    AccountId,
    Claim,
    CustomerId,
    Grant,
    GrantId,
    GrantState,
    GuildId,
    Holding,
    HoldingState,
    Item,
    MemberFacts,
    MemberKey,
    Plan,
    PlanId,
    PlanProduct,
    Purchase,
    PurchaseId,
    PurchaseKind,
    PurchaseStatus,
    RoleId,
    Seen,
    UserId,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)

GUILD = GuildId(10)
CHARLIE = MemberKey(GUILD, UserId(30))
ACCOUNT = AccountId(1)

GOLD, SILVER, LATE, TRIAL, FRIEND = (RoleId(number) for number in (101, 102, 103, 104, 105))
"""Two roles on sale, the past-due role, the trial role, and a role that is none of ours."""

GOLD_ITEM = Item(product_id="prod_gold", price_id="price_gold")
SILVER_ITEM = Item(product_id="prod_silver", price_id="price_silver")
GOLD_PRODUCT = PlanProduct(account_id=ACCOUNT, product_id="prod_gold")
SILVER_PRODUCT = PlanProduct(account_id=ACCOUNT, product_id="prod_silver")

_PLAN = Plan(id=PlanId(1), guild_id=GUILD, name="Gold", slug="gold", roles=(GOLD,), products=(GOLD_PRODUCT,))
_PURCHASE = Purchase(
    id=PurchaseId(1),
    account_id=ACCOUNT,
    customer_id=CustomerId(1),
    external_id="sub_1",
    kind=PurchaseKind.SUBSCRIPTION,
    status=PurchaseStatus.ACTIVE,
    items=(GOLD_ITEM,),
    read_at=NOW - HOUR,
    started_at=NOW - 10 * DAY,
)


def a_plan(**named: Any) -> Plan:
    """Build the plan Gold: the product prod_gold gives the role GOLD."""
    return replace(_PLAN, **named)


def a_silver_plan(**named: Any) -> Plan:
    """Build the plan Silver: the product prod_silver gives the role SILVER."""
    silver: dict[str, Any] = {
        "id": PlanId(2),
        "name": "Silver",
        "slug": "silver",
        "roles": (SILVER,),
        "products": (SILVER_PRODUCT,),
    }
    return replace(_PLAN, **(silver | named))


def a_purchase(status: PurchaseStatus = PurchaseStatus.ACTIVE, **named: Any) -> Purchase:
    """Build a subscription to prod_gold, started ten days ago and read an hour ago."""
    return replace(_PURCHASE, status=status, **named)


def a_pass(number: int = 1, **named: Any) -> Purchase:
    """Build a paid one-time purchase of prod_gold."""
    bought: dict[str, Any] = {"id": PurchaseId(number), "kind": PurchaseKind.ONE_TIME}
    return a_purchase(**(bought | named))


def a_claim(purchase: Purchase | None = None, plan: Plan | None = None, **grant: Any) -> Claim:
    """Build a linked claim whose grant (its fields may be named) was delivered for prod_gold."""
    purchase, plan = purchase or a_purchase(), plan or a_plan()
    delivered = Grant(
        id=GrantId(purchase.id * 100 + plan.id),
        purchase_id=purchase.id,
        plan_id=plan.id,
        guild_id=plan.guild_id,
        product_id=GOLD_ITEM.product_id,
        price_id=GOLD_ITEM.price_id,
        state=GrantState.DELIVERED,
        reason=Reason.PAID,
        opened_at=purchase.started_at,
    )
    return Claim(grant=replace(delivered, **grant), purchase=purchase, plan=plan)


def an_unlinked(claim: Claim, reason: Reason = Reason.MOVED) -> Claim:
    """Build the claim as it reads once its link is over."""
    return replace(claim, is_linked=False, unlink_reason=reason)


def a_holding(role: RoleId, state: HoldingState = HoldingState.HELD, **named: Any) -> Holding:
    """Build a holding."""
    return Holding(role_id=role, state=state, **named)


def facts(*claims: Claim, held: tuple[RoleId, ...] = ()) -> MemberFacts:
    """Build what is known of Charlie: claims, and the roles we put."""
    return MemberFacts(key=CHARLIE, claims=claims, holdings=tuple(a_holding(role) for role in held))


def decided(*claims: Claim, held: tuple[RoleId, ...] = (), now: datetime = NOW) -> Decision:
    """Decide about Charlie."""
    return decide(facts(*claims, held=held), now=now)


def the_outcome(claim: Claim, *, held: tuple[RoleId, ...] = (), now: datetime = NOW) -> Outcome:
    """Decide about Charlie, who has one claim, and return what it comes to."""
    (outcome,) = decided(claim, held=held, now=now).outcomes
    return outcome


def seen(*roles: RoleId) -> Seen:
    """Build a member as Discord shows them."""
    return Seen(roles=frozenset(roles))


def a_decision(*roles: RoleId, **named: Any) -> Decision:
    """Build a decision that wants these roles, and nothing special beyond."""
    plain: dict[str, Any] = {
        "reasons": {role: frozenset({GrantId(1)}) for role in roles},
        "outcomes": (),
        "is_wanted": bool(roles),
        "kept": frozenset(),
        "inferred": frozenset(),
        "strips": False,
        "kick": False,
        "valid_until": None,
    }
    return Decision(roles=frozenset(roles), **(plain | named))


def limits(**named: Any) -> Limits:
    """Build the limits: nobody can be joined, every known role can be taken, three repairs a day."""
    return replace(Limits(assignable=(GOLD, SILVER, LATE, TRIAL, FRIEND)), **named)
