"""Mails to payers: what each hangs on, and under which key it goes out once. How a mail is made is mail_facts.py's.

What has to be true for a while before it is told, or is told before it happens, waits as a job (mail_moments.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from membership.entitlements import Access, Outcome, access_of, decide
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import (
    Claim,
    CustomerId,
    Grant,
    GrantState,
    Lane,
    MemberKey,
    Proof,
    Purchase,
    PurchaseStatus,
    Refund,
)
from membership.records import Draft
from membership.shown import ends_at

JOB = "mail"
"""The job that looks whether a mail is due: its key is one of `failure_key`, `ends_key` and alerts.brake_key."""

FAILING_FOR = timedelta(minutes=10)
"""How long something could not be delivered before its buyer is told."""
TRIAL_NOTICE = timedelta(days=3)
GRACE_NOTICE = timedelta(days=1)

_BY_THEMSELVES = (Proof.OAUTH, Proof.CODE, Proof.EMAIL)
_WAITING_OUTSIDE = (Reason.NOT_IN_SERVER, Reason.RULES_NOT_ACCEPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What to mail: a template with its facts. `dedupe_key` names the transition that it tells of."""

    template: str
    dedupe_key: str
    facts: Mapping[str, object]


async def write(tx: Transaction, customer_id: CustomerId, letter: Letter, now: datetime) -> bool:
    """Queue a mail to a payer who has an address that takes mail; say whether it is new."""
    customer = await tx.customers.get(customer_id)
    if not customer.email or customer.is_mail_refused:
        return False
    draft = Draft(
        dedupe_key=letter.dedupe_key,
        kind="mail",
        target=str(customer_id),
        template=letter.template,
        facts=letter.facts,
    )
    return await tx.outbox.put(draft, now)


