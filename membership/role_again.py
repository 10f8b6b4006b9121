"""Make a deleted role of a plan again, and let every plan that gave it give the new one."""

from __future__ import annotations

from dataclasses import dataclass, replace

from membership import plans, staff_acts
from membership.actors import Actor
from membership.change_kinds import ChangeKind, plan_json
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import ChangeId, Plan, PlanId, RoleId
from membership.services import Services
from membership.staff_acts import StaffAct


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeAgain:
    """The new role, the plans that give it now, and what takes each of them back."""

    role_id: RoleId
    plans: tuple[Plan, ...]
    change_ids: tuple[ChangeId, ...]


async def make_again(services: Services, actor: Actor, plan_id: PlanId, old: RoleId) -> MadeAgain:
    """Make a role named like the plan in place of a deleted one. Raises UserError, Blocked, Retry."""
    async with services.store.read() as tx:
        plan = await tx.plans.in_guild(plan_id, actor.guild_id)
    if plan is None:
        raise UserError("There is no such plan in this server.")
    _require_deleted(services, plan, old)
    made = await services.discord.create_role(actor.guild_id, plan.name, why=f"Doorlist: role of {plan.name}")
    now = services.clock.now()
    changed: list[tuple[Plan, ChangeId]] = []
    async with services.store.write() as tx:
        for before in await _givers(tx, actor, old):
            after = await plans.write(tx, _with_role(before, old, made), now)
            act = StaffAct(
                kind=ChangeKind.PLAN,
                summary=f"Plan {after.name}: its role made again",
                before=plan_json(before),
                after=plan_json(after),
            )
            changed.append((after, await staff_acts.write_down(tx, actor, act, now)))
    services.wake()
    return MadeAgain(
        role_id=made,
        plans=tuple(plan for plan, _ in changed),
        change_ids=tuple(change_id for _, change_id in changed),
    )


def _require_deleted(services: Services, plan: Plan, old: RoleId) -> None:
    roles = services.discord.roles(plan.guild_id)
    if not roles:
        # An outage shows no role at all; that deletes none.
        raise UserError("I cannot see the roles of this server now. Try again in a moment; nothing was changed.")
    if old not in plan.all_roles or old in roles:
        raise UserError(f"{plan.name} does not miss this role any more. Nothing was changed.")


async def _givers(tx: Transaction, actor: Actor, role_id: RoleId) -> list[Plan]:
    """Return the plans of the server that give a role; more than one may."""
    return [plan for plan in await tx.plans.all(actor.guild_id) if role_id in plan.all_roles]


def _with_role(plan: Plan, old: RoleId, new: RoleId) -> Plan:
    return replace(
        plan,
        roles=tuple(new if role == old else role for role in plan.roles),
        past_due_role_id=new if plan.past_due_role_id == old else plan.past_due_role_id,
        trial_role_id=new if plan.trial_role_id == old else plan.trial_role_id,
    )
