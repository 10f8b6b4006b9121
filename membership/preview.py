"""Show whom a plan's new form touches, and then do exactly that: previews, and what is applied from them.

Counting walks everybody the plan bears on, page by page, in stored facts; Discord is asked only about a few. What is
applied is a person's word for exactly the removals they saw, so that the brake lets these through (law 6).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from membership import crowd_walk, plans, staff_acts
from membership.actors import Actor
from membership.change_kinds import ChangeKind, Json, plan_json, plan_of
from membership.crowds import Standing
from membership.desk import Preview
from membership.diff import Limits
from membership.errors import Retry, UserError
from membership.ledgers import Transaction
from membership.model import (
    ChangeId,
    GuildId,
    Lane,
    ManualChange,
    MemberKey,
    Observation,
    Plan,
    RoleId,
    UserId,
)
from membership.plan_effects import (
    NEW_PLAN,
    NEW_ROLE,
    Effect,
    Fate,
    Ground,
    Tally,
    differences,
    effect,
    observed_of,
    spelled,
    told,
    told_as,
)
from membership.records import HeldRemoval
from membership.services import Services
from membership.staff_acts import StaffAct

LASTS = timedelta(minutes=10)
PAGE = 100
SEEN_LIVE = 200
"""Up to so many people Discord is asked how they are now; for more, what was last seen has to do."""
KIND = "plan"
_NAME_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A preview as it was kept. `plan.id` 0: it is not made yet; NEW_ROLE among its roles: that is made with it."""

    id: str
    plan: Plan
    before: Plan | None
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What was applied, and what takes it back."""

    plan: Plan
    tally: Tally
    change_id: ChangeId


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """The facts have changed since the preview: nothing was applied. `shown` is the new preview to decide about."""

    shown: Shown
    appeared: tuple[Effect, ...]
    vanished: tuple[Effect, ...]


async def count(services: Services, plan: Plan) -> AsyncIterator[Tally]:
    """Count what a plan would do to its people; the same tally comes after every page, and grows."""
    ground = await _ground(services, plan)
    tally, looked_at = Tally(), frozenset[UserId]()
    # Those who have it come first: looking for who has bought it and has no grant yet may take a second.
    for is_granted in (True, False):
        found = await crowd_walk.everybody(services, _granted(plan) if is_granted else _buyers(plan))
        users = [user for user in found if user not in looked_at]
        tally.total += len(users)
        async for page in _pages(services, ground, users):
            for each in page:
                tally.add(each)
            yield tally
        looked_at = frozenset(users)
    async with services.store.read() as tx:
        tally.unlinked = await tx.crowds.unlinked(plan)
    yield tally


def _granted(plan: Plan) -> crowd_walk.Ask:
    return lambda tx, after: tx.crowds.granted(plan.id, after)


def _buyers(plan: Plan) -> crowd_walk.Ask:
    return lambda tx, after: tx.crowds.buyers(plan, after)


async def keep(services: Services, actor: Actor, plan: Plan, tally: Tally, *, name: str = "") -> Shown:
    """Keep a complete count for ten minutes, so that exactly this can be applied. Raises UserError.

    `name`: a new_name that somebody was told before it was counted.
    """
    plans.check(plan)
    now = services.clock.now()
    # In a thread, as everything that walks all effects at once: there may be a hundred thousand.
    people, set_hash = await asyncio.to_thread(spelled, tally)
    async with services.store.write() as tx:
        before = None if plan.id == NEW_PLAN else await tx.plans.in_guild(plan.id, actor.guild_id)
        if plan.guild_id != actor.guild_id or (before is None and plan.id != NEW_PLAN):
            raise UserError("There is no such plan in this server.")
        name = name or new_name(services)
        content = {
            "plan": plan_json(plan),
            "before": None if before is None else plan_json(before),
            **told_as(tally, people),
        }
        await tx.previews.put(
            Preview(
                id=name,
                guild_id=actor.guild_id,
                actor=str(actor),
                kind=KIND,
                content=content,
                set_hash=set_hash,
                created_at=now,
                expires_at=now + LASTS,
            )
        )
    return Shown(id=name, plan=plan, before=before, tally=tally)


async def look(services: Services, actor: Actor, preview_id: str) -> Shown:
    """Return a preview of the actor's server that is still good. Raises UserError."""
    async with services.store.read() as tx:
        kept = await tx.previews.get(preview_id, actor.guild_id, services.clock.now())
    return await asyncio.to_thread(_shown, kept)


