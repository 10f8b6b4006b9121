"""Settings of the servers, the seller accounts they may use, and which claim messages were answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime

from sqlalchemy import delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership import records
from membership.model import AccountId, GuildId, MessageId
from storage.accounts import ACCOUNT
from storage.schema import accounts, guild_accounts, guilds, handled_messages
from storage.statements import insert_into

_GUILD = tuple(guilds.c[field.name] for field in fields(records.Guild))


class Guilds:
    """Server settings. One transaction reads a server's once, however often it tells it something."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._known: dict[GuildId, records.Guild | None] = {}

    async def ensure(self, guild_id: GuildId, name: str) -> records.Guild:
        """Return a guild, making it (inactive) at first sight; keeps the name up to date."""
        self._known.clear()
        new = records.Guild(id=guild_id, name=name)
        found = await self._connection.execute(
            insert_into(self._connection, guilds)
            .values(asdict(new))
            .on_conflict_do_update(index_elements=[guilds.c.id], set_={"name": name} if name else {"id": guild_id})
            .returning(*_GUILD)
        )
        return records.Guild(**found.mappings().one())

    async def get(self, guild_id: GuildId) -> records.Guild | None:
        """Return one guild."""
        if guild_id not in self._known:
            found = await self._connection.execute(select(*_GUILD).where(guilds.c.id == guild_id))
            row = found.mappings().one_or_none()
            self._known[guild_id] = None if row is None else records.Guild(**row)
        return self._known[guild_id]

    async def all(self) -> Sequence[records.Guild]:
        """Return every guild."""
        found = await self._connection.execute(select(*_GUILD).order_by(guilds.c.id))
        return [records.Guild(**row) for row in found.mappings()]

    async def replace(self, guild: records.Guild) -> None:
        """Store a guild's settings (not its claim cursor)."""
        self._known.clear()
        settings = asdict(guild)
        del settings["id"], settings["claim_cursor"]
        await self._connection.execute(update(guilds).where(guilds.c.id == guild.id).values(settings))

    async def accounts_of(self, guild_id: GuildId) -> Sequence[records.Account]:
        """Return the seller accounts whose products a guild may use. Ours for comps is never among them."""
        allowed = select(guild_accounts.c.account_id).where(guild_accounts.c.guild_id == guild_id)
        found = await self._connection.execute(
            select(*ACCOUNT).where(accounts.c.id.in_(allowed)).order_by(accounts.c.id)
        )
        return [records.Account(**row) for row in found.mappings()]

    async def allow_account(self, guild_id: GuildId, account_id: AccountId) -> None:
        """Let a guild use the products of an account."""
        await self._connection.execute(
            insert_into(self._connection, guild_accounts)
            .values(guild_id=guild_id, account_id=account_id)
            .on_conflict_do_nothing()
        )

    async def forbid_account(self, guild_id: GuildId, account_id: AccountId) -> None:
        """Take that back."""
        is_same = (guild_accounts.c.guild_id == guild_id) & (guild_accounts.c.account_id == account_id)
        await self._connection.execute(delete(guild_accounts).where(is_same))

    async def set_claim_cursor(self, guild_id: GuildId, message_id: MessageId) -> None:
        """Move the claim cursor forward, never back."""
        self._known.clear()
        is_forward = or_(guilds.c.claim_cursor.is_(None), guilds.c.claim_cursor < message_id)
        await self._connection.execute(
            update(guilds).where(guilds.c.id == guild_id, is_forward).values(claim_cursor=message_id)
        )

    async def is_message_handled(self, message_id: MessageId) -> bool:
        """Say whether a claim message was answered before."""
        found = await self._connection.execute(
            select(handled_messages.c.message_id).where(handled_messages.c.message_id == message_id)
        )
        return found.first() is not None

    async def mark_message_handled(self, message_id: MessageId, now: datetime) -> None:
        """Remember an answered claim message."""
        await self._connection.execute(
            insert_into(self._connection, handled_messages)
            .values(message_id=message_id, handled_at=now)
            .on_conflict_do_nothing()
        )
