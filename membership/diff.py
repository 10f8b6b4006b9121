"""The steps from what is to what should be: `diff` compares desired, observed and holdings. Pure.

Additions come before removals, so that access never blinks on a plan change (law 5). A role that we do not own is never
taken away (law 4), except by the rule remove_all_roles, which says so. Applying the steps leaves an empty diff.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from membership.entitlements import Decision
from membership.model import GrantState, Holding, HoldingState, Observation, RoleId, Seen

REPAIR_WINDOW = timedelta(hours=24)
_DELIVERED = (GrantState.DELIVERED, GrantState.PAST_DUE, GrantState.HELD)


@dataclass(frozen=True, slots=True)
class Join:
    """Add the user to the guild."""


@dataclass(frozen=True, slots=True)
class Own:
    """Write down that a role is ours, in a state."""

    role_id: RoleId
    state: HoldingState
    is_repair: bool = False


@dataclass(frozen=True, slots=True)
class Add:
    """Put a role."""

    role_id: RoleId


@dataclass(frozen=True, slots=True)
class Remove:
    """Take a role away. `is_evidenced`: not only an edited plan asks for it; `is_ours` is False when stripping."""

    role_id: RoleId
    is_evidenced: bool
    is_ours: bool = True


@dataclass(frozen=True, slots=True)
class Disown:
    """Forget a holding: the role is gone by itself, or stays on the member for good."""

    role_id: RoleId


@dataclass(frozen=True, slots=True)
class Kick:
    """Remove the member from the guild."""


Step = Join | Own | Add | Remove | Disown | Kick


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What bounds the steps: `can_join` when we hold the member's permission to add them; `assignable` are the roles
    the bot could take (for stripping); `repairs` is how often a hand-removed role is put back within 24 hours.
    `left_away` are roles that are not put back at all once a person took them (`delivered_roles`).
    """

    can_join: bool = False
    assignable: Collection[RoleId] = ()
    repairs: int = 3
    left_away: Collection[RoleId] = ()


def diff(
    decision: Decision, observed: Observation, holdings: Collection[Holding], limits: Limits, *, now: datetime
) -> tuple[Step, ...]:
    """Return the ordered steps that bring one member from `observed` to `decision`."""
    if observed is None:
        return _steps_outside(decision, holdings, limits)
    held = {holding.role_id: holding for holding in holdings}
    steps: list[Step] = []
    for role in sorted(decision.roles):
        steps += _steps_wanted(role, observed, held.get(role), limits, now)
    for role in sorted(held.keys() - decision.roles):
        steps.append(_step_unwanted(role, decision, observed))
    if decision.strips:
        foreign = (observed.roles & frozenset(limits.assignable)) - decision.roles - held.keys()
        steps += [Remove(role, is_evidenced=True, is_ours=False) for role in sorted(foreign)]
    if decision.kick:
        steps.append(Kick())
    return tuple(steps)


def delivered_roles(decision: Decision) -> frozenset[RoleId]:
    """Return the wanted roles that every grant behind them has had before: whoever lacks one lost it by hand.

    A grant that is new, or begins again, puts its roles whatever was taken away before.
    """
    known = {outcome.claim.grant.id for outcome in decision.outcomes if outcome.claim.grant.state in _DELIVERED}
    return frozenset(role for role, grants in decision.reasons.items() if grants <= known)


def is_left_away(holding: Holding, limits: Limits, now: datetime) -> bool:
    """Say whether a role that is missing stays away.

    Either people are to decide by themselves, or it was put back so often within 24 hours that a person has to look
    (threats D28).
    """
    if holding.state is not HoldingState.HELD:
        return False
    is_recent = holding.repairs_since is not None and now - holding.repairs_since < REPAIR_WINDOW
    repairs = holding.repairs if is_recent else 0
    return holding.role_id in limits.left_away or repairs >= limits.repairs


def _steps_outside(decision: Decision, holdings: Collection[Holding], limits: Limits) -> tuple[Step, ...]:
    """Remember what may come back with the member; those who may be added come in with all their roles.

    Discord forgot the roles when they left, but an invite or another bot may put them on the way in, before we look. A
    role that is ours stays ours until they are seen without it, so that it is settled or taken then.
    """
    owned: list[Step] = []
    for holding in sorted(holdings, key=lambda holding: holding.role_id):
        state = HoldingState.ADDING if holding.role_id in decision.roles else HoldingState.REMOVING
        if holding.role_id in decision.kept:
            owned.append(Disown(holding.role_id))
        elif holding.state is not state:
            owned.append(Own(holding.role_id, state))
    if not (decision.is_wanted and limits.can_join):
        return tuple(owned)
    added = [step for role in sorted(decision.roles) for step in (Own(role, HoldingState.ADDING), Add(role))]
    return (*owned, Join(), *added)


def _steps_wanted(
    role: RoleId, observed: Seen, holding: Holding | None, limits: Limits, now: datetime
) -> tuple[Step, ...]:
    if role in observed.roles:
        # Without a holding somebody else gave it: it stays theirs. With one, the write is seen to have arrived.
        is_settled = holding is None or holding.state is HoldingState.HELD
        return () if is_settled else (Own(role, HoldingState.HELD),)
    if observed.is_pending or (holding is not None and is_left_away(holding, limits, now)):
        return ()
    # Only a role that had arrived can have been taken by hand; else our own write or removal was cut short.
    is_repair = holding is not None and holding.state is HoldingState.HELD
    return (Own(role, HoldingState.ADDING, is_repair), Add(role))


def _step_unwanted(role: RoleId, decision: Decision, observed: Seen) -> Step:
    if role in decision.kept or role not in observed.roles:
        return Disown(role)
    return Remove(role, is_evidenced=role not in decision.inferred)
