"""One account against its provider: re-read a purchase, poll the events we missed, list everything.

A listing is never evidence that something ended; it only finds work (law 3). The read budget: one poll an hour, one
listing a night, one read where a known moment passed. Nothing here runs every five minutes.
"""

from __future__ import annotations

from datetime import datetime

from membership import alerts, notices, recording
from membership.alerts import Alert, Trouble
from membership.errors import Blocked, Gone, Reason
from membership.evidence import reread
from membership.ledgers import Transaction
from membership.model import AccountId, Lane, Purchase, PurchaseId, PurchaseKind, PurchaseSnapshot
from membership.ports import IncomingEvent, Provider
from membership.records import Account
from membership.services import Services

PAGE = 100
MISSING_PER_LISTING = 500
MISSED_WEBHOOKS = 5
SUSPECTED = "suspected"
NO_EVENTS = "none"
"""The poll cursor of an account that was listed while it had no events to resume from."""


async def read_purchase(services: Services, purchase_id: PurchaseId) -> None:
    """Read one purchase again because a moment of its own has passed; plan the next such moment."""
    async with services.store.read() as tx:
        purchase = await tx.purchases.get(purchase_id)
    moment = recording.next_moment(purchase)
    if moment is not None and moment > services.clock.now():
        async with services.store.write() as tx:
            await recording.schedule_reading(tx, purchase)
        return
    if purchase.kind is PurchaseKind.COMP:
        await _end_comp(services, purchase)
    else:
        await reread(services, purchase, Lane.EVENT)


async def _end_comp(services: Services, purchase: Purchase) -> None:
    """Let a comp whose time is over end, also where nobody is linked."""
    occasion = recording.Occasion(now=services.clock.now(), lane=Lane.EVENT, policy=services.policy)
    async with services.store.write() as tx:
        await recording.follow_up(tx, purchase, occasion)
    services.wake()


async def settle_money(services: Services, purchase_id: PurchaseId) -> None:
    """Read a purchase whose refund or dispute the last snapshot could not tell."""
    async with services.store.read() as tx:
        purchase = await tx.purchases.get(purchase_id)
    await reread(services, purchase, Lane.EVENT)


async def poll_events(services: Services, provider_name: str) -> int:
    """Take in the events since the last completed poll, or list everything; return how many were new.

    Whoever runs this Doorlist is told once when the platform refuses our key.
    """
    try:
        found = await _poll(services, provider_name)
    except Blocked as refusal:
        if refusal.reason is Reason.CREDENTIALS_REFUSED:
            await _note_key(services, provider_name, is_refused=True)
        raise
    await _note_key(services, provider_name, is_refused=False)
    return found


async def _poll(services: Services, provider_name: str) -> int:
    account = await services.sellers.account(provider_name)
    provider = services.sellers.by_name[provider_name]
    async with services.store.read() as tx:
        cursor = await tx.cursors.get(_cursor_name(account))
    if cursor == NO_EVENTS and not await provider.newest_event():
        # A quiet shop: one question an hour, not a listing.
        return 0
    if not cursor or cursor == NO_EVENTS:
        await list_everything(services, provider_name)
        return 0
    try:
        missed = await _take_in(services, provider, account, cursor)
    except Gone:
        await list_everything(services, provider_name)
        return 0
    await _tell_of_webhooks(services, provider, account, missed)
    return missed


async def list_everything(services: Services, provider_name: str, *, portion: int = MISSING_PER_LISTING) -> int:
    """Record every purchase of an account, then read one by one a portion of those that the listing did not show.

    Returns how many the listing showed.
    """
    account = await services.sellers.account(provider_name)
    provider = services.sellers.by_name[provider_name]
    started_at = services.clock.now()
    newest = await provider.newest_event()
    await read_catalogue(services, provider_name)
    listed, page = 0, list[PurchaseSnapshot]()
    async for snapshot in provider.purchases():
        listed += 1
        page.append(snapshot)
        if len(page) == PAGE:
            await _record(services, account.id, page)
            page = []
    await _record(services, account.id, page)
    await _read_missing(services, account.id, started_at, portion)
    async with services.store.write() as tx:
        await tx.cursors.put(_cursor_name(account), newest or NO_EVENTS)
    return listed


