"""Where Discord and what was paid differ at the moment: who lacks a role, and who has left. Repairs nothing.

Who has a role without a purchase only Discord knows: adoption.py asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from membership.actors import Actor
from membership.errors import Reason, UserError
from membership.ledgers import Transaction
from membership.model import GrantState, MemberKey, Plan, PlanId, RoleId, UserId
from membership.services import Services

MOST = 200
PAGE = 25
"""Members looked at in one transaction: with one database connection, webhooks wait for its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lacking:
    """A member without a role that they should have. `why`: a Reason, or what the last try ended in, or ""."""

    user_id: UserId
    role_ids: frozenset[RoleId]
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """Somebody who paid and is connected, and is not in the server."""

    user_id: UserId
    plan: Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What differs, each list at most MOST long. `role_ids` are those whose holders are worth counting."""

    role_ids: tuple[RoleId, ...]
    lacking: tuple[Lacking, ...]
    away: tuple[Away, ...]


async def find(services: Services, actor: Actor, plan_id: PlanId | None = None) -> Drift:
    """Return what differs in the actor's server, for one plan when one is named. Raises UserError."""
    async with services.store.read() as tx:
        plans = await tx.plans.all(actor.guild_id)
    chosen = [plan for plan in plans if plan_id in (None, plan.id)]
    if plan_id is not None and not chosen:
        raise UserError("There is no such plan in this server.")
    return Drift(
        role_ids=tuple(sorted({role for plan in chosen if not plan.is_archived for role in plan.roles})),
        lacking=tuple(await _lacking(services, actor, frozenset(role for plan in chosen for role in plan.all_roles))),
        away=tuple(await _away(services, actor, chosen)),
    )


async def _lacking(services: Services, actor: Actor, roles: frozenset[RoleId]) -> Sequence[Lacking]:
    async with services.store.read() as tx:
        keys = await tx.members.drifted(actor.guild_id, MOST)
    found: list[Lacking] = []
    for start in range(0, len(keys), PAGE):
        async with services.store.read() as tx:
            for key in keys[start : start + PAGE]:
                row = await tx.members.get(key)
                missing = frozenset() if row is None else (row.desired - row.observed) & roles
                if missing:
                    found.append(Lacking(user_id=key.user_id, role_ids=missing, why=await _why(tx, key)))
    return found


async def _why(tx: Transaction, key: MemberKey) -> str:
    """Return what a grant says that could not be delivered, else what the last try ended in."""
    for claim in (await tx.members.facts(key)).claims:
        if claim.grant.state in (GrantState.FAILED, GrantState.HELD):
            return claim.grant.reason
    job = await tx.jobs.status("member", str(key))
    return "" if job is None else job.last_error


async def _away(services: Services, actor: Actor, plans: Sequence[Plan]) -> Sequence[Away]:
    by_id = {plan.id: plan for plan in plans}
    guild_id, reason = actor.guild_id, Reason.NOT_IN_SERVER
    async with services.store.read() as tx:
        waiting = await tx.purchases.grants_in_state(guild_id, GrantState.PENDING, reason, MOST)
    theirs = [grant for grant in waiting if grant.plan_id in by_id]
    found: dict[UserId, Away] = {}
    for start in range(0, len(theirs), PAGE):
        async with services.store.read() as tx:
            for grant in theirs[start : start + PAGE]:
                link = await tx.links.active((await tx.purchases.get(grant.purchase_id)).customer_id)
                if link is not None:
                    found.setdefault(link.user_id, Away(user_id=link.user_id, plan=by_id[grant.plan_id]))
    return list(found.values())
