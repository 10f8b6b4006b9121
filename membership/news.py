"""What servers hear of a purchase itself: money, a new subscription, a cancellation, a dispute. Shared by recordings.

What becomes of the member is told by announcements.py. What is old when we first see it was imported, and is no news.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from membership import mail_notices, notices
from membership.desk import Payment, PaymentKind
from membership.ledgers import Transaction
from membership.model import Dispute, Grant, GuildId, Purchase, PurchaseKind, PurchaseStatus, Refund, UserId

FRESH = timedelta(days=1)

_OF_MONEY: Mapping[PaymentKind, str] = {
    PaymentKind.NEW: "payment.succeeded",
    PaymentKind.RENEWAL: "payment.succeeded",
    PaymentKind.FAILED: "payment.failed",
    PaymentKind.REFUND: "payment.refunded",
}
_RUNNING = (PurchaseStatus.ACTIVE, PurchaseStatus.TRIALING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What one recording changed: the purchase before (None: unknown) and after, its new payments and grants."""

    before: Purchase | None
    after: Purchase
    payments: Sequence[Payment]
    opened: Sequence[Grant]
    now: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Audience:
    """The servers that a purchase opens plans in, with the names of those plans, and who is linked to it."""

    plans: Mapping[GuildId, str]
    user_id: UserId | None


async def tell(tx: Transaction, happening: Happening) -> None:
    """Tell every server in which the purchase has a grant."""
    after, now = happening.after, happening.now
    for payment in happening.payments:
        if now - payment.at < FRESH:
            facts = {"amount": payment.amount, "currency": payment.currency, "kind": payment.kind.value}
            await _tell_all(tx, _OF_MONEY[payment.kind], happening, facts)
            if _is_refund(happening, payment):
                await mail_notices.tell_of_refund(tx, after, payment.key, now)
    if now - after.started_at < FRESH and after.kind is not PurchaseKind.COMP:
        for grant in happening.opened:
            await _tell_of_grant(tx, "grant.created", grant, happening)
            if after.status is PurchaseStatus.TRIALING:
                await _tell_of_grant(tx, "grant.trial_started", grant, happening)
    if happening.before is not None:
        await _tell_of_dispute(tx, happening.before, happening)
        if _is_cancelled(happening.before, after):
            for grant in await tx.purchases.grants(after.id):
                await _tell_of_grant(tx, "grant.ending", grant, happening)
            await mail_notices.tell_of_cancellation(tx, after, now)


async def _tell_of_dispute(tx: Transaction, before: Purchase, happening: Happening) -> None:
    after, was_open = happening.after, before.dispute in (Dispute.OPEN, Dispute.INQUIRY)
    facts: dict[str, object] = {
        "amount": after.amount,
        "currency": after.currency,
        "detail": after.dispute.value,
        "problem": f"dispute:{after.id}",
    }
    if after.dispute in (Dispute.OPEN, Dispute.INQUIRY) and after.dispute is not before.dispute:
        await _tell_all(tx, "payment.disputed", happening, facts)
    elif was_open and after.dispute in (Dispute.NONE, Dispute.LOST):
        facts["detail"] = "lost" if after.dispute is Dispute.LOST else "won or withdrawn"
        await _tell_all(tx, "payment.dispute_closed", happening, facts)


def _is_refund(happening: Happening, payment: Payment) -> bool:
    """Say whether the seller gave money back; what a bank took back in a dispute is no refund of theirs."""
    before = happening.before
    is_new = before is None or before.refund is not happening.after.refund
    return payment.kind is PaymentKind.REFUND and happening.after.refund is not Refund.NONE and is_new


def _is_cancelled(before: Purchase, after: Purchase) -> bool:
    """Say whether a running subscription now has an end, and did not before."""
    is_running = after.kind is PurchaseKind.SUBSCRIPTION and after.status in _RUNNING
    return is_running and before.ends_at is None and after.ends_at is not None


async def _audience(tx: Transaction, purchase: Purchase) -> _Audience:
    plans: dict[GuildId, list[str]] = {}
    for grant in await tx.purchases.grants(purchase.id):
        plans.setdefault(grant.guild_id, []).append((await tx.plans.get(grant.plan_id)).name)
    link = await tx.links.active(purchase.customer_id)
    return _Audience(
        plans={guild_id: ", ".join(sorted(names)) for guild_id, names in plans.items()},
        user_id=None if link is None else link.user_id,
    )


async def _tell_all(tx: Transaction, event: str, happening: Happening, facts: Mapping[str, object]) -> None:
    # Asked here alone: most recordings bring no news, and a listing makes a hundred thousand of them.
    audience = await _audience(tx, happening.after)
    problem = str(facts.get("problem") or "")
    for guild_id, plan in sorted(audience.plans.items()):
        is_paid = event == "payment.succeeded"
        known = await notices.rhythm(tx, event, guild_id, happening.after) if is_paid else {}
        told = {"plan": plan, "purchase_id": int(happening.after.id), **facts, **known}
        await notices.tell(tx, event, guild_id, told, happening.now, user_id=audience.user_id, problem=problem)


async def _tell_of_grant(tx: Transaction, event: str, grant: Grant, happening: Happening) -> None:
    purchase = happening.after
    until = purchase.trial_ends_at if event == "grant.trial_started" else purchase.ends_at
    link = await tx.links.active(purchase.customer_id)
    facts = {
        "plan": (await tx.plans.get(grant.plan_id)).name,
        "amount": purchase.amount,
        "currency": purchase.currency,
        "until": until.isoformat() if until else "",
    }
    user_id = None if link is None else link.user_id
    await notices.tell(tx, event, grant.guild_id, facts, happening.now, user_id=user_id, grant_id=grant.id)
