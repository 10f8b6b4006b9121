"""A server's plans with what is true of them now: how many have them, and what keeps them from working."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from membership import plan_checks
from membership.checks import Outcome, Result
from membership.errors import Gone
from membership.model import GrantState, GuildId, Plan, PlanId
from membership.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLook:
    """One plan. `members` have access now, `counts` are all its grants by state, `flaws` what needs attention.

    An archived plan has nothing to sell: only its roles are looked at.
    """

    plan: Plan
    members: int
    counts: Mapping[GrantState, int]
    flaws: tuple[Result, ...]

    @property
    def is_sold(self) -> bool:
        """Say whether something unlocks it for new people."""
        return bool(self.plan.products) and not self.plan.is_archived


async def every_plan(services: Services, guild_id: GuildId) -> Sequence[PlanLook]:
    """Look at all plans of a server, those on sale first, by name."""
    async with services.store.read() as tx:
        plans = await tx.plans.all(guild_id)
    ordered = sorted(plans, key=lambda plan: (plan.is_archived, plan.name.casefold(), plan.id))
    return await _look(services, guild_id, ordered)


async def one_plan(services: Services, guild_id: GuildId, plan_id: PlanId) -> PlanLook:
    """Look at one plan of a server. Raises Gone("plan") for any other."""
    async with services.store.read() as tx:
        plan = await tx.plans.in_guild(plan_id, guild_id)
    if plan is None:
        raise Gone("plan")
    return (await _look(services, guild_id, [plan]))[0]


async def _look(services: Services, guild_id: GuildId, plans: Sequence[Plan]) -> list[PlanLook]:
    async with services.store.read() as tx:
        grants = await tx.purchases.grant_counts(guild_id)
        active = await tx.purchases.active_counts(guild_id)
    counts: dict[PlanId, dict[GrantState, int]] = defaultdict(dict)
    for (plan_id, state), number in grants.items():
        counts[plan_id][state] = number
    return [
        PlanLook(
            plan=plan,
            members=sum(number for (plan_id, _), number in active.items() if plan_id == plan.id),
            counts=counts[plan.id],
            flaws=await _flaws(services, plan),
        )
        for plan in plans
    ]


async def _flaws(services: Services, plan: Plan) -> tuple[Result, ...]:
    judged = replace(plan, products=()) if plan.is_archived else plan
    results = await plan_checks.check_plan(services, judged)
    return tuple(result for result in results if result.outcome in (Outcome.FAIL, Outcome.WARN))
