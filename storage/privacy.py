"""One person's own records: everything held about them for a guild's eyes, and forgetting who they are.

Erasing keeps rows and their numbers. The payer's row stays as the mark that keeps a replayed event from bringing the
address back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, Table, Text, delete, func, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.browsing import Person as SignedInAs
from membership.dossier import NOTE
from membership.model import CustomerId, GuildId
from membership.privacy_ledger import Person, Rows
from membership.records import HOUSE, Customer
from storage.columns import Facts
from storage.desk_tables import exemptions, member_settings, payments, plan_code_uses, plan_codes
from storage.inbox import NEW
from storage.ledgers import audit_entries, deliveries, inbox_events, jobs, outbox_messages, sessions
from storage.outbox import JOB_KIND, WAITING
from storage.schema import (
    accounts,
    claim_codes,
    claim_failures,
    customers,
    grants,
    holdings,
    link_tokens,
    links,
    members,
    purchase_items,
    purchases,
)
from storage.sign_ins import mail_digest
from storage.web_tables import complete_metadata, customer_settings, sign_ins

ERASED = "erased"
DROPPED = "dropped"
SHORTEST_NAME = 4
"""A shorter name is looked for as a whole value alone: it is part of too many words."""
_SAFE_INTEGER = 2**53
_SECRETS = {"digest", "email_key", "name_key", "facts", "dedupe_key", "content", "mail_digest"}


class Privacy:
    """What is held about a person."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def held(self, person: Person, limit: int) -> Rows:
        """Return at most `limit` rows of each kind, tables without any left out."""
        found: dict[str, list[dict[str, object]]] = {}
        for table, condition in _held(person, await self._sold_here(person)):
            shown = [column for column in table.c if column.name not in _SECRETS]
            rows = await self._connection.execute(select(*shown).where(condition).limit(limit))
            plain = [{name: _plain(value) for name, value in row.items()} for row in rows.mappings()]
            if plain:
                found[table.name] = plain
        return found

    async def is_elsewhere(self, customer_id: CustomerId, guild_id: GuildId) -> bool:
        """Say whether a payer has a grant in another guild."""
        sold = select(grants.c.id).join(purchases, purchases.c.id == grants.c.purchase_id)
        elsewhere = sold.where(purchases.c.customer_id == customer_id, grants.c.guild_id != guild_id)
        return (await self._connection.execute(elsewhere.limit(1))).first() is not None

    async def is_erased(self, customer_id: CustomerId) -> bool:
        """Say whether a payer was erased."""
        is_this = (customers.c.id == customer_id) & customers.c.erased_at.is_not(None)
        return (await self._connection.execute(select(customers.c.id).where(is_this))).first() is not None

    async def erase(self, person: Person, now: datetime) -> None:
        """Forget name, addresses and secrets of a person for good; drop the mails that wait for them."""
        ids = [customer.id for customer in person.customers]
        bought = select(purchases.c.id).where(purchases.c.customer_id.in_(ids))
        await self._drop_mails(ids, now)
        for table in (claim_codes, link_tokens):
            await self._connection.execute(delete(table).where(table.c.purchase_id.in_(bought)))
        await self._connection.execute(delete(sign_ins).where(_is_signed_in(person)))
        await self._connection.execute(delete(customer_settings).where(customer_settings.c.customer_id.in_(ids)))
        await self._forget_user(person)
        await self._clean_audit(person, bought)
        for customer in person.customers:
            await self._scrub_everywhere(customer)
            await self._forget_customer(customer, now)

    async def clear_bodies(self, person: Person, after: int, limit: int) -> int:
        """Take a person out of the raw events after a number; return the last one looked at, 0 when there was none.

        A settled event needs no body any more; one that is still to be read keeps all but address and name.
        """
        columns = (inbox_events.c.id, inbox_events.c.state, inbox_events.c.body)
        page = select(*columns).where(inbox_events.c.id > after).order_by(inbox_events.c.id).limit(limit)
        rows = (await self._connection.execute(page)).all()
        ids = [customer.external_id.encode() for customer in person.customers]
        words = [(old.encode(), new.encode()) for customer in person.customers for old, new in _words(customer)]
        for event_id, state, body in rows:
            if not any(needle in body for needle in (*ids, *(old for old, _ in words))):
                continue
            left = b""
            if state == NEW:
                left = body
                for old, new in words:
                    left = left.replace(old, new)
            await self._set_body(event_id, left)
        return int(rows[-1].id) if rows else 0

    async def clear_body(self, event_id: int) -> None:
        """Throw the raw body of one settled event away."""
        await self._set_body(event_id, b"")

    async def _set_body(self, event_id: int, body: bytes) -> None:
        await self._connection.execute(update(inbox_events).where(inbox_events.c.id == event_id).values(body=body))

    async def _sold_here(self, person: Person) -> list[int]:
        """Return the purchases of a person with a grant in the guild."""
        ids = [customer.id for customer in person.customers]
        sold = select(purchases.c.id).distinct().join(grants, grants.c.purchase_id == purchases.c.id)
        here = sold.where(purchases.c.customer_id.in_(ids), grants.c.guild_id == person.guild_id)
        return list((await self._connection.execute(here)).scalars())

    async def _drop_mails(self, ids: Sequence[int], now: datetime) -> None:
        is_mail = (outbox_messages.c.kind == "mail") & outbox_messages.c.target.in_([str(each) for each in ids])
        waiting = select(outbox_messages.c.id).where(is_mail, outbox_messages.c.state == WAITING)
        keys = [str(each) for each in (await self._connection.execute(waiting)).scalars()]
        await self._connection.execute(delete(jobs).where(jobs.c.kind == JOB_KIND, jobs.c.key.in_(keys)))
        await self._connection.execute(
            update(outbox_messages)
            .where(is_mail, outbox_messages.c.state == WAITING)
            .values(state=DROPPED, settled_at=now)
        )
        await self._connection.execute(update(outbox_messages).where(is_mail).values(facts={}))

    async def _forget_user(self, person: Person) -> None:
        """Empty what was written about a Discord account, but for what takes its roles away."""
        user_id = person.user_id
        if user_id is None:
            return
        tells_of_them = _text(outbox_messages.c.facts).contains(f'"user_id": "{user_id}"', autoescape=True)
        await self._connection.execute(
            update(outbox_messages).where(tells_of_them, outbox_messages.c.state != WAITING).values(facts={})
        )
        is_here = (exemptions.c.guild_id == person.guild_id) & (exemptions.c.user_id == user_id)
        await self._connection.execute(update(exemptions).where(is_here).values(reason=""))
        await self._connection.execute(update(members).where(members.c.user_id == user_id).values(name="", name_key=""))
        for table in (claim_failures, member_settings):
            await self._connection.execute(delete(table).where(table.c.user_id == user_id))

    async def _clean_audit(self, person: Person, bought: Select[Any]) -> None:
        """Keep what happened, without who it was: notes go, and names in what is told."""
        theirs: list[ColumnElement[bool]] = [
            audit_entries.c.customer_id.in_([customer.id for customer in person.customers]),
            audit_entries.c.grant_id.in_(select(grants.c.id).where(grants.c.purchase_id.in_(bought))),
        ]
        if person.user_id is not None:
            theirs.append(audit_entries.c.user_id == person.user_id)
        is_theirs = or_(*theirs)
        await self._connection.execute(
            update(audit_entries).where(is_theirs, audit_entries.c.event == NOTE).values(detail={"text": ERASED})
        )
        for customer in person.customers:
            for words in _words(customer):
                await self._replace(audit_entries, audit_entries.c.detail, words, is_theirs)
            for name in _spellings(customer.name):
                # What still waits to be posted about them: whole values only, others may have such a name.
                quoted = (f'"{name}"', f'"{ERASED}"')
                await self._replace(outbox_messages, outbox_messages.c.facts, quoted)

    async def _scrub_everywhere(self, customer: Customer) -> None:
        """Replace an address in every text there is; other payers keep theirs, also when it is the same."""
        for mail in _spellings(customer.email):
            for table, column in _texts():
                await self._replace(table, column, (mail, f"{ERASED}-{customer.id}"))

    async def _replace(
        self, table: Table, column: Column[Any], words: tuple[str, str], *conditions: ColumnElement[bool]
    ) -> None:
        old, new = words
        text = _text(column)
        await self._connection.execute(
            update(table)
            .where(text.contains(old, autoescape=True), *conditions)
            .values({column.name: func.replace(text, old, new, type_=Text)})
        )

    async def _forget_customer(self, customer: Customer, now: datetime) -> None:
        at_house = select(accounts.c.id).where(accounts.c.provider == HOUSE)
        is_this = customers.c.id == customer.id
        nobody = {"email": "", "name": "", "locale": "", "email_key": "", "name_key": ""}
        await self._connection.execute(
            update(customers).where(is_this).values(**nobody, is_mail_refused=True, erased_at=now)
        )
        # No provider ever sends our own ids again, and they are made of who it was.
        await self._connection.execute(
            update(customers)
            .where(is_this, customers.c.account_id.in_(at_house))
            .values(external_id=f"{ERASED}:{customer.id}")
        )


