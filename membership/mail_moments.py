"""The job behind mails that wait for a moment: a failure that lasts, a trial or a grace about to end, a full brake."""

from __future__ import annotations

from datetime import datetime

from membership import alerts, mail_notices
from membership.alerts import Alert, Trouble
from membership.entitlements import Access
from membership.ledgers import Transaction
from membership.mail_notices import GRACE_NOTICE, TRIAL_NOTICE, Letter
from membership.model import Grant, GrantState, GuildId, Purchase, PurchaseId, PurchaseStatus
from membership.services import Services

KIND = mail_notices.JOB
_NOT_THERE = (GrantState.FAILED, GrantState.PENDING)


async def look(services: Services, key: str) -> None:
    """Queue the mails that are due for a job's key, and plan the next look."""
    now = services.clock.now()
    what, *rest = key.split(":")
    async with services.store.write() as tx:
        match what, rest:
            case "failed", [purchase_id, grant_id, day]:
                purchase = await tx.purchases.get(PurchaseId(int(purchase_id)))
                for grant in await tx.purchases.grants(purchase.id):
                    if grant.id == int(grant_id):
                        await _tell_of_failure(tx, purchase, grant, day, now)
            case "ends", [purchase_id]:
                purchase = await tx.purchases.get(PurchaseId(int(purchase_id)))
                await _tell_of_trial(tx, purchase, now)
                await _tell_of_grace(tx, purchase, now)
                await mail_notices.watch_ends(tx, purchase, now)
            case "brake", [guild_id, batch_id]:
                await _tell_of_brake(tx, GuildId(int(guild_id)), int(batch_id), now)
            case _:
                raise AssertionError(f"unknown moment of a mail: {key}")
    services.wake()


async def _tell_of_failure(tx: Transaction, purchase: Purchase, grant: Grant, day: str, now: datetime) -> None:
    """Mail who bought what still cannot be delivered."""
    outcome = await mail_notices.outcome_of(tx, purchase, grant, now)
    is_linked = await tx.links.active(purchase.customer_id) is not None
    if outcome.access is not Access.GRANTED or grant.state not in _NOT_THERE or not is_linked:
        return
    facts = {"purchase_id": int(purchase.id), "grant_id": int(grant.id), "reason": grant.reason.value}
    letter = Letter(template="failed", dedupe_key=f"failed:{grant.id}:{day}", facts=facts)
    await mail_notices.write(tx, purchase.customer_id, letter, now)


async def _tell_of_trial(tx: Transaction, purchase: Purchase, now: datetime) -> None:
    """Mail what a trial turns into; who cancelled was told, and who has a short one knew from the beginning."""
    end = purchase.trial_ends_at
    is_running = purchase.status is PurchaseStatus.TRIALING and purchase.ends_at is None
    if not is_running or end is None or not end - TRIAL_NOTICE <= now < end:
        return
    facts = {"purchase_id": int(purchase.id), "until": end.isoformat()}
    letter = Letter(template="trial_ending", dedupe_key=f"trial_ending:{purchase.id}:{end.isoformat()}", facts=facts)
    await mail_notices.write(tx, purchase.customer_id, letter, now)


async def _tell_of_grace(tx: Transaction, purchase: Purchase, now: datetime) -> None:
    """Mail on the last day of a grace, unless another purchase carries the plan."""
    if purchase.status is not PurchaseStatus.PAST_DUE:
        return
    for grant in await tx.purchases.grants(purchase.id):
        end = (await mail_notices.outcome_of(tx, purchase, grant, now)).until
        if end is None or not end - GRACE_NOTICE <= now < end or grant.state is not GrantState.PAST_DUE:
            continue
        if await mail_notices.is_carried(tx, purchase, grant, end, now):
            continue
        facts = {"purchase_id": int(purchase.id), "grant_id": int(grant.id), "until": end.isoformat()}
        key = f"grace_last_day:{grant.id}:{end:%Y-%m-%dT%H:%M}"
        letter = Letter(template="grace_last_day", dedupe_key=key, facts=facts)
        await mail_notices.write(tx, purchase.customer_id, letter, now)


async def _tell_of_brake(tx: Transaction, guild_id: GuildId, batch_id: int, now: datetime) -> None:
    """Mail that removals wait; a batch that was decided meanwhile needs no mail."""
    for batch in await tx.removals.open_batches(guild_id):
        if batch.id == batch_id:
            facts = {"number": len(batch.removals), "page": "brake"}
            alert = Alert(trouble=Trouble.BRAKE, key=str(batch_id), guild_id=guild_id, facts=facts)
            await alerts.put(tx, alert, now)