async def tell_of_delivery(tx: Transaction, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Say that plans of one purchase are there, once in each of their lives.

    Who bought from inside Discord sees them there, whom staff connected or imported did not ask for it, and who wants
    no such mail gets none.
    """
    first = min(outcomes, key=lambda outcome: outcome.claim.grant.id)
    purchase, grant = first.claim.purchase, first.claim.grant
    link = await tx.links.active(purchase.customer_id)
    settings = await tx.customer_settings.get(purchase.customer_id)
    if not settings.delivered or link is None or link.proof not in _BY_THEMSELVES:
        return
    ends = [ends_at(outcome) for outcome in outcomes]
    until = min((end for end in ends if end is not None), default=None)
    facts = {
        "purchase_id": int(purchase.id),
        "grant_ids": sorted(int(outcome.claim.grant.id) for outcome in outcomes),
        "role_ids": sorted({str(role) for outcome in outcomes for role in outcome.roles}),
        "until": until.isoformat() if until and len(ends) == 1 else "",
    }
    key = f"delivered:{grant.id}:{grant.episode}:mail"
    await write(tx, purchase.customer_id, Letter(template="delivered", dedupe_key=key, facts=facts), now)


async def tell_of_failed_payment(tx: Transaction, outcome: Outcome, now: datetime, *, is_carried: bool) -> None:
    """Say that a payment failed, and until when access stays unless another purchase carries it anyway."""
    grant, purchase = outcome.claim.grant, outcome.claim.purchase
    since = purchase.past_due_since.isoformat() if purchase.past_due_since else ""
    until = outcome.until.isoformat() if outcome.until and not is_carried else ""
    facts = _about(grant) | {"failed_at": since, "until": until}
    letter = Letter(template="past_due", dedupe_key=f"past_due:{grant.id}:{since}", facts=facts)
    await write(tx, purchase.customer_id, letter, now)


async def tell_of_end(
    tx: Transaction, purchase: Purchase, ended: Grant, facts: Mapping[str, object], now: datetime
) -> None:
    """Say that a plan ended, and why; `facts` are the removed `role_ids` and `is_still_member`."""
    known = _about(ended) | {"reason": ended.reason.value, "ended_at": now.isoformat(), **facts}
    letter = Letter(template="ended", dedupe_key=f"ended:{ended.id}:{ended.episode}", facts=known)
    await write(tx, purchase.customer_id, letter, now)


async def tell_of_cancellation(tx: Transaction, purchase: Purchase, now: datetime) -> None:
    """Say that a subscription was cancelled, and when it ends. Called where its end became known.

    What another purchase goes on giving does not end then, and is not named.
    """
    if purchase.ends_at is None:
        return
    grants = [grant for grant in await tx.purchases.grants(purchase.id) if not grant.is_over]
    ending = [each for each in grants if not await is_carried(tx, purchase, each, purchase.ends_at, now)]
    if not ending:
        return
    facts = {
        "purchase_id": int(purchase.id),
        "grant_ids": [int(grant.id) for grant in ending],
        "until": purchase.ends_at.isoformat(),
    }
    # Whoever goes on with it and cancels again is told again.
    key = f"cancelled:{purchase.id}:{purchase.read_at.isoformat()}"
    await write(tx, purchase.customer_id, Letter(template="cancelled", dedupe_key=key, facts=facts), now)


async def tell_of_refund(tx: Transaction, purchase: Purchase, payment_key: str, now: datetime) -> None:
    """Say that money went back. Of a part the platforms' snapshots do not say how much."""
    amount = purchase.amount if purchase.refund is Refund.FULL else 0
    facts = {
        "purchase_id": int(purchase.id),
        "amount": amount,
        "currency": purchase.currency,
        "refunded_at": now.isoformat(),
    }
    letter = Letter(template="refunded", dedupe_key=f"refunded:{payment_key}", facts=facts)
    await write(tx, purchase.customer_id, letter, now)


async def watch_failure(tx: Transaction, before: Grant, outcome: Outcome, after: Grant, now: datetime) -> None:
    """Look again in ten minutes at what could not be delivered.

    Who left, or took a role off, knows; whom staff connected or imported did not ask for it.
    """
    is_new_outside = after.reason in _WAITING_OUTSIDE and before.reason is Reason.NOT_LINKED
    if outcome.access is not Access.GRANTED or not (after.state is GrantState.FAILED or is_new_outside):
        return
    link = await tx.links.active(outcome.claim.purchase.customer_id)
    if link is not None and link.proof is not Proof.STAFF:
        await tx.jobs.mark(JOB, failure_key(after, now), lane=Lane.BULK, run_at=now + FAILING_FOR)


async def watch_ends(tx: Transaction, purchase: Purchase, now: datetime) -> None:
    """Look again when the end of a trial or of a grace is near. Called where a snapshot was stored."""
    moments: list[datetime] = []
    if purchase.status is PurchaseStatus.TRIALING and purchase.trial_ends_at is not None:
        moments.append(purchase.trial_ends_at - TRIAL_NOTICE)
    if purchase.status is PurchaseStatus.PAST_DUE:
        for grant in await tx.purchases.grants(purchase.id):
            grace = timedelta(days=(await tx.plans.get(grant.plan_id)).grace_days)
            moments.append((purchase.past_due_since or purchase.read_at) + grace - GRACE_NOTICE)
    upcoming = [moment for moment in moments if moment > now]
    if upcoming:
        await tx.jobs.mark(JOB, ends_key(purchase), lane=Lane.BULK, run_at=min(upcoming))


async def outcome_of(tx: Transaction, purchase: Purchase, grant: Grant, now: datetime) -> Outcome:
    """Judge one grant by its purchase alone."""
    return access_of(Claim(grant=grant, purchase=purchase, plan=await tx.plans.get(grant.plan_id)), now=now)


async def is_carried(tx: Transaction, purchase: Purchase, ending: Grant, end: datetime, now: datetime) -> bool:
    """Say whether the member has a plan by another purchase, for longer than until this end."""
    link = await tx.links.active(purchase.customer_id)
    if link is None:
        return False
    facts = await tx.members.facts(MemberKey(ending.guild_id, link.user_id))
    return any(_carries(other, ending, end) for other in decide(facts, now=now).outcomes)


def _carries(other: Outcome, ending: Grant, end: datetime) -> bool:
    is_same_plan = other.claim.plan.id == ending.plan_id and other.claim.grant.id != ending.id
    is_paid = other.access is Access.GRANTED and other.reason is not Reason.PAYMENT_FAILED
    other_end = ends_at(other)
    return is_same_plan and is_paid and (other_end is None or other_end > end)


def failure_key(grant: Grant, now: datetime) -> str:
    """Name the job that looks at a failure; one mail a day for each grant is enough."""
    return f"failed:{grant.purchase_id}:{grant.id}:{now:%Y-%m-%d}"


def ends_key(purchase: Purchase) -> str:
    """Name the job that looks at near ends."""
    return f"ends:{purchase.id}"


def _about(grant: Grant) -> dict[str, object]:
    return {"purchase_id": int(grant.purchase_id), "grant_id": int(grant.id)}
