"""Why a member has a role, or lacks it: one cause per role, out of the rules' own answers. Pure; no rule lives here.

`decide` says what should be, `diff` what the next look would do about it; this only names why both say so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from membership.desk import Adoption
from membership.diff import Add, Step
from membership.dossier import Dossier
from membership.errors import Reason
from membership.model import GrantState, Observation, RoleId, Seen
from membership.ports import GuildRole
from membership.records import AuditEntry, JobStatus
from membership.shown import ShownGrant


class Cause(StrEnum):
    """Why a role is as it is. FINE: as it should be. FOREIGN: somebody else gave it, so that we never touch it."""

    FINE = "fine"
    FOREIGN = "foreign"
    UNSEEN = "unseen"
    PAUSED = "paused"
    EXEMPT = "exempt"
    ABSENT = "absent"
    RULES = "rules"
    REFUSED = "refused"
    HAND_REMOVED = "hand_removed"
    BRAKE = "brake"
    WAITING = "waiting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The member as Discord shows them: just now when `is_live`, else as we saw them at `at` (None: never).

    `trouble` says why Discord could not be asked.
    """

    member: Observation
    at: datetime | None
    is_live: bool
    trouble: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What an explanation rests on, beside the dossier. `steps`: what `diff` would do now.

    `managed` are the roles that plans of the server give, `known` those of the server itself; `braked` are the held
    removals of this member (None: a kick). `entries` is the member's audit, newest first.
    """

    dossier: Dossier
    sight: Sight
    steps: Sequence[Step]
    managed: Collection[RoleId]
    known: Mapping[RoleId, GuildRole]
    adoptions: Mapping[RoleId, Adoption]
    braked: Collection[RoleId | None]
    entries: Sequence[tuple[int, datetime, AuditEntry]]
    job: JobStatus | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleExplanation:
    """One role of one member. `reason` goes with REFUSED; `changed_at` is when we last put or took it.

    `grants` give the role, or would; `is_ours` says that we put it, so that we take it when its last reason ends.
    """

    role_id: RoleId
    name: str
    is_managed: bool
    has: bool
    should: bool
    is_ours: bool
    cause: Cause
    reason: Reason | None = None
    grants: tuple[ShownGrant, ...] = ()
    adoption: Adoption | None = None
    changed_at: datetime | None = None

    @property
    def is_off(self) -> bool:
        """Say whether something has to happen before the role is as it should be."""
        return self.cause not in (Cause.FINE, Cause.FOREIGN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Every asked role with its cause. `job`: the waiting look; `kick_at`: when the member has to leave, if at all.

    `is_kick_held`: the brake keeps them until a person decides.
    """

    dossier: Dossier
    sight: Sight
    roles: tuple[RoleExplanation, ...]
    job: JobStatus | None
    kick_at: datetime | None = None
    is_kick_held: bool = False

    @property
    def first_off(self) -> RoleExplanation | None:
        """Return the first role that is not as it should be."""
        return next((role for role in self.roles if role.is_off), None)


def explain_roles(look: Look, role_ids: Sequence[RoleId]) -> Explanation:
    """Explain these roles, those that are off first."""
    roles = [_role(look, role_id) for role_id in role_ids]
    is_live = any(outcome.is_live for outcome in look.dossier.decision.outcomes)
    kicks = [outcome.kick_at for outcome in look.dossier.decision.outcomes if outcome.kick_at and not is_live]
    return Explanation(
        dossier=look.dossier,
        sight=look.sight,
        roles=tuple(sorted(roles, key=lambda role: (not role.is_off, not role.should, not role.is_managed))),
        job=look.job,
        kick_at=min(kicks, default=None),
        is_kick_held=None in look.braked,
    )


def _role(look: Look, role_id: RoleId) -> RoleExplanation:
    dossier, member = look.dossier, look.sight.member
    known = look.known.get(role_id)
    has = isinstance(member, Seen) and role_id in member.roles
    should = role_id in dossier.decision.roles
    cause = _cause(look, role_id, has=has, should=should)
    event = "role.added" if has else "role.removed"
    return RoleExplanation(
        role_id=role_id,
        name="" if known is None else known.name,
        is_managed=role_id in look.managed or role_id in dossier.facts.held_roles,
        has=has,
        should=should,
        is_ours=role_id in dossier.facts.held_roles,
        cause=cause,
        reason=_refusal(look, role_id) if cause is Cause.REFUSED else None,
        grants=tuple(dossier.behind(role_id)),
        adoption=look.adoptions.get(role_id),
        changed_at=_changed_at(look.entries, event, role_id),
    )


def _cause(look: Look, role_id: RoleId, *, has: bool, should: bool) -> Cause:
    """Name the first thing that stands between what is and what should be."""
    dossier, member = look.dossier, look.sight.member
    is_ours = role_id in dossier.facts.held_roles
    if look.sight.at is None:
        return Cause.UNSEEN
    if has == should:
        return Cause.FINE
    if has and not is_ours and not dossier.decision.strips:
        return Cause.FOREIGN
    if dossier.exemption is not None:
        return Cause.EXEMPT
    if dossier.guild.paused_at is not None:
        return Cause.PAUSED
    if member is None:
        return Cause.ABSENT
    if should and member.is_pending:
        return Cause.RULES
    if _refusal(look, role_id) is not None:
        return Cause.REFUSED
    if should and Add(role_id) not in look.steps:
        return Cause.HAND_REMOVED
    return Cause.BRAKE if role_id in look.braked and not should else Cause.WAITING


def _refusal(look: Look, role_id: RoleId) -> Reason | None:
    """Return what Discord refused at the last try, or would refuse now."""
    known = look.known.get(role_id)
    if known is None and look.known:
        return Reason.ROLE_DELETED
    refused = [each.grant.reason for each in look.dossier.behind(role_id) if each.grant.state is GrantState.FAILED]
    now_refused = _NOW.get(known.refusal) if known is not None else None
    return now_refused or (refused[0] if refused else None)


_NOW = {"above_bot": Reason.ROLE_ABOVE_BOT, "no_permission": Reason.MISSING_PERMISSION}
"""Values of `GuildRole.refusal` that a person can put right for this role."""


def _changed_at(entries: Sequence[tuple[int, datetime, AuditEntry]], event: str, role_id: RoleId) -> datetime | None:
    for _, at, entry in entries:
        listed = (entry.detail or {}).get("role_ids")
        if entry.event == event and isinstance(listed, list) and str(role_id) in listed:
            return at
    return None
