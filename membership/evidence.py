"""Read a purchase again from its provider: the positive evidence without which no role goes (law 3)."""

from __future__ import annotations

from datetime import timedelta

import structlog

from membership import recording
from membership.errors import Gone, Retry
from membership.model import Lane, Purchase
from membership.services import Services

log = structlog.get_logger()

FRESH = timedelta(seconds=30)
UNCONFIGURED_PATIENCE = timedelta(minutes=5)


async def reread(services: Services, purchase: Purchase, lane: Lane) -> None:
    """Fetch one purchase and record it. Raises Retry or Blocked while the provider cannot or will not answer.

    A purchase that the provider no longer knows stays as it was stored: absence is no evidence.
    """
    provider = await services.sellers.provider(purchase.account_id)
    if provider is None:
        raise Retry("no configured provider can confirm this purchase", after=UNCONFIGURED_PATIENCE)
    try:
        snapshot = await provider.fetch(purchase.external_id)
    except Gone:
        log.warning("purchase_not_found", purchase_id=purchase.id)
        return
    occasion = recording.Occasion(now=services.clock.now(), lane=lane, policy=services.policy)
    async with services.store.write() as tx:
        await recording.record(tx, purchase.account_id, snapshot, occasion)