def _held(person: Person, sold: Sequence[int]) -> Iterator[tuple[Table, ColumnElement[bool]]]:
    """Name the tables with something about a person, and which rows."""
    ids = [customer.id for customer in person.customers]
    guild_id, user_id = person.guild_id, person.user_id
    yield customers, customers.c.id.in_(ids)
    yield purchases, purchases.c.id.in_(sold)
    yield purchase_items, purchase_items.c.purchase_id.in_(sold)
    yield payments, payments.c.purchase_id.in_(sold)
    yield grants, grants.c.purchase_id.in_(sold) & (grants.c.guild_id == guild_id)
    yield links, links.c.customer_id.in_(ids)
    yield customer_settings, customer_settings.c.customer_id.in_(ids)
    yield sign_ins, (sign_ins.c.kind == SignedInAs.CUSTOMER) & _is_signed_in(person)
    for table in (claim_codes, link_tokens):
        yield table, table.c.purchase_id.in_(sold)
    mails = _mails(sold)
    yield outbox_messages, mails
    yield deliveries, deliveries.c.message_id.in_(select(outbox_messages.c.id).where(mails))
    is_told: ColumnElement[bool] = audit_entries.c.customer_id.in_(ids)
    if user_id is not None:
        is_told = is_told | (audit_entries.c.user_id == user_id)
        for table in (members, holdings, exemptions):
            yield table, (table.c.guild_id == guild_id) & (table.c.user_id == user_id)
        here = select(plan_codes.c.digest).where(plan_codes.c.guild_id == guild_id)
        yield plan_code_uses, (plan_code_uses.c.user_id == user_id) & plan_code_uses.c.digest.in_(here)
        yield member_settings, member_settings.c.user_id == user_id
        yield claim_failures, claim_failures.c.user_id == user_id
    yield audit_entries, is_told & (audit_entries.c.guild_id == guild_id)


