"""A person's word on removals that the brake holds: release exactly the set they saw, or keep everybody's access."""

from __future__ import annotations

from membership import binding
from membership.model import BatchId, Lane
from membership.records import AuditEntry, Batch
from membership.services import Services


async def release(services: Services, batch_id: BatchId, set_hash: str, actor: str) -> Batch:
    """Let the held removals go on. Raises UserError when the set changed since it was shown (law 6)."""
    return await _decide(services, batch_id, set_hash, actor, "released")


async def discard(services: Services, batch_id: BatchId, set_hash: str, actor: str) -> Batch:
    """Keep the access of everybody in the set: their roles are theirs from now on. Raises UserError as `release`."""
    return await _decide(services, batch_id, set_hash, actor, "discarded")


async def _decide(services: Services, batch_id: BatchId, set_hash: str, actor: str, verdict: str) -> Batch:
    now = services.clock.now()
    async with services.store.write() as tx:
        batch = await tx.removals.decide(batch_id, set_hash, verdict, actor, now)
        keys = sorted({removal.key for removal in batch.removals})
        await binding.mark(tx, keys, Lane.PLAN, now)
        detail = {"batch_id": int(batch_id), "set_hash": set_hash, "removals": len(batch.removals)}
        await tx.audit.add(
            AuditEntry(event=f"brake.{verdict}", actor=actor, guild_id=batch.guild_id, detail=detail), now
        )
    services.wake()
    return batch
