"""Purchases at our own account: what comps, redeemed plan codes and imports have in common (decision 0014).

Our row is their whole truth. Nobody else writes it, so that it is changed here and never read again from anywhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from membership import binding, recording
from membership.ledgers import Transaction
from membership.model import (
    AccountId,
    CustomerSnapshot,
    Grant,
    Item,
    Lane,
    MemberKey,
    Plan,
    Proof,
    Purchase,
    PurchaseKind,
    PurchaseSnapshot,
    PurchaseStatus,
    UserId,
)
from membership.recording import Occasion
from membership.records import HOUSE

ACTIVE = "active"
WITHDRAWN = "withdrawn"
"""What stands in place of a provider's own word for the status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """What is given: a plan until a moment (None: for ever). `external_id` is ours, unique, and says where it is from:
    "comp:...", "code:...", "import:..."; the same id again changes the same purchase.
    """

    external_id: str
    plan: Plan
    until: datetime | None
    started_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a gift became, and whose job to wait for."""

    purchase: Purchase
    grant: Grant
    key: MemberKey


async def account_id(tx: Transaction, now: datetime) -> AccountId:
    """Return our own account, made at the first need."""
    return (await tx.accounts.ensure(HOUSE, HOUSE, True, now)).id


async def give(tx: Transaction, gift: Gift, user_id: UserId, proof: Proof, now: datetime) -> Given:
    """Give a plan to a Discord user, and mark the member."""
    customer = await _customer_for(tx, gift, user_id, now)
    purchase, grant = await record(tx, gift, customer, now)
    await tx.links.bind(purchase.customer_id, user_id, proof, now)
    key = MemberKey(gift.plan.guild_id, user_id)
    await binding.mark(tx, [key], Lane.PERSON, now)
    return Given(purchase=purchase, grant=grant, key=key)


async def _customer_for(tx: Transaction, gift: Gift, user_id: UserId, now: datetime) -> CustomerSnapshot:
    """Return who the gift is booked on: the user's own payer here, or one of its own where that was moved or unlinked.

    Linking that one again would bring back, or take from somebody, whatever else was given under it.
    """
    usual = CustomerSnapshot(external_id=f"user:{user_id}")
    customer_id = await tx.customers.record(await account_id(tx, now), usual)
    link = await tx.links.active(customer_id)
    is_theirs = not await tx.purchases.of_customer(customer_id) if link is None else link.user_id == user_id
    return usual if is_theirs else CustomerSnapshot(external_id=f"user:{user_id}:{gift.external_id}")


async def record(tx: Transaction, gift: Gift, customer: CustomerSnapshot, now: datetime) -> tuple[Purchase, Grant]:
    """Write a gift to a payer down, linked or not, and open its grant. Invites and marks nobody."""
    house = await account_id(tx, now)
    customer_id = await tx.customers.record(house, customer)
    snapshot = PurchaseSnapshot(
        external_id=gift.external_id,
        kind=PurchaseKind.COMP,
        status=PurchaseStatus.ACTIVE,
        raw_status=ACTIVE,
        customer=customer,
        items=(Item(product_id=gift.plan.comp_product_id, price_id=""),),
        read_at=now,
        started_at=gift.started_at,
        ends_at=gift.until,
    )
    _, purchase = await tx.purchases.record(house, customer_id, snapshot)
    grant = await tx.purchases.open_grant(purchase, gift.plan, now)
    await recording.schedule_reading(tx, purchase)
    return purchase, grant


async def change(
    tx: Transaction, purchase: Purchase, occasion: Occasion, *, is_given: bool, until: datetime | None
) -> Purchase:
    """Set how long a gift lasts, or withdraw it (and give it again), and let it take effect."""
    customer = await tx.customers.get(purchase.customer_id)
    snapshot = PurchaseSnapshot(
        external_id=purchase.external_id,
        kind=PurchaseKind.COMP,
        status=PurchaseStatus.ACTIVE if is_given else PurchaseStatus.ENDED,
        raw_status=ACTIVE if is_given else WITHDRAWN,
        customer=CustomerSnapshot(external_id=customer.external_id),
        items=purchase.items,
        read_at=max(occasion.now, purchase.read_at),
        started_at=purchase.started_at,
        ends_at=until,
    )
    _, changed = await tx.purchases.record(purchase.account_id, purchase.customer_id, snapshot)
    await recording.schedule_reading(tx, changed)
    await recording.follow_up(tx, changed, occasion)
    return changed
