"""Who should hold what: `decide` turns facts about one member into desired roles, presence and grant outcomes. Pure.

The rules are DESIGN section 3. A subscription never ends by our clock: only its status ends it, read from the provider.
What does end by the clock is ours: the grace after a failed payment, a pass of `duration_days`, a comp, and a
revocation by staff.
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
    HoldingState,
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

_END_REASONS = {
    PurchaseStatus.UNPAID: Reason.UNPAID,
    PurchaseStatus.ENDED: Reason.CANCELLED,
    PurchaseStatus.EXPIRED: Reason.EXPIRED,
}


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
        return self.access is Access.ENDED and not self.is_settled

    @property
    def is_settled(self) -> bool:
        """Say whether the grant's end was settled before; such a grant is FAILED while its kick is refused."""
        return self.claim.grant.is_over

    @property
    def kick_at(self) -> datetime | None:
        """Return when the member has to leave; None when the rule says (or by now says) anything but kick."""
        is_asked = self.access is Access.ENDED and self.rule is OnEnd.KICK
        return self.claim.grant.kick_at if is_asked else None


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
    is_live = any(outcome.is_live for outcome in outcomes)
    strips = not is_live and any(outcome.is_ending and outcome.rule is OnEnd.REMOVE_ALL_ROLES for outcome in outcomes)
    begun = {holding.role_id for holding in facts.holdings if holding.state is HoldingState.REMOVING}
    kept = frozenset(role for role in leaving if not strips and _last_rule(role, outcomes) is OnEnd.NOTHING)
    kicks = [outcome.kick_at for outcome in outcomes if outcome.kick_at is not None]
    # A revocation that is to come gives also what has ended another reason.
    moments = [*(outcome.until for outcome in outcomes), *(claim.grant.revoke_at for claim in facts.claims), *kicks]
    return Decision(
        roles=desired,
        reasons=reasons,
        outcomes=outcomes,
        is_wanted=any(outcome.access is Access.GRANTED for outcome in outcomes),
        kept=kept,
        inferred=frozenset(
            role for role in leaving - kept if not _has_evidence(role, outcomes, is_begun=role in begun)
        ),
        strips=strips,
        kick=not is_live and any(kick_at <= now for kick_at in kicks),
        valid_until=_next_moment(moments, now),
    )


def access_of(claim: Claim, *, now: datetime) -> Outcome:
    """Judge one claim alone, for a purchase that nobody is linked to yet."""
    return _outcome(claim, _pass_windows((claim,)), frozenset(), now)


def _outcome(
    claim: Claim, windows: Mapping[tuple[PurchaseId, PlanId], datetime], held: frozenset[RoleId], now: datetime
) -> Outcome:
    """Hear the link, staff, the money and the status in turn; the mapping only takes away what these would give."""
    is_comp = claim.purchase.kind is PurchaseKind.COMP
    until = claim.purchase.ends_at if is_comp else windows.get((claim.purchase.id, claim.plan.id))
    outcome = (
        _link_verdict(claim)
        or _staff_verdict(claim, now)
        or _money_verdict(claim)
        or _status_verdict(claim, until, held, now)
    )
    if outcome.access in (Access.GRANTED, Access.PENDING):
        outcome = _mapping_verdict(outcome, held) or outcome
    return _until_revoked(outcome)


def _link_verdict(claim: Claim) -> Outcome | None:
    return None if claim.is_linked else Outcome(claim=claim, access=Access.ENDED, reason=claim.unlink_reason)


def _staff_verdict(claim: Claim, now: datetime) -> Outcome | None:
    """End a claim whose time staff have set, whatever was paid."""
    revoke_at = claim.grant.revoke_at
    return None if revoke_at is None or revoke_at > now else _ended(claim, Reason.REVOKED)


def _until_revoked(outcome: Outcome) -> Outcome:
    revoke_at = outcome.claim.grant.revoke_at
    if revoke_at is None or outcome.access is Access.ENDED:
        return outcome
    return replace(outcome, until=revoke_at if outcome.until is None else min(outcome.until, revoke_at))


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


def _status_verdict(claim: Claim, until: datetime | None, held: frozenset[RoleId], now: datetime) -> Outcome:
    """Read the table of DESIGN 3; `until` is the end of a pass or a comp."""
    plan, status = claim.plan, claim.purchase.status
    match status:
        case PurchaseStatus.PENDING:
            return Outcome(claim=claim, access=Access.PENDING, reason=Reason.WAITING_FOR_PAYMENT)
        case PurchaseStatus.TRIALING:
            return _granted(claim, Reason.TRIAL, plan.roles if plan.trial_role_id is None else (plan.trial_role_id,))
        case PurchaseStatus.ACTIVE:
            if until is not None and until <= now:
                return _ended(claim, Reason.EXPIRED)
            is_comp = claim.purchase.kind is PurchaseKind.COMP
            return _granted(claim, Reason.COMP if is_comp else Reason.PAID, plan.roles, until)
        case PurchaseStatus.PAST_DUE:
            return _past_due(claim, now)
        case PurchaseStatus.PAUSED:
            return _granted(claim, Reason.PAUSED, plan.roles) if plan.paused_grants else _ended(claim, Reason.PAUSED)
        case PurchaseStatus.UNPAID | PurchaseStatus.ENDED | PurchaseStatus.EXPIRED:
            is_taken_back = claim.purchase.kind is PurchaseKind.COMP and status is PurchaseStatus.ENDED
            return _ended(claim, Reason.REVOKED if is_taken_back else _END_REASONS[status])
        case PurchaseStatus.UNKNOWN:
            return _unchanged(claim, held)
        case _:
            assert_never(status)


