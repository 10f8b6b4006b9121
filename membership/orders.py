"""One purchase of the actor's server, for staff: who paid what, how far the invitation has come, what it gives.

What staff do about it is in other use-cases (resending, staff_links, comps, refreshing); here it is read again alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from membership import dossier as dossiers
from membership import evidence
from membership.actors import Actor
from membership.addresses import masked
from membership.desk import Payment, PaymentKind
from membership.entitlements import access_of
from membership.errors import Blocked, Gone, Retry
from membership.ledgers import Transaction
from membership.listing_ledgers import Entry, SentMail
from membership.model import Claim, Lane, MemberKey, Purchase, PurchaseId, PurchaseKind, UserId
from membership.records import Account, Customer, Link, StoredCode
from membership.services import Services
from membership.shown import ShownGrant, shown

MOST_ENTRIES = 50
MOST_MAILS = 50
MOST_CODES = 20
_REMOVED = "link.removed"
_SIGNS = {PaymentKind.NEW: 1, PaymentKind.RENEWAL: 1, PaymentKind.REFUND: -1, PaymentKind.FAILED: 0}


class Invitation(StrEnum):
    """How far a buyer has come on the way to Discord; OVER: there is nothing to invite them to any more."""

    NOT_INVITED = "not_invited"
    IN_PROGRESS = "in_progress"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """Who had a purchase until they were disconnected from it. None and "" for what nobody knows any more."""

    user_id: UserId | None
    name: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One purchase. `email` is masked for whoever may not see it whole; `products` name what was bought.

    `mails` are those about this purchase, newest first; `codes` its claim codes; `reminder_at`: when the next reminder
    goes out by itself, None for none. `paid` is what was paid in all, refunds taken off, by currency. `former`: who was
    disconnected last, None while somebody is connected and where nobody was since it was bought.
    """

    purchase: Purchase
    customer: Customer
    email: str
    account: Account
    link: Link | None
    discord_name: str
    is_present: bool | None
    grants: tuple[ShownGrant, ...]
    products: Mapping[str, str]
    payments: tuple[Payment, ...]
    paid: Mapping[str, int]
    invitation: Invitation
    mails: tuple[SentMail, ...]
    codes: tuple[StoredCode, ...]
    reminder_at: datetime | None
    entries: tuple[Entry, ...]
    former: Former | None

    @property
    def is_given(self) -> bool:
        """Say whether nobody paid for it: staff gave it."""
        return self.purchase.kind is PurchaseKind.COMP

    @property
    def is_over(self) -> bool:
        """Say whether nothing of it gives anything any more."""
        return all(grant.is_over for grant in self.grants)


async def look(services: Services, actor: Actor, purchase_id: PurchaseId) -> Order:
    """Return everything stored about one purchase. Raises Gone("order") when it gives nothing in the actor's server."""
    now = services.clock.now()
    async with services.store.read() as tx:
        purchase = await _purchase(tx, actor, purchase_id)
        customer = await tx.customers.get(purchase.customer_id)
        link = await tx.links.active(customer.id)
        row = None if link is None else await tx.members.get(MemberKey(actor.guild_id, link.user_id))
        grants = await _grants(tx, actor, purchase, link, now)
        payments = await tx.payments.of_purchase(purchase.id)
        mails = await tx.listings.mails(customer.id, purchase.id, MOST_MAILS)
        reminder = await tx.jobs.status("invitation", str(purchase.id))
        prices = await tx.accounts.prices(purchase.account_id)
        entries = await _entries(tx, actor, customer, grants)
        former = None if link is not None else await _former(tx, actor, purchase, entries)
        return Order(
            purchase=purchase,
            customer=customer,
            email=customer.email if actor.can_data else masked(customer.email),
            account=await tx.accounts.get(purchase.account_id),
            link=link,
            discord_name="" if row is None else row.name,
            is_present=None if row is None else row.is_present,
            grants=tuple(grants),
            products={price.product_id: price.product_name for price in prices},
            payments=tuple(reversed(payments)),
            paid=_paid(payments),
            invitation=_invitation(link, former, grants, mails),
            mails=tuple(mails),
            codes=tuple(await tx.listings.codes(purchase.id, MOST_CODES)),
            reminder_at=None if reminder is None or reminder.is_parked else reminder.due_at,
            entries=tuple(entries),
            former=former,
        )


async def read_again(services: Services, actor: Actor, purchase_id: PurchaseId) -> str:
    """Ask the provider about one purchase now; return why that did not work, "" when it did. Raises Gone("order")."""
    async with services.store.read() as tx:
        purchase = await _purchase(tx, actor, purchase_id)
    if purchase.kind is PurchaseKind.COMP:
        return ""
    try:
        is_known = await evidence.reread(services, purchase, Lane.PERSON)
    except Retry as failure:
        return failure.why
    except (Blocked, Gone) as failure:
        return str(failure)
    return "" if is_known else "the payment provider does not know it any more; nothing was changed"


async def _purchase(tx: Transaction, actor: Actor, purchase_id: PurchaseId) -> Purchase:
    purchase = await tx.purchases.in_guild(purchase_id, actor.guild_id)
    if purchase is None:
        raise Gone("order")
    return purchase


async def _grants(
    tx: Transaction, actor: Actor, purchase: Purchase, link: Link | None, now: datetime
) -> Sequence[ShownGrant]:
    """Judge the grants as the member's card does: all of a member together, and alone while nobody is connected."""
    if link is not None:
        dossier = await dossiers.read(tx, MemberKey(actor.guild_id, link.user_id), now)
        return [grant for grant in dossier.grants if grant.purchase.id == purchase.id]
    plans = {plan.id: plan for plan in await tx.plans.all(actor.guild_id)}
    return [
        shown(access_of(Claim(grant=grant, purchase=purchase, plan=plans[grant.plan_id]), now=now), is_connected=False)
        for grant in await tx.purchases.grants(purchase.id)
        if grant.plan_id in plans
    ]


async def _entries(tx: Transaction, actor: Actor, customer: Customer, grants: Sequence[ShownGrant]) -> Sequence[Entry]:
    ids = [grant.grant.id for grant in grants]
    return await tx.listings.about(actor.guild_id, customer.id, ids, MOST_ENTRIES)


async def _former(tx: Transaction, actor: Actor, purchase: Purchase, entries: Sequence[Entry]) -> Former | None:
    """Find who was disconnected last since the purchase was made; entries come newest first."""
    removals = [entry for entry in entries if entry.what.event == _REMOVED and entry.at >= purchase.started_at]
    if not removals:
        return None
    user_id = removals[0].what.user_id
    row = None if user_id is None else await tx.members.get(MemberKey(actor.guild_id, user_id))
    return Former(user_id=user_id, name="" if row is None else row.name, until=removals[0].at)


def _invitation(
    link: Link | None, former: Former | None, grants: Sequence[ShownGrant], mails: Sequence[SentMail]
) -> Invitation:
    if link is not None:
        return Invitation.CONNECTED
    if all(grant.is_over for grant in grants):
        return Invitation.OVER
    if former is not None:
        return Invitation.DISCONNECTED
    is_invited = any(mail.state in ("waiting", "sent") for mail in mails)
    return Invitation.IN_PROGRESS if is_invited else Invitation.NOT_INVITED


def _paid(payments: Sequence[Payment]) -> Mapping[str, int]:
    totals: dict[str, int] = {}
    for payment in payments:
        totals[payment.currency] = totals.get(payment.currency, 0) + _SIGNS[payment.kind] * payment.amount
    return {currency: total for currency, total in totals.items() if total}
