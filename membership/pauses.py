"""Stop all role changes in a server, and go on again. While it is paused reconcile does nothing: jobs wait."""

from __future__ import annotations

from dataclasses import dataclass, replace

from membership import binding, notices
from membership.actors import Actor
from membership.diff import Add, Kick, Limits, Remove, diff
from membership.entitlements import decide
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import GuildId, Lane, MemberKey, Seen, UserId
from membership.records import Guild
from membership.services import Services

PAGE = 25
MOST_LOOKED_AT = 1000
LONGEST_REASON = 200
PROBLEM = "pause"
"""Names the pause of a server, so that going on closes its post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What would happen on going on, counted over the members who were looked at: not all of a large server."""

    guild: Guild
    adds: int = 0
    removals: int = 0
    kicks: int = 0
    looked_at: int = 0
    is_all: bool = True


async def pause(services: Services, actor: Actor, reason: str) -> Guild:
    """Stop all role changes in the actor's server. Raises UserError when they are stopped."""
    now = services.clock.now()
    async with services.store.write() as tx:
        guild = await _of(tx, actor.guild_id)
        if guild.paused_at is not None:
            raise UserError("Role changes are paused already. /doorlist resume starts them again.")
        paused = replace(guild, paused_at=now, paused_by=str(actor), pause_reason=reason.strip()[:LONGEST_REASON])
        await tx.guilds.replace(paused)
        facts = {"detail": paused.pause_reason}
        await notices.tell(tx, "pause.on", guild.id, facts, now, actor=str(actor), problem=PROBLEM)
    return paused


async def resume(services: Services, actor: Actor) -> Guild:
    """Start role changes again and look at everybody who waits. Raises UserError when nothing is paused."""
    now = services.clock.now()
    async with services.store.write() as tx:
        guild = await _of(tx, actor.guild_id)
        if guild.paused_at is None:
            raise UserError("Role changes are not paused.")
        going = replace(guild, paused_at=None, paused_by="", pause_reason="")
        await tx.guilds.replace(going)
        await notices.tell(tx, "pause.off", guild.id, {}, now, actor=str(actor), problem=PROBLEM)
        await tx.jobs.hasten(str(actor.guild_id))
        await binding.mark_sweep(tx, actor.guild_id, now)
    # Also what needs no job to be known: an end by our own clock, a role that somebody took.
    await binding.mark_everybody(services, actor.guild_id, Lane.BULK)
    return going


async def waiting(services: Services, actor: Actor) -> Waiting:
    """Count what waits in the actor's paused server, as it is stored: nobody is asked. Raises UserError."""
    async with services.store.read() as tx:
        found = Waiting(guild=await _of(tx, actor.guild_id))
    if found.guild.paused_at is None:
        raise UserError("Role changes are not paused.")
    after = UserId(0)
    while found.looked_at < MOST_LOOKED_AT:
        async with services.store.read() as tx:
            keys = await tx.members.keys_of_guild(actor.guild_id, after, PAGE)
            for key in keys:
                found = await _counted(services, tx, found, key)
        if len(keys) < PAGE:
            return found
        after = keys[-1].user_id
    return replace(found, is_all=False)


async def _counted(services: Services, tx: Transaction, so_far: Waiting, key: MemberKey) -> Waiting:
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


async def _of(tx: Transaction, guild_id: GuildId) -> Guild:
    guild = await tx.guilds.get(guild_id)
    if guild is None or not guild.is_active:
        raise UserError("Doorlist is not set up in this server yet.")
    return guild
