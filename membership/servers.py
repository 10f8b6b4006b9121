"""Which servers Doorlist works for: a server is asked for by its managers and let in by an operator.

Until then nothing of anybody's customers can be seen there. What is set in a server: server_settings.py.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from membership import binding
from membership.actors import Actor
from membership.errors import Blocked, Retry, UserError
from membership.ledgers import Transaction
from membership.model import AccountId, ChannelId, GuildId, Lane, MessageId, UserId
from membership.records import AuditEntry, Draft, Guild
from membership.services import Services

ASKED, APPROVED, REFUSED, REMOVED = "server.requested", "server.approved", "server.refused", "server.removed"
ASKED_AGAIN_AFTER = timedelta(days=7)
CONNECTED = "server.connected"
"""Somebody added the bot to a server through Discord, and said so to us with Discord's proof of it."""


class Standing(StrEnum):
    """How far a server has come."""

    ACTIVE = "active"
    ASKED = "asked"
    """The operators know that somebody wants it let in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """What came of wanting a server in. `unknown_accounts` could not be asked: their products are not for sale yet."""

    standing: Standing
    unknown_accounts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A server that was let in. `is_new` False: it was in already. `unknown_accounts`: could not be asked, so that
    their products are not for sale here yet.
    """

    guild: Guild
    is_new: bool
    unknown_accounts: tuple[str, ...] = ()


async def approve(services: Services, guild_id: GuildId, actor: str) -> Approval:
    """Let a server in and let it sell what the configured accounts sell; tell whoever asked. Again is no harm.

    `actor` is an operator, as the audit names them. Raises UserError for a server that the bot was never in.
    """
    known, unknown = await _accounts(services)
    now = services.clock.now()
    async with services.store.write() as tx:
        guild = await _known(tx, guild_id)
        for account_id in known:
            await tx.guilds.allow_account(guild_id, account_id)
        if guild.is_active:
            return Approval(guild=guild, is_new=False, unknown_accounts=unknown)
        active = replace(guild, is_active=True, approved_by=actor)
        await tx.guilds.replace(active)
        await binding.mark_sweep(tx, guild_id, now)
        number = await tx.audit.add(AuditEntry(event=APPROVED, actor=actor, guild_id=guild_id), now)
        await _tell_asker(services, tx, guild_id, f"{APPROVED}:{number}")
    await binding.mark_everybody(services, guild_id, Lane.PLAN)
    return Approval(guild=active, is_new=True, unknown_accounts=unknown)


async def ask(services: Services, actor: Actor, operators: Collection[int]) -> bool:
    """Ask the operators to let the actor's server in, by one direct message each; at most once in seven days.

    Return whether they were asked now. Raises UserError for a server that is in.
    """
    now = services.clock.now()
    async with services.store.write() as tx:
        guild = await _known(tx, actor.guild_id)
        if guild.is_active:
            raise UserError("This server is set up already.")
        if await tx.audit.recent(1, guild_id=guild.id, events=(ASKED,), since=now - ASKED_AGAIN_AFTER):
            return False
        entry = AuditEntry(
            event=ASKED, actor=str(actor), guild_id=guild.id, user_id=actor.user_id, detail={"name": actor.name}
        )
        number = await tx.audit.add(entry, now)
        facts = {"guild_id": str(guild.id), "person": actor.name, "person_id": str(actor.user_id)}
        for operator in sorted(operators):
            await _direct(tx, services, f"{ASKED}:{number}:{operator}", (UserId(operator), ASKED, facts))
    services.wake()
    return True


async def connected(services: Services, guild_id: GuildId, name: str, user_id: UserId) -> Guild:
    """Take note of a server that somebody added the bot to; `guild_id` comes proven from Discord.

    Nothing is done there before it is let in.
    """
    now = services.clock.now()
    async with services.store.write() as tx:
        guild = await tx.guilds.ensure(guild_id, name)
        entry = AuditEntry(event=CONNECTED, actor=f"staff:{user_id}", guild_id=guild_id, user_id=user_id)
        await tx.audit.add(entry, now)
    return guild


