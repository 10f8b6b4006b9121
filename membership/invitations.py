"""Remind a buyer who has not connected yet: after an hour, a day, three days, a week, then no more."""

from __future__ import annotations

from datetime import datetime, timedelta

from membership import binding, mail_notices, mail_preferences
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.mail_notices import Letter
from membership.model import GrantState, Lane, PurchaseId
from membership.services import Services


async def remind(services: Services, purchase_id: PurchaseId) -> None:
    """Queue the reminder that is due and plan the next; nothing when the buyer connected or the purchase ended."""
    now = services.clock.now()
    async with services.store.write() as tx:
        waiting_since = await _waiting_since(tx, purchase_id)
        if waiting_since is None:
            return
        moments = [waiting_since + timedelta(hours=hours) for hours in services.policy.reminder_hours]
        due = [number for number, moment in enumerate(moments, start=1) if moment <= now]
        customer = await tx.customers.get((await tx.purchases.get(purchase_id)).customer_id)
        if due and await mail_preferences.wants_reminders(tx, customer):
            # After a long outage only the latest is sent: three reminders at once help nobody.
            key = f"connect_reminder:{purchase_id}:{due[-1]}"
            letter = Letter(template="connect_reminder", dedupe_key=key, facts={"purchase_id": int(purchase_id)})
            await mail_notices.write(tx, customer.id, letter, now)
        upcoming = [moment for moment in moments if moment > now]
        if upcoming:
            key = binding.invitation_key(purchase_id)
            await tx.jobs.mark("invitation", key, lane=Lane.BULK, run_at=upcoming[0])


async def _waiting_since(tx: Transaction, purchase_id: PurchaseId) -> datetime | None:
    """Return since when a purchase waits for its Discord user, None when it does not."""
    grants = await tx.purchases.grants(purchase_id)
    waiting = [
        grant.opened_at for grant in grants if grant.state is GrantState.PENDING and grant.reason is Reason.NOT_LINKED
    ]
    return min(waiting, default=None)
