"""What money did between two snapshots of a purchase: new, renewed, refunded, failed. Pure; reports.py adds it up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from membership.desk import Payment, PaymentKind
from membership.model import Dispute, Purchase, PurchaseKind, PurchaseStatus, Refund


def between(before: Purchase | None, after: Purchase) -> Iterator[Payment]:
    """Yield the payments that the newer snapshot shows; `before` None: the purchase was not known.

    Keys name the paid period, so that the same news by another way is the same payment. A comp moves no money.
    """
    if after.kind is PurchaseKind.COMP:
        return
    if after.status is PurchaseStatus.ACTIVE:
        if before is None or before.status in (PurchaseStatus.PENDING, PurchaseStatus.TRIALING):
            at = after.started_at if before is None else after.read_at
            yield _payment(after, PaymentKind.NEW, "new", at)
        elif before.status is PurchaseStatus.PAST_DUE or _is_later(after.period_ends_at, before.period_ends_at):
            is_recovered = before.status is PurchaseStatus.PAST_DUE
            at = after.read_at if is_recovered else min(before.period_ends_at or after.read_at, after.read_at)
            yield _payment(after, PaymentKind.RENEWAL, f"renewal:{_period(after)}", at)
    if after.status is PurchaseStatus.PAST_DUE and (before is None or before.status is not PurchaseStatus.PAST_DUE):
        since = after.past_due_since or after.read_at
        yield _payment(after, PaymentKind.FAILED, f"failed:{since.isoformat()}", since)
    yield from _returned(before, after)


def _returned(before: Purchase | None, after: Purchase) -> Iterator[Payment]:
    """Yield what went back. Of a part the platforms' snapshots do not say how much."""
    if after.refund is not Refund.NONE and (before is None or before.refund is not after.refund):
        amount = after.amount if after.refund is Refund.FULL else 0
        yield _payment(after, PaymentKind.REFUND, f"refund:{after.refund}:{_period(after)}", after.read_at, amount)
    is_lost = after.dispute is Dispute.LOST and (before is None or before.dispute is not Dispute.LOST)
    if is_lost and after.refund is not Refund.FULL:
        yield _payment(after, PaymentKind.REFUND, f"dispute:{_period(after)}", after.read_at)


def _payment(purchase: Purchase, kind: PaymentKind, key: str, at: datetime, amount: int | None = None) -> Payment:
    return Payment(
        account_id=purchase.account_id,
        purchase_id=purchase.id,
        at=at,
        amount=purchase.amount if amount is None else amount,
        currency=purchase.currency,
        kind=kind,
        key=f"{purchase.id}:{key}",
    )


def _is_later(moment: datetime | None, than: datetime | None) -> bool:
    return moment is not None and than is not None and moment > than


def _period(purchase: Purchase) -> str:
    return purchase.period_ends_at.isoformat() if purchase.period_ends_at else ""
