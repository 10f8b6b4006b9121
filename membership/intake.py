"""Work off one stored provider event: it is only a hint, so fetch what it points at and write that down (law 2)."""

from __future__ import annotations

import structlog

from membership import codes, recording
from membership.errors import Gone
from membership.model import Lane
from membership.ports import Reading
from membership.records import Account, AuditEntry, StoredEvent
from membership.services import Services

log = structlog.get_logger()


async def work_off(services: Services, event_id: int) -> None:
    """Fetch and record what one inbox event is about. Raises Retry, or Blocked while the provider refuses our key."""
    async with services.store.read() as tx:
        stored = await tx.inbox.get(event_id)
    if stored.state != "new":
        return
    account = await services.sellers.account(stored.provider)
    refusal = _refusal(stored, account)
    if refusal:
        await _settle(services, stored, "quarantined", refusal)
        return
    try:
        reading = await services.sellers.by_name[stored.provider].read(stored.event)
    except Gone as gone:
        # Whoever held it as live asks for it by its own id; this hint leads nowhere any more.
        log.info("event_object_gone", type=stored.event.type, what=gone.what)
        await _settle(services, stored, "ignored", "the object is not there any more")
        return
    if reading.is_ignored:
        await _settle(services, stored, "ignored", reading.notice)
        return
    await _record(services, stored, account, reading)


def _refusal(stored: StoredEvent, account: Account) -> str:
    """Say why an event is not ours to act on: another mode or another account (threats W12, W13)."""
    if stored.event.is_live != account.is_live:
        return "the event is from the other mode (test or live) than the configured key"
    if stored.event.account and stored.event.account != account.external_id:
        return f"the event belongs to account {stored.event.account}"
    return ""


async def _record(services: Services, stored: StoredEvent, account: Account, reading: Reading) -> None:
    now = services.clock.now()
    occasion = recording.Occasion(now=now, lane=Lane.EVENT, policy=services.policy)
    async with services.store.write() as tx:
        named = {await tx.customers.record(account.id, customer) for customer in reading.customers}
        for token in reading.expired_tokens:
            await tx.links.expire_token(codes.digest(token), now)
        if reading.is_catalogue:
            # One listing for however many changes come together.
            await tx.jobs.mark("catalogue", stored.provider, lane=Lane.BULK, run_at=now, scope=stored.provider)
        payers = {
            (await recording.record(tx, account.id, snapshot, occasion)).customer_id for snapshot in reading.purchases
        }
        if reading.notice:
            detail = {"notice": reading.notice, "event_type": stored.event.type}
            await tx.audit.add(AuditEntry(event="payment.notice", actor=stored.provider, detail=detail), now)
        await tx.inbox.settle(stored.id, "done")
        if [payer for payer in named | payers if await tx.privacy.is_erased(payer)]:
            # The body says again who they are.
            await tx.privacy.clear_body(stored.id)
    log.info("event_recorded", type=stored.event.type, purchases=len(reading.purchases))


async def _settle(services: Services, stored: StoredEvent, state: str, note: str) -> None:
    async with services.store.write() as tx:
        await tx.inbox.settle(stored.id, state, note)
