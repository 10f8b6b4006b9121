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
from membership.ledgers import Transaction
from membership.model import Lane, MemberKey, Purchase, PurchaseId, PurchaseKind, RoleId, UserId
from membership.records import JobStatus
from membership.services import Services

PATIENCE = timedelta(seconds=8)
MOST_PURCHASES = 20
MOST_ACTS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """A member before and after. `unread`: purchases whose provider did not answer or does not know them, and why.

    `gained` and `lost` are the roles that we put and took meanwhile; `job` is what still waits, None when it is done.
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
        newest = await tx.audit.recent(1, guild_id=key.guild_id, user_id=user_id)
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
        gained, lost = await _acts(tx, key, after_number=newest[0][0] if newest else 0)
    return Refreshed(
        before=before,
        after=after,
        lost=lost,
        gained=gained,
        read=len(paid) - len(unread),
        unread=unread,
        job=job if job is not None and (job.last_error or job.is_running) else None,
    )


async def _acts(tx: Transaction, key: MemberKey, *, after_number: int) -> tuple[frozenset[RoleId], frozenset[RoleId]]:
    """Return the roles that were put and taken since an audit entry."""
    found: dict[str, set[RoleId]] = {"role.added": set(), "role.removed": set()}
    entries = await tx.audit.recent(MOST_ACTS, guild_id=key.guild_id, user_id=key.user_id, events=tuple(found))
    for number, _, entry in entries:
        listed = (entry.detail or {}).get("role_ids")
        if number > after_number and isinstance(listed, list):
            found[entry.event] |= {RoleId(int(role)) for role in listed}
    return frozenset(found["role.added"]), frozenset(found["role.removed"])


async def _read(services: Services, purchase: Purchase) -> str:
    """Read one purchase; return why that did not work, "" when it did."""
    try:
        is_known = await evidence.reread(services, purchase, Lane.PERSON)
    except Retry as failure:
        return failure.why
    except (Blocked, Gone) as failure:
        return str(failure)
    return "" if is_known else "the payment provider does not know it any more; nothing was changed"
