"""Payers, and how staff find them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import ColumnElement, case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership import records
from membership.addresses import same_address
from membership.model import AccountId, CustomerId, CustomerSnapshot, GuildId, MemberKey
from storage.schema import accounts, customers, grants, links, purchases
from storage.statements import insert_into, unindexed

KEY_LAST = "\U0010ffff"
"""Sorts after whatever may follow the beginning of a text."""

_CUSTOMER = (
    customers.c.id,
    customers.c.account_id,
    customers.c.external_id,
    customers.c.email,
    customers.c.name,
    customers.c.locale,
    customers.c.is_mail_refused,
)


class Customers:
    """Payers."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def record(self, account_id: AccountId, snapshot: CustomerSnapshot) -> CustomerId:
        """Write a payer down and return our id; empty fields never overwrite known ones.

        A new address may be mailed again. Of somebody who was erased nothing is known again.
        """
        statement = insert_into(self._connection, customers)
        new = statement.excluded
        kept = ("email", "name", "locale", "email_key", "name_key")
        is_known_to_us = customers.c.erased_at.is_(None)
        is_new_address = is_known_to_us & (new.email != "") & (new.email != customers.c.email)
        known = {name: case((is_known_to_us & (new[name] != ""), new[name]), else_=customers.c[name]) for name in kept}
        stored = await self._connection.execute(
            statement.values(
                account_id=account_id,
                external_id=snapshot.external_id,
                email=snapshot.email,
                name=snapshot.name,
                locale=snapshot.locale,
                is_mail_refused=False,
                is_deleted=snapshot.is_deleted,
                email_key=search_key(snapshot.email),
                name_key=search_key(snapshot.name),
            )
            .on_conflict_do_update(
                index_elements=[customers.c.account_id, customers.c.external_id],
                set_={
                    **known,
                    "is_mail_refused": case((is_new_address, False), else_=customers.c.is_mail_refused),
                    "is_deleted": new.is_deleted,
                },
            )
            .returning(customers.c.id)
        )
        return CustomerId(stored.scalar_one())

    async def get(self, customer_id: CustomerId) -> records.Customer:
        """Return one payer. Raises KeyError."""
        found = await self._connection.execute(select(*_CUSTOMER).where(customers.c.id == customer_id))
        row = found.mappings().one_or_none()
        if row is None:
            raise KeyError(customer_id)
        return records.Customer(**row)

    async def in_guild(self, customer_id: CustomerId, guild_id: GuildId) -> records.Customer | None:
        """Return one payer if a purchase of theirs has a grant in this guild."""
        found = await self._where(customers.c.id == customer_id, _is_in(guild_id), limit=1)
        return found[0] if found else None

    async def of_member(self, key: MemberKey) -> Sequence[records.Customer]:
        """Return the payers linked to a member with a grant in the member's guild."""
        linked = select(links.c.customer_id).where(links.c.user_id == key.user_id, links.c.ended_at.is_(None))
        return await self._where(customers.c.id.in_(linked), _is_in(key.guild_id))

    async def search(
        self, guild_id: GuildId, text: str, limit: int, *, whole_address: bool = False
    ) -> Sequence[records.Customer]:
        """Find payers with a grant in this guild by the beginning of their e-mail or name, or by the exact id of the
        payer, of a purchase, or of the checkout it came from; in any case. `whole_address`: no e-mail by its beginning.
        """
        typed = text.strip()
        if not typed:
            return []
        # One query for each way to look: each has its index, and the first way that finds enough is the last.
        found: dict[int, records.Customer] = {}
        for condition in ways_to_find(typed, whole_address=whole_address):
            for customer in await self._where(condition, _is_in(guild_id), limit=limit):
                found.setdefault(customer.id, customer)
            if len(found) >= limit:
                break
        return list(found.values())[:limit]

    async def with_email(self, email: str, limit: int) -> Sequence[records.Customer]:
        """Return the payers with exactly this address, in any case, of whatever guild."""
        typed = email.strip()
        alike = await self._where(customers.c.email_key == search_key(typed), limit=limit) if typed else []
        return [customer for customer in alike if same_address(customer.email, typed)]

    async def _where(self, *conditions: ColumnElement[bool], limit: int | None = None) -> list[records.Customer]:
        found = await self._connection.execute(select(*_CUSTOMER).where(*conditions).limit(limit))
        return [records.Customer(**row) for row in found.mappings()]

    async def refuse_mail(self, customer_id: CustomerId) -> None:
        """Remember that mail to this payer bounces for good."""
        await self._connection.execute(
            update(customers).where(customers.c.id == customer_id).values(is_mail_refused=True)
        )


def _is_in(guild_id: GuildId) -> ColumnElement[bool]:
    """Say that a payer has a grant in a guild: an opaque id from elsewhere is nobody here."""
    bought = select(grants.c.id).join(purchases, purchases.c.id == grants.c.purchase_id)
    return bought.where(purchases.c.customer_id == customers.c.id, unindexed(grants.c.guild_id) == guild_id).exists()


def ways_to_find(typed: str, *, whole_address: bool) -> Iterator[ColumnElement[bool]]:
    """Say in how many ways a payer may be meant: by an id in full, or by the beginning of an address or a name.

    `whole_address`: an address in full alone. Whoever may not see it could else ask for it letter by letter.
    """
    # Ids are unique within an account: naming the accounts lets the index serve.
    every_account = select(accounts.c.id)
    bought = select(purchases.c.customer_id)
    by_id = bought.where(purchases.c.account_id.in_(every_account), purchases.c.external_id == typed)
    by_checkout = bought.where(purchases.c.checkout_id == typed, purchases.c.checkout_id != "")
    yield customers.c.id.in_(by_id)
    yield customers.c.id.in_(by_checkout)
    yield customers.c.account_id.in_(every_account) & (customers.c.external_id == typed)
    key = search_key(typed)
    yield customers.c.email_key == key if whole_address else _begins_with(customers.c.email_key, key)
    yield _begins_with(customers.c.name_key, key)


def _begins_with(column: ColumnElement[str], key: str) -> ColumnElement[bool]:
    return (column >= key) & (column < key + KEY_LAST)


def search_key(text: str) -> str:
    """Return how a text is kept to be found by its beginning, in any case."""
    return text.casefold()
