"""What is failed or stuck in one server, grouped by cause, with the first few whom each concerns.

Everything is read from what is stored, and nobody outside is asked: counts come from indexes, people from a few rows.
What can be done about a cause is in retrying.py; the words are the edge's (EXPERIENCE 2.8).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from membership import stuck_work
from membership.actors import Actor
from membership.errors import Reason
from membership.model import GrantState, GuildId
from membership.problem_kinds import Kind, Problem, Sufferer
from membership.records import Guild
from membership.report_ledgers import Tallies
from membership.services import Services
from membership.stuck_work import MOST_CAUSES, SHOWN, sufferer
from membership.syncing import LAST_RUNS

DELETED = "deleted"
_REFUSALS = {
    Reason.ROLE_ABOVE_BOT: "above_bot",
    Reason.ROLE_DELETED: DELETED,
    Reason.MISSING_PERMISSION: "no_permission",
}
"""What the gateway says of a role that we may not give (ports.GuildRole), by the reason that a grant fails for."""

Roles = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The problems of a server, the gravest first. `checked_at`: when the server was last compared with Discord."""

    problems: tuple[Problem, ...]
    checked_at: datetime | None


async def found_in(services: Services, actor: Actor, tallies: Tallies | None = None) -> Found:
    """Look for everything that is failed or stuck in the actor's server; `tallies`: its grants, if they are known."""
    async with services.store.read() as tx:
        guild = await tx.guilds.get(actor.guild_id)
        if tallies is None:
            tallies = await tx.reports.tallies(actor.guild_id)
        checked_at = stuck_work.moment_of(await tx.cursors.get(LAST_RUNS["five-minute"]))
    if guild is None:
        return Found(problems=(), checked_at=checked_at)
    roles = await troubled_roles(services, guild.id)
    grants = await _grants(services, guild.id, tallies, roles)
    problems = [
        *_standing(services, guild),
        *await _held(services, guild.id),
        *grants,
        *_roles(roles, grants),
        *await stuck_work.failing_jobs(services, guild.id),
        *await stuck_work.silent_platforms(services, guild.id),
        *await stuck_work.long_waits(services, guild.id, tallies),
        *await stuck_work.silent_channels(services, guild),
    ]
    return Found(problems=tuple(problems), checked_at=checked_at)


async def troubled_roles(services: Services, guild_id: GuildId) -> Roles:
    """Return the names of the sold roles that cannot be given, by why; for deleted ones the names of their plans."""
    known = services.discord.roles(guild_id)
    async with services.store.read() as tx:
        plans = [plan for plan in await tx.plans.all(guild_id) if not plan.is_archived]
    found: dict[str, set[str]] = {}
    # An outage shows no role at all; that deletes none.
    for plan in plans if known else ():
        for role_id in plan.all_roles:
            role = known.get(role_id)
            if role is None:
                found.setdefault(DELETED, set()).add(plan.name)
            elif role.refusal:
                found.setdefault(role.refusal, set()).add(role.name)
    return {why: tuple(sorted(names)) for why, names in sorted(found.items())}


def _standing(services: Services, guild: Guild) -> Iterable[Problem]:
    if guild.paused_at is not None:
        yield Problem(kind=Kind.PAUSED, count=1, subject=guild.pause_reason, since=guild.paused_at)
    if not services.discord.is_available(guild.id):
        yield Problem(kind=Kind.AWAY, count=1)


async def _held(services: Services, guild_id: GuildId) -> list[Problem]:
    async with services.store.read() as tx:
        held = await tx.reports.held(guild_id)
    return [
        Problem(kind=Kind.BRAKE, count=each.count, subject=each.cause, since=each.created_at, number=int(each.batch_id))
        for each in held
    ]


async def _grants(services: Services, guild_id: GuildId, tallies: Tallies, roles: Roles) -> list[Problem]:
    """Group what could not be delivered by its reason, and what stands still because a person has to look."""
    kinds = {GrantState.FAILED: Kind.GRANTS, GrantState.HELD: Kind.UNCLEAR}
    causes = [cause for cause in tallies if cause[0] in kinds and cause[1] is not Reason.BRAKE]
    causes.sort(key=lambda cause: -tallies[cause])
    found = []
    for state, reason in causes[:MOST_CAUSES]:
        people, since = await _people(services, guild_id, (state, reason))
        found.append(
            Problem(
                kind=kinds[state],
                count=tallies[state, reason],
                subject=reason.value,
                since=since,
                people=people,
                names=roles.get(_REFUSALS.get(reason, ""), ()),
            )
        )
    return found


async def _people(
    services: Services, guild_id: GuildId, cause: tuple[GrantState, Reason]
) -> tuple[tuple[Sufferer, ...], datetime | None]:
    """Return the first few whom a cause concerns, and since when, as the record tells it of them."""
    moments: list[datetime] = []
    async with services.store.read() as tx:
        shown = await tx.purchases.grants_in_state(guild_id, *cause, SHOWN)
        people = [await sufferer(tx, grant) for grant in shown]
        for person in people:
            if person.user_id is not None:
                events = ("grant.failed", "grant.held")
                told = await tx.audit.recent(1, guild_id=guild_id, user_id=person.user_id, events=events)
                moments += [at for _, at, _ in told]
    return tuple(people), min(moments, default=None)


def _roles(roles: Roles, grants: Sequence[Problem]) -> list[Problem]:
    """Return what is wrong with sold roles and has hit nobody yet."""
    told = {_REFUSALS.get(problem.reason) for problem in grants if problem.reason is not None}
    return [
        Problem(kind=Kind.ROLES, count=len(names), subject=why, names=names)
        for why, names in roles.items()
        if why not in told
    ]
