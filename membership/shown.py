"""A grant as people read of it: a state of EXPERIENCE 3.3, why, and until when. Pure; the words are the edge's.

It adds no rule: what should be is `entitlements`' outcome, how far it has come is the grant's stored state.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never

from membership.entitlements import Access, Outcome
from membership.errors import Reason
from membership.model import Grant, GrantState, Plan, Purchase, PurchaseKind, RoleId


class ShownState(StrEnum):
    """The catalogue of EXPERIENCE 3.3, and what can be true beside it."""

    PENDING_PAYMENT = "pending_payment"
    PENDING_LINK = "pending_link"
    PENDING_JOIN = "pending_join"
    PENDING_RULES = "pending_rules"
    DELIVERING = "delivering"
    ACTIVE = "active"
    TRIALING = "trialing"
    ENDING = "ending"
    PAST_DUE = "past_due"
    PAUSED = "paused"
    FAILED = "failed"
    HELD = "held"
    HAND_REMOVED = "hand_removed"
    DISPUTED = "disputed"
    UNCLEAR = "unclear"
    REMOVING = "removing"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownGrant:
    """One grant for people. `roles`: what it gives now. `at`: when the state changes by itself, or when it ended.

    `is_renewing`: at `at` the next payment is due, and nothing ends if it arrives.
    """

    grant: Grant
    plan: Plan
    purchase: Purchase
    state: ShownState
    reason: Reason
    roles: frozenset[RoleId] = frozenset()
    at: datetime | None = None
    is_renewing: bool = False

    @property
    def is_over(self) -> bool:
        """Say whether it gives nothing any more, and is settled."""
        return self.state is ShownState.REVOKED

    @property
    def is_paid(self) -> bool:
        """Say whether somebody pays, or paid, at a payment provider for it."""
        return self.purchase.kind is not PurchaseKind.COMP


def shown(outcome: Outcome, *, is_connected: bool = True) -> ShownGrant:
    """Show what one claim comes to; `is_connected` False: no Discord account has it yet."""
    claim = outcome.claim
    state, reason = _state(outcome, is_connected=is_connected)
    at = _moment(outcome, state)
    is_renewing = state in _RUNNING and at is not None and at == claim.purchase.period_ends_at and not ends_at(outcome)
    return ShownGrant(
        grant=claim.grant,
        plan=claim.plan,
        purchase=claim.purchase,
        state=state,
        reason=reason,
        roles=outcome.roles,
        at=at,
        is_renewing=is_renewing,
    )


_RUNNING = (ShownState.ACTIVE, ShownState.DELIVERING, ShownState.PENDING_JOIN, ShownState.PENDING_RULES)

_PENDING = {
    Reason.NOT_LINKED: ShownState.PENDING_LINK,
    Reason.NOT_IN_SERVER: ShownState.PENDING_JOIN,
    Reason.RULES_NOT_ACCEPTED: ShownState.PENDING_RULES,
}


def _state(outcome: Outcome, *, is_connected: bool) -> tuple[ShownState, Reason]:
    match outcome.access:
        case Access.GRANTED:
            return _granted(outcome, is_connected=is_connected)
        case Access.PENDING:
            return ShownState.PENDING_PAYMENT, outcome.reason
        case Access.SUSPENDED:
            return ShownState.DISPUTED, outcome.reason
        case Access.HOLD:
            return ShownState.UNCLEAR, outcome.reason
        case Access.ENDED:
            return _ended(outcome)
        case _:
            assert_never(outcome.access)


def _granted(outcome: Outcome, *, is_connected: bool) -> tuple[ShownState, Reason]:
    grant = outcome.claim.grant
    match grant.state:
        case GrantState.PENDING if grant.reason is Reason.NOT_LINKED and is_connected:
            # Connected a moment ago: the next look gives it.
            return ShownState.DELIVERING, outcome.reason
        case GrantState.PENDING:
            return _PENDING.get(grant.reason, ShownState.DELIVERING), grant.reason
        case GrantState.FAILED:
            return ShownState.FAILED, grant.reason
        case GrantState.HELD if grant.reason is Reason.HAND_REMOVED:
            return ShownState.HAND_REMOVED, grant.reason
        case GrantState.DELIVERED | GrantState.PAST_DUE:
            return _delivered(outcome), outcome.reason
        case GrantState.HELD | GrantState.REVOKED:
            # It held or had ended, and is granted again: the next look settles it.
            return ShownState.DELIVERING, outcome.reason
        case _:
            assert_never(grant.state)


def _delivered(outcome: Outcome) -> ShownState:
    match outcome.reason:
        case Reason.PAYMENT_FAILED:
            return ShownState.PAST_DUE
        case Reason.PAUSED:
            return ShownState.PAUSED
        case Reason.TRIAL:
            return ShownState.TRIALING
        case _:
            end = ends_at(outcome)
            is_cancelled = outcome.claim.purchase.kind is PurchaseKind.SUBSCRIPTION
            is_revoked = outcome.claim.grant.revoke_at is not None
            return ShownState.ENDING if end is not None and (is_cancelled or is_revoked) else ShownState.ACTIVE


def _ended(outcome: Outcome) -> tuple[ShownState, Reason]:
    grant = outcome.claim.grant
    if not outcome.claim.is_linked:
        # The grant itself may live on with somebody else.
        return ShownState.REVOKED, outcome.reason
    if grant.state is GrantState.FAILED:
        return ShownState.FAILED, grant.reason
    if outcome.is_settled:
        return ShownState.REVOKED, grant.reason
    if grant.state is GrantState.HELD and grant.reason is Reason.BRAKE:
        return ShownState.HELD, grant.reason
    return ShownState.REMOVING, outcome.reason


def _moment(outcome: Outcome, state: ShownState) -> datetime | None:
    grant, purchase = outcome.claim.grant, outcome.claim.purchase
    match state:
        case ShownState.REVOKED:
            return grant.ended_at
        case ShownState.TRIALING:
            return purchase.trial_ends_at or ends_at(outcome)
        case ShownState.PAST_DUE:
            return outcome.until
        case ShownState.DISPUTED | ShownState.UNCLEAR | ShownState.REMOVING | ShownState.PENDING_PAYMENT:
            return None
        case _:
            return ends_at(outcome) or purchase.period_ends_at


def ends_at(outcome: Outcome) -> datetime | None:
    """Return when a granted claim ends for sure: by staff, by our clock, or because it was cancelled."""
    moments = (outcome.claim.grant.revoke_at, outcome.until, outcome.claim.purchase.ends_at)
    return min((moment for moment in moments if moment is not None), default=None)
