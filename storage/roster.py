"""Everybody who bought in a server, a page at a time: every page reads a bounded number of rows, whatever is asked.

Pages follow indexes on (guild or plan, state, number). What stands in the purchase or the link alone is looked for in
the newest WALK memberships of each place, and the page says where to go on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.model import (
    Dispute,
    Grant,
    GrantId,
    GuildId,
    Item,
    Purchase,
    PurchaseKind,
    Refund,
    UserId,
)
from membership.records import Account, Customer
from membership.roster_ledger import EVERYWHERE, MOST_PAYERS, WALK, Place, RosterFilter, RosterPage, RosterRow, Trait
from storage.customers import KEY_LAST, search_key, ways_to_find
from storage.grants import GRANT
from storage.purchases import PURCHASE, items_of
from storage.schema import accounts, customers, grants, links, members, purchases
from storage.statements import unindexed

_LARGEST = 2**62
_CANDIDATES = 2000
"""Payers of any server that a search looks at before it asks whose they are."""
_USER = re.compile(r"<@!?(\d{15,19})>|(\d{15,19})")
_NUMBER = re.compile(r"#?(\d{1,12})")
_CUSTOMER = tuple(customers.c[field.name] for field in fields(Customer))
_ACCOUNT = tuple(accounts.c[field.name] for field in fields(Account))
_REST = (links.c.user_id, members.c.name, members.c.is_present)
_PARTS = (GRANT, PURCHASE, _CUSTOMER, _ACCOUNT, _REST)
_COLUMNS = [column.label(f"part{number}_{column.name}") for number, part in enumerate(_PARTS) for column in part]
_ENDS = list(accumulate(map(len, _PARTS)))
_NAMES = [tuple(column.name for column in part) for part in _PARTS]
_is_live = (links.c.customer_id == purchases.c.customer_id) & links.c.ended_at.is_(None)


class Roster:
    """Memberships of a server."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def page(
        self, guild_id: GuildId, wanted: RosterFilter, *, before: GrantId | None = None, limit: int
    ) -> RosterPage:
        """Return at most `limit` memberships with numbers below `before` (None: from the newest), newest first."""
        top = before or _LARGEST
        if not wanted.places:
            return RosterPage(rows=())
        if wanted.search:
            return await self._searched(guild_id, wanted, top, limit)
        numbers: list[int] = []
        lowest = 0
        # Everywhere is one walk, and not one for each state.
        places: Sequence[Place | None] = (None,) if wanted.places == EVERYWHERE else wanted.places
        for place in places:
            found, looked_until = await self._in_place(guild_id, wanted, place, top, limit)
            numbers += found
            lowest = max(lowest, looked_until)
        # Above `lowest` every place was looked through.
        complete = sorted((number for number in set(numbers) if number >= lowest), reverse=True)[:limit]
        is_full = len(complete) == limit
        next_before = complete[-1] if is_full else lowest
        return RosterPage(
            rows=tuple(await self.of_grants(guild_id, [GrantId(number) for number in complete])),
            next_before=GrantId(next_before) if next_before else None,
            is_cut=not is_full and lowest > 0,
        )

    async def of_grants(self, guild_id: GuildId, grant_ids: Sequence[GrantId]) -> Sequence[RosterRow]:
        """Return these memberships of a guild, newest first; others are left out."""
        if not grant_ids:
            return []
        is_member = (members.c.guild_id == grants.c.guild_id) & (members.c.user_id == links.c.user_id)
        found = await self._connection.execute(
            select(*_COLUMNS)
            .join(purchases, purchases.c.id == grants.c.purchase_id)
            .join(customers, customers.c.id == purchases.c.customer_id)
            .join(accounts, accounts.c.id == purchases.c.account_id)
            .outerjoin(links, _is_live)
            .outerjoin(members, is_member)
            .where(grants.c.id.in_(grant_ids), unindexed(grants.c.guild_id) == guild_id)
            .order_by(grants.c.id.desc())
        )
        rows = [_cut(row) for row in found]
        items = await items_of(self._connection, sorted({bought["id"] for _, bought, *_ in rows}))
        return [_row(parts, items) for parts in rows]

    async def _in_place(
        self, guild_id: GuildId, wanted: RosterFilter, place: Place | None, top: int, limit: int
    ) -> tuple[list[int], int]:
        """Return the newest numbers in a place, and down to which number it was looked through (0: to the end)."""
        is_there = [*_stands(guild_id, wanted, place), grants.c.id < top]
        conditions = _conditions(wanted, place)
        has_reason = place is not None and place.reason is not None and wanted.plan_id is not None
        floor = 0
        if conditions or has_reason:
            walked = select(grants.c.id).where(*is_there).order_by(grants.c.id.desc()).offset(WALK).limit(1)
            floor = int((await self._connection.execute(walked)).scalar_one_or_none() or 0)
        if place is not None and has_reason:
            conditions.append(grants.c.reason == place.reason)
        query = select(grants.c.id).where(*is_there, grants.c.id >= floor, *conditions)
        if conditions:
            query = query.join(purchases, purchases.c.id == grants.c.purchase_id)
        found = await self._connection.execute(query.order_by(grants.c.id.desc()).limit(limit + 1))
        numbers = [int(number) for number in found.scalars()]
        return numbers, numbers[limit - 1] if len(numbers) > limit else floor

    async def _searched(self, guild_id: GuildId, wanted: RosterFilter, top: int, limit: int) -> RosterPage:
        """Begin with the payers who fit what was typed: they are few, or it is said that they are not."""
        payers, is_crowded = await self._payers(guild_id, wanted)
        is_meant = or_(*(and_(*_stored(place), *_conditions(wanted, place)) for place in wanted.places))
        is_plan = true() if wanted.plan_id is None else unindexed(grants.c.plan_id) == wanted.plan_id
        found = await self._connection.execute(
            select(grants.c.id)
            .join(purchases, purchases.c.id == grants.c.purchase_id)
            .where(purchases.c.customer_id.in_(sorted(payers)), unindexed(grants.c.guild_id) == guild_id)
            .where(is_plan, is_meant, unindexed(grants.c.id) < top)
            .order_by(unindexed(grants.c.id).desc())
            .limit(limit + 1)
        )
        numbers = [GrantId(number) for number in found.scalars()]
        return RosterPage(
            rows=tuple(await self.of_grants(guild_id, numbers[:limit])),
            next_before=numbers[limit - 1] if len(numbers) > limit else None,
            is_crowded=is_crowded,
        )

    async def _payers(self, guild_id: GuildId, wanted: RosterFilter) -> tuple[set[int], bool]:
        """Return the payers in a guild whom what was typed may mean, and whether there were too many to look at."""
        payers: set[int] = set()
        is_crowded = False
        for way in _ways(guild_id, wanted.search.strip(), whole_address=wanted.whole_address):
            candidates = way.limit(_CANDIDATES).subquery()
            is_here = _is_payer_here(guild_id, candidates.c.customer_id)
            found = await self._connection.execute(
                select(candidates.c.customer_id).where(is_here).distinct().limit(MOST_PAYERS + 1)
            )
            ids = list(found.scalars())
            payers.update(ids[:MOST_PAYERS])
            is_crowded = is_crowded or len(ids) > MOST_PAYERS
        return payers, is_crowded


