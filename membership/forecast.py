"""Count what reconciling would do to a server's members, from what is stored: nobody is asked, nothing is changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace

from membership import crowd_walk
from membership.diff import Add, Kick, Limits, Remove, diff
from membership.entitlements import decide
from membership.ledgers import Transaction
from membership.model import GuildId, MemberKey, PlanId, Seen, UserId
from membership.services import Services

PAGE = 25
MOST_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What would happen, counted over the members who were looked at: not all of a large server."""

    adds: int = 0
    removals: int = 0
    kicks: int = 0
    looked_at: int = 0
    is_all: bool = True


async def forecast(services: Services, guild_id: GuildId, plan_id: PlanId | None = None) -> Forecast:
    """Count over the members of a server, or over those with a grant on one plan."""
    found = Forecast()
    async for keys in _pages(services, guild_id, plan_id):
        if found.looked_at >= MOST_LOOKED_AT:
            return replace(found, is_all=False)
        async with services.store.read() as tx:
            for key in keys:
                found = await _counted(services, tx, found, key)
    return found


async def _pages(services: Services, guild_id: GuildId, plan_id: PlanId | None) -> AsyncIterator[Sequence[MemberKey]]:
    if plan_id is not None:
        async for users in crowd_walk.pages(services, lambda tx, after: tx.crowds.linked(plan_id, after)):
            for start in range(0, len(users), PAGE):
                yield [MemberKey(guild_id, user) for user in users[start : start + PAGE]]
        return
    after: UserId | None = UserId(0)
    while after is not None:
        async with services.store.read() as tx:
            keys = await tx.members.keys_of_guild(guild_id, after, PAGE)
        if keys:
            yield keys
        after = keys[-1].user_id if len(keys) == PAGE else None


async def _counted(services: Services, tx: Transaction, so_far: Forecast, key: MemberKey) -> Forecast:
    facts, row, now = await tx.members.facts(key), await tx.members.get(key), services.clock.now()
    # Whoever was never looked at is taken for somebody inside: that is what they paid for.
    seen = Seen(roles=frozenset() if row is None else row.observed)
    observed = None if row is not None and not row.is_present else seen
    steps = diff(decide(facts, now=now), observed, facts.holdings, Limits(), now=now)
    return replace(
        so_far,
        adds=so_far.adds + sum(isinstance(step, Add) for step in steps),
        removals=so_far.removals + sum(isinstance(step, Remove) for step in steps),
        kicks=so_far.kicks + sum(isinstance(step, Kick) for step in steps),
        looked_at=so_far.looked_at + 1,
    )
