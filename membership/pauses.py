"""Stop all role changes in a server, and go on again. While it is paused reconcile does nothing: jobs wait."""

from __future__ import annotations

from dataclasses import dataclass, replace

from membership import binding, notices
from membership.actors import Actor
from membership.errors import UserError
from membership.forecast import Forecast, forecast
from membership.ledgers import Transaction
from membership.model import GuildId, Lane
from membership.records import Guild
from membership.services import Services

LONGEST_REASON = 200
PROBLEM = "pause"
"""Names the pause of a server, so that going on closes its post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A paused server, and what would happen on going on."""

    guild: Guild
    forecast: Forecast


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
        guild = await _of(tx, actor.guild_id)
    if guild.paused_at is None:
        raise UserError("Role changes are not paused.")
    return Waiting(guild=guild, forecast=await forecast(services, actor.guild_id))


async def _of(tx: Transaction, guild_id: GuildId) -> Guild:
    guild = await tx.guilds.get(guild_id)
    if guild is None or not guild.is_active:
        raise UserError("Doorlist is not set up in this server yet.")
    return guild
