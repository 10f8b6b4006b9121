"""Direct messages to members: who gets them, and when an end is near enough to be told (EXPERIENCE 2.4).

A message hangs on what happened and is queued in its transaction, so that it goes out once. Whoever wants none, or is
in a server that sends none, gets none: what matters is mailed anyway, and `/membership` shows the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from membership.entitlements import Access, Outcome
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import Grant, GrantState, MemberKey, Plan, Proof, Purchase
from membership.records import Draft
from membership.shown import ends_at

ENDING_SOON = timedelta(days=3)
"""How long before its end a member is told of it."""
WATCHED = timedelta(minutes=15)
"""How long after connecting somebody looks at an answer or a page that tells them what they got."""

_HAD = (GrantState.DELIVERED, GrantState.PAST_DUE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What to write: a template of direct messages with its facts. `dedupe_key` names what happened."""

    template: str
    facts: Mapping[str, object]
    dedupe_key: str


async def write(tx: Transaction, key: MemberKey, letter: Letter, now: datetime) -> None:
    """Queue a direct message in the language that the member or the server chose, unless either wants none."""
    guild = await tx.guilds.get(key.guild_id)
    settings = await tx.member_settings.get(key.user_id)
    if guild is None or not guild.dms or not settings.dms:
        return
    draft = Draft(
        dedupe_key=letter.dedupe_key,
        kind="dm",
        target=str(key.user_id),
        template=letter.template,
        facts={**letter.facts, "guild_id": str(key.guild_id), "language": settings.language or guild.language},
    )
    await tx.outbox.put(draft, now)


async def tell_of_delivery(tx: Transaction, key: MemberKey, grant: Grant, outcome: Outcome, now: datetime) -> None:
    """Say that a plan is there, once for each of its lives, where nobody sees it anyway.

    Whoever just claimed, connected or bought is looking at the answer.
    """
    link = await tx.links.active(outcome.claim.purchase.customer_id)
    is_by_themselves = link is not None and link.proof is not Proof.STAFF
    if link is not None and is_by_themselves and now - link.created_at < WATCHED:
        return
    facts = _facts(outcome.claim.plan, ends_at(outcome))
    await write(
        tx, key, Letter(template="delivered", facts=facts, dedupe_key=f"dm:delivered:{grant.id}:{grant.episode}"), now
    )


async def tell_of_failed_payment(tx: Transaction, key: MemberKey, outcome: Outcome, now: datetime) -> None:
    """Say until when access stays though a payment failed."""
    grant, purchase = outcome.claim.grant, outcome.claim.purchase
    since = purchase.past_due_since.isoformat() if purchase.past_due_since else ""
    facts = _facts(outcome.claim.plan, outcome.until)
    await write(tx, key, Letter(template="past_due", facts=facts, dedupe_key=f"dm:past_due:{grant.id}:{since}"), now)


async def tell_of_end(tx: Transaction, key: MemberKey, grant: Grant, plan: Plan, now: datetime) -> None:
    """Say that a plan ended, and why."""
    facts = {"plan": plan.name, "reason": grant.reason.value}
    await write(tx, key, Letter(template="ended", facts=facts, dedupe_key=f"dm:ended:{grant.id}:{grant.episode}"), now)


async def tell_of_near_ends(tx: Transaction, key: MemberKey, outcomes: Sequence[Outcome], now: datetime) -> None:
    """Say of each plan that ends within three days when that is, once for each such moment."""
    for outcome, end in _sure_ends(outcomes):
        grant = outcome.claim.grant
        if end - ENDING_SOON <= now < end and grant.state in _HAD:
            moment = f"{end:%Y-%m-%dT%H:%M}"
            facts = _facts(outcome.claim.plan, end)
            await write(
                tx, key, Letter(template="ending", facts=facts, dedupe_key=f"dm:ending:{grant.id}:{moment}"), now
            )


def next_near_end(outcomes: Sequence[Outcome], now: datetime) -> datetime | None:
    """Return when the next end comes near enough to be told, None when none is known."""
    moments = (end - ENDING_SOON for _, end in _sure_ends(outcomes))
    return min((moment for moment in moments if moment > now), default=None)


async def tell_of_move(
    tx: Transaction, key: MemberKey, purchases: Sequence[Purchase], number: int, now: datetime
) -> None:
    """Say to the account that had them that purchases moved away, once for each server; `number` is the audit's."""
    names: list[str] = []
    for purchase in purchases:
        for grant in await tx.purchases.grants(purchase.id):
            if grant.guild_id == key.guild_id and not grant.is_over:
                names.append((await tx.plans.get(grant.plan_id)).name)
    if names:
        facts = {"plan": ", ".join(dict.fromkeys(names))}
        await write(tx, key, Letter(template="moved", facts=facts, dedupe_key=f"dm:moved:{number}:{key.guild_id}"), now)


def _facts(plan: Plan, until: datetime | None) -> dict[str, object]:
    return {"plan": plan.name, "until": until.isoformat() if until else ""}


def _sure_ends(outcomes: Sequence[Outcome]) -> Iterator[tuple[Outcome, datetime]]:
    """Return, for each plan that will end for sure, what carries it longest and until when.

    A failed payment has its own message, and whoever got less than those three days knew from the beginning.
    """
    longest: dict[int, tuple[Outcome, datetime | None]] = {}
    for outcome in outcomes:
        if outcome.access is not Access.GRANTED or not outcome.claim.is_linked:
            continue
        end, plan_id = ends_at(outcome), int(outcome.claim.plan.id)
        known = longest.get(plan_id)
        if known is None or (known[1] is not None and (end is None or end > known[1])):
            longest[plan_id] = (outcome, end)
    for outcome, end in longest.values():
        is_told_otherwise = outcome.reason in (Reason.PAYMENT_FAILED, Reason.PAUSED)
        if end is not None and not is_told_otherwise and end - outcome.claim.grant.opened_at > ENDING_SOON:
            yield outcome, end
