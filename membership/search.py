"""Find a person for staff by whatever they have at hand, and show everything known about one member (EXPERIENCE 2.2).

Only what has a grant in the actor's own server is found; what is typed may be anybody's guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from membership import codes
from membership import dossier as dossiers
from membership.actors import Actor
from membership.desk import PaymentKind
from membership.dossier import NOTE, Dossier
from membership.entitlements import access_of
from membership.errors import Blocked, Gone, Retry, UserError
from membership.ledgers import Transaction
from membership.model import Claim, CustomerId, GuildId, Lane, MemberKey, Observation, Plan, PlanId, UserId
from membership.records import Account, AuditEntry, Customer, Link
from membership.services import Services
from membership.shown import ShownGrant, shown

MOST_FOUND = 25
MOST_SUGGESTED = 10
MOST_NAMES = 5
LATEST_ENTRIES = 5
MOST_NOTES = 5
LARGEST_ID = 2**63
"""Ids are 64-bit: what is larger is no id, and no database takes it."""
_CUSTOMER = re.compile(r"customer:(\d{1,18})")
_USER = re.compile(r"<@!?(\d{15,20})>|(\d{15,20})")

Entries = Sequence[tuple[int, datetime, AuditEntry]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One person: a payer, somebody in Discord, or both. `name` is their name at Discord where that was asked for."""

    customer: Customer | None
    user_id: UserId | None
    grants: tuple[ShownGrant, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything known about one member. `member` None and `is_seen`: Discord says that they are not in the server.

    `paid` is what they paid in all, refunds taken off, in minor units by currency.
    """

    dossier: Dossier
    member: Observation
    is_seen: bool
    links: tuple[tuple[Customer, Account, Link], ...]
    paid: Mapping[str, int]
    latest: Entries
    notes: Entries


def customer_value(customer_id: CustomerId) -> str:
    """Return what a suggestion carries for a payer; `find` and `customer` read it back."""
    return f"customer:{customer_id}"


async def suggest(services: Services, actor: Actor, typed: str) -> Sequence[Found]:
    """Return payers that fit what was typed so far. Asks the database alone, since it runs at every key."""
    now = services.clock.now()
    async with services.store.read() as tx:
        customers = await tx.customers.search(actor.guild_id, typed, MOST_SUGGESTED, whole_address=not actor.can_data)
        plans = {plan.id: plan for plan in await tx.plans.all(actor.guild_id)}
        return [await _glimpse(tx, plans, customer, now) for customer in customers]


async def find(services: Services, actor: Actor, typed: str) -> Sequence[Found]:
    """Find people by e-mail, name, order, code, customer id, Discord id or mention, or the beginning of a Discord name.

    A whole e-mail finds its payer; at most 25 are returned.
    """
    text, now = typed.strip(), services.clock.now()
    async with services.store.read() as tx:
        user_id = _user_in(text) or await _user_of_code(tx, actor, text)
        customers = await _customers(tx, actor, text)
        found = [await _found(tx, actor.guild_id, customer, now) for customer in customers[:MOST_FOUND]]
        if user_id is not None and user_id not in {each.user_id for each in found}:
            found.append(await _person(tx, MemberKey(actor.guild_id, user_id), now))
    if user_id is None and "@" not in text[1:]:
        known = {each.user_id for each in found}
        found += [each for each in await _by_name(services, actor, text) if each.user_id not in known]
    return found[:MOST_FOUND]


async def customer(services: Services, actor: Actor, typed: str) -> CustomerId:
    """Return the one payer that an option means: picked from the list, or typed. Raises UserError."""
    async with services.store.read() as tx:
        found = await _customers(tx, actor, typed.strip())
    if not found:
        raise UserError("There is no such customer in this server. Choose one from the list, or type their e-mail.")
    if len(found) > 1:
        raise UserError(f"{len(found)} customers fit that. Choose one from the list, or type the whole e-mail.")
    return found[0].id


async def overview(services: Services, actor: Actor, user_id: UserId) -> Overview:
    """Gather everything known about one member. Never raises for Discord."""
    key = MemberKey(actor.guild_id, user_id)
    is_seen, member = await _look_at(services, key)
    now = services.clock.now()
    async with services.store.read() as tx:
        dossier = await dossiers.read(tx, key, now)
        return Overview(
            dossier=dossier,
            member=member,
            is_seen=is_seen,
            links=tuple(
                (payer.customer, payer.account, payer.link)
                for payer in dossier.payers.values()
                if payer.link is not None and payer.link.user_id == user_id
            ),
            paid=await _paid(tx, dossier),
            latest=await _latest(tx, key),
            notes=await tx.audit.recent(MOST_NOTES, guild_id=key.guild_id, user_id=user_id, events=(NOTE,)),
        )


async def _latest(tx: Transaction, key: MemberKey) -> Entries:
    """Return the last lines of the history; notes are shown by themselves."""
    found = await tx.audit.recent(LATEST_ENTRIES + MOST_NOTES, guild_id=key.guild_id, user_id=key.user_id)
    return [each for each in found if each[2].event != NOTE][:LATEST_ENTRIES]


async def _look_at(services: Services, key: MemberKey) -> tuple[bool, Observation]:
    try:
        seen = await services.discord.observe(key.guild_id, [key.user_id], lane=Lane.PERSON)
    except (Retry, Blocked, Gone):
        return False, None
    return True, seen[key.user_id]


async def _paid(tx: Transaction, dossier: Dossier) -> Mapping[str, int]:
    signs = {PaymentKind.NEW: 1, PaymentKind.RENEWAL: 1, PaymentKind.REFUND: -1, PaymentKind.FAILED: 0}
    totals: dict[str, int] = {}
    # What was connected by mistake, or has moved on, is somebody else's money.
    theirs = {
        customer_id
        for customer_id, payer in dossier.payers.items()
        if payer.link is not None and payer.link.user_id == dossier.key.user_id
    }
    purchases = (grant.purchase for grant in dossier.grants if grant.purchase.customer_id in theirs)
    for purchase_id in dict.fromkeys(purchase.id for purchase in purchases):
        for payment in await tx.payments.of_purchase(purchase_id):
            totals[payment.currency] = totals.get(payment.currency, 0) + signs[payment.kind] * payment.amount
    return {currency: total for currency, total in totals.items() if total}


async def _customers(tx: Transaction, actor: Actor, text: str) -> Sequence[Customer]:
    """Look a payer up by what a suggestion carries, by a claim code, or by what the search knows."""
    chosen = _CUSTOMER.fullmatch(text)
    if chosen is not None:
        one = await tx.customers.in_guild(CustomerId(int(chosen[1])), actor.guild_id)
        return [] if one is None else [one]
    code = codes.normalise(text)
    stored = None if code is None else await tx.codes.get(codes.digest(code))
    purchase = None if stored is None else await tx.purchases.in_guild(stored.purchase_id, actor.guild_id)
    if purchase is not None:
        return [await tx.customers.get(purchase.customer_id)]
    found = await tx.customers.search(actor.guild_id, text, MOST_FOUND + 1, whole_address=not actor.can_data)
    exact = [each for each in found if each.email.casefold() == text.casefold()]
    return exact or found


def _user_in(text: str) -> UserId | None:
    found = _USER.fullmatch(text)
    number = 0 if found is None else int(found[1] or found[2])
    return UserId(number) if 0 < number < LARGEST_ID else None


async def _user_of_code(tx: Transaction, actor: Actor, text: str) -> UserId | None:
    """Return who used a plan code of this server last."""
    code = codes.normalise(text)
    known = None if code is None else await tx.plan_codes.find(codes.digest(code))
    if known is None or known.guild_id != actor.guild_id:
        return None
    uses = await tx.plan_codes.uses(known.digest, 1)
    return uses[0].user_id if uses else None


async def _found(tx: Transaction, guild_id: GuildId, customer: Customer, now: datetime) -> Found:
    link = await tx.links.active(customer.id)
    if link is not None:
        person = await _person(tx, MemberKey(guild_id, link.user_id), now)
        grants = [grant for grant in person.grants if grant.purchase.customer_id == customer.id]
        return Found(customer=customer, user_id=link.user_id, grants=tuple(grants))
    plans = {plan.id: plan for plan in await tx.plans.all(guild_id)}
    return await _glimpse(tx, plans, customer, now)


async def _glimpse(tx: Transaction, plans: Mapping[PlanId, Plan], customer: Customer, now: datetime) -> Found:
    """Judge a payer's purchases one by one, which is exact until somebody is connected, and quick."""
    link = await tx.links.active(customer.id)
    claims = [
        Claim(grant=grant, purchase=purchase, plan=plans[grant.plan_id])
        for purchase in await tx.purchases.of_customer(customer.id)
        for grant in await tx.purchases.grants(purchase.id)
        if grant.plan_id in plans
    ]
    grants = [shown(access_of(claim, now=now), is_connected=link is not None) for claim in claims]
    return Found(customer=customer, user_id=None if link is None else link.user_id, grants=tuple(grants))


async def _person(tx: Transaction, key: MemberKey, now: datetime) -> Found:
    dossier = await dossiers.read(tx, key, now)
    payers = [payer.customer for payer in dossier.payers.values() if payer.link and payer.link.user_id == key.user_id]
    return Found(customer=payers[0] if payers else None, user_id=key.user_id, grants=dossier.grants)


async def _by_name(services: Services, actor: Actor, text: str) -> Sequence[Found]:
    """Ask Discord for members whose name begins like this."""
    wanted = text.removeprefix("@")
    if not wanted:
        return []
    try:
        named = await services.discord.members_named(actor.guild_id, wanted, MOST_NAMES)
    except (Retry, Blocked, Gone):
        return []
    now = services.clock.now()
    found = []
    async with services.store.read() as tx:
        for user_id, seen in named.items():
            person = await _person(tx, MemberKey(actor.guild_id, user_id), now)
            found.append(Found(customer=person.customer, user_id=user_id, grants=person.grants, name=seen.name))
    return found
