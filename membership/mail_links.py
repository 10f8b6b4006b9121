"""Mail a link to whoever paid, because a member asks in Discord: by address, by an old code, or for what is theirs.

The mail goes to the payer's own address and to nobody else, once an hour for each purchase. What the asking person is
told never depends on what was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from membership import codes
from membership.ledgers import Transaction
from membership.model import Grant, GrantId, GuildId, MemberKey, Purchase, UserId
from membership.records import AuditEntry, Draft
from membership.services import Services

LONGEST_ADDRESS = 254
MOST_CUSTOMERS = 5

_TRIES = "mail_link_tries"


async def refusal(services: Services, user_id: UserId) -> datetime | None:
    """Count that a person asks for a mail; return until when they have to wait where they asked too often."""
    now, digest = services.clock.now(), codes.digest(f"{_TRIES}:{user_id}")
    window = timedelta(minutes=services.policy.claim_window_minutes)
    async with services.store.write() as tx:
        kept = await tx.sessions.get(digest, _TRIES, now) or {"at": ""}
        tries = [at for at in map(datetime.fromisoformat, kept["at"].split()) if at > now - window]
        if len(tries) >= services.policy.claim_tries:
            return tries[0] + window
        moments = " ".join(moment.isoformat() for moment in [*tries, now])
        await tx.sessions.put(digest, _TRIES, {"at": moments}, now + window)
    return None


async def to_address(services: Services, actor: MemberKey, address: str) -> None:
    """Mail a link to an address if it has a purchase; `actor` asks, with guild 0 in direct messages.

    In a server only purchases for this server count.
    """
    now, wanted = services.clock.now(), address.strip()
    if not wanted or len(wanted) > LONGEST_ADDRESS:
        return
    async with services.store.write() as tx:
        for customer in await tx.customers.with_email(wanted, MOST_CUSTOMERS):
            for purchase in await tx.purchases.of_customer(customer.id):
                if _is_wanted(await tx.purchases.grants(purchase.id), actor.guild_id):
                    await _mail_link(tx, purchase, now)
                    await _note(tx, actor, purchase, now)
                    break
    services.wake()


async def for_code(services: Services, actor: MemberKey, code_digest: str) -> None:
    """Mail a new link to the payer behind a code that no longer serves; whoever asks has the code."""
    now = services.clock.now()
    async with services.store.write() as tx:
        stored = await tx.codes.get(code_digest)
        if stored is not None and _is_wanted(await tx.purchases.grants(stored.purchase_id), actor.guild_id):
            purchase = await tx.purchases.get(stored.purchase_id)
            await _mail_link(tx, purchase, now)
            await _note(tx, actor, purchase, now)
    services.wake()


async def to_move(services: Services, actor: MemberKey, grant_id: GrantId) -> bool:
    """Mail the payer of a person's own membership a link that moves it; False where it is not theirs."""
    return await _for_own(services, actor, grant_id, "link_again")


async def to_billing(services: Services, actor: MemberKey, grant_id: GrantId) -> bool:
    """Mail the payer of a person's own membership the way to billing; False where it is not theirs."""
    return await _for_own(services, actor, grant_id, "billing")


async def _for_own(services: Services, actor: MemberKey, grant_id: GrantId, template: str) -> bool:
    now = services.clock.now()
    async with services.store.write() as tx:
        purchase = await _own(tx, actor.user_id, grant_id)
        if purchase is None:
            return False
        await _mail(tx, purchase, template, now)
        await _note(tx, actor, purchase, now)
    services.wake()
    return True


async def _own(tx: Transaction, user_id: UserId, grant_id: GrantId) -> Purchase | None:
    """Return the purchase of a grant that is linked to a person; an id from elsewhere is nobody's."""
    for customer_id in await tx.links.customers_of(user_id):
        for purchase in await tx.purchases.of_customer(customer_id):
            if any(grant.id == grant_id for grant in await tx.purchases.grants(purchase.id)):
                return purchase
    return None


def _is_wanted(grants: Sequence[Grant], guild_id: GuildId) -> bool:
    """Say whether something of a purchase still lives here."""
    return any(not grant.is_over and guild_id in (0, grant.guild_id) for grant in grants)


async def _mail_link(tx: Transaction, purchase: Purchase, now: datetime) -> None:
    """Mail what connects a purchase nobody has, or what moves one."""
    is_linked = await tx.links.active(purchase.customer_id) is not None
    await _mail(tx, purchase, "link_again" if is_linked else "connect", now)


async def _mail(tx: Transaction, purchase: Purchase, template: str, now: datetime) -> None:
    draft = Draft(
        dedupe_key=f"{template}:{purchase.id}:{now:%Y-%m-%dT%H}",
        kind="mail",
        target=str(purchase.customer_id),
        template=template,
        facts={"purchase_id": int(purchase.id)},
    )
    await tx.outbox.put(draft, now)


async def _note(tx: Transaction, actor: MemberKey, purchase: Purchase, now: datetime) -> None:
    entry = AuditEntry(
        event="link.mailed",
        actor=f"user:{actor.user_id}",
        guild_id=actor.guild_id or None,
        user_id=actor.user_id,
        customer_id=purchase.customer_id,
    )
    await tx.audit.add(entry, now)
