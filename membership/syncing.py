"""`/sync now` and `/sync status`: run one server's five-minute job at once, and say how its work stands."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from membership import binding
from membership.actors import Actor
from membership.errors import PAUSED_HERE, Reason, UserError
from membership.ledgers import Transaction
from membership.model import Grant, GrantState, Lane, MemberKey, PlanId, RoleId, UserId
from membership.records import TroubledJob
from membership.services import Services

LAST_RUNS = {"five-minute": "run:last", "hourly": "run:hourly", "nightly": "run:nightly"}
"""Which cursor says when each clock last ran."""
KINDS = ("member", "sweep", "adoption")
"""The kinds of jobs that are a server's own: their key is its id, or begins with it."""
PATIENCE = timedelta(seconds=12)
LOOK_AGAIN_SECONDS = 0.2
MOST_TROUBLED = 100
REFUSED_PAGE = 25
"""Refused grants looked at in one transaction: with one database connection, webhooks wait for its end."""
ROLES_PER_SECOND = 1
"""What Discord takes in one server: ten role changes in ten seconds (facts on rate limits)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run came to, in members: all we look after, those whose turn is still to come, those who failed."""

    is_through: bool
    members: int
    given: int
    taken: int
    left: int
    troubled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A grant that could not be delivered: whose, of which plan, and the roles that are lacking."""

    user_id: UserId
    plan_name: str
    role_ids: tuple[RoleId, ...]
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a server's work stands. `last_runs` and `newest_events` by name, None for never; `queue`: members to do.

    `waiting`: how many jobs wait for the end of a pause; `refused`: grants not delivered, not all of many.
    """

    now: datetime
    paused_at: datetime | None
    is_available: bool
    last_runs: Mapping[str, datetime | None]
    newest_events: Mapping[str, datetime | None]
    queue: int
    longest_wait: timedelta
    troubled: Sequence[TroubledJob]
    waiting: int = 0
    refused: Sequence[Refused] = ()


async def run_now(services: Services, actor: Actor, plan_id: PlanId | None = None) -> Ran:
    """Compare the actor's server with what was paid, and look at everybody with a grant on a plan when one is named.

    Waits some seconds for the end. Raises UserError where a run would do nothing.
    """
    since, started = services.clock.now(), services.signals.tick()
    async with services.store.read() as tx:
        await _require_running(services, tx, actor)
        plan = None if plan_id is None else await tx.plans.in_guild(plan_id, actor.guild_id)
    if plan is not None:
        await binding.mark_plan(services, plan, Lane.PLAN)
    elif plan_id is not None:
        raise UserError("There is no such plan in this server.")
    async with services.store.write() as tx:
        await binding.mark_sweep(tx, actor.guild_id, since)
    services.wake()
    is_swept = await services.signals.wait([str(actor.guild_id)], since=started, patience=PATIENCE)
    left = await _wait(services, actor) if is_swept else await _left(services, actor)
    async with services.store.read() as tx:
        happened = await tx.audit.counts(actor.guild_id, since, services.clock.now() + timedelta(seconds=1))
        return Ran(
            is_through=is_swept and left == 0,
            members=await tx.members.count_present(actor.guild_id),
            given=happened.get("role.added", 0),
            taken=happened.get("role.removed", 0),
            left=left,
            troubled=len(await tx.jobs.troubled(KINDS, str(actor.guild_id), MOST_TROUBLED)),
        )


async def status(services: Services, actor: Actor) -> Status:
    """Say how the work of the actor's server stands."""
    refused = await _refused(services, actor)
    async with services.store.read() as tx:
        guild = await tx.guilds.get(actor.guild_id)
        jobs = await tx.jobs.troubled(KINDS, str(actor.guild_id), MOST_TROUBLED)
        troubled = [job for job in jobs if job.is_parked or job.last_error != PAUSED_HERE]
        counts = await tx.jobs.counts(str(actor.guild_id))
        queue = counts["due"] + counts["leased"]
        return Status(
            now=services.clock.now(),
            paused_at=None if guild is None else guild.paused_at,
            is_available=services.discord.is_available(actor.guild_id),
            last_runs={name: _moment(await tx.cursors.get(cursor)) for name, cursor in LAST_RUNS.items()},
            newest_events={name: await tx.inbox.newest_at(name) for name in sorted(services.sellers.by_name)},
            queue=queue,
            longest_wait=timedelta(seconds=queue / ROLES_PER_SECOND),
            troubled=troubled,
            waiting=len(jobs) - len(troubled),
            refused=refused,
        )


async def retry(services: Services, actor: Actor, kind: str, rest: str) -> None:
    """Try a failed job of the actor's server again; `rest` is its key after the server's id. Raises UserError."""
    key = f"{actor.guild_id}:{rest}" if rest else str(actor.guild_id)
    now = services.clock.now()
    async with services.store.write() as tx:
        known = await tx.jobs.troubled(KINDS, str(actor.guild_id), MOST_TROUBLED)
        if (kind, key) not in {(job.kind, job.key) for job in known}:
            raise UserError("This is done already, or was never to do here.")
        await tx.jobs.mark(kind, key, lane=Lane.PERSON, run_at=now)
    started = services.signals.tick()
    services.wake()
    await services.signals.wait([key], since=started, patience=PATIENCE)


def member_of(job: TroubledJob) -> MemberKey | None:
    """Return whom a job is about, None for the whole server."""
    return MemberKey.parse(job.key) if job.kind == "member" else None


async def _require_running(services: Services, tx: Transaction, actor: Actor) -> None:
    guild = await tx.guilds.get(actor.guild_id)
    if guild is not None and guild.paused_at is not None:
        raise UserError("Role changes are paused here, so a run would do nothing. /doorlist resume starts them again.")
    if not services.discord.is_available(actor.guild_id):
        raise UserError("Discord shows this server as unavailable at the moment. I go on by myself when it is back.")


async def _wait(services: Services, actor: Actor) -> int:
    """Wait until no member's turn is still to come; return how many are left when patience is over."""
    for _ in range(round(PATIENCE.total_seconds() / LOOK_AGAIN_SECONDS)):
        if await _left(services, actor) == 0:
            return 0
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    return await _left(services, actor)


async def _left(services: Services, actor: Actor) -> int:
    async with services.store.read() as tx:
        counts = await tx.jobs.counts(str(actor.guild_id))
    return counts["due"] + counts["leased"]


async def _refused(services: Services, actor: Actor) -> Sequence[Refused]:
    """Return the grants of connected members that could not be delivered, those of MOST_TROUBLED at most."""
    async with services.store.read() as tx:
        failed = await tx.purchases.grants_in_state(actor.guild_id, GrantState.FAILED, None, MOST_TROUBLED)
    found: list[Refused] = []
    for start in range(0, len(failed), REFUSED_PAGE):
        async with services.store.read() as tx:
            found += [each for grant in failed[start : start + REFUSED_PAGE] if (each := await _refused_one(tx, grant))]
    return found


async def _refused_one(tx: Transaction, grant: Grant) -> Refused | None:
    link = await tx.links.active((await tx.purchases.get(grant.purchase_id)).customer_id)
    if link is None:
        return None
    plan, row = await tx.plans.get(grant.plan_id), await tx.members.get(MemberKey(grant.guild_id, link.user_id))
    lacking = plan.all_roles if row is None else (row.desired ^ row.observed) & plan.all_roles
    return Refused(user_id=link.user_id, plan_name=plan.name, role_ids=tuple(sorted(lacking)), reason=grant.reason)


def _moment(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)
