"""Read a purchase again from its provider: the positive evidence without which no role goes (law 3)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import structlog

from membership import recording
from membership.errors import Gone, Retry
from membership.model import (
    Dispute,
    Lane,
    MemberFacts,
    Purchase,
    PurchaseId,
    PurchaseKind,
    PurchaseSnapshot,
    PurchaseStatus,
    Refund,
)
from membership.services import Services

log = structlog.get_logger()

FRESH = timedelta(seconds=30)
UNCONFIGURED_PATIENCE = timedelta(minutes=5)


async def reread(services: Services, purchase: Purchase, lane: Lane) -> bool:
    """Fetch one purchase and record it. Raises Retry or Blocked while the provider cannot or will not answer.

    A comp is not asked for: what is stored is its only truth.
    A purchase that the provider no longer knows stays as it was stored, and False is returned: absence is no evidence.
    """
    if purchase.kind is PurchaseKind.COMP:
        return True
    provider = await services.sellers.provider(purchase.account_id)
    if provider is None:
        raise Retry("no configured provider can confirm this purchase", after=UNCONFIGURED_PATIENCE)
    try:
        snapshot = await provider.fetch(purchase.external_id)
    except Gone:
        log.warning("purchase_not_found", purchase_id=purchase.id)
        return False
    occasion = recording.Occasion(now=services.clock.now(), lane=lane, policy=services.policy)
    async with services.store.write() as tx:
        known = await tx.purchases.get(purchase.id)
        await recording.record(tx, purchase.account_id, _complete(snapshot, known), occasion)
    return True


def unconfirmed(facts: MemberFacts, missing: Collection[PurchaseId]) -> MemberFacts:
    """Return the facts with the live purchases among `missing` as unknown: nobody confirms that they are over.

    What is stored as over was confirmed when it was stored.
    """
    claims = (
        replace(claim, purchase=replace(claim.purchase, status=PurchaseStatus.UNKNOWN, dispute=Dispute.NONE))
        if claim.purchase.id in missing and not is_over(claim.purchase)
        else claim
        for claim in facts.claims
    )
    return replace(facts, claims=tuple(claims))


def is_over(purchase: Purchase) -> bool:
    """Say whether the provider itself has said that this purchase gives nothing any more."""
    is_money_back = purchase.refund is Refund.FULL or purchase.dispute is Dispute.LOST
    return is_money_back or purchase.status in _OVER


_OVER = (PurchaseStatus.UNPAID, PurchaseStatus.ENDED, PurchaseStatus.EXPIRED)


def _complete(snapshot: PurchaseSnapshot, known: Purchase) -> PurchaseSnapshot:
    """Fill in what a read by id could not tell: there is no better read to wait for, so what is stored stays."""
    return replace(
        snapshot,
        refund=known.refund if snapshot.refund is None else snapshot.refund,
        dispute=known.dispute if snapshot.dispute is None else snapshot.dispute,
    )
