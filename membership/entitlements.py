"""Who should hold what: `decide` turns the facts about one member into desired roles, presence and grant outcomes. Pure.

The rules are DESIGN section 3. A subscription never ends by our clock: only its status ends it, read from the provider.
What does end by the clock is ours: the grace after a failed payment and a pass of `duration_days`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import assert_never

from membership.errors import Reason
from membership.model import (
    Claim,
    Dispute,
    GrantId,
    GrantState,
    MemberFacts,
    OnEnd,
    OnPastDue,
    PlanId,
    Purchase,
    PurchaseId,
    PurchaseKind,
    PurchaseStatus,
    Refund,
    RoleId,
)

KICK_DELAY = timedelta(hours=24)


class Access(StrEnum):
    """What one claim gives now. `HOLD`: an unknown status, nothing changes. `SUSPENDED`: off, but may come back."""

    GRANTED = "granted"
    PENDING = "pending"
    SUSPENDED = "suspended"
    ENDED = "ended"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one claim comes to. `until` is when our own clock changes it; `rule` is what its end does to the member."""

    claim: Claim
    access: Access
    reason: Reason
    roles: frozenset[RoleId] = frozenset()
    until: datetime | None = None
    rule: OnEnd = OnEnd.REMOVE_ROLES
    is_evidence: bool = True

    @property
    def is_live(self) -> bool:
        """Say whether this claim still speaks for the member's place in the guild."""
        return self.access in (Access.GRANTED, Access.HOLD, Access.SUSPENDED)

    @property
    def is_ending(self) -> bool:
        """Say whether the end is new: the grant has not been settled as revoked yet."""
        return self.access is Access.ENDED and self.claim.grant.state is not GrantState.REVOKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What should be true of one member now, constant until `valid_until`.

    `kept` are held roles that stay on the member but are no longer ours; `inferred` are held roles whose removal has no
    evidence from a provider or a person. `strips`: every role has to go once. `kick`: the member has to leave now.
    """

    roles: frozenset[RoleId]
    reasons: Mapping[RoleId, frozenset[GrantId]]
    outcomes: tuple[Outcome, ...]
    is_wanted: bool
    kept: frozenset[RoleId]
    inferred: frozenset[RoleId]
    strips: bool
    kick: bool
    valid_until: datetime | None


def decide(facts: MemberFacts, *, now: datetime) -> Decision:
    """Decide what one member should hold at `now`."""
    windows = _pass_windows(facts.claims)
    outcomes = tuple(_outcome(claim, windows, facts.held_roles, now) for claim in facts.claims)
    reasons = _reasons(outcomes)
    desired = frozenset(reasons)
    leaving = facts.held_roles - desired
    kept = frozenset(role for role in leaving if _last_rule(role, outcomes) is OnEnd.NOTHING)
    is_live = any(outcome.is_live for outcome in outcomes)
    kicks = [outcome.claim.grant.kick_at for outcome in outcomes if outcome.claim.grant.kick_at is not None]
    return Decision(
        roles=desired,
        reasons=reasons,
        outcomes=outcomes,
        is_wanted=any(outcome.access is Access.GRANTED for outcome in outcomes),
        kept=kept,
        inferred=frozenset(role for role in leaving - kept if not _has_evidence(role, outcomes)),
        strips=not is_live
        and any(outcome.is_ending and outcome.rule is OnEnd.REMOVE_ALL_ROLES for outcome in outcomes),
        kick=not is_live and any(kick_at <= now for kick_at in kicks),
        valid_until=_next_moment([*(outcome.until for outcome in outcomes), *kicks], now),
    )


def access_of(claim: Claim, *, now: datetime) -> Outcome:
    """Judge one claim alone, for a purchase that nobody is linked to yet."""
    return _outcome(claim, _pass_windows((claim,)), frozenset(), now)


def _outcome(
    claim: Claim, windows: Mapping[tuple[PurchaseId, PlanId], datetime], held: frozenset[RoleId], now: datetime
) -> Outcome:
    verdict = _mapping_verdict(claim) or _money_verdict(claim)
    if verdict is not None:
        return verdict
    purchase, plan = claim.purchase, claim.plan
    ended = Outcome(claim=claim, access=Access.ENDED, reason=Reason.CANCELLED, rule=plan.on_end)
    granted = Outcome(claim=claim, access=Access.GRANTED, reason=Reason.PAID, roles=frozenset(plan.roles))
    match purchase.status:
        case PurchaseStatus.PENDING:
            return Outcome(claim=claim, access=Access.PENDING, reason=Reason.WAITING_FOR_PAYMENT)
        case PurchaseStatus.TRIALING:
            roles = frozenset(plan.roles if plan.trial_role_id is None else (plan.trial_role_id,))
            return replace(granted, reason=Reason.TRIAL, roles=roles)
        case PurchaseStatus.ACTIVE:
            until = windows.get((purchase.id, plan.id))
            if until is not None and until <= now:
                return replace(ended, reason=Reason.EXPIRED)
            return replace(granted, until=until)
        case PurchaseStatus.PAST_DUE:
            return _past_due(claim, granted, now)
        case PurchaseStatus.PAUSED:
            return replace(granted if plan.paused_grants else ended, reason=Reason.PAUSED)
        case PurchaseStatus.UNPAID:
            return replace(ended, reason=Reason.UNPAID)
        case PurchaseStatus.ENDED:
            return ended
        case PurchaseStatus.EXPIRED:
            return replace(ended, reason=Reason.EXPIRED)
        case PurchaseStatus.UNKNOWN:
            roles = plan.all_roles & held
            return Outcome(claim=claim, access=Access.HOLD, reason=Reason.STATUS_UNKNOWN, roles=roles)
        case _:
            assert_never(purchase.status)


def _mapping_verdict(claim: Claim) -> Outcome | None:
    """End a claim whose link or mapping is gone; only a mapping that *we* deleted lacks evidence (law 6)."""
    purchase, plan, grant = claim.purchase, claim.plan, claim.grant
    if not claim.is_linked:
        return Outcome(claim=claim, access=Access.ENDED, reason=claim.unlink_reason)
    if plan.unlocking(purchase.account_id, purchase.items) is not None:
        return None
    if not purchase.items:
        # A read without items says nothing about what was bought (law 3).
        return Outcome(claim=claim, access=Access.HOLD, reason=Reason.STATUS_UNKNOWN, roles=plan.all_roles)
    is_same_item = any(
        (item.product_id, item.price_id) == (grant.product_id, grant.price_id) for item in purchase.items
    )
    reason = Reason.PLAN_UNMAPPED if is_same_item else Reason.PLAN_CHANGED
    return Outcome(claim=claim, access=Access.ENDED, reason=reason, is_evidence=not is_same_item)


def _money_verdict(claim: Claim) -> Outcome | None:
    """End or suspend a claim whose money went back or is contested."""
    rule = claim.plan.on_refund or claim.plan.on_end
    if claim.purchase.refund is Refund.FULL:
        return Outcome(claim=claim, access=Access.ENDED, reason=Reason.REFUNDED, rule=rule)
    if claim.purchase.dispute is Dispute.LOST:
        return Outcome(claim=claim, access=Access.ENDED, reason=Reason.DISPUTE_LOST, rule=rule)
    if claim.purchase.dispute is Dispute.OPEN:
        return Outcome(claim=claim, access=Access.SUSPENDED, reason=Reason.DISPUTED)
    return None


def _past_due(claim: Claim, granted: Outcome, now: datetime) -> Outcome:
    plan = claim.plan
    until = (claim.purchase.past_due_since or claim.purchase.read_at) + timedelta(days=plan.grace_days)
    if plan.on_past_due is OnPastDue.REMOVE or until <= now:
        return replace(granted, access=Access.ENDED, reason=Reason.PAYMENT_FAILED, roles=frozenset(), rule=plan.on_end)
    extra = frozenset(() if plan.past_due_role_id is None else (plan.past_due_role_id,))
    match plan.on_past_due:
        case OnPastDue.KEEP:
            roles = granted.roles
        case OnPastDue.KEEP_AND_ROLE:
            roles = granted.roles | extra
        case OnPastDue.SWAP:
            roles = extra
        case _:
            assert_never(plan.on_past_due)
    return replace(granted, reason=Reason.PAYMENT_FAILED, roles=roles, until=until)


def _pass_windows(claims: Iterable[Claim]) -> Mapping[tuple[PurchaseId, PlanId], datetime]:
    """Return when each one-time pass ends: passes of one plan stack, each starting where the one before it ends."""
    ends: dict[tuple[PurchaseId, PlanId], datetime] = {}
    last: dict[PlanId, datetime] = {}
    for claim in sorted(claims, key=lambda claim: (claim.purchase.started_at, claim.purchase.id)):
        purchase, plan = claim.purchase, claim.plan
        if plan.duration_days is None or not claim.is_linked or not _is_paid_pass(purchase):
            continue
        start = max(purchase.started_at, last.get(plan.id, purchase.started_at))
        last[plan.id] = start + timedelta(days=plan.duration_days)
        ends[purchase.id, plan.id] = last[plan.id]
    return ends


def _is_paid_pass(purchase: Purchase) -> bool:
    is_money_back = purchase.refund is Refund.FULL or purchase.dispute is Dispute.LOST
    return purchase.kind is PurchaseKind.ONE_TIME and purchase.status is PurchaseStatus.ACTIVE and not is_money_back


def _reasons(outcomes: Iterable[Outcome]) -> dict[RoleId, frozenset[GrantId]]:
    reasons: dict[RoleId, frozenset[GrantId]] = {}
    for outcome in outcomes:
        for role in outcome.roles:
            reasons[role] = reasons.get(role, frozenset()) | {outcome.claim.grant.id}
    return reasons


def _last_rule(role: RoleId, outcomes: Iterable[Outcome]) -> OnEnd | None:
    """Return what the reasons that end now say about a role; one that removes outweighs one that does nothing."""
    rules = {outcome.rule for outcome in outcomes if outcome.is_ending and role in outcome.claim.plan.roles}
    if not rules:
        return None
    return OnEnd.NOTHING if rules == {OnEnd.NOTHING} else OnEnd.REMOVE_ROLES


def _has_evidence(role: RoleId, outcomes: Iterable[Outcome]) -> bool:
    """Say whether a purchase or a person, and not only an edited plan, took away the reason for a held role."""
    witnesses = [
        outcome
        for outcome in outcomes
        if role in outcome.claim.plan.all_roles
        and (outcome.is_live or outcome.is_ending or not outcome.claim.is_linked)
    ]
    return bool(witnesses) and all(witness.is_evidence for witness in witnesses)


def _next_moment(moments: Iterable[datetime | None], now: datetime) -> datetime | None:
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