async def apply(services: Services, actor: Actor, preview_id: str) -> Applied | Differs:
    """Make the plan be as previewed, if it still does to people exactly what was shown. Raises UserError, Blocked."""
    async with services.store.write() as tx:
        kept = await tx.previews.take(preview_id, actor.guild_id, services.clock.now())
    shown = await asyncio.to_thread(_shown, kept)
    async with services.store.read() as tx:
        await _require_untouched(tx, shown)
    tally = [tally async for tally in count(services, shown.plan)][-1]
    if kept is None or (await asyncio.to_thread(spelled, tally))[1] != kept.set_hash:
        appeared, vanished = await asyncio.to_thread(differences, shown.tally, tally)
        again = await keep(services, actor, shown.plan, tally)
        return Differs(shown=again, appeared=tuple(appeared), vanished=tuple(vanished))
    agreed = await asyncio.to_thread(_removals, actor.guild_id, tally)
    plan = await _with_role(services, actor, shown.plan)
    now = services.clock.now()
    made = next((role for role in plan.roles if role not in shown.plan.roles), None)
    async with services.store.write() as tx:
        await _require_untouched(tx, shown, made)
        plan = await plans.write(tx, plan, now)
        if agreed:
            await tx.removals.release(actor.guild_id, agreed, f"preview {shown.id}", str(actor), now)
        change_id = await staff_acts.write_down(tx, actor, _act(shown.before, plan), now)
    services.wake()
    return Applied(plan=plan, tally=tally, change_id=change_id)


async def _ground(services: Services, plan: Plan) -> Ground:
    """Gather what is the same for everybody."""
    async with services.store.read() as tx:
        guild = await tx.guilds.get(plan.guild_id)
    roles = services.discord.roles(plan.guild_id)
    assignable = frozenset(role.role_id for role in roles.values() if not role.refusal)
    return Ground(
        plan=plan,
        roles=roles,
        limits=Limits(assignable=assignable, repairs=services.policy.repairs_per_day),
        leaves_hand_changes=guild is not None and guild.manual_change is not ManualChange.RESTORE,
        now=services.clock.now(),
    )


async def _pages(services: Services, ground: Ground, users: Sequence[UserId]) -> AsyncIterator[Sequence[Effect | None]]:
    """Judge the users, a page at a time; each page is one short transaction."""
    guild_id = ground.plan.guild_id
    for start in range(0, len(users), PAGE):
        page = users[start : start + PAGE]
        async with services.store.read() as tx:
            standings = await tx.crowds.standings(guild_id, page, ground.now)
        seen = await _seen(services, guild_id, page) if len(users) <= SEEN_LIVE else {}
        yield [effect(standing, _observed(standing, seen), ground) for standing in standings]


async def _seen(services: Services, guild_id: GuildId, users: Sequence[UserId]) -> Mapping[UserId, Observation]:
    """Ask Discord about a few; when it does not answer, what was last seen has to do."""
    try:
        return await services.discord.observe(guild_id, users, lane=Lane.PERSON)
    except Retry:
        return {}


def _observed(standing: Standing, seen: Mapping[UserId, Observation]) -> Observation:
    user_id = standing.facts.key.user_id
    return seen[user_id] if user_id in seen else observed_of(standing)


def _shown(kept: Preview | None) -> Shown:
    """Read a kept preview. Raises UserError when there is none."""
    if kept is None or kept.kind != KIND:
        raise UserError("This preview is older than ten minutes, or was used. Ask for a new one; nothing was changed.")
    tally = told(kept.content)
    before = kept.content["before"]
    return Shown(
        id=kept.id,
        plan=plan_of(_object(kept.content["plan"])),
        before=None if before is None else plan_of(_object(before)),
        tally=tally,
    )


def _object(written: object) -> Json:
    return dict(written) if isinstance(written, Mapping) else {}


async def _require_untouched(tx: Transaction, shown: Shown, made: RoleId | None = None) -> None:
    """Raise UserError where somebody was faster; it names the role that was made in vain, which only people delete."""
    if shown.before is None or await tx.plans.get(shown.before.id) == shown.before:
        return
    text = "Somebody has changed this plan meanwhile. Look at it again; nothing was changed by you."
    unused = "" if made is None else f" The new role <@&{made}> is not used: delete it, or choose it for a plan."
    raise UserError(text + unused)


async def _with_role(services: Services, actor: Actor, plan: Plan) -> Plan:
    """Make the role that is named like the plan, where it was promised."""
    if NEW_ROLE not in plan.roles:
        return plan
    made = await services.discord.create_role(actor.guild_id, plan.name, why=f"Doorlist: role of {plan.name}")
    return replace(plan, roles=tuple(made if role == NEW_ROLE else role for role in plan.roles))


def _removals(guild_id: GuildId, tally: Tally) -> list[HeldRemoval]:
    """Return the removals that the person saw: by agreeing to them they release them (law 6)."""
    return [
        HeldRemoval(key=MemberKey(guild_id, effect.user_id), role_id=role)
        for fate in (Fate.LOSE, Fate.MOVE)
        for effect in tally.of(fate)
        for role in effect.lost
    ]


def _act(before: Plan | None, plan: Plan) -> StaffAct:
    return StaffAct(
        kind=ChangeKind.PLAN,
        summary=f"Plan {plan.name}: {_deed(before, plan)}",
        before={} if before is None else plan_json(before),
        after=plan_json(plan),
    )


def _deed(before: Plan | None, plan: Plan) -> str:
    if before is None:
        return "made"
    if before.is_archived != plan.is_archived:
        return "archived" if plan.is_archived else "on sale again"
    return "changed"


def new_name(services: Services) -> str:
    """Return a name that no preview has."""
    return hashlib.sha256(services.randomness.token().encode()).hexdigest()[:_NAME_LENGTH]
