"""Read a member's purchases from their provider again and put their roles right while somebody waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from membership import binding, evidence
from membership import dossier as dossiers
from membership.actors import Actor
from membership.dossier import Dossier
from membership.errors import Blocked, Gone, Retry
from membership.model import Lane, MemberKey, Purchase, PurchaseId, PurchaseKind, RoleId, UserId
from membership.records import JobStatus
from membership.services import Services

PATIENCE = timedelta(seconds=8)
MOST_PURCHASES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """A member before and after. `unread`: purchases whose provider did not answer or does not know them, and why.

    `lost` and `gained` are the roles that we put; `job` waits on where it could not finish (None: it is done).
    """

    before: Dossier
    after: Dossier
    lost: frozenset[RoleId]
    gained: frozenset[RoleId]
    read: int
    unread: Mapping[PurchaseId, str]
    job: JobStatus | None


async def refresh(services: Services, actor: Actor, user_id: UserId) -> Refreshed:
    """Ask the provider about every purchase of a member of the actor's server, then reconcile, and wait for it."""
    key = MemberKey(actor.guild_id, user_id)
    async with services.store.read() as tx:
        before = await dossiers.read(tx, key, services.clock.now())
    purchases = {grant.purchase.id: grant.purchase for grant in before.grants}
    paid = [each for each in purchases.values() if each.kind is not PurchaseKind.COMP][:MOST_PURCHASES]
    unread = {purchase.id: why for purchase in paid if (why := await _read(services, purchase))}
    started = services.signals.tick()
    async with services.store.write() as tx:
        await binding.mark(tx, [key], Lane.PERSON, services.clock.now())
    services.wake()
    await services.signals.wait([str(key)], since=started, patience=PATIENCE)
    async with services.store.read() as tx:
        after = await dossiers.read(tx, key, services.clock.now())
        job = await tx.jobs.status("member", str(key))
    had = frozenset() if before.row is None else before.row.observed
    has = frozenset() if after.row is None else after.row.observed
    return Refreshed(
        before=before,
        after=after,
        lost=had - has,
        gained=has - had,
        read=len(paid) - len(unread),
        unread=unread,
        job=job if job is not None and (job.last_error or job.is_running) else None,
    )


async def _read(services: Services, purchase: Purchase) -> str:
    """Read one purchase; return why that did not work, "" when it did."""
    try:
        is_known = await evidence.reread(services, purchase, Lane.PERSON)
    except Retry as failure:
        return failure.why
    except (Blocked, Gone) as failure:
        return str(failure)
    return "" if is_known else "the payment provider does not know it any more; nothing was changed"
