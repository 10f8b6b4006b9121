"""Settle one reconciliation: holdings, grants, audit and messages in one short transaction (law 4, law 8).

Mails and posts hang on a grant's change of state and nothing else, so that they go out once however often the same
member is reconciled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from membership.diff import is_worn_out
from membership.entitlements import KICK_DELAY, Access, Decision, Outcome
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import (
    Grant,
    GrantState,
    HoldingState,
    Lane,
    MemberFacts,
    OnEnd,
    RoleId,
)
from membership.records import AuditEntry, MemberRow
from membership.services import Services
from membership.steps import Progress

QUIET_ENDS = (Reason.PLAN_CHANGED, Reason.PLAN_UNMAPPED, Reason.MOVED, Reason.DISCONNECTED)
"""Ends that send no "has ended" mail: the customer has something else, or caused it and was told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One grant's change, with the outcome that caused it."""

    before: Grant
    after: Grant
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything one reconciliation came to."""

    facts: MemberFacts
    decision: Decision
    progress: Progress


async def settle(services: Services, result: Result) -> None:
    """Store what came of the steps and tell whoever has to know."""
    now = services.clock.now()
    key, progress = result.facts.key, result.progress
    async with services.store.write() as tx:
        owned = await _settle_holdings(tx, result, now)
        transitions = [
            change for outcome in result.decision.outcomes if (change := _change(outcome, result, services, now))
        ]
        for transition in transitions:
            await tx.purchases.set_grant(transition.after)
        await _announce(tx, result, transitions, now)
        await tx.removals.drop(key, sorted(result.decision.roles))
        row = MemberRow(
            key=key,
            desired=result.decision.roles,
            observed=frozenset(progress.roles) & (result.decision.roles | owned),
            is_present=progress.is_present,
            # A write is believed only until the next look: Discord's 204 has been wrong before.
            observed_at=None if progress.added or progress.removed or progress.failure else now,
        )
        next_check_at = _next_check(result.decision, transitions)
        await tx.members.settle(row, next_check_at)
        if next_check_at is not None:
            await tx.jobs.mark("member", str(key), lane=Lane.EVENT, run_at=next_check_at, scope=str(key.guild_id))


async def _settle_holdings(tx: Transaction, result: Result, now: datetime) -> frozenset[RoleId]:
    """Write the acts into the holdings and the audit; return the roles that are ours from now on."""
    key, progress = result.facts.key, result.progress
    for role in sorted(progress.added):
        await tx.members.own(key, role, HoldingState.HELD, now)
    for role in sorted(progress.removed):
        await tx.members.disown(key, role)
    if progress.is_kicked:
        for role in sorted(result.facts.held_roles):
            await tx.members.disown(key, role)
    for event, roles in (("role.added", progress.added), ("role.removed", progress.removed | progress.stripped)):
        if roles:
            await _audit(tx, result, event, {"role_ids": [str(role) for role in sorted(roles)]}, now)
    if progress.stripped:
        # What "remove all roles" took is remembered, so that an undo can give it back.
        detail = {"role_ids": [str(role) for role in sorted(progress.stripped)]}
        await _audit(tx, result, "roles.stripped", detail, now)
    if progress.repaired & progress.added:
        detail = {"role_ids": [str(role) for role in sorted(progress.repaired & progress.added)]}
        number = await _audit(tx, result, "role.drift_fixed", detail, now)
        await _post(tx, result, "role.drift_fixed", detail, number, now)
    if progress.is_kicked:
        number = await _audit(tx, result, "member.kicked", {}, now)
        await _post(tx, result, "member.kicked", {}, number, now)
    gone = progress.removed | (result.facts.held_roles - frozenset(progress.roles) - result.decision.roles)
    return (result.facts.held_roles | progress.added) - gone - result.decision.kept


def _change(outcome: Outcome, result: Result, services: Services, now: datetime) -> Transition | None:
    """Return the grant's change of state, None when it stays as it is."""
    if not outcome.claim.is_linked:
        return None
    before = outcome.claim.grant
    state, reason = _next_state(outcome, result, services.policy.repairs_per_day, now) or (before.state, before.reason)
    after = replace(before, state=state, reason=reason, kick_at=_kick_at(outcome, state, result, now))
    if state is GrantState.REVOKED and before.state is not GrantState.REVOKED:
        after = replace(after, ended_at=now)
    if before.state is GrantState.REVOKED and state is not GrantState.REVOKED:
        after = replace(after, ended_at=None, episode=before.episode + 1)
    return None if after == before else Transition(before=before, after=after, outcome=outcome)


def _next_state(outcome: Outcome, result: Result, repairs: int, now: datetime) -> tuple[GrantState, Reason] | None:
    match outcome.access:
        case Access.GRANTED:
            return _granted_state(outcome, result, repairs, now)
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


def _granted_state(outcome: Outcome, result: Result, repairs: int, now: datetime) -> tuple[GrantState, Reason] | None:
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
    worn_out = {holding.role_id for holding in result.facts.holdings if is_worn_out(holding, repairs, now)}
    if worn_out & set(missing):
        return GrantState.HELD, Reason.HAND_REMOVED
    if missing:
        return None
    state = GrantState.PAST_DUE if outcome.reason is Reason.PAYMENT_FAILED else GrantState.DELIVERED
    return state, outcome.reason


