"""What staff do about a problem as a whole: try again for everybody it concerns, or remind everybody who waits."""

from __future__ import annotations

from dataclasses import dataclass

from membership import binding, mail_preferences, resending
from membership.actors import Actor
from membership.errors import Reason, UserError
from membership.ledgers import Transaction
from membership.model import CustomerId, Grant, GrantState, Lane, MemberKey
from membership.records import AuditEntry
from membership.resending import Sending, Via
from membership.services import Services
from membership.syncing import KINDS, MOST_TROUBLED

MOST_AT_ONCE = 500
"""Members that one press marks; the five-minute run comes to the others."""
PAGE = 25
MOST_REMINDED = 50
_RETRIED = (GrantState.FAILED, GrantState.HELD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminded:
    """What came of reminding everybody: how many mails are queued, and how many people got none, or were not tried."""

    queued: int
    left: int


async def retry_grants(services: Services, actor: Actor, reason: Reason) -> int:
    """Look again at everybody whose grant failed or is held for a reason; return how many people. Raises UserError."""
    keys: list[MemberKey] = []
    for state in _RETRIED:
        async with services.store.read() as tx:
            stuck = await tx.purchases.grants_in_state(actor.guild_id, state, reason, MOST_AT_ONCE)
        for start in range(0, len(stuck), PAGE):
            async with services.store.read() as tx:
                keys += [key for grant in stuck[start : start + PAGE] if (key := await _key(tx, grant)) is not None]
    if not keys or reason is Reason.BRAKE:
        raise UserError("There is nothing to try again: it is solved already, or nobody is connected.")
    now = services.clock.now()
    found = sorted(set(keys))
    async with services.store.write() as tx:
        await binding.mark(tx, found, Lane.PLAN, now)
        await _note(tx, services, actor, {"what": reason.value, "count": len(found)})
    services.wake()
    return len(found)


async def retry_jobs(services: Services, actor: Actor) -> int:
    """Let every failed job of the actor's server run now, those given up too; return how many. Raises UserError."""
    now = services.clock.now()
    async with services.store.write() as tx:
        failed = await tx.jobs.troubled(KINDS, str(actor.guild_id), MOST_TROUBLED)
        for job in failed:
            await tx.jobs.mark(job.kind, job.key, lane=Lane.PLAN, run_at=now)
        if not failed:
            raise UserError("There is nothing to try again: it is solved already.")
        await _note(tx, services, actor, {"what": "jobs", "count": len(failed)})
    services.wake()
    return len(failed)


async def remind_unconnected(services: Services, actor: Actor) -> Reminded:
    """Mail the link again to those who paid, have not connected and take reminders, those who wait longest first."""
    async with services.store.read() as tx:
        grants = await tx.purchases.grants_in_state(actor.guild_id, GrantState.PENDING, Reason.NOT_LINKED, MOST_AT_ONCE)
        customers: dict[CustomerId, None] = {}
        for grant in grants[: 2 * MOST_REMINDED]:
            customer = await tx.customers.get((await tx.purchases.get(grant.purchase_id)).customer_id)
            if await mail_preferences.wants_reminders(tx, customer):
                customers[customer.id] = None
    queued = 0
    for customer_id in list(customers)[:MOST_REMINDED]:
        try:
            sent = await resending.resend(services, actor, customer_id, Via.MAIL)
        except UserError:
            continue  # what they bought has ended meanwhile
        queued += sent.mail is Sending.QUEUED
    return Reminded(queued=queued, left=len(customers) - queued)


async def _key(tx: Transaction, grant: Grant) -> MemberKey | None:
    link = await tx.links.active((await tx.purchases.get(grant.purchase_id)).customer_id)
    return None if link is None else MemberKey(grant.guild_id, link.user_id)


async def _note(tx: Transaction, services: Services, actor: Actor, detail: dict[str, object]) -> None:
    entry = AuditEntry(
        event="staff.retry",
        actor=str(actor),
        guild_id=actor.guild_id,
        detail={**detail, "actor_name": actor.name},
    )
    await tx.audit.add(entry, services.clock.now())
