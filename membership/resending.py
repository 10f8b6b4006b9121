"""Send a delivery message again because staff ask for it: the mail with the link, the direct message (EXPERIENCE 2.2).

The limits of mail hold for staff, too: once an hour for each purchase, and what the policy says (delivery).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from membership import dossier as dossiers
from membership.actors import Actor
from membership.entitlements import access_of
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import Claim, CustomerId, GrantState, MemberKey, Plan, Purchase, PurchaseId, UserId
from membership.records import AuditEntry, Customer, Draft
from membership.services import Services
from membership.shown import ShownState, shown

MOST_AT_ONCE = 5


class Via(StrEnum):
    """Which way a message goes."""

    MAIL = "mail"
    DM = "dm"
    BOTH = "both"


class Sending(StrEnum):
    """What came of one way."""

    QUEUED = "queued"
    QUEUED_BEFORE = "queued_before"
    NO_MAIL_SERVER = "no_mail_server"
    NO_ADDRESS = "no_address"
    ADDRESS_REFUSED = "address_refused"
    NOT_LINKED = "not_linked"
    NOT_DELIVERED = "not_delivered"
    TURNED_OFF = "turned_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resent:
    """What was queued for one payer; None for a way that was not asked for. `user_id`: who is connected."""

    customer: Customer
    user_id: UserId | None
    plans: tuple[str, ...]
    mail: Sending | None = None
    dm: Sending | None = None


async def resend(
    services: Services, actor: Actor, customer_id: CustomerId, via: Via, *, only: PurchaseId | None = None
) -> Resent:
    """Queue the delivery message of a payer's newest purchase in this server again, or of one. Raises UserError."""
    now = services.clock.now()
    async with services.store.write() as tx:
        customer = await tx.customers.in_guild(customer_id, actor.guild_id)
        if customer is None:
            raise UserError("There is no such customer in this server. Choose one from the list, or type their e-mail.")
        purchase, plans = await _newest(tx, actor, customer_id, now, only)
        link = await tx.links.active(customer_id)
        user_id = None if link is None else link.user_id
        mail = None if via is Via.DM else await _mail(services, tx, customer, purchase, is_linked=link is not None)
        dm = None if via is Via.MAIL else await _dm(tx, MemberKey(actor.guild_id, user_id or UserId(0)), purchase, now)
        detail = {"mail": mail and mail.value, "dm": dm and dm.value, "actor_name": actor.name, "action": "resend"}
        entry = AuditEntry(
            event="member.resent",
            actor=str(actor),
            guild_id=actor.guild_id,
            user_id=user_id,
            customer_id=customer_id,
            detail=detail,
        )
        await tx.audit.add(entry, now)
    services.wake()
    return Resent(customer=customer, user_id=user_id, plans=tuple(plan.name for plan in plans), mail=mail, dm=dm)


async def resend_all(services: Services, actor: Actor, user_id: UserId) -> Sequence[Resent]:
    """Queue the mail again for every payer that a member is connected to in this server. Raises UserError."""
    async with services.store.read() as tx:
        customers = await tx.customers.of_member(MemberKey(actor.guild_id, user_id))
    mailed = [customer for customer in customers if customer.email] or customers
    if not mailed:
        raise UserError(f"<@{user_id}> is not connected to any customer of this server.")
    return [await resend(services, actor, customer.id, Via.MAIL) for customer in mailed[:MOST_AT_ONCE]]


async def _newest(
    tx: Transaction, actor: Actor, customer_id: CustomerId, now: datetime, only: PurchaseId | None
) -> tuple[Purchase, Sequence[Plan]]:
    """Return the newest purchase that still gives something in this server, or the one that is asked for."""
    for purchase in await tx.purchases.of_customer(customer_id):
        if only not in (None, purchase.id):
            continue
        plans = []
        for grant in await tx.purchases.grants(purchase.id):
            claim = Claim(grant=grant, purchase=purchase, plan=await tx.plans.get(grant.plan_id))
            is_over = shown(access_of(claim, now=now)).is_over or grant.state is GrantState.REVOKED
            if grant.guild_id == actor.guild_id and not is_over:
                plans.append(claim.plan)
        if plans:
            return purchase, plans
    if only is not None:
        raise UserError("This purchase has ended, so there is nothing to send.")
    raise UserError("Everything that this customer bought has ended, so there is nothing to send.")


async def _mail(
    services: Services, tx: Transaction, customer: Customer, purchase: Purchase, *, is_linked: bool
) -> Sending:
    if not services.mailer.is_configured:
        return Sending.NO_MAIL_SERVER
    if not customer.email:
        return Sending.NO_ADDRESS
    if customer.is_mail_refused:
        return Sending.ADDRESS_REFUSED
    now = services.clock.now()
    template = "link_again" if is_linked else "connect"
    draft = Draft(
        dedupe_key=f"{template}:{purchase.id}:{now:%Y-%m-%dT%H}",
        kind="mail",
        target=str(customer.id),
        template=template,
        facts={"purchase_id": int(purchase.id)},
    )
    return Sending.QUEUED if await tx.outbox.put(draft, now) else Sending.QUEUED_BEFORE


async def _dm(tx: Transaction, key: MemberKey, purchase: Purchase, now: datetime) -> Sending:
    if not key.user_id:
        return Sending.NOT_LINKED
    dossier = await dossiers.read(tx, key, now)
    settings = await tx.member_settings.get(key.user_id)
    if not settings.dms or not dossier.guild.dms:
        return Sending.TURNED_OFF
    had = (ShownState.ACTIVE, ShownState.TRIALING, ShownState.ENDING, ShownState.PAST_DUE)
    grants = [each for each in dossier.grants if each.purchase.id == purchase.id and each.state in had]
    if not grants:
        return Sending.NOT_DELIVERED
    until = None if grants[0].is_renewing else grants[0].at
    draft = Draft(
        dedupe_key=f"delivered:{purchase.id}:{now:%Y-%m-%dT%H}",
        kind="dm",
        target=str(key.user_id),
        template="delivered",
        facts={
            "guild_id": str(key.guild_id),
            "plan": grants[0].plan.name,
            "until": "" if until is None else until.isoformat(),
            "language": settings.language,
        },
    )
    return Sending.QUEUED if await tx.outbox.put(draft, now) else Sending.QUEUED_BEFORE
