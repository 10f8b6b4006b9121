"""Carry the plans of one server to another: choose the roles there, see who gets what, and do exactly that.

Nobody in the old server is touched: they keep their roles, and its plans go on or are archived, as was chosen.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from membership import move_previews, plan_checks, plan_effects, plans, preview, staff_acts
from membership.actors import Actor
from membership.change_kinds import ChangeKind, plan_json
from membership.desk import Preview
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import ChangeId, GuildId, OnPastDue, Plan, PlanId, RoleId
from membership.move_previews import Carried, MoveShown, Route
from membership.plan_effects import NEW_PLAN, NEW_ROLE, Effect
from membership.preview import LASTS
from membership.records import AuditEntry
from membership.services import Services
from membership.staff_acts import StaffAct

KIND = "move"
CARRIED = "server.plans_carried"
_NAME_LENGTH = 16
_TOO_OLD = "This preview is older than ten minutes, or was used. Ask for a new one; nothing was changed."


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleMatch:
    """A role that the chosen plans give, and the role of the same name in the other server, None for none there."""

    role_id: RoleId
    name: str
    target: RoleId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """What was done: the new plans, the roles that were made for them, and what takes each plan back, there."""

    plans: tuple[Plan, ...]
    made: tuple[RoleId, ...]
    change_ids: tuple[ChangeId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveDiffers:
    """The facts have changed since the preview: nothing was done. `shown` is the new preview to decide about."""

    shown: MoveShown
    appeared: tuple[Effect, ...]
    vanished: tuple[Effect, ...]


def matches(services: Services, chosen: Iterable[Plan], target_id: GuildId) -> list[RoleMatch]:
    """Find for every role of some plans the one of the same name in another server that can be given there."""
    chosen = list(chosen)
    there = {
        role.name.casefold(): role.role_id for role in services.discord.roles(target_id).values() if not role.refusal
    }
    found: list[RoleMatch] = []
    for plan in chosen:
        here = services.discord.roles(plan.guild_id)
        for role_id in sorted(plan.all_roles - {match.role_id for match in found}):
            name = here[role_id].name if role_id in here else plan.name
            found.append(RoleMatch(role_id=role_id, name=name, target=there.get(name.casefold())))
    return found


async def show(services: Services, actor: Actor, target: Actor, route: Route) -> MoveShown:
    """Count what the plans would do in the other server, and keep that for ten minutes. Raises UserError.

    `target` is the same person in the other server: they need Manage Server in both.
    """
    _require_both(actor, target)
    async with services.store.read() as tx:
        await _require_active(tx, target.guild_id)
        sources = [await _plan(tx, actor, plan_id) for plan_id in route.plan_ids]
    if not sources:
        raise UserError("Choose at least one plan to carry over.")
    carried = [
        await _counted(services, target, source, _carry(source, target.guild_id, route.roles)) for source in sources
    ]
    makes = {role for source in sources for role in source.all_roles if route.roles.get(role) == NEW_ROLE}
    names = {match.role_id: match.name for match in matches(services, sources, target.guild_id)}
    shown = MoveShown(
        id=hashlib.sha256(services.randomness.token().encode()).hexdigest()[:_NAME_LENGTH],
        target_id=target.guild_id,
        carried=tuple(carried),
        route=route,
        names={role: names[role] for role in makes},
    )
    await _keep(services, actor, shown)
    return shown


async def look(services: Services, actor: Actor, preview_id: str) -> MoveShown:
    """Return a preview of the actor's server that is still good. Raises UserError."""
    async with services.store.read() as tx:
        kept = await tx.previews.get(preview_id, actor.guild_id, services.clock.now())
    return await _read(kept)


async def apply(services: Services, actor: Actor, target: Actor, preview_id: str) -> Moved | MoveDiffers:
    """Make the plans in the other server, if they still do to people there exactly what was shown.

    Raises UserError, Blocked, Retry.
    """
    _require_both(actor, target)
    now = services.clock.now()
    async with services.store.write() as tx:
        kept = await tx.previews.take(preview_id, actor.guild_id, now)
    shown = await _read(kept)
    if shown.target_id != target.guild_id or kept is None:
        raise UserError(_TOO_OLD)
    async with services.store.read() as tx:
        await _require_active(tx, target.guild_id)
        await _require_untouched(tx, shown)
    again = [await _counted(services, target, each.source, each.plan) for each in shown.carried]
    if await asyncio.to_thread(move_previews.hash_of, again) != kept.set_hash:
        return await _differs(services, actor, shown, again)
    made = await _make_roles(services, target, shown)
    roles = {**shown.route.roles, **made}
    async with services.store.write() as tx:
        await _require_untouched(tx, shown, made.values())
        moved = [await _write(tx, target, _carry(each.source, target.guild_id, roles), now) for each in shown.carried]
        if shown.route.archives:
            await _archive(tx, actor, shown, now)
        detail = {"target_id": str(target.guild_id), "plans": [plan.name for plan, _ in moved]}
        await tx.audit.add(
            AuditEntry(event=CARRIED, actor=str(actor), guild_id=actor.guild_id, user_id=actor.user_id, detail=detail),
            now,
        )
    services.wake()
    return Moved(
        plans=tuple(plan for plan, _ in moved),
        made=tuple(made.values()),
        change_ids=tuple(change_id for _, change_id in moved),
    )


# ------------------------------------------------------------------------------------------------------ what is done


