"""Pages of the long lists: provider events, the record, what staff changed. By number, bounded in what is read."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, RowMapping, and_, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.desk import Change
from membership.listing_ledgers import WALK, Entry, EntryFilter, EventFilter, EventLine, Page, SentMail
from membership.model import CustomerId, GrantId, GuildId, PurchaseId
from membership.ports import IncomingEvent
from membership.records import Account, AuditEntry, StoredCode, StoredEvent
from storage.desk_tables import changes
from storage.ledgers import audit_entries, deliveries, inbox_events, outbox_messages
from storage.schema import claim_codes
from storage.statements import unindexed

_LARGEST = 2**62
_LINE = tuple(inbox_events.c[field.name] for field in fields(EventLine))
_ENTRY = tuple(audit_entries.c[field.name] for field in fields(AuditEntry))
T = TypeVar("T")


class Listings:
    """Pages, newest first."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def events(
        self, accounts: Sequence[Account], wanted: EventFilter, *, before: int = 0, limit: int
    ) -> Page[EventLine]:
        """Return events of these accounts, newest first, numbers below `before` (0: from the newest)."""
        event = inbox_events.c
        top = before or await self._newest_event() + 1
        # Numbers are as good as dense, and counting rows would read their bodies.
        floor = 0 if wanted.search else max(0, top - WALK)
        conditions = [event.id < top, event.id >= floor, _is_theirs(accounts), *_event_conditions(wanted, accounts)]
        found = await self._connection.execute(
            select(*_LINE).where(*conditions).order_by(event.id.desc()).limit(limit + 1)
        )
        lines = [EventLine(**row) for row in found.mappings()]
        return _page(lines, [line.id for line in lines], limit, floor=floor)

    async def event(self, event_id: int, accounts: Sequence[Account]) -> tuple[EventLine, StoredEvent] | None:
        """Return one event of these accounts, None when it is another's."""
        found = await self._connection.execute(
            select(inbox_events).where(inbox_events.c.id == event_id, _is_theirs(accounts))
        )
        row = found.mappings().one_or_none()
        if row is None:
            return None
        line = EventLine(**{field.name: row[field.name] for field in fields(EventLine)})
        event = IncomingEvent(**{field.name: row[field.name] for field in fields(IncomingEvent)})
        return line, StoredEvent(
            id=line.id, provider=line.provider, event=event, received_at=line.received_at, state=line.state
        )

    async def entries(self, guild_id: GuildId, wanted: EntryFilter, *, before: int = 0, limit: int) -> Page[Entry]:
        """Return a guild's audit entries, newest first, numbers below `before` (0: from the newest)."""
        entry = audit_entries.c
        is_here = entry.guild_id == guild_id if wanted.user_id is None else _is_about(guild_id, wanted.user_id)
        top = min(before or _LARGEST, await self._end(guild_id, wanted.until))
        floor = await self._floor(is_here, top)
        lowest = max(floor, await self._beginning(guild_id, wanted.since))
        found = await self._connection.execute(
            select(entry.id, entry.at, *_ENTRY)
            .where(is_here, entry.id < top, entry.id >= lowest, *_entry_conditions(wanted))
            .order_by(entry.id.desc())
            .limit(limit + 1)
        )
        entries = [_entry(row) for row in found.mappings()]
        # Below the moment that was asked for is nothing more to look at.
        return _page(entries, [each.number for each in entries], limit, floor=floor if floor == lowest else 0)

    async def entry(self, number: int, guild_id: GuildId) -> Entry | None:
        """Return one audit entry of a guild."""
        entry = audit_entries.c
        found = await self._connection.execute(
            select(entry.id, entry.at, *_ENTRY).where(entry.id == number, entry.guild_id == guild_id)
        )
        row = found.mappings().one_or_none()
        return None if row is None else _entry(row)

    async def changes(self, guild_id: GuildId, *, actor: str = "", before: int = 0, limit: int) -> Page[Change]:
        """Return what staff changed in a guild (one of them alone), newest first, those taken back too."""
        conditions = [changes.c.guild_id == guild_id, changes.c.id < (before or _LARGEST)]
        if actor:
            conditions.append(changes.c.actor == actor)
        found = await self._connection.execute(
            select(changes).where(*conditions).order_by(changes.c.id.desc()).limit(limit + 1)
        )
        rows = [Change(**row) for row in found.mappings()]
        return _page(rows, [int(row.id) for row in rows], limit, floor=0)

    async def mails(self, customer_id: CustomerId, purchase_id: PurchaseId, limit: int) -> Sequence[SentMail]:
        """Return the mails to a payer that are about one purchase, newest first, of the last `limit` to them."""
        mail = outbox_messages.c
        last = (
            select(deliveries.c.detail)
            .where(deliveries.c.message_id == mail.id)
            .order_by(deliveries.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )
        found = await self._connection.execute(
            select(mail.template, mail.created_at, mail.state, mail.settled_at, mail.facts, last.label("detail"))
            .where(mail.kind == "mail", mail.target == str(customer_id))
            .order_by(mail.id.desc())
            .limit(limit)
        )
        return [
            SentMail(
                template=row.template,
                created_at=row.created_at,
                state=row.state,
                settled_at=row.settled_at,
                detail=row.detail or "",
            )
            for row in found
            if row.facts.get("purchase_id") == int(purchase_id)
        ]

    async def codes(self, purchase_id: PurchaseId, limit: int) -> Sequence[StoredCode]:
        """Return a purchase's claim codes, the one that lasts longest first."""
        columns = [claim_codes.c[field.name] for field in fields(StoredCode)]
        found = await self._connection.execute(
            select(*columns)
            .where(claim_codes.c.purchase_id == purchase_id)
            .order_by(claim_codes.c.expires_at.desc())
            .limit(limit)
        )
        return [StoredCode(**row) for row in found.mappings()]

    async def about(
        self, guild_id: GuildId, customer_id: CustomerId, grant_ids: Collection[GrantId], limit: int
    ) -> Sequence[Entry]:
        """Return the newest entries about grants, and about a payer in this guild or in none, newest first."""
        entry = audit_entries.c
        is_here = or_(entry.guild_id.is_(None), unindexed(entry.guild_id) == guild_id)
        of_payer = (entry.customer_id == customer_id) & is_here
        of_grants = entry.grant_id.in_(sorted(grant_ids)) & (unindexed(entry.guild_id) == guild_id)
        found: dict[int, Entry] = {}
        # One query for each: both have their index.
        for condition in (of_payer, of_grants):
            rows = await self._connection.execute(
                select(entry.id, entry.at, *_ENTRY).where(condition).order_by(entry.id.desc()).limit(limit)
            )
            found |= {row["id"]: _entry(row) for row in rows.mappings()}
        return [found[number] for number in sorted(found, reverse=True)][:limit]

    async def _newest_event(self) -> int:
        return int((await self._connection.execute(select(func.max(inbox_events.c.id)))).scalar_one() or 0)

    async def _floor(self, is_meant: ColumnElement[bool], top: int) -> int:
        """Return the number of the last row that a page may look at, 0 when that is all of them."""
        entry = audit_entries.c
        walked = select(entry.id).where(is_meant, entry.id < top).order_by(entry.id.desc()).offset(WALK).limit(1)
        return int((await self._connection.execute(walked)).scalar_one_or_none() or 0)

    async def _end(self, guild_id: GuildId, until: datetime | None) -> int:
        """Return the number after the last entry before a moment: numbers rise with time."""
        if until is None:
            return _LARGEST
        entry = audit_entries.c
        last = select(entry.id).where(entry.guild_id == guild_id, entry.at < until)
        found = await self._connection.execute(last.order_by(entry.at.desc(), entry.id.desc()).limit(1))
        return int(found.scalar_one_or_none() or 0) + 1

    async def _beginning(self, guild_id: GuildId, since: datetime | None) -> int:
        """Return the number of the first entry at or after a moment."""
        if since is None:
            return 0
        entry = audit_entries.c
        first = select(entry.id).where(entry.guild_id == guild_id, entry.at >= since)
        found = await self._connection.execute(first.order_by(entry.at, entry.id).limit(1))
        return int(found.scalar_one_or_none() or _LARGEST)


def _is_theirs(accounts: Collection[Account]) -> ColumnElement[bool]:
    """Say that an event came for one of these accounts; one that names another belongs to that."""
    event = inbox_events.c
    return or_(
        false(),
        *(
            and_(event.provider == account.provider, event.account.in_(("", account.external_id)))
            for account in accounts
        ),
    )


def _event_conditions(wanted: EventFilter, accounts: Sequence[Account]) -> list[ColumnElement[bool]]:
    event = inbox_events.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.state:
        conditions.append(event.state == wanted.state)
    if wanted.type:
        conditions.append(event.type == wanted.type)
    if wanted.search.isdecimal():
        conditions.append(event.id == min(int(wanted.search), _LARGEST))
    elif wanted.search:
        # Ids are unique for a provider: naming the providers lets the index serve.
        providers = sorted({account.provider for account in accounts})
        conditions.append(event.provider.in_(providers) & (event.external_id == wanted.search))
    return conditions


def _entry_conditions(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    entry = audit_entries.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.events:
        conditions.append(entry.event.in_(sorted(wanted.events)))
    if wanted.actor:
        conditions.append(or_(entry.actor == wanted.actor, entry.actor.startswith(f"{wanted.actor}:", autoescape=True)))
    return conditions


def _is_about(guild_id: GuildId, user_id: int) -> ColumnElement[bool]:
    return and_(audit_entries.c.user_id == user_id, audit_entries.c.guild_id == guild_id)


def _entry(row: RowMapping) -> Entry:
    return Entry(
        number=row["id"], at=row["at"], what=AuditEntry(**{field.name: row[field.name] for field in fields(AuditEntry)})
    )


def _page(rows: Sequence[T], numbers: Sequence[int], limit: int, *, floor: int) -> Page[T]:
    """Cut the row that only tells that there is more; `floor` is the last number that was looked at."""
    if len(rows) > limit:
        return Page(rows=tuple(rows[:limit]), next_before=numbers[limit - 1])
    return Page(rows=tuple(rows), next_before=floor or None, is_cut=floor > 0)
