"""`/doorlist privacy`: hand out everything held about one person, or forget who they are (DESIGN 5).

Erasing ends their links, so that their roles go the usual way. What happened stays in the audit, without who it was;
Discord's own ids stay, since roles could not be taken without them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from membership import erasing
from membership.actors import Actor
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import CustomerId, MemberKey, UserId
from membership.privacy_ledger import Person, Rows
from membership.records import AuditEntry, Customer
from membership.services import Services

MOST_ROWS = 5000
_SUBJECT = re.compile(r"(customer|user)-(\d{1,19})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Everything held about a person in the actor's server. `is_shared`: they bought something in another one, too."""

    subject: str
    person: Person
    rows: Rows
    is_shared: bool

    @property
    def count(self) -> int:
        """Return how many rows there are."""
        return sum(map(len, self.rows.values()))


def subject_of(customer_id: CustomerId | None, user_id: UserId | None) -> str:
    """Name a person as a button carries them: by their payer, or by the Discord account."""
    return f"user-{user_id}" if customer_id is None else f"customer-{customer_id}"


async def look(services: Services, actor: Actor, subject: str) -> Held:
    """Gather everything held about a person of the actor's server. Raises UserError."""
    async with services.store.read() as tx:
        person = await _person(tx, actor, subject)
        rows = await tx.privacy.held(person, MOST_ROWS)
        is_shared = await _is_shared(tx, person)
    if not rows:
        raise UserError("Nothing is held about this person in this server.")
    return Held(subject=subject, person=person, rows=rows, is_shared=is_shared)


async def export(services: Services, actor: Actor, subject: str) -> Held:
    """Gather everything to hand it out, and write down that it was. Raises UserError."""
    held = await look(services, actor, subject)
    async with services.store.write() as tx:
        await _write_down(tx, actor, "privacy.exported", held.person, services)
    return held


async def erase(services: Services, actor: Actor, subject: str) -> Held:
    """Forget who a person is; return what was held. Raises UserError.

    Somebody to whom another server has sold something, too, is erased by whoever runs Doorlist alone.
    """
    held = await look(services, actor, subject)
    if held.is_shared and not actor.is_operator:
        raise UserError(
            "Another server has sold something to this person, too, and they would be erased there as well. Ask "
            "whoever runs this Doorlist to do it."
        )
    if not held.person.customers:
        raise UserError("This person has bought nothing here, so there is no address and no name to erase.")
    await erasing.forget(services, [held.person], str(actor))
    async with services.store.write() as tx:
        await _write_down(tx, actor, "privacy.erased", held.person, services)
    services.wake()
    return held


async def _person(tx: Transaction, actor: Actor, subject: str) -> Person:
    """Look a person up inside the actor's own server. Raises UserError."""
    found = _SUBJECT.fullmatch(subject)
    if found is None:
        raise UserError("There is no such person in this server. Choose one from the list.")
    number, user_id = int(found[2]), None
    customers: list[Customer] = []
    if found[1] == "customer":
        customer = await tx.customers.in_guild(CustomerId(number), actor.guild_id)
        if customer is None:
            raise UserError("There is no such person in this server. Choose one from the list.")
        link = await tx.links.active(customer.id)
        customers, user_id = [customer], None if link is None else link.user_id
    else:
        user_id = UserId(number)
    if user_id is not None:
        linked = await tx.customers.of_member(MemberKey(actor.guild_id, user_id))
        customers += [each for each in linked if each.id not in {known.id for known in customers}]
    return Person(guild_id=actor.guild_id, customers=tuple(customers), user_id=user_id)


async def _is_shared(tx: Transaction, person: Person) -> bool:
    for customer in person.customers:
        if await tx.privacy.is_elsewhere(customer.id, person.guild_id):
            return True
    return False


async def _write_down(tx: Transaction, actor: Actor, event: str, person: Person, services: Services) -> None:
    """Write down that it was done, for each payer."""
    ids: list[CustomerId | None] = [customer.id for customer in person.customers]
    for customer_id in ids or [None]:
        entry = AuditEntry(
            event=event, actor=str(actor), guild_id=actor.guild_id, user_id=person.user_id, customer_id=customer_id
        )
        await tx.audit.add(entry, services.clock.now())
