"""Rows to start from; a test names only what matters to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from membership.model import (
    AccountId,
    CustomerSnapshot,
    Grant,
    GuildId,
    Item,
    Plan,
    PlanId,
    PlanProduct,
    Proof,
    Purchase,
    PurchaseKind,
    PurchaseSnapshot,
    PurchaseStatus,
    RoleId,
    UserId,
)
from membership.ports import IncomingEvent
from storage.store import Transaction
from tests.storage.databases import NOON

GUILD = GuildId(1_100_000_000_000_000_001)
CHARLIE = UserId(1_200_000_000_000_000_003)
DANA = UserId(1_200_000_000_000_000_004)
VIP = RoleId(1_300_000_000_000_000_001)


def an_event(external_id: str = "evt_1", **changes: Any) -> IncomingEvent:
    usual: dict[str, Any] = {"external_id": external_id, "type": "paid", "body": b"{}", "is_live": False}
    return IncomingEvent(**usual | changes)


def a_snapshot(external_id: str = "sub_1", **changes: Any) -> PurchaseSnapshot:
    usual: dict[str, Any] = {
        "external_id": external_id,
        "kind": PurchaseKind.SUBSCRIPTION,
        "status": PurchaseStatus.ACTIVE,
        "raw_status": "active",
        "customer": CustomerSnapshot(external_id="cus_1"),
        "items": (Item(product_id="prod_1", price_id="price_1"),),
        "read_at": NOON,
        "started_at": NOON,
    }
    return PurchaseSnapshot(**usual | changes)


async def an_account(tx: Transaction) -> AccountId:
    return (await tx.accounts.ensure("stripe", "acct_1", False, NOON)).id


async def a_purchase(
    tx: Transaction, external_id: str = "sub_1", *, customer: str = "cus_1", **changes: Any
) -> Purchase:
    account_id = await an_account(tx)
    customer_id = await tx.customers.record(account_id, CustomerSnapshot(external_id=customer))
    _, purchase = await tx.purchases.record(account_id, customer_id, a_snapshot(external_id, **changes))
    return purchase


async def a_plan(tx: Transaction, slug: str = "vip", **changes: Any) -> Plan:
    account_id = await an_account(tx)
    usual: dict[str, Any] = {
        "id": PlanId(0),
        "guild_id": GUILD,
        "name": "VIP",
        "slug": slug,
        "roles": (VIP,),
        "products": (PlanProduct(account_id=account_id, product_id="prod_1"),),
    }
    return await tx.plans.create(Plan(**usual | changes))


async def a_linked_grant(
    tx: Transaction,
    user_id: UserId = CHARLIE,
    *,
    external_id: str = "sub_1",
    customer: str = "cus_1",
    now: datetime = NOON,
) -> Grant:
    """Return the grant of a purchase whose payer is linked to a user, on the plan `vip`."""
    purchase = await a_purchase(tx, external_id, customer=customer)
    plan = await tx.plans.by_slug("vip") or await a_plan(tx)
    grant = await tx.purchases.open_grant(purchase, plan, now)
    await tx.links.bind(purchase.customer_id, user_id, Proof.OAUTH, now)
    return grant
