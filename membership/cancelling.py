"""Let a customer's subscription end with the period that is paid, and take that back: on our own page, at once.

What the provider answers is recorded at once, so that the state shows before its webhook comes.
"""

from __future__ import annotations

from membership import reach, recording
from membership.browsing import SignIn
from membership.errors import Gone, UserError
from membership.ledgers import Transaction
from membership.model import GrantId, Lane, Purchase, PurchaseKind, PurchaseSnapshot
from membership.reach import ReachedGrant
from membership.recording import Occasion
from membership.records import AuditEntry
from membership.services import Services

CANCELLED, RESUMED = "customer.cancelled", "customer.resumed"
"""Acts in the audit; what servers hear is that the subscription ends (grant.ending)."""

LONGEST_REASON = 500


async def cancel(services: Services, sign_in: SignIn, grant_id: GrantId, reason: str = "") -> Purchase:
    """Let the purchase behind a grant end with its paid period. Raises Gone, UserError, Retry, Blocked."""
    return await _set(services, sign_in, grant_id, is_ending=True, reason=reason)


async def resume(services: Services, sign_in: SignIn, grant_id: GrantId) -> Purchase:
    """Let a cancelled purchase go on. Raises Gone, UserError, Retry, Blocked."""
    return await _set(services, sign_in, grant_id, is_ending=False)


async def _set(
    services: Services, sign_in: SignIn, grant_id: GrantId, *, is_ending: bool, reason: str = ""
) -> Purchase:
    async with services.store.read() as tx:
        found = await reach.payer_of(tx, sign_in, grant_id)
    if found.grant.is_over or found.purchase.kind is not PurchaseKind.SUBSCRIPTION:
        raise UserError("This is not a running subscription, so there is nothing to cancel.")
    provider = await services.sellers.provider(found.purchase.account_id)
    if provider is None:
        raise Gone("provider")
    snapshot = await provider.end_at_period(found.purchase.external_id, is_ending=is_ending)
    async with services.store.write() as tx:
        purchase = await _record(services, tx, found, snapshot)
        await _write_down(services, tx, sign_in, found, (CANCELLED if is_ending else RESUMED, reason))
    services.wake()
    return purchase


async def _record(services: Services, tx: Transaction, found: ReachedGrant, snapshot: PurchaseSnapshot) -> Purchase:
    occasion = Occasion(now=services.clock.now(), lane=Lane.PERSON, policy=services.policy)
    return await recording.record(tx, found.purchase.account_id, snapshot, occasion)


async def _write_down(
    services: Services, tx: Transaction, sign_in: SignIn, found: ReachedGrant, act: tuple[str, str]
) -> None:
    """Write the act down with every grant that the purchase carries, in its own server."""
    (event, reason), link = act, found.reached.link
    for grant in await tx.purchases.grants(found.purchase.id):
        plan = await tx.plans.get(grant.plan_id)
        entry = AuditEntry(
            event=event,
            actor=reach.actor_of(sign_in, found.reached),
            guild_id=grant.guild_id,
            user_id=None if link is None else link.user_id,
            customer_id=found.reached.customer.id,
            grant_id=grant.id,
            detail={"plan": plan.name} | ({"reason_text": reason[:LONGEST_REASON]} if reason else {}),
        )
        await tx.audit.add(entry, services.clock.now())
