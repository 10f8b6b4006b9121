"""What a customer can do about a grant at once: have it looked at again, get in, have the link or the bill mailed."""

from __future__ import annotations

from datetime import datetime, timedelta

from membership import binding, invites, reach
from membership.browsing import SignIn
from membership.errors import Gone, UserError
from membership.ledgers import Transaction
from membership.model import Grant, GrantId, Lane, Purchase
from membership.reach import Reached
from membership.records import AuditEntry, Draft, Guild
from membership.services import Services
from membership.tries import Limit, count

PATIENCE = timedelta(seconds=8)
AGAIN = Limit(tries=5, window=timedelta(minutes=10))
"""How often somebody may have a grant looked at."""


async def try_again(services: Services, sign_in: SignIn, grant_id: GrantId) -> datetime | None:
    """Look at a grant's member before anybody else, and wait a few seconds for what comes of it.

    Returns until when to wait, where it was asked for too often. Raises Gone("grant").
    """
    now, started = services.clock.now(), services.signals.tick()
    async with services.store.write() as tx:
        found = await reach.grant(tx, sign_in, grant_id)
        wait_until = await count(tx, f"portal_again:{found.reached.customer.id}", AGAIN, now)
        if wait_until is not None:
            return wait_until
        keys = await binding.mark_members(tx, found.reached.customer.id, Lane.PERSON, now)
    services.wake()
    await services.signals.wait([str(key) for key in keys], since=started, patience=PATIENCE)
    return None


async def way_in(services: Services, sign_in: SignIn, grant_id: GrantId) -> str:
    """Return the way into a grant's server for its member, made now where there is none. Raises Gone("grant").

    "" where none can be made, or where nobody is connected whom it would let in.
    """
    async with services.store.read() as tx:
        found = await reach.grant(tx, sign_in, grant_id)
        link, grant = found.reached.link, found.grant
        if link is None or grant.is_over or not await invites.needs_way_in(tx, grant, link.user_id):
            return ""
        guild = await tx.guilds.get(grant.guild_id) or Guild(id=grant.guild_id, name="")
    return await invites.offer(services, grant, guild, link.user_id)


async def mail_link(services: Services, sign_in: SignIn, grant_id: GrantId) -> None:
    """Mail the payer the link that connects or moves a purchase, once an hour at most. Raises Gone, UserError."""
    now = services.clock.now()
    async with services.store.write() as tx:
        found = await reach.payer_of(tx, sign_in, grant_id)
        template = "connect" if found.reached.link is None else "link_again"
        _check_mailbox(services, found.reached, found.grant)
        await _mail(tx, found.purchase, template, now)
        await _note(tx, sign_in, found.reached, now)
    services.wake()


async def mail_billing(services: Services, sign_in: SignIn, grant_id: GrantId) -> None:
    """Mail the payer the way to billing, whoever of theirs asks, once an hour at most. Raises Gone, UserError."""
    now = services.clock.now()
    async with services.store.write() as tx:
        found = await reach.grant(tx, sign_in, grant_id)
        if not found.reached.is_paid:
            raise Gone("grant")
        _check_mailbox(services, found.reached, found.grant)
        await _mail(tx, found.purchase, "billing", now)
        await _note(tx, sign_in, found.reached, now)
    services.wake()


def _check_mailbox(services: Services, reached: Reached, grant: Grant) -> None:
    """Refuse to promise a mail that nobody would get."""
    customer = reached.customer
    if grant.is_over:
        raise UserError("This membership has ended, so there is nothing to mail.")
    if not services.mailer.is_configured or not customer.email or customer.is_mail_refused:
        raise UserError("We cannot send mail to this address. Please write to the staff of the server.")


async def _mail(tx: Transaction, purchase: Purchase, template: str, now: datetime) -> None:
    draft = Draft(
        dedupe_key=f"{template}:{purchase.id}:{now:%Y-%m-%dT%H}",
        kind="mail",
        target=str(purchase.customer_id),
        template=template,
        facts={"purchase_id": int(purchase.id)},
    )
    await tx.outbox.put(draft, now)


async def _note(tx: Transaction, sign_in: SignIn, reached: Reached, now: datetime) -> None:
    entry = AuditEntry(
        event="link.mailed",
        actor=reach.actor_of(sign_in, reached),
        user_id=sign_in.user_id,
        customer_id=reached.customer.id,
    )
    await tx.audit.add(entry, now)
