"""Write a provider's snapshot down and mark what follows from it. Shared by webhooks, listings and re-reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from membership import binding, codes, mail_notices, news, switching, takings
from membership.entitlements import Access, access_of
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.mail_notices import Letter
from membership.model import (
    AccountId,
    Claim,
    CustomerId,
    Dispute,
    Grant,
    GrantState,
    Lane,
    MemberKey,
    Plan,
    PlanId,
    Proof,
    Purchase,
    PurchaseKind,
    PurchaseSnapshot,
    PurchaseStatus,
    Refund,
    UserId,
)
from membership.policy import Policy

RENEWAL_SLACK = timedelta(hours=2)
"""A renewal is settled about an hour after its period ends; only then is silence worth a question."""

CHECKOUT_PATIENCE = timedelta(minutes=2)
"""How long a subscription may be ahead of the checkout it came from, whose event says which Discord user bought it."""

ISSUED_FOR = "issued_for"
"""The kind of session that says which checkout a link token was issued for."""

_TERMINAL = (PurchaseStatus.ENDED, PurchaseStatus.EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When a snapshot is recorded, on which lane its members are marked, and by which rules."""

    now: datetime
    lane: Lane
    policy: Policy


async def record(tx: Transaction, account_id: AccountId, snapshot: PurchaseSnapshot, occasion: Occasion) -> Purchase:
    """Store a snapshot, open the grants it unlocks, follow its link token, and mark members or invite the buyer."""
    now = occasion.now
    before = await tx.purchases.find(account_id, snapshot.external_id)
    customer = snapshot.customer
    if not customer.external_id:
        customer = replace(customer, external_id=f"guest:{snapshot.external_id}")
    is_guest_again = before is not None and not snapshot.customer.external_id
    customer_id = before.customer_id if before and is_guest_again else await tx.customers.record(account_id, customer)
    stored, purchase = await tx.purchases.record(account_id, customer_id, snapshot)
    payments = [payment for payment in takings.between(stored, purchase) if await tx.payments.add(payment)]
    if stored is not None and _is_new_start(stored, purchase):
        await _forget_hand_removals(tx, purchase)
    if before is not None and before.customer_id != customer_id:
        await _carry_link(tx, before.customer_id, customer_id, now)
    plans, opened = await _open_grants(tx, purchase, now)
    is_checkout_awaited = bool(snapshot.link_token) and await _follow_token(tx, purchase, snapshot.link_token, occasion)
    happening = news.Happening(before=stored, after=purchase, payments=payments, opened=opened, now=now)
    await news.tell(tx, happening)
    is_news = bool(opened) or before is None or replace(before, read_at=purchase.read_at) != purchase
    if await tx.links.active(purchase.customer_id) is not None:
        if is_news:
            await binding.mark_members(tx, purchase.customer_id, occasion.lane, now)
    elif is_checkout_awaited:
        await _read_later(tx, purchase, now + CHECKOUT_PATIENCE)
    else:
        await settle_unlinked(tx, purchase, plans, occasion)
    await schedule_reading(tx, purchase)
    await mail_notices.watch_ends(tx, purchase, now)
    is_money_back = purchase.refund is not Refund.NONE or purchase.dispute is not Dispute.NONE
    if is_money_back and (snapshot.refund is None or snapshot.dispute is None):
        # A renewal may have settled it: only a read by id can say.
        await tx.jobs.mark("reread", str(purchase.id), lane=occasion.lane, run_at=now)
    return purchase


async def schedule_reading(tx: Transaction, purchase: Purchase) -> None:
    """Plan to ask the provider again when a moment passes that should change the purchase."""
    moment = next_moment(purchase)
    if moment is not None:
        await _read_later(tx, purchase, moment)


async def _read_later(tx: Transaction, purchase: Purchase, moment: datetime) -> None:
    scope = f"account:{purchase.account_id}"
    await tx.jobs.mark("purchase", str(purchase.id), lane=Lane.EVENT, run_at=moment, scope=scope)


def next_moment(purchase: Purchase) -> datetime | None:
    """Return when a purchase should next be read again, None when nothing is expected of it."""
    if purchase.status in _TERMINAL:
        return None
    if purchase.kind is PurchaseKind.COMP:
        return purchase.ends_at
    renewal = None if purchase.period_ends_at is None else purchase.period_ends_at + RENEWAL_SLACK
    moments = (purchase.ends_at, purchase.trial_ends_at, renewal)
    return min((moment for moment in moments if moment is not None and moment > purchase.read_at), default=None)


async def _open_grants(tx: Transaction, purchase: Purchase, now: datetime) -> tuple[dict[PlanId, Plan], list[Grant]]:
    """Open a grant for every plan that the purchase unlocks; return the plans, and the grants that are new."""
    products = [item.product_id for item in purchase.items]
    unlocked = {plan.id: plan for plan in await tx.plans.unlocked_by(purchase.account_id, products)}
    known = {grant.plan_id for grant in await tx.purchases.grants(purchase.id)}
    opening = [plan for plan in unlocked.values() if plan.unlocked_by(purchase)]
    opened = [await tx.purchases.open_grant(purchase, plan, now) for plan in opening]
    return unlocked, [grant for grant in opened if grant.plan_id not in known]


