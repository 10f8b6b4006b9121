"""What a payer chose for their mails, read and set for their address: the same person may stand in several accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from membership.ledgers import Transaction
from membership.records import Customer

MOST_SHARING = 50
"""Payers with one address that are looked at: every purchase of a guest makes one."""

KIND = "unsubscribe"
"""The kind of session that says whose reminders a mailed link stops; its key is the digest of the link's secret."""


async def sharing(tx: Transaction, customer: Customer) -> Sequence[Customer]:
    """Return every payer who gets mail at this payer's address, themselves among them."""
    found = list(await tx.customers.with_email(customer.email, MOST_SHARING))
    return found if any(each.id == customer.id for each in found) else [customer, *found]


async def wants_reminders(tx: Transaction, customer: Customer) -> bool:
    """Say whether reminders may go to this address: a no holds for purchases to come, too."""
    settings = [await tx.customer_settings.get(each.id) for each in await sharing(tx, customer)]
    return all(each.reminders for each in settings)


async def set_reminders(tx: Transaction, customer: Customer, *, are_wanted: bool) -> bool:
    """Switch reminders on or off for an address; say whether that changed anything."""
    has_changed = False
    for each in await sharing(tx, customer):
        settings = await tx.customer_settings.get(each.id)
        if settings.reminders is not are_wanted:
            await tx.customer_settings.put(replace(settings, reminders=are_wanted))
            has_changed = True
    return has_changed