def _is_signed_in(person: Person) -> ColumnElement[bool]:
    """Say that somebody signed in as this person: with their Discord account, or with one of their addresses."""
    digests = [mail_digest(customer.email) for customer in person.customers if customer.email]
    is_theirs = sign_ins.c.mail_digest.in_(digests)
    return is_theirs if person.user_id is None else is_theirs | (sign_ins.c.user_id == person.user_id)


def _mails(sold: Sequence[int]) -> ColumnElement[bool]:
    """Name the mails about these purchases: a payer may have others, about what another guild sold."""
    facts = _text(outbox_messages.c.facts)
    of_these = [
        or_(facts.contains(f'"purchase_id": {each}}}'), facts.contains(f'"purchase_id": {each},')) for each in sold
    ]
    return (outbox_messages.c.kind == "mail") & or_(False, *of_these)


def _words(customer: Customer) -> list[tuple[str, str]]:
    """Return how a payer's address and name stand in texts and in JSON, each with what takes its place."""
    mails = [(mail, ERASED) for mail in _spellings(customer.email)]
    if len(customer.name) >= SHORTEST_NAME:
        return mails + [(name, ERASED) for name in _spellings(customer.name)]
    return mails + [(f'"{name}"', f'"{ERASED}"') for name in _spellings(customer.name)]


def _spellings(text: str) -> list[str]:
    """Return a text as it was written, in small letters, and as JSON spells it."""
    spelled = [text, text.casefold(), json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]]
    return list(dict.fromkeys(each for each in spelled if each))


def _texts() -> Iterator[tuple[Table, Column[Any]]]:
    """Return every column that may hold what people wrote. Payers are handled by themselves, sessions are sealed."""
    for table in complete_metadata.sorted_tables:
        if table in (customers, sessions):
            continue
        for column in table.c:
            if isinstance(column.type, Text | Facts):
                yield table, column


def _text(column: Column[Any]) -> ColumnElement[str]:
    """Take a column for the text that it is stored as."""
    return type_coerce(column, Text)


def _plain(value: object) -> object:
    """Write a value as JSON can carry it; numbers that a script would round are texts."""
    match value:
        case datetime():
            return value.isoformat()
        case bool() | None | str() | dict():
            return value
        case int():
            return value if abs(value) < _SAFE_INTEGER else str(value)
        case frozenset():
            return sorted(str(each) for each in value)
        case _:
            return str(value)
