"""Stop reminders by the link below one, and take that back: no sign-in, since whoever has the mail has the link.

The link is good for this alone, says nothing of whom it is for, and serves as often as it is pressed (RFC 8058).
"""

from __future__ import annotations

from membership import codes, mail_preferences
from membership.errors import Gone
from membership.ledgers import Transaction
from membership.model import CustomerId
from membership.records import AuditEntry, Customer
from membership.services import Services


async def are_wanted(services: Services, token: str) -> bool:
    """Say whether reminders go to the address behind a link. Changes nothing. Raises Gone("link")."""
    async with services.store.read() as tx:
        return await mail_preferences.wants_reminders(tx, await _customer(services, tx, token))


async def choose(services: Services, token: str, *, are_wanted: bool) -> None:
    """Switch reminders on or off for the address behind a link; again is no harm. Raises Gone("link")."""
    now = services.clock.now()
    async with services.store.write() as tx:
        customer = await _customer(services, tx, token)
        if await mail_preferences.set_reminders(tx, customer, are_wanted=are_wanted):
            entry = AuditEntry(
                event="reminders.chosen",
                actor=f"customer:{customer.id}",
                customer_id=customer.id,
                detail={"are_wanted": are_wanted},
            )
            await tx.audit.add(entry, now)


async def _customer(services: Services, tx: Transaction, token: str) -> Customer:
    kept = await tx.sessions.get(codes.digest(token), mail_preferences.KIND, services.clock.now())
    if kept is None:
        raise Gone("link")
    return await tx.customers.get(CustomerId(int(kept["customer_id"])))
