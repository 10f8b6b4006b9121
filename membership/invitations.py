"""Remind a buyer who has not connected yet: after an hour, a day, three days, a week, then no more."""

from __future__ import annotations

from datetime import datetime, timedelta

from membership import binding
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import GrantState, Lane, PurchaseId
from membership.records import Draft
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
        if due:
            # After a long outage only the latest is sent: three reminders at once help nobody.
            customer_id = (await tx.purchases.get(purchase_id)).customer_id
            draft = Draft(
                dedupe_key=f"connect_reminder:{purchase_id}:{due[-1]}",
                kind="mail",
                target=str(customer_id),
                template="connect_reminder",
                facts={"purchase_id": int(purchase_id)},
            )
            await tx.outbox.put(draft, now)
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
