"""Settle one reconciliation: holdings, grants, audit and messages in one short transaction (law 4, law 8)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from membership import direct_messages, invites, notices
from membership.announcements import Record, Transition, announce_acts, announce_changes
from membership.diff import Limits, is_left_away
from membership.entitlements import KICK_DELAY, Access, Decision, Outcome
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import (
    GrantState,
    HoldingState,
    Lane,
    ManualChange,
    MemberFacts,
    OnEnd,
    RoleId,
)
from membership.records import MemberRow
from membership.services import Services
from membership.steps import Progress

JUST_NOW = timedelta(minutes=10)
"""Within this, a change by hand that Discord's audit log named and the one that a look finds are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything one reconciliation came to. `look_again_at`: when to ask again for what could not be confirmed."""

    facts: MemberFacts
    decision: Decision
    limits: Limits
    progress: Progress
    manual_change: ManualChange = ManualChange.RESTORE
    look_again_at: datetime | None = None


async def settle(services: Services, result: Result) -> None:
    """Store what came of the steps and tell whoever has to know."""
    now = services.clock.now()
    key, progress = result.facts.key, result.progress
    async with services.store.write() as tx:
        owned = await _settle_holdings(tx, result, now)
        transitions = [change for outcome in result.decision.outcomes if (change := _change(outcome, result, now))]
        for transition in transitions:
            await tx.purchases.set_grant(transition.after)
        granted = [each for each in result.decision.outcomes if each.access is Access.GRANTED]
        kept = frozenset(each.claim.plan.id for each in granted)
        paid = frozenset(each.claim.plan.id for each in granted if each.reason is not Reason.PAYMENT_FAILED)
        record = Record(tx=tx, key=key, now=now, kept_plans=kept, paid_plans=paid)
        await announce_acts(record, progress)
        by_hand = [change for change in transitions if _is_left_to_people(change, result)]
        await announce_changes(record, progress, [change for change in transitions if change not in by_hand])
        await _tell_of_hands(record, by_hand, result)
        await direct_messages.tell_of_near_ends(tx, key, result.decision.outcomes, now)
        await _forget_used_invites(tx, result)
        is_live = any(outcome.is_live for outcome in result.decision.outcomes)
        dissolved = await tx.removals.drop(key, sorted(result.decision.roles), is_live=is_live)
        await notices.solve_batches(tx, key.guild_id, dissolved, now)
        row = MemberRow(
            key=key,
            desired=result.decision.roles,
            # A write is believed only until the next look: Discord's 204 has been wrong before. So a removed role stays
            # ours and counts as drift until it is seen to be gone.
            observed=(frozenset(progress.roles) & (result.decision.roles | owned)) | frozenset(progress.removed),
            is_present=progress.is_present,
            observed_at=None if progress.added or progress.removed or progress.failure else now,
            name=progress.name,
        )
        next_check_at = _next_check(result, transitions, now)
        await tx.members.settle(row, next_check_at)
        # A run that failed is tried again and plans then: a mark now would make its backoff start afresh for ever.
        if next_check_at is not None and next_check_at > now and progress.failure is None:
            await tx.jobs.mark("member", str(key), lane=Lane.EVENT, run_at=next_check_at, scope=str(key.guild_id))


def _is_left_to_people(change: Transition, result: Result) -> bool:
    """Say whether a person took the role, and the server wants it to stay so."""
    is_by_hand = (change.after.state, change.after.reason) == (GrantState.HELD, Reason.HAND_REMOVED)
    return is_by_hand and result.manual_change is not ManualChange.RESTORE


async def _tell_of_hands(record: Record, changes: list[Transition], result: Result) -> None:
    """Write down what people took away by hand, and tell staff where they want to hear of it."""
    if not changes:
        return
    since = record.now - JUST_NOW
    known = await record.tx.audit.recent(
        1, guild_id=record.key.guild_id, user_id=record.key.user_id, events=("role.manual_change",), since=since
    )
    if known:
        # Discord said who it was, and that was told.
        return
    for change in changes:
        away = sorted(change.outcome.roles - result.progress.roles)
        facts = {
            "name": result.progress.name,
            "plan": change.outcome.claim.plan.name,
            "role_ids": [str(role) for role in away],
            "reason": change.after.reason.value,
            "is_removal": True,
        }
        if result.manual_change is ManualChange.ACCEPT:
            await record.audit("role.manual_change", facts, change.after)
        else:
            about: notices.About = {"user_id": record.key.user_id, "grant_id": change.after.id}
            await notices.tell(record.tx, "role.manual_change", record.key.guild_id, facts, record.now, **about)


async def _settle_holdings(tx: Transaction, result: Result, now: datetime) -> frozenset[RoleId]:
    """Write the acts into the holdings; return the roles that are ours from now on."""
    key, progress = result.facts.key, result.progress
    for role in sorted(progress.added):
        await tx.members.own(key, role, HoldingState.HELD, now)
    gone = progress.removed | (result.facts.held_roles - frozenset(progress.roles) - result.decision.roles)
    return (result.facts.held_roles | progress.added) - gone - result.decision.kept


async def _forget_used_invites(tx: Transaction, result: Result) -> None:
    if result.progress.is_present:
        for outcome in result.decision.outcomes:
            if invites.is_outside(outcome.claim.grant):
                await invites.forget(tx, outcome.claim.grant.id, result.facts.key.user_id)


