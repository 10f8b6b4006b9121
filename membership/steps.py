"""Perform the steps of one member: own, then act; what came of it is returned, never guessed.

The brake stands before every removal, in the transaction that reserves it, so that no wave slips through between two
members. Roles of the guild go one at a time; the outside's refusal of one role does not stop the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from membership.brake import WINDOW, Proposed, Verdict, brake
from membership.diff import Add, Disown, Join, Kick, Own, Remove, Step
from membership.entitlements import Access, Decision, Outcome
from membership.errors import Audience, Blocked, Gone, Reason, Retry
from membership.ledgers import Transaction
from membership.model import BatchId, HoldingState, Lane, MemberKey, Observation, RoleId
from membership.ports import JoinOutcome
from membership.records import AuditEntry, HeldRemoval
from membership.services import Services

STRIPPED = "roles.stripped"
RECENT_ENTRIES = 50
"""Audit entries of a member that are looked through for an earlier try."""


@dataclass(slots=True, kw_only=True)
class Progress:
    """What is true of the member as far as the steps have come. `failure` is why they stopped early."""

    roles: set[RoleId]
    is_present: bool
    is_pending: bool = False
    name: str = ""
    added: set[RoleId] = field(default_factory=set)
    removed: set[RoleId] = field(default_factory=set)
    stripped: set[RoleId] = field(default_factory=set)
    repaired: set[RoleId] = field(default_factory=set)
    braked: dict[RoleId | None, Verdict] = field(default_factory=dict)
    batches: set[BatchId] = field(default_factory=set)
    blocked: dict[RoleId | None, Blocked] = field(default_factory=dict)
    join_refusal: Blocked | None = None
    is_kicked: bool = False
    failure: Retry | Gone | None = None

    @classmethod
    def start(cls, observed: Observation) -> Progress:
        """Start from what Discord showed."""
        if observed is None:
            return cls(roles=set(), is_present=False)
        return cls(roles=set(observed.roles), is_present=True, is_pending=observed.is_pending, name=observed.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One member's reconciliation: who, what was decided, and who waits for it."""

    services: Services
    key: MemberKey
    decision: Decision
    lane: Lane


async def perform(errand: Errand, steps: Sequence[Step], observed: Observation) -> Progress:
    """Take the steps in order. Never raises for what Discord says: refusals and failures are in the Progress."""
    progress = Progress.start(observed)
    allowed = await _prepare(errand, steps, progress) if steps else []
    for step in allowed:
        try:
            await _act(errand, step, progress)
        except Blocked as refusal:
            _note_refusal(step, refusal, progress)
        except (Retry, Gone) as failure:
            loss = _loss_in(failure)
            if loss is None:
                progress.failure = failure
                break
            _note_refusal(step, loss, progress)
    return progress


async def _prepare(errand: Errand, steps: Sequence[Step], progress: Progress) -> list[Step]:
    """Write ownership down and ask the brake, in one transaction before any act (law 4); return what may go on."""
    now = errand.services.clock.now()
    allowed: list[Step] = []
    async with errand.services.store.write() as tx:
        for step in steps:
            match step:
                case Own(role, state, is_repair):
                    await tx.members.own(errand.key, role, state, now, is_repair=is_repair)
                    if is_repair:
                        progress.repaired.add(role)
                case Disown(role):
                    await tx.members.disown(errand.key, role)
                case Remove() | Kick():
                    if await _may_remove(errand, tx, step, progress, now):
                        allowed.append(step)
                case Join() | Add():
                    allowed.append(step)
        await _hold(errand, tx, progress, now)
        await _record_stripping(errand, tx, allowed, now)
    return allowed


async def _may_remove(errand: Errand, tx: Transaction, step: Remove | Kick, progress: Progress, now: datetime) -> bool:
    role = step.role_id if isinstance(step, Remove) else None
    removal = HeldRemoval(key=errand.key, role_id=role)
    if await tx.removals.is_discarded(removal):
        # A person decided that the member keeps it: from now on it is not ours.
        if role is not None:
            await tx.members.disown(errand.key, role)
        return False
    proposed = Proposed(
        is_kick=role is None,
        is_evidenced=step.is_evidenced if isinstance(step, Remove) else True,
        is_released=await tx.removals.is_released(removal, now),
        is_counted=await tx.removals.is_reserved(removal, now - WINDOW),
    )
    verdict = await _verdict(errand, tx, proposed, now)
    if verdict is not Verdict.ALLOW:
        progress.braked[role] = verdict
        return False
    await tx.removals.reserve(errand.key, role, now, is_confirmed=proposed.is_released)
    if isinstance(step, Remove) and step.is_ours:
        await tx.members.own(errand.key, step.role_id, HoldingState.REMOVING, now)
    return True


async def _verdict(errand: Errand, tx: Transaction, proposed: Proposed, now: datetime) -> Verdict:
    """Ask the brake; the paying members are counted only where their share can turn a no into a yes."""
    guild_id, policy = errand.key.guild_id, errand.services.policy
    counts = await tx.removals.counts(guild_id, now - WINDOW)
    verdict = brake(proposed, counts, policy)
    if verdict in (Verdict.ALLOW, Verdict.UNEVIDENCED):
        return verdict
    paying = await tx.removals.paying(guild_id, now - WINDOW)
    return brake(proposed, replace(counts, paying=paying), policy)


