"""What happens in Discord by itself: joins, leaves, outages, changed roles. Each only marks members (law 1)."""

from __future__ import annotations

from membership import binding
from membership.errors import Reason
from membership.model import GrantState, GuildId, Lane, MemberKey
from membership.records import AuditEntry
from membership.services import Services

WAITING_PER_CHANGE = 1000

_WAITING = (
    (GrantState.FAILED, None),
    (GrantState.HELD, Reason.HAND_REMOVED),
    (GrantState.PENDING, Reason.NOT_IN_SERVER),
)


async def member_came_or_went(services: Services, key: MemberKey) -> None:
    """Look at a member who joined, left or was changed by hand; people we know nothing of cost no Discord call."""
    async with services.store.read() as tx:
        facts = await tx.members.facts(key)
    if not facts.claims and not facts.holdings:
        return
    async with services.store.write() as tx:
        await binding.mark(tx, [key], Lane.EVENT, services.clock.now())
    services.wake()


async def guild_appeared(services: Services, guild_id: GuildId, name: str) -> None:
    """Take note of a guild that is there (again): sweep it and look at everybody who waits for it."""
    async with services.store.write() as tx:
        await tx.guilds.ensure(guild_id, name)
        await binding.mark_sweep(tx, guild_id, services.clock.now())
    await roles_changed(services, guild_id)


async def guild_left(services: Services, guild_id: GuildId) -> None:
    """Take note that the bot was removed from a guild. Nothing is deleted: it may have been a mistake or an outage."""
    async with services.store.write() as tx:
        entry = AuditEntry(event="bot.removed", actor="discord", guild_id=guild_id)
        await tx.audit.add(entry, services.clock.now())


async def roles_changed(services: Services, guild_id: GuildId) -> None:
    """Try again for everybody who waits: roles or permissions changed, perhaps for the better."""
    now = services.clock.now()
    async with services.store.write() as tx:
        keys = set(await tx.members.drifted(guild_id, WAITING_PER_CHANGE))
        for state, reason in _WAITING:
            for grant in await tx.purchases.grants_in_state(guild_id, state, reason, WAITING_PER_CHANGE):
                purchase = await tx.purchases.get(grant.purchase_id)
                link = await tx.links.active(purchase.customer_id)
                if link is not None:
                    keys.add(MemberKey(guild_id, link.user_id))
        await binding.mark(tx, sorted(keys), Lane.EVENT, now)
    services.wake()