def _change(outcome: Outcome, result: Result, now: datetime) -> Transition | None:
    """Return the grant's change of state, None when it stays as it is."""
    if not outcome.claim.is_linked:
        return None
    before = outcome.claim.grant
    state, reason = _next_state(outcome, result, now) or (before.state, before.reason)
    after = replace(before, state=state, reason=reason, kick_at=_kick_at(outcome, state, result, now))
    if state is GrantState.REVOKED and not outcome.is_settled:
        after = replace(after, ended_at=now)
    if outcome.is_settled and outcome.access is not Access.ENDED:
        after = replace(after, ended_at=None, episode=before.episode + 1)
    return None if after == before else Transition(before=before, after=after, outcome=outcome)


def _next_state(outcome: Outcome, result: Result, now: datetime) -> tuple[GrantState, Reason] | None:
    match outcome.access:
        case Access.GRANTED:
            return _granted_state(outcome, result, now)
        case Access.PENDING:
            return GrantState.PENDING, outcome.reason
        case Access.SUSPENDED:
            return _leftover_state(outcome, result) or (GrantState.HELD, outcome.reason)
        case Access.HOLD:
            return GrantState.HELD, outcome.reason
        case Access.ENDED:
            return _ended_state(outcome, result)
        case _:
            assert_never(outcome.access)


def _granted_state(outcome: Outcome, result: Result, now: datetime) -> tuple[GrantState, Reason] | None:
    progress = result.progress
    if not progress.is_present:
        refusal = progress.join_refusal
        if refusal is not None:
            return GrantState.FAILED, refusal.reason
        keeps_refusal = outcome.claim.grant.state is GrantState.FAILED and outcome.claim.grant.reason is Reason.BANNED
        return None if keeps_refusal else (GrantState.PENDING, Reason.NOT_IN_SERVER)
    missing = sorted(outcome.roles - progress.roles)
    for role in missing:
        if role in progress.blocked:
            return GrantState.FAILED, progress.blocked[role].reason
    if missing and progress.is_pending:
        return GrantState.PENDING, Reason.RULES_NOT_ACCEPTED
    left_away = {holding.role_id for holding in result.facts.holdings if is_left_away(holding, result.limits, now)}
    if left_away & set(missing):
        return GrantState.HELD, Reason.HAND_REMOVED
    if missing:
        return None
    state = GrantState.PAST_DUE if outcome.reason is Reason.PAYMENT_FAILED else GrantState.DELIVERED
    return state, outcome.reason


def _ended_state(outcome: Outcome, result: Result) -> tuple[GrantState, Reason] | None:
    if outcome.is_settled:
        return _settled_state(outcome, result)
    leftover = _leftover_state(outcome, result)
    if leftover is not None:
        return leftover
    unfinished = _owned_roles(outcome, result) & result.progress.roles - result.decision.roles - result.decision.kept
    is_cut_short = outcome.rule is OnEnd.REMOVE_ALL_ROLES and result.progress.failure is not None
    return None if unfinished or is_cut_short else (GrantState.REVOKED, outcome.reason)


def _settled_state(outcome: Outcome, result: Result) -> tuple[GrantState, Reason] | None:
    """Say that the kick is refused, and that it no longer is; an end that is settled otherwise stays as it was."""
    refusal = result.progress.blocked.get(None)
    if refusal is not None and outcome.kick_at is not None:
        return GrantState.FAILED, refusal.reason
    return None if outcome.claim.grant.state is GrantState.REVOKED else (GrantState.REVOKED, outcome.reason)


def _leftover_state(outcome: Outcome, result: Result) -> tuple[GrantState, Reason] | None:
    """Name why roles that should have gone are still there: the brake, or Discord's refusal."""
    progress = result.progress
    concerned = _owned_roles(outcome, result) - result.decision.roles
    if outcome.rule is OnEnd.REMOVE_ALL_ROLES:
        concerned |= {role for role in (*progress.braked, *progress.blocked) if role is not None}
    if any(role in progress.braked for role in concerned):
        return GrantState.HELD, Reason.BRAKE
    for role in sorted(concerned):
        if role in progress.blocked:
            return GrantState.FAILED, progress.blocked[role].reason
    return None


def _owned_roles(outcome: Outcome, result: Result) -> frozenset[RoleId]:
    return result.facts.held_roles & outcome.claim.plan.all_roles


def _kick_at(outcome: Outcome, state: GrantState, result: Result, now: datetime) -> datetime | None:
    """Arm the kick when a claim ends by that rule and nothing else speaks for the member; disarm it otherwise.

    Who left by themselves has done what the kick was for: whoever comes back later is not thrown out for it.
    """
    if not result.progress.is_present or any(other.is_live for other in result.decision.outcomes):
        return None
    if outcome.is_ending and state is GrantState.REVOKED and outcome.rule is OnEnd.KICK:
        return now + KICK_DELAY
    return outcome.kick_at


def _next_check(result: Result, transitions: list[Transition], now: datetime) -> datetime | None:
    """Return when to look again; a kick that is due and did not happen is left to the next sweep."""
    decision = result.decision
    kicks = [change.after.kick_at for change in transitions]
    is_kick_waiting = decision.kick and result.progress.is_present
    near_end = direct_messages.next_near_end(decision.outcomes, now)
    moments = (decision.valid_until, near_end, *kicks, result.look_again_at, now if is_kick_waiting else None)
    return min((moment for moment in moments if moment is not None), default=None)