async def _hold(errand: Errand, tx: Transaction, progress: Progress, now: datetime) -> None:
    for verdict in sorted(set(progress.braked.values())):
        removals = [
            HeldRemoval(key=errand.key, role_id=role) for role, why in progress.braked.items() if why is verdict
        ]
        progress.batches.add(await tx.removals.hold(errand.key.guild_id, removals, verdict.value, now))


async def _record_stripping(errand: Errand, tx: Transaction, allowed: Sequence[Step], now: datetime) -> None:
    """Keep for an undo what "remove all roles" is about to take: before the act, and once however often it is tried."""
    foreign = {step.role_id for step in allowed if isinstance(step, Remove) and not step.is_ours}
    if not foreign:
        return
    key = errand.key
    entries = await tx.audit.recent(RECENT_ENTRIES, guild_id=key.guild_id, user_id=key.user_id)
    recent = [entry for _, at, entry in entries if entry.event == STRIPPED and at > now - WINDOW]
    named = {role for entry in recent for role in _roles_in(entry)}
    if foreign - named:
        detail = {"role_ids": [str(role) for role in sorted(foreign - named)]}
        entry = AuditEntry(event=STRIPPED, actor="doorlist", guild_id=key.guild_id, user_id=key.user_id, detail=detail)
        await tx.audit.add(entry, now)


def _roles_in(entry: AuditEntry) -> list[RoleId]:
    listed = (entry.detail or {}).get("role_ids")
    return [RoleId(int(role)) for role in listed] if isinstance(listed, list) else []


async def _act(errand: Errand, step: Step, progress: Progress) -> None:
    discord = errand.services.discord
    match step:
        case Join():
            await _join(errand, progress)
        case Add(role):
            if progress.is_present and role not in progress.added:
                await discord.add_role(errand.key, role, lane=errand.lane, why=_why(errand.decision, role))
                progress.roles.add(role)
                progress.added.add(role)
        case Remove(role, _, is_ours):
            if _would_blink(errand.decision, progress):
                return
            await discord.remove_role(errand.key, role, lane=errand.lane, why=_why(errand.decision, role))
            progress.roles.discard(role)
            (progress.removed if is_ours else progress.stripped).add(role)
        case Kick():
            await discord.kick(errand.key, lane=errand.lane, why="Doorlist: membership ended")
            progress.is_kicked, progress.is_present = True, False
            progress.roles.clear()
        case Own() | Disown():
            raise AssertionError("ownership is written before the acts")


async def _join(errand: Errand, progress: Progress) -> None:
    """Add the user with all their roles at once; where a role is refused, add them bare and let each role say why."""
    services, key = errand.services, errand.key
    token = services.permits.of(key.user_id, services.clock.now())
    if token is None:
        return
    known = services.discord.roles(key.guild_id)
    roles = [role for role in sorted(errand.decision.roles) if role in known and not known[role].refusal]
    outcome = await services.discord.join(key, token, roles)
    progress.is_present = True
    # Nobody has seen them in the guild yet, so their name is not known from there.
    progress.name = (await services.discord.handle(key.user_id)).removeprefix("@")
    if outcome is JoinOutcome.JOINED:
        progress.roles.update(roles)
        progress.added.update(roles)


def _loss_in(failure: Retry | Gone) -> Blocked | None:
    """Name what only the server's staff can put right when a role or the whole server is gone; None for the rest.

    A member who is gone is observed again, and an answer that did not come is asked for again.
    """
    reason = _LOST.get(failure.what) if isinstance(failure, Gone) else None
    return None if reason is None else Blocked(reason, audience=Audience.OWNER)


_LOST = {"role": Reason.ROLE_DELETED, "guild": Reason.BOT_NOT_IN_SERVER}


def _note_refusal(step: Step, refusal: Blocked, progress: Progress) -> None:
    match step:
        case Join():
            progress.join_refusal = refusal
        case Add(role) | Remove(role):
            progress.blocked[role] = refusal
        case _:
            progress.blocked[None] = refusal


def _would_blink(decision: Decision, progress: Progress) -> bool:
    """Say whether a removal would leave an upgrading member with neither role, because the new one was refused."""
    is_change = any(outcome.is_ending and outcome.reason is Reason.PLAN_CHANGED for outcome in decision.outcomes)
    return is_change and any(role in progress.blocked for role in decision.roles)


def _why(decision: Decision, role: RoleId) -> str:
    """Word one role change for the guild's audit log."""
    outcomes = [outcome for outcome in decision.outcomes if role in _mentioned(outcome)]
    words = sorted({f"{outcome.claim.plan.name}: {outcome.reason.value.replace('_', ' ')}" for outcome in outcomes})
    return f"Doorlist: {'; '.join(words) or 'no plan gives this role any more'}"[:400]


def _mentioned(outcome: Outcome) -> frozenset[RoleId]:
    return outcome.roles if outcome.access is Access.GRANTED else outcome.claim.plan.all_roles