async def enter(services: Services, actor: Actor) -> Entrance:
    """Let the actor's server in where they are an operator, else ask the operators. Raises UserError.

    A server that was let in before stays so.
    """
    if not actor.can_manage:
        raise UserError("Somebody with Manage Server has to connect this server.")
    async with services.store.read() as tx:
        guild = await _known(tx, actor.guild_id)
    if guild.is_active and not actor.is_operator:
        return Entrance(standing=Standing.ACTIVE)
    if actor.is_operator:
        approval = await approve(services, actor.guild_id, str(actor))
        return Entrance(standing=Standing.ACTIVE, unknown_accounts=approval.unknown_accounts)
    await ask(services, actor, services.operators.ids)
    return Entrance(standing=Standing.ASKED)


async def refuse(services: Services, guild_id: GuildId, actor: str) -> Guild:
    """Say no to a server that asked, and tell whoever asked. Raises UserError for one that is in or unknown."""
    now = services.clock.now()
    async with services.store.write() as tx:
        guild = await _known(tx, guild_id)
        if guild.is_active:
            raise UserError(f"“{guild.name}” was let in already. To end it: python3 bot.py server remove {guild_id}")
        number = await tx.audit.add(AuditEntry(event=REFUSED, actor=actor, guild_id=guild_id), now)
        await _tell_asker(services, tx, guild_id, f"{REFUSED}:{number}")
    services.wake()
    return guild


async def remove(services: Services, guild_id: GuildId, actor: str) -> Guild:
    """Stop working for a server: nothing is taken from anybody, and nothing more is done or shown there."""
    now = services.clock.now()
    async with services.store.write() as tx:
        guild = await _known(tx, guild_id)
        await tx.guilds.replace(replace(guild, is_active=False, approved_by=""))
        for account in await tx.guilds.accounts_of(guild_id):
            await tx.guilds.forbid_account(guild_id, account.id)
        await tx.audit.add(AuditEntry(event=REMOVED, actor=actor, guild_id=guild_id), now)
    return guild


async def welcomed(services: Services, guild_id: GuildId, name: str, message: tuple[ChannelId, MessageId]) -> None:
    """Remember where the message stands that the bot posted when it joined."""
    channel_id, message_id = message
    async with services.store.write() as tx:
        guild = await tx.guilds.ensure(guild_id, name)
        await tx.guilds.replace(replace(guild, welcome_channel_id=channel_id, welcome_message_id=message_id))


async def forget_welcome(services: Services, guild_id: GuildId) -> None:
    """Take note that the message of the joining is gone."""
    async with services.store.write() as tx:
        guild = await _known(tx, guild_id)
        await tx.guilds.replace(replace(guild, welcome_channel_id=None, welcome_message_id=None))


async def _accounts(services: Services) -> tuple[list[AccountId], tuple[str, ...]]:
    """Ask every configured provider for its account; return those that answered, and the names of the others."""
    known, unknown = [], []
    for name in services.sellers.by_name:
        try:
            known.append((await services.sellers.account(name)).id)
        except (Retry, Blocked):
            unknown.append(name)
    return known, tuple(unknown)


async def _known(tx: Transaction, guild_id: GuildId) -> Guild:
    guild = await tx.guilds.get(guild_id)
    if guild is None:
        raise UserError(
            f"There is no server {guild_id}: the bot was never in it. List them: python3 bot.py server list"
        )
    return guild


async def _tell_asker(services: Services, tx: Transaction, guild_id: GuildId, dedupe_key: str) -> None:
    asked = await tx.audit.recent(1, guild_id=guild_id, events=(ASKED,))
    for _, _, entry in asked:
        if entry.user_id is not None:
            template = dedupe_key.partition(":")[0]
            await _direct(tx, services, dedupe_key, (entry.user_id, template, {"guild_id": str(guild_id)}))


async def _direct(
    tx: Transaction, services: Services, dedupe_key: str, message: tuple[UserId, str, dict[str, str]]
) -> None:
    user_id, template, facts = message
    draft = Draft(dedupe_key=dedupe_key, kind="dm", target=str(user_id), template=template, facts=facts)
    await tx.outbox.put(draft, services.clock.now())
