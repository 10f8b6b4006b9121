"""A person's word on removals that the brake holds: release exactly the set they saw, or keep everybody's access."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from membership import binding, notices
from membership.entitlements import Access, Outcome, decide
from membership.errors import Reason, UserError
from membership.ledgers import Removals
from membership.model import BatchId, GuildId, Lane
from membership.records import Batch, HeldRemoval
from membership.services import Services

MOST_EXPLAINED = 100


async def release(services: Services, batch_id: BatchId, set_hash: str, actor: str) -> Batch:
    """Let the held removals go on. Raises UserError when the set changed since it was shown (law 6)."""
    return await _decide(
        services, "brake.released", actor, lambda found, now: found.decide(batch_id, set_hash, "released", actor, now)
    )


async def release_one(services: Services, batch_id: BatchId, set_hash: str, actor: str) -> Batch:
    """Let the first of the held removals go on, to see what it does; the others stay held. Raises as `release`."""
    return await _decide(
        services, "brake.released", actor, lambda found, now: found.release_one(batch_id, set_hash, actor, now)
    )


async def discard(services: Services, batch_id: BatchId, set_hash: str, actor: str) -> Batch:
    """Keep the access of everybody in the set: their roles are theirs from now on. Raises UserError as `release`."""
    return await _decide(
        services, "brake.discarded", actor, lambda found, now: found.decide(batch_id, set_hash, "discarded", actor, now)
    )


async def held_in(services: Services, guild_id: GuildId) -> Sequence[Batch]:
    """Return what is held in one server."""
    async with services.store.read() as tx:
        return await tx.removals.open_batches(guild_id)


async def held(services: Services, guild_id: GuildId, batch_id: BatchId) -> Batch:
    """Return one held batch of a server. Raises UserError when there is none: decided, dissolved, or elsewhere."""
    for batch in await held_in(services, guild_id):
        if batch.id == batch_id:
            return batch
    raise UserError("There is no such held batch in this server: it was decided, or is no longer needed.")


async def _decide(
    services: Services, event: str, actor: str, decide: Callable[[Removals, datetime], Awaitable[Batch]]
) -> Batch:
    now = services.clock.now()
    async with services.store.write() as tx:
        batch = await decide(tx.removals, now)
        keys = sorted({removal.key for removal in batch.removals})
        await binding.mark(tx, keys, Lane.PLAN, now)
        detail = {"set_hash": batch.set_hash, "removals": len(batch.removals), "count": len(batch.removals)}
        await notices.tell(tx, event, batch.guild_id, detail, now, actor=actor, problem=notices.brake_problem(batch.id))
    services.wake()
    return batch


async def reasons(services: Services, batch: Batch) -> Mapping[Reason, int]:
    """Count why the first hundred held removals are wanted, by what is stored of each member now."""
    now = services.clock.now()
    explained = batch.removals[:MOST_EXPLAINED]
    async with services.store.read() as tx:
        standings = await tx.crowds.standings(batch.guild_id, [removal.key.user_id for removal in explained], now)
    outcomes = {standing.facts.key: decide(standing.facts, now=now).outcomes for standing in standings}
    found: Counter[Reason] = Counter()
    for removal in explained:
        ends = [
            outcome
            for outcome in outcomes.get(removal.key, ())
            if outcome.access is Access.ENDED and _bears_on(outcome, removal)
        ]
        found[ends[-1].reason if ends else Reason.PLAN_UNMAPPED] += 1
    return found


def _bears_on(outcome: Outcome, removal: HeldRemoval) -> bool:
    return removal.role_id is None or removal.role_id in outcome.claim.plan.all_roles
