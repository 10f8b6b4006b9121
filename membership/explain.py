"""Explain to staff why a member has, or lacks, each managed role: `/member why` (EXPERIENCE 2.5).

Asks Discord, reads everything stored, and runs the very rules that reconcile runs; changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from membership import dossier as dossiers
from membership.actors import Actor
from membership.bounds import limits_of
from membership.diff import Step, diff
from membership.dossier import Dossier
from membership.errors import Blocked, Gone, Retry
from membership.explanation import Explanation, Look, Sight, explain_roles
from membership.model import Lane, MemberKey, RoleId, Seen, UserId
from membership.records import MemberRow
from membership.services import Services

RECENT_ENTRIES = 200


async def explain(services: Services, actor: Actor, user_id: UserId, role_id: RoleId | None = None) -> Explanation:
    """Explain one role, managed or not, or every managed role of the actor's server. Never raises for Discord."""
    key = MemberKey(actor.guild_id, user_id)
    observed = await _look_at(services, key)
    now = services.clock.now()
    async with services.store.read() as tx:
        dossier = await dossiers.read(tx, key, now)
        managed = {role for plan in await tx.plans.all(key.guild_id) for role in plan.all_roles}
        adoptions = {each.role_id: each for each in await tx.adoptions.of_guild(key.guild_id)}
        entries = await tx.audit.recent(RECENT_ENTRIES, guild_id=key.guild_id, user_id=user_id)
        braked = await tx.removals.held_of(key)
        job = await tx.jobs.status("member", str(key))
    sight = observed if isinstance(observed, Sight) else _last_sight(dossier.row, observed)
    look = Look(
        dossier=dossier,
        sight=sight,
        steps=_steps(services, dossier, sight, now),
        managed=managed,
        known=services.discord.roles(key.guild_id),
        adoptions=adoptions,
        braked=braked,
        entries=entries,
        job=job,
    )
    unasked = sorted(managed | dossier.facts.held_roles | dossier.decision.roles)
    return explain_roles(look, unasked if role_id is None else [role_id])


async def _look_at(services: Services, key: MemberKey) -> Sight | str:
    """Return what Discord shows now, or why it cannot be asked."""
    if not services.discord.is_available(key.guild_id):
        return "Discord shows this server as unavailable"
    try:
        member = (await services.discord.observe(key.guild_id, [key.user_id], lane=Lane.PERSON))[key.user_id]
    except (Retry, Blocked, Gone) as failure:
        return str(failure)
    return Sight(member=member, at=services.clock.now(), is_live=True)


def _last_sight(row: MemberRow | None, trouble: str) -> Sight:
    """Return what was seen last; it only names roles that are ours to manage."""
    if row is None or row.observed_at is None:
        return Sight(member=None, at=None, is_live=False, trouble=trouble)
    member = Seen(roles=row.observed) if row.is_present else None
    return Sight(member=member, at=row.observed_at, is_live=False, trouble=trouble)


def _steps(services: Services, dossier: Dossier, sight: Sight, now: datetime) -> Sequence[Step]:
    limits = limits_of(services, dossier.guild, dossier.key, dossier.decision)
    return diff(dossier.decision, sight.member, dossier.facts.holdings, limits, now=now)
