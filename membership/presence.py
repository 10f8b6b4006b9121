"""What happens in Discord by itself: joins, leaves, outages, changed roles. Each only marks members (law 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from membership import alerts, binding, notices
from membership.alerts import Alert, Trouble
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import GrantState, GuildId, Lane, ManualChange, MemberKey, RoleId, UserId
from membership.records import AuditEntry
from membership.services import Services

WAITING_PER_CHANGE = 1000
DAY = timedelta(days=1)
RECENT = 50
BY_HAND = "role.manual_change"

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


@dataclass(frozen=True, slots=True, kw_only=True)
class HandChange:
    """Roles that somebody gave a member or took, as the server's own audit log names it by `entry_id`."""

    by: UserId
    given: tuple[RoleId, ...]
    taken: tuple[RoleId, ...]
    entry_id: str


async def roles_changed_by_hand(services: Services, key: MemberKey, change: HandChange) -> None:
    """Look at a member whose roles somebody changed, and tell staff who it was where the roles are sold.

    Told once for an entry, however often Discord sends it; a server that accepts such changes only writes it down.
    """
    now = services.clock.now()
    async with services.store.write() as tx:
        sold = {role for plan in await tx.plans.all(key.guild_id) for role in plan.all_roles}
        events = (BY_HAND,)
        told = await tx.audit.recent(RECENT, guild_id=key.guild_id, user_id=key.user_id, events=events, since=now - DAY)
        if not any((entry.detail or {}).get("entry_id") == change.entry_id for _, _, entry in told):
            for roles, is_removal in ((change.given, False), (change.taken, True)):
                hand = _Hand(change=change, roles=sorted(sold & set(roles)), is_removal=is_removal)
                await _tell_of_hand(tx, key, hand, now)
    await member_came_or_went(services, key)


async def guild_appeared(services: Services, guild_id: GuildId, name: str) -> None:
    """Take note of a guild that is there (again): sweep it and look at everybody who waits for it."""
    async with services.store.write() as tx:
        await tx.guilds.ensure(guild_id, name)
        await binding.mark_sweep(tx, guild_id, services.clock.now())
    await roles_changed(services, guild_id)


async def guild_left(services: Services, guild_id: GuildId) -> None:
    """Take note that the bot was removed from a guild. Nothing is deleted: it may have been a mistake or an outage."""
    async with services.store.write() as tx:
        now, entry = services.clock.now(), AuditEntry(event="bot.removed", actor="discord", guild_id=guild_id)
        number = await tx.audit.add(entry, now)
        guild = await tx.guilds.get(guild_id)
        if guild is not None and guild.is_active:
            await alerts.put(tx, Alert(trouble=Trouble.BOT_REMOVED, key=str(number), guild_id=guild_id), now)
    services.wake()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hand:
    change: HandChange
    roles: Sequence[RoleId]
    is_removal: bool


async def _tell_of_hand(tx: Transaction, key: MemberKey, hand: _Hand, now: datetime) -> None:
    if not hand.roles:
        return
    facts = {
        "role_ids": [str(role) for role in hand.roles],
        "is_removal": hand.is_removal,
        "entry_id": hand.change.entry_id,
    }
    guild, actor = await tx.guilds.get(key.guild_id), f"staff:{hand.change.by}"
    if guild is not None and guild.manual_change is ManualChange.ACCEPT:
        entry = AuditEntry(event=BY_HAND, actor=actor, guild_id=key.guild_id, user_id=key.user_id, detail=facts)
        await tx.audit.add(entry, now)
    else:
        await notices.tell(tx, BY_HAND, key.guild_id, facts, now, actor=actor, user_id=key.user_id)