def _stands(guild_id: GuildId, wanted: RosterFilter, place: Place | None) -> list[ColumnElement[bool]]:
    """Say that a membership stands in a place, in the words of an index that is ordered by number."""
    if wanted.plan_id is not None:
        is_here = unindexed(grants.c.guild_id) == guild_id
        is_in_state = [] if place is None else [grants.c.state == place.state]
        return [grants.c.plan_id == wanted.plan_id, *is_in_state, is_here]
    return [grants.c.guild_id == guild_id, *([] if place is None else _stored(place))]


def _stored(place: Place) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [grants.c.state == place.state]
    if place.reason is not None:
        conditions.append(grants.c.reason == place.reason)
    return conditions


def _conditions(wanted: RosterFilter, place: Place | None) -> list[ColumnElement[bool]]:
    """Say what no index of memberships knows."""
    is_linked = exists().where(_is_live)
    conditions: list[ColumnElement[bool]] = [is_linked] if wanted.is_linked else []
    is_ending = grants.c.revoke_at.is_not(None) | (
        purchases.c.ends_at.is_not(None) & (purchases.c.kind == PurchaseKind.SUBSCRIPTION)
    )
    is_money_back = (purchases.c.refund == Refund.FULL) | (purchases.c.dispute == Dispute.LOST)
    match Trait.ANY if place is None else place.trait:
        case Trait.ANY:
            pass
        case Trait.ENDING:
            conditions.append(is_ending)
        case Trait.RUNNING:
            conditions.append(~is_ending)
        case Trait.OVER:
            conditions.append(~purchases.c.may_give_access | is_money_back | grants.c.revoke_at.is_not(None))
        case Trait.LIVE:
            conditions.append(purchases.c.may_give_access & ~is_money_back)
        case Trait.CONNECTED:
            conditions.append(is_linked)
        case Trait.ALONE:
            conditions.append(~is_linked)
    return conditions


def _ways(guild_id: GuildId, typed: str, *, whole_address: bool) -> list[Select[Any]]:
    """Return one query for each way to look for payers: each has its index."""
    live = links.c.ended_at.is_(None)
    named = _USER.fullmatch(typed)
    if named is not None:
        user_id = UserId(min(int(named[1] or named[2]), _LARGEST))  # nobody has a larger one
        return [select(links.c.customer_id).where(links.c.user_id == user_id, live)]
    conditions = ways_to_find(typed, whole_address=whole_address)
    ways = [select(customers.c.id.label("customer_id")).where(condition) for condition in conditions]
    number = _NUMBER.fullmatch(typed)
    if number is not None:
        ways.append(select(purchases.c.customer_id).where(purchases.c.id == int(number[1])))
    key = search_key(typed.removeprefix("@"))
    if key:
        called = (members.c.name_key >= key) & (members.c.name_key < key + KEY_LAST)
        ways.append(
            select(links.c.customer_id)
            .join(members, members.c.user_id == links.c.user_id)
            .where(members.c.guild_id == guild_id, called, live)
        )
    return ways


def _is_payer_here(guild_id: GuildId, customer_id: ColumnElement[int]) -> ColumnElement[bool]:
    bought = select(grants.c.id).join(purchases, purchases.c.id == grants.c.purchase_id)
    return bought.where(purchases.c.customer_id == customer_id, unindexed(grants.c.guild_id) == guild_id).exists()


def _cut(row: Sequence[Any]) -> list[dict[str, Any]]:
    """Cut a joined row into its parts, by place: by name would take most of the time of a page."""
    starts = [0, *_ENDS]
    return [
        dict(zip(names, row[start:end], strict=True)) for names, start, end in zip(_NAMES, starts, _ENDS, strict=False)
    ]


def _row(parts: list[dict[str, Any]], items: Mapping[int, tuple[Item, ...]]) -> RosterRow:
    grant, bought, payer, account, rest = parts
    return RosterRow(
        grant=Grant(**grant),
        purchase=Purchase(**bought, items=items.get(bought["id"], ())),
        customer=Customer(**payer),
        account=Account(**account),
        user_id=rest["user_id"],
        name=rest["name"] or "",
        is_present=rest["is_present"],
    )
