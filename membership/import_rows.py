"""One row of an import: the purchase it becomes, whom that is tied to, and how it is taken back.

Payers of imports belong to one server: what a list says of an address in one has no say in another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from membership import binding, house, recording
from membership.errors import Reason
from membership.house import Gift
from membership.import_formats import Entry, Format
from membership.ledgers import Transaction
from membership.model import (
    AccountId,
    CustomerSnapshot,
    GrantState,
    GuildId,
    Lane,
    Plan,
    PlanId,
    Proof,
    Purchase,
    PurchaseId,
    PurchaseStatus,
)
from membership.policy import Policy
from membership.recording import Occasion
from membership.records import HOUSE, AuditEntry
from membership.report_ledgers import Imported

_LATER = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An import that was confirmed: by whom and when, what each tier becomes, and whether people are mailed."""

    guild_id: GuildId
    actor: str
    form: Format
    at: datetime
    is_inviting: bool
    plans: Mapping[str, Plan]
    policy: Policy


def prefix(guild_id: GuildId) -> str:
    """Return what the purchases of a server's imports are named with at first."""
    return f"import:{guild_id}:"


def external_id(guild_id: GuildId, form: Format, entry: Entry) -> str:
    """Name the purchase of a membership: the same for the same membership of the next list."""
    digest = hashlib.sha256(f"{form.value}|{entry.identity}".encode()).hexdigest()[:24]
    return f"{prefix(guild_id)}{form.value}:{digest}"


def is_same(entry: Entry, plan: Plan, known: Imported) -> bool:
    """Say whether importing a membership again would change nothing."""
    is_given = known.status is PurchaseStatus.ACTIVE
    return is_given and (known.ends_at, known.product_id) == (entry.until, plan.comp_product_id)


async def house_id(tx: Transaction) -> AccountId | None:
    """Return our own account, None before anything was given."""
    return next((account.id for account in await tx.accounts.all() if account.provider == HOUSE), None)


async def write(tx: Transaction, order: Order, entry: Entry) -> None:
    """Make or change the purchase of a membership, tie it to its Discord account, or invite its payer."""
    plan = order.plans[entry.tier]
    name = external_id(order.guild_id, order.form, entry)
    known = (await tx.reports.imported(await house.account_id(tx, order.at), [name])).get(name)
    if known is None or not is_same(entry, plan, known):
        gift = Gift(external_id=name, plan=plan, until=entry.until, started_at=order.at)
        purchase, _ = await house.record(tx, gift, _payer(order.guild_id, entry), order.at)
    else:
        purchase = await tx.purchases.get(known.purchase_id)
    if entry.user_id is not None and await tx.links.active(purchase.customer_id) is None:
        await _tie(tx, order, entry, purchase)
    if await tx.links.active(purchase.customer_id) is not None:
        await binding.mark_members(tx, purchase.customer_id, Lane.BULK, order.at)
        return
    await _let_wait(tx, purchase, plan.id, order.at)
    if order.is_inviting and entry.email:
        occasion = Occasion(now=order.at, lane=Lane.BULK, policy=order.policy)
        await recording.follow_up(tx, purchase, occasion)


async def restore(tx: Transaction, purchase_id: PurchaseId, before: Imported | None, occasion: Occasion) -> None:
    """Bring a purchase back to what it was before an import; None: it was not there."""
    purchase = await tx.purchases.get(purchase_id)
    # Always a newer snapshot: an older one would be ignored.
    later = replace(occasion, now=max(occasion.now, purchase.read_at + _LATER))
    if before is None or before.status is not PurchaseStatus.ACTIVE:
        await house.change(tx, purchase, later, is_given=False, until=purchase.ends_at)
        return
    plan = await tx.plans.get(PlanId(int(before.product_id.removeprefix("plan:"))))
    gift = Gift(external_id=purchase.external_id, plan=plan, until=before.ends_at, started_at=purchase.started_at)
    payer = await tx.customers.get(purchase.customer_id)
    restored, _ = await house.record(tx, gift, CustomerSnapshot(external_id=payer.external_id), later.now)
    if await tx.links.active(purchase.customer_id) is not None:
        await binding.mark_members(tx, purchase.customer_id, occasion.lane, later.now)
    else:
        await _let_wait(tx, restored, plan.id, later.now)


def _payer(guild_id: GuildId, entry: Entry) -> CustomerSnapshot:
    # The address itself stands in one place alone, so that erasing a person leaves it nowhere.
    address = hashlib.sha256(entry.email.casefold().encode()).hexdigest()[:24]
    whose = f"mail:{guild_id}:{address}" if entry.email else f"user:{entry.user_id}:import:{guild_id}"
    return CustomerSnapshot(external_id=whose, email=entry.email, name=entry.name)


async def _tie(tx: Transaction, order: Order, entry: Entry, purchase: Purchase) -> None:
    if entry.user_id is None:
        return
    await tx.links.bind(purchase.customer_id, entry.user_id, Proof.STAFF, order.at)
    made = AuditEntry(
        event="link.created",
        actor=order.actor,
        guild_id=order.guild_id,
        user_id=entry.user_id,
        customer_id=purchase.customer_id,
        detail={"proof": Proof.STAFF.value, "import": order.form.value},
    )
    await tx.audit.add(made, order.at)


async def _let_wait(tx: Transaction, purchase: Purchase, plan_id: PlanId, now: datetime) -> None:
    """Let the grant of nobody yet wait for its Discord account, also after it had ended; on another plan it ends."""
    for grant in await tx.purchases.grants(purchase.id):
        is_wanted, is_over = grant.plan_id == plan_id, grant.state is GrantState.REVOKED
        if is_wanted and is_over:
            waiting = replace(grant, state=GrantState.PENDING, reason=Reason.NOT_LINKED, ended_at=None)
            await tx.purchases.set_grant(replace(waiting, episode=grant.episode + 1))
        elif not is_wanted and not is_over:
            over = replace(grant, state=GrantState.REVOKED, reason=Reason.PLAN_CHANGED, ended_at=now)
            await tx.purchases.set_grant(over)
