"""One guild against Discord, every five minutes: what is due, what drifted, and a rolling look at those unseen longest.

It performs nothing itself: it marks members, and `reconcile` does the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from membership import binding, passes
from membership.browsing import Run
from membership.model import GuildId, Lane, Observation, RoleId, UserId
from membership.passes import Tally
from membership.records import MemberRow
from membership.services import Services

PAGE = 100
MARKED_PER_SWEEP = 1000
RECENTLY = timedelta(minutes=4)


async def sweep(services: Services, guild_id: GuildId) -> int:
    """Mark the members of one guild that need a look; return how many were observed.

    A guild that is frozen, paused or not set up is left alone.
    """
    if not services.discord.is_available(guild_id):
        return 0
    started_at = services.clock.now()
    async with services.store.read() as tx:
        guild = await tx.guilds.get(guild_id)
    if guild is None or not guild.is_active or guild.paused_at is not None:
        return 0
    run = Run(kind=passes.FIVE_MINUTES, guild_id=guild_id, started_at=started_at)
    async with passes.recorded(services, run) as tally:
        await _compare(services, guild_id, started_at, tally)
    return tally.looked_at


async def _compare(services: Services, guild_id: GuildId, started_at: datetime, tally: Tally) -> None:
    """Mark whose moment has come and who differs from what we want; a member marked counts as changed."""
    async with services.store.write() as tx:
        due = await tx.members.due(guild_id, started_at, MARKED_PER_SWEEP)
        drifted = await tx.members.drifted(guild_id, MARKED_PER_SWEEP)
        await binding.mark(tx, [*due, *drifted], Lane.BULK, started_at)
    services.wake()
    # Who is marked is looked at by that. What it writes is not seen yet, and must not take the place of others now.
    marked = {key.user_id for key in [*due, *drifted]}
    tally.changed = len(marked)
    while tally.looked_at < services.policy.sweep_members:
        async with services.store.read() as tx:
            rows = await tx.members.least_recently_seen(guild_id, started_at - RECENTLY, PAGE, leaving_out=marked)
        if not rows:
            break
        marked |= await _look(services, guild_id, rows)
        tally.looked_at += len(rows)
        tally.changed = len(marked)


async def _look(services: Services, guild_id: GuildId, rows: Sequence[MemberRow]) -> set[UserId]:
    """Observe one page of members and mark those who differ from what we want; return them."""
    users = [row.key.user_id for row in rows]
    observations = await services.discord.observe(guild_id, users, lane=Lane.BULK)
    now = services.clock.now()
    seen = {row.key.user_id: _managed(row, observations) for row in rows}
    moved = {row.key for row in rows if row.is_present != seen[row.key.user_id][1]}
    async with services.store.write() as tx:
        drifted = await tx.members.record_seen(guild_id, seen, now)
        differing = sorted(moved.union(drifted))
        await binding.mark(tx, differing, Lane.BULK, now)
    if differing:
        services.wake()
    return {key.user_id for key in differing}


def _managed(row: MemberRow, observations: Mapping[UserId, Observation]) -> tuple[frozenset[RoleId], bool]:
    """Keep of what was seen only the roles that are ours to manage, and whether the member is there at all."""
    observation = observations[row.key.user_id]
    if observation is None:
        return frozenset(), False
    return observation.roles & (row.desired | row.observed), True