def _ended_state(outcome: Outcome, result: Result) -> tuple[GrantState, Reason] | None:
    if not outcome.is_ending:
        return None
    leftover = _leftover_state(outcome, result)
    if leftover is not None:
        return leftover
    unfinished = _owned_roles(outcome, result) & result.progress.roles - result.decision.roles - result.decision.kept
    return None if unfinished else (GrantState.REVOKED, outcome.reason)


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
    """Arm the kick when a claim ends by that rule and nothing else speaks for the member; disarm it otherwise."""
    grant = outcome.claim.grant
    if result.progress.is_kicked or any(other.is_live for other in result.decision.outcomes):
        return None
    is_newly_ended = state is GrantState.REVOKED and grant.state is not GrantState.REVOKED
    if is_newly_ended and outcome.rule is OnEnd.KICK and result.progress.is_present:
        return now + KICK_DELAY
    return grant.kick_at


async def _announce(tx: Transaction, result: Result, transitions: list[Transition], now: datetime) -> None:
    """Write each change into the audit, and post it; an upgrade is one post, not an end and a beginning."""
    ended = [change for change in transitions if _event(change) == "grant.revoked"]
    begun = [change for change in transitions if _event(change) == "grant.delivered"]
    swapped = [change for change in ended if change.outcome.reason is Reason.PLAN_CHANGED] if begun else []
    for change in transitions:
        event = _event(change)
        if not event:
            continue
        facts = _facts(change, result)
        number = await _audit(tx, result, event, facts, now, change.after)
        if swapped and (change in swapped or change in begun):
            if change is begun[0]:
                names = ", ".join(other.outcome.claim.plan.name for other in swapped)
                await _post(tx, result, "grant.changed", facts | {"from_plan": names}, number, now)
        else:
            await _post(tx, result, event, facts, number, now)
        await _mail(tx, result, change, now)


def _event(change: Transition) -> str:
    """Name a change of state with EXPERIENCE 5.1's words; "" for one that nobody needs to hear of."""
    before, after = change.before, change.after
    if (before.state, before.reason) == (after.state, after.reason):
        return ""
    match after.state:
        case GrantState.DELIVERED:
            is_recovery = before.state is GrantState.PAST_DUE
            return "grant.recovered" if is_recovery else _unless_same("grant.delivered", before, after)
        case GrantState.PAST_DUE:
            return "grant.past_due"
        case GrantState.FAILED:
            return "grant.failed"
        case GrantState.HELD:
            return "brake.held" if after.reason is Reason.BRAKE else "grant.held"
        case GrantState.REVOKED:
            return "grant.revoked"
        case GrantState.PENDING:
            return "member.left_with_grant" if before.state is GrantState.DELIVERED else ""
        case _:
            assert_never(after.state)


def _unless_same(event: str, before: Grant, after: Grant) -> str:
    """A trial that turned into a paid membership changed its reason, not its delivery."""
    return "grant.changed" if before.state is after.state else event


def _facts(change: Transition, result: Result) -> dict[str, object]:
    outcome, plan = change.outcome, change.outcome.claim.plan
    refusals = [
        str(refusal.detail) for refusal in result.progress.blocked.values() if refusal.reason is change.after.reason
    ]
    until = outcome.until or outcome.claim.purchase.ends_at
    return {
        "user_id": str(result.facts.key.user_id),
        "grant_id": int(change.after.id),
        "plan": plan.name,
        "role_ids": [str(role) for role in sorted(outcome.roles or frozenset(plan.roles))],
        "reason": change.after.reason.value,
        "detail": refusals[0] if refusals else "",
        "until": until.isoformat() if until else "",
        "paid_at": outcome.claim.purchase.started_at.isoformat(),
    }


async def _mail(tx: Transaction, result: Result, change: Transition, now: datetime) -> None:
    after, purchase = change.after, change.outcome.claim.purchase
    facts = {"purchase_id": int(purchase.id), "grant_id": int(after.id), "reason": after.reason.value}
    if after.state is GrantState.PAST_DUE:
        since = purchase.past_due_since.isoformat() if purchase.past_due_since else ""
        facts["until"] = change.outcome.until.isoformat() if change.outcome.until else ""
        key = f"past_due:{after.id}:{since}"
        await tx.outbox.put(key, "mail", str(purchase.customer_id), "past_due", facts, now)
    if after.state is GrantState.REVOKED and after.reason not in QUIET_ENDS:
        key = f"ended:{after.id}:{after.episode}"
        await tx.outbox.put(key, "mail", str(purchase.customer_id), "ended", facts, now)
    if after.kick_at is not None and change.before.kick_at is None:
        # DM first: after the kick we share no guild and cannot.
        dm = facts | {"plan": change.outcome.claim.plan.name, "kick_at": after.kick_at.isoformat()}
        dm["guild_id"] = str(after.guild_id)
        await tx.outbox.put(f"kick:{after.id}:{after.episode}", "dm", str(result.facts.key.user_id), "kick", dm, now)


async def _audit(
    tx: Transaction, result: Result, event: str, detail: dict[str, object], now: datetime, grant: Grant | None = None
) -> int:
    key = result.facts.key
    entry = AuditEntry(
        event=event,
        actor="doorlist",
        guild_id=key.guild_id,
        user_id=key.user_id,
        grant_id=None if grant is None else grant.id,
        detail=detail,
    )
    return await tx.audit.add(entry, now)


async def _post(
    tx: Transaction, result: Result, event: str, facts: dict[str, object], number: int, now: datetime
) -> None:
    guild = await tx.guilds.get(result.facts.key.guild_id)
    if guild is None or guild.event_channel_id is None:
        return
    known = {"user_id": str(result.facts.key.user_id), "number": number} | facts
    await tx.outbox.put(f"post:{number}", "post", str(guild.event_channel_id), event, known, now)


def _next_check(decision: Decision, transitions: list[Transition]) -> datetime | None:
    kicks = [change.after.kick_at for change in transitions]
    return min((moment for moment in (decision.valid_until, *kicks) if moment is not None), default=None)