async def _counted(services: Services, target: Actor, source: Plan, plan: Plan) -> Carried:
    """Judge a carried plan, and count what it does. Raises UserError for one that they cannot save there."""
    plans.check(plan)
    failed = plan_checks.failures(await plan_checks.check_plan(services, plan, actor=target))
    if failed:
        raise UserError(f"{plan.name}: {failed[0].what}. {failed[0].cause} {failed[0].fix}".strip())
    tally = [tally async for tally in preview.count(services, plan)][-1]
    return Carried(source=source, plan=plan, tally=tally)


def _carry(source: Plan, target_id: GuildId, roles: Mapping[RoleId, RoleId]) -> Plan:
    """Return a plan as it would be in another server. Raises UserError where nothing would be left of its roles."""
    kept = tuple(dict.fromkeys(roles[role] for role in source.roles if role in roles))
    if source.roles and not kept:
        raise UserError(f"Choose a role for {source.name} in the other server, or have one made.")
    late = None if source.past_due_role_id is None else roles.get(source.past_due_role_id)
    needs_role = source.on_past_due in (OnPastDue.KEEP_AND_ROLE, OnPastDue.SWAP)
    return replace(
        source,
        id=NEW_PLAN,
        guild_id=target_id,
        slug="",
        roles=kept,
        past_due_role_id=late,
        on_past_due=OnPastDue.KEEP if needs_role and late is None else source.on_past_due,
        trial_role_id=None if source.trial_role_id is None else roles.get(source.trial_role_id),
        is_archived=False,
    )


async def _make_roles(services: Services, target: Actor, shown: MoveShown) -> dict[RoleId, RoleId]:
    return {
        role: await services.discord.create_role(target.guild_id, name, why="Doorlist: plans of another server")
        for role, name in sorted(shown.names.items())
    }


async def _write(tx: Transaction, target: Actor, plan: Plan, now: datetime) -> tuple[Plan, ChangeId]:
    stored = await plans.write(tx, plan, now)
    act = StaffAct(
        kind=ChangeKind.PLAN,
        summary=f"Plan {stored.name}: carried over from another server",
        before={},
        after=plan_json(stored),
    )
    return stored, await staff_acts.write_down(tx, target, act, now)


async def _archive(tx: Transaction, actor: Actor, shown: MoveShown, now: datetime) -> None:
    for source in (each.source for each in shown.carried if not each.source.is_archived):
        archived = await plans.write(tx, replace(source, is_archived=True), now)
        act = StaffAct(
            kind=ChangeKind.PLAN,
            summary=f"Plan {source.name}: archived, carried over to another server",
            before=plan_json(source),
            after=plan_json(archived),
        )
        await staff_acts.write_down(tx, actor, act, now)


async def _differs(services: Services, actor: Actor, shown: MoveShown, again: Sequence[Carried]) -> MoveDiffers:
    """Keep what the plans would do by now, and say what came and what went since."""
    appeared: list[Effect] = []
    vanished: list[Effect] = []
    for before, after in zip(shown.carried, again, strict=True):
        came, went = await asyncio.to_thread(plan_effects.differences, before.tally, after.tally)
        appeared += came
        vanished += went
    name = hashlib.sha256(services.randomness.token().encode()).hexdigest()[:_NAME_LENGTH]
    new = replace(shown, id=name, carried=tuple(again))
    await _keep(services, actor, new)
    return MoveDiffers(shown=new, appeared=tuple(appeared), vanished=tuple(vanished))


# ------------------------------------------------------------------------------------------------------ what is kept


async def _keep(services: Services, actor: Actor, shown: MoveShown) -> None:
    now = services.clock.now()
    content = await asyncio.to_thread(move_previews.written, shown)
    kept = Preview(
        id=shown.id,
        guild_id=actor.guild_id,
        actor=str(actor),
        kind=KIND,
        content=content,
        set_hash=await asyncio.to_thread(move_previews.hash_of, shown.carried),
        created_at=now,
        expires_at=now + LASTS,
    )
    async with services.store.write() as tx:
        await tx.previews.put(kept)


async def _read(kept: Preview | None) -> MoveShown:
    """Read a kept preview. Raises UserError when there is none."""
    if kept is None or kept.kind != KIND:
        raise UserError(_TOO_OLD)
    return await asyncio.to_thread(move_previews.read, kept.id, kept.content)


# ------------------------------------------------------------------------------------------------------ what is asked


def _require_both(actor: Actor, target: Actor) -> None:
    is_same = actor.user_id == target.user_id and actor.guild_id != target.guild_id
    if not (is_same and actor.can_manage and target.can_manage):
        raise UserError("You need Manage Server in both servers, and they have to be two.")


async def _require_active(tx: Transaction, guild_id: GuildId) -> None:
    guild = await tx.guilds.get(guild_id)
    if guild is None or not guild.is_active:
        raise UserError("The other server is not connected yet. Connect it first; nothing was changed.")


async def _plan(tx: Transaction, actor: Actor, plan_id: PlanId) -> Plan:
    plan = await tx.plans.in_guild(plan_id, actor.guild_id)
    if plan is None:
        raise UserError("There is no such plan in this server.")
    return plan


async def _require_untouched(tx: Transaction, shown: MoveShown, made: Iterable[RoleId] = ()) -> None:
    """Raise UserError where somebody was faster; it says when roles were made in vain, which only people delete."""
    unused = " The roles that were made there are not used: delete them." if list(made) else ""
    for each in shown.carried:
        if await tx.plans.get(each.source.id) != each.source:
            text = f"Somebody has changed {each.source.name} meanwhile. Look again; nothing was carried over."
            raise UserError(text + unused)
