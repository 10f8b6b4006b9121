"""Make and change plans. A change reaches everybody it concerns through the same reconcile as everything else."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import datetime

from membership import binding, recording
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import Lane, OnPastDue, Plan, PlanId, PurchaseId
from membership.services import Services

PAGE = 200
PAGES = 5000
LONGEST_NAME = 60
LONGEST_SLUG = 50
SLUGS = 1000


async def save(services: Services, plan: Plan) -> Plan:
    """Store a plan, new or known by its slug, and mark everybody it may concern. Raises UserError."""
    async with services.store.write() as tx:
        known = await tx.plans.by_slug(plan.slug)
        stored = await write(tx, replace(plan, id=PlanId(0) if known is None else known.id), services.clock.now())
    services.wake()
    return stored


async def write(tx: Transaction, plan: Plan, now: datetime) -> Plan:
    """Store a plan, a new one when its id is 0, and mark everybody it may concern; the caller wakes. Raises UserError.

    A new plan without a short name gets one from its name.
    """
    check(plan)
    if plan.id:
        await tx.plans.replace(plan)
        stored = plan
    else:
        stored = await tx.plans.create(replace(plan, slug=plan.slug or await _free_slug(tx, plan.name)))
    await tx.jobs.mark("plan", str(stored.id), lane=Lane.PLAN, run_at=now)
    return stored


async def reach(services: Services, plan_id: PlanId) -> None:
    """Open the plan's grants for purchases made before it was mapped, and mark every member it bears on."""
    async with services.store.read() as tx:
        plan = await tx.plans.get(plan_id)
    after = PurchaseId(0)
    for _ in range(PAGES):
        now = services.clock.now()
        async with services.store.write() as tx:
            plan = await tx.plans.get(plan_id)
            purchases = [] if plan.is_archived else await tx.purchases.matching(plan, after, PAGE)
            occasion = recording.Occasion(now=now, lane=Lane.PLAN, policy=services.policy)
            for purchase in purchases:
                await tx.purchases.open_grant(purchase, plan, now)
                if await tx.links.active(purchase.customer_id) is None:
                    await recording.settle_unlinked(tx, purchase, {plan.id: plan}, occasion)
        if not purchases:
            break
        after = purchases[-1].id
    await binding.mark_plan(services, plan, Lane.PLAN)


def slug_of(name: str) -> str:
    """Return a name as it can stand in an address; "plan" when nothing of it can."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:LONGEST_SLUG] or "plan"


async def _free_slug(tx: Transaction, name: str) -> str:
    """Return a short name that no plan of any server has."""
    wanted = slug_of(name)
    for number in range(1, SLUGS):
        slug = wanted if number == 1 else f"{wanted}-{number}"
        if await tx.plans.by_slug(slug) is None:
            return slug
    raise UserError(f"There are too many plans called {name} already. Choose another name.")


def check(plan: Plan) -> None:
    """Refuse a plan that cannot mean what it says. Raises UserError."""
    if not plan.name.strip():
        raise UserError("A plan needs a name: it is what members see.")
    if len(plan.name) > LONGEST_NAME:
        raise UserError(f"This name is too long: use {LONGEST_NAME} characters at most.")
    if not 0 <= plan.grace_days <= 365:
        raise UserError(f"grace_days = {plan.grace_days} does not work: use 0 to 365 days.")
    if plan.duration_days is not None and plan.duration_days < 1:
        raise UserError(f"duration_days = {plan.duration_days} does not work: use 1 or more, or leave it out.")
    if plan.on_past_due in (OnPastDue.KEEP_AND_ROLE, OnPastDue.SWAP) and plan.past_due_role_id is None:
        raise UserError(f"on_past_due = {plan.on_past_due} needs a past_due_role: say which role late payers get.")
    if int(plan.guild_id) in {int(role) for role in plan.all_roles}:
        raise UserError("@everyone cannot be sold: everybody has it. Choose or make another role.")