async def read_catalogue(services: Services, provider_name: str) -> None:
    """Record what an account sells now. One GET for each hundred prices."""
    account = await services.sellers.account(provider_name)
    prices = await services.sellers.by_name[provider_name].prices()
    async with services.store.write() as tx:
        await tx.accounts.record_prices(account.id, prices)


async def _take_in(services: Services, provider: Provider, account: Account, cursor: str) -> int:
    new = 0
    page: list[IncomingEvent] = []
    async for event in provider.events_after(cursor):
        page.append(event)
        if len(page) == PAGE:
            new += await _accept(services, provider, account, page)
            page = []
    return new + await _accept(services, provider, account, page)


async def _accept(services: Services, provider: Provider, account: Account, page: list[IncomingEvent]) -> int:
    """Store a page and only then move the cursor, to the newest event *polled*: webhooks arrive out of order."""
    if not page:
        return 0
    new = await services.intake.accept(provider.name, page)
    async with services.store.write() as tx:
        await tx.cursors.put(_cursor_name(account), page[-1].external_id)
    return new


async def webhooks_failing_since(tx: Transaction, account: Account) -> datetime | None:
    """Return since when the polls find what no webhook brought, None when webhooks arrive."""
    known = await tx.cursors.get(_webhooks_name(account)) or ""
    return datetime.fromisoformat(known) if known not in ("", SUSPECTED) else None


async def _note_key(services: Services, provider_name: str, *, is_refused: bool) -> None:
    name, now = f"key:{provider_name}:refused", services.clock.now()
    async with services.store.write() as tx:
        if bool(await tx.cursors.get(name)) is is_refused:
            return
        await tx.cursors.put(name, now.isoformat() if is_refused else "")
        if is_refused:
            facts = {"platform": provider_name.title()}
            key = f"{provider_name}:{now.isoformat()}"
            await alerts.put(tx, Alert(trouble=Trouble.KEY, key=key, facts=facts), now)
    services.wake()


async def _tell_of_webhooks(services: Services, provider: Provider, account: Account, missed: int) -> None:
    """Tell servers when two polls in a row find what no webhook brought, and when one finds nothing again.

    Events of the last minutes may be on their way, and the first poll after an outage of ours finds what we missed.
    """
    if not provider.can_receive:
        return
    name, now = _webhooks_name(account), services.clock.now()
    async with services.store.write() as tx:
        known, is_failing = await tx.cursors.get(name) or "", missed >= MISSED_WEBHOOKS
        if is_failing and not known:
            await tx.cursors.put(name, SUSPECTED)
        elif is_failing and known == SUSPECTED:
            await tx.cursors.put(name, now.isoformat())
            facts = {"summary": f"{missed} events came only when I asked for them."}
            await notices.tell_everybody(tx, "webhook.failing", facts, now, problem=name)
            key = f"{account.id}:{now.isoformat()}"
            await alerts.put(tx, Alert(trouble=Trouble.WEBHOOKS, key=key, facts={"number": missed}), now)
        elif known and missed == 0:
            await tx.cursors.put(name, "")
            for guild in await tx.guilds.all():
                await notices.solve(tx, guild.id, name, now)


async def _record(services: Services, account_id: AccountId, snapshots: list[PurchaseSnapshot]) -> None:
    occasion = recording.Occasion(now=services.clock.now(), lane=Lane.BULK, policy=services.policy)
    async with services.store.write() as tx:
        for snapshot in snapshots:
            await recording.record(tx, account_id, snapshot, occasion)
    services.wake()


async def _read_missing(services: Services, account_id: AccountId, started_at: datetime, portion: int) -> None:
    """Ask for a portion of them, the next night for the next: one that is gone stays missing and must block nobody."""
    name = f"missing:{account_id}"
    async with services.store.read() as tx:
        after = PurchaseId(int(await tx.cursors.get(name) or 0))
        missing = await tx.purchases.live_unseen(account_id, started_at, after, portion)
    for purchase in missing:
        await reread(services, purchase, Lane.BULK)
    is_round_complete = len(missing) < portion
    async with services.store.write() as tx:
        await tx.cursors.put(name, "0" if is_round_complete else str(missing[-1].id))


def _webhooks_name(account: Account) -> str:
    return f"webhooks:{account.id}"


def _cursor_name(account: Account) -> str:
    return f"events:{account.id}"