def _past_due(claim: Claim, now: datetime) -> Outcome:
    plan = claim.plan
    until = (claim.purchase.past_due_since or claim.purchase.read_at) + timedelta(days=plan.grace_days)
    if plan.on_past_due is OnPastDue.REMOVE or until <= now:
        return _ended(claim, Reason.PAYMENT_FAILED)
    late = () if plan.past_due_role_id is None else (plan.past_due_role_id,)
    match plan.on_past_due:
        case OnPastDue.KEEP:
            roles = plan.roles
        case OnPastDue.KEEP_AND_ROLE:
            roles = (*plan.roles, *late)
        case OnPastDue.SWAP:
            roles = late
        case _:
            assert_never(plan.on_past_due)
    return _granted(claim, Reason.PAYMENT_FAILED, roles, until)


def _mapping_verdict(outcome: Outcome, held: frozenset[RoleId]) -> Outcome | None:
    """End a claim whose purchase does not unlock the plan; only a mapping that *we* deleted lacks evidence (law 6)."""
    claim, until = outcome.claim, outcome.until
    purchase, plan, grant = claim.purchase, claim.plan, claim.grant
    if plan.unlocked_by(purchase) is not None:
        return None
    if not purchase.items:
        # A read without items says nothing about what was bought (law 3).
        return _unchanged(claim, held, until)
    is_same_item = any(
        (item.product_id, item.price_id) == (grant.product_id, grant.price_id) for item in purchase.items
    )
    reason = Reason.PLAN_UNMAPPED if is_same_item else Reason.PLAN_CHANGED
    return Outcome(claim=claim, access=Access.ENDED, reason=reason, until=until, is_evidence=not is_same_item)


def _granted(claim: Claim, reason: Reason, roles: Iterable[RoleId], until: datetime | None = None) -> Outcome:
    return Outcome(claim=claim, access=Access.GRANTED, reason=reason, roles=frozenset(roles), until=until)


def _ended(claim: Claim, reason: Reason) -> Outcome:
    return Outcome(claim=claim, access=Access.ENDED, reason=reason, rule=claim.plan.on_end)


def _unchanged(claim: Claim, held: frozenset[RoleId], until: datetime | None = None) -> Outcome:
    """Keep what the member holds, and put nothing."""
    roles = claim.plan.all_roles & held
    return Outcome(claim=claim, access=Access.HOLD, reason=Reason.STATUS_UNKNOWN, roles=roles, until=until)


def _pass_windows(claims: Iterable[Claim]) -> Mapping[tuple[PurchaseId, PlanId], datetime]:
    """Return when each one-time pass ends: passes of one plan stack, each starting where the one before it ends.

    One that staff end early makes way for the next.
    """
    ends: dict[tuple[PurchaseId, PlanId], datetime] = {}
    last: dict[PlanId, datetime] = {}
    for claim in sorted(claims, key=lambda claim: (claim.purchase.started_at, claim.purchase.id)):
        purchase, plan = claim.purchase, claim.plan
        if plan.duration_days is None or not claim.is_linked or not _is_paid_pass(purchase):
            continue
        start = max(purchase.started_at, last.get(plan.id, purchase.started_at))
        end = start + timedelta(days=plan.duration_days)
        ends[purchase.id, plan.id] = end
        revoke_at = claim.grant.revoke_at or end
        last[plan.id] = max(start, min(end, revoke_at))
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


def _has_evidence(role: RoleId, outcomes: Iterable[Outcome], *, is_begun: bool) -> bool:
    """Say whether a purchase or a person, and not only an edited plan, took away the reason for a held role."""
    concerned = [outcome for outcome in outcomes if role in outcome.claim.plan.all_roles]
    witnesses = [each for each in concerned if each.is_live or each.is_ending or not each.claim.is_linked]
    if is_begun and not witnesses:
        # Discord accepted this removal and did not carry it out: the end is settled, and still speaks for it.
        witnesses = concerned
    return bool(witnesses) and all(witness.is_evidence for witness in witnesses)


def _next_moment(moments: Iterable[datetime | None], now: datetime) -> datetime | None:
    return min((moment for moment in moments if moment is not None and moment > now), default=None)