def _is_new_start(before: Purchase, after: Purchase) -> bool:
    return (before.status, before.period_ends_at) != (after.status, after.period_ends_at)


async def _forget_hand_removals(tx: Transaction, purchase: Purchase) -> None:
    """Let what people took away by hand be put again: a payment or its failure is a new start for the grant."""
    for grant in await tx.purchases.grants(purchase.id):
        if (grant.state, grant.reason) == (GrantState.HELD, Reason.HAND_REMOVED):
            await tx.purchases.set_grant(replace(grant, state=GrantState.PENDING, reason=Reason.NOT_LINKED))


async def _carry_link(tx: Transaction, guest_id: CustomerId, customer_id: CustomerId, now: datetime) -> None:
    """Link the payer whom the provider has named by now to whoever the nameless one was linked to."""
    link = await tx.links.active(guest_id)
    if link is not None and await tx.links.active(customer_id) is None:
        await tx.links.bind(customer_id, link.user_id, link.proof, now)


async def _follow_token(tx: Transaction, purchase: Purchase, link_token: str, occasion: Occasion) -> bool:
    """Tie our checkout's token to its purchase; one that a Discord user started links them at once.

    Who pays through a payment link chooses the token that it carries: it counts only in the checkout it was issued for.
    Return whether that checkout is still to come: a subscription's own event is often the earlier one, and a mail that
    asks the buyer to connect would be wrong a moment later.
    """
    digest, now = codes.digest(link_token), occasion.now
    token = await tx.links.token(digest)
    if token is None or token.is_spent or token.purchase_id is not None:
        return False
    issued_for = await tx.sessions.get(digest, ISSUED_FOR, now)
    if issued_for is None:
        return False
    if issued_for["checkout_id"] != purchase.checkout_id:
        is_early = not purchase.checkout_id and now - purchase.started_at < CHECKOUT_PATIENCE
        return token.user_id is not None and is_early
    await tx.links.attach_token(digest, purchase.id)
    if token.user_id is not None and await tx.links.active(purchase.customer_id) is None:
        await _connect_buyer(tx, purchase.customer_id, token.user_id, occasion)
    return False


async def _connect_buyer(tx: Transaction, customer_id: CustomerId, user_id: UserId, occasion: Occasion) -> None:
    """Bind the account that started a checkout; where that is a switch too many, a mail asks as for any purchase."""
    refused = await switching.refusal(tx, customer_id, user_id, policy=occasion.policy, now=occasion.now)
    if refused is None:
        await binding.bind(tx, customer_id, user_id, Proof.CHECKOUT, occasion.now)


async def follow_up(tx: Transaction, purchase: Purchase, occasion: Occasion) -> list[MemberKey]:
    """Let what was decided about a purchase take effect; return the members that were marked for it."""
    if await tx.links.active(purchase.customer_id) is None:
        await settle_unlinked(tx, purchase, {}, occasion)
        return []
    return await binding.mark_members(tx, purchase.customer_id, occasion.lane, occasion.now)


async def settle_unlinked(tx: Transaction, purchase: Purchase, plans: dict[PlanId, Plan], occasion: Occasion) -> None:
    """Move the grants of a purchase that nobody is linked to, and invite the buyer while there is something to get."""
    now, is_wanted = occasion.now, False
    for grant in await tx.purchases.grants(purchase.id):
        plan = plans.get(grant.plan_id) or await tx.plans.get(grant.plan_id)
        outcome = access_of(Claim(grant=grant, purchase=purchase, plan=plan), now=now)
        if outcome.access is Access.ENDED:
            await _set(tx, grant, GrantState.REVOKED, outcome.reason, now)
        elif outcome.access is Access.GRANTED:
            is_wanted = True
            await _set(tx, grant, GrantState.PENDING, Reason.NOT_LINKED, now)
        elif outcome.access is Access.PENDING:
            await _set(tx, grant, GrantState.PENDING, outcome.reason, now)
    if is_wanted:
        await _invite(tx, purchase, occasion)


async def _set(tx: Transaction, grant: Grant, state: GrantState, reason: Reason, now: datetime) -> None:
    if (grant.state, grant.reason) == (state, reason):
        return
    is_reopened = grant.state is GrantState.REVOKED and state is not GrantState.REVOKED
    ended_at = now if state is GrantState.REVOKED else None
    episode = grant.episode + is_reopened
    await tx.purchases.set_grant(replace(grant, state=state, reason=reason, ended_at=ended_at, episode=episode))


async def _invite(tx: Transaction, purchase: Purchase, occasion: Occasion) -> None:
    letter = Letter(template="connect", dedupe_key=f"connect:{purchase.id}", facts={"purchase_id": int(purchase.id)})
    is_new = await mail_notices.write(tx, purchase.customer_id, letter, occasion.now)
    if is_new and occasion.policy.reminder_hours:
        run_at = occasion.now + timedelta(hours=occasion.policy.reminder_hours[0])
        await tx.jobs.mark("invitation", binding.invitation_key(purchase.id), lane=Lane.BULK, run_at=run_at)
