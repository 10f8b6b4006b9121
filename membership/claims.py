"""Redeem a claim code: the one service behind `!claim` and `/claim`. The words of the answers live in cogs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from membership import binding, codes, notices
from membership.entitlements import Access, Outcome, access_of, decide
from membership.ledgers import Transaction
from membership.model import Claim, GrantState, GuildId, MemberKey, Proof, Purchase, RoleId, UserId
from membership.records import StoredCode
from membership.services import Services

DELIVERY_PATIENCE = timedelta(seconds=8)


class ClaimOutcome(StrEnum):
    """What came of a code."""

    OK = "ok"
    NOT_A_CODE = "not_a_code"
    UNKNOWN = "unknown"
    USED_BY_YOU = "used_by_you"
    USED_BY_ANOTHER = "used_by_another"
    EXPIRED = "expired"
    ENDED = "ended"
    TOO_MANY_TRIES = "too_many_tries"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAnswer:
    """What to tell the person. `was_delivered` is False while Discord is busy or they still have to join."""

    outcome: ClaimOutcome
    plan_names: tuple[str, ...] = ()
    role_ids: tuple[RoleId, ...] = ()
    guild_id: GuildId | None = None
    until: datetime | None = None
    tries_left: int = 0
    used_at: datetime | None = None
    retry_at: datetime | None = None
    was_delivered: bool = False


async def redeem(services: Services, user_id: UserId, guild_id: GuildId | None, text: str) -> ClaimAnswer:
    """Redeem what a person typed and wait a few seconds for the roles, so that the answer can name them.

    `guild_id` is where it was typed, None in a direct message: a code of another guild is unknown here.
    """
    now = services.clock.now()
    code = codes.normalise(text)
    started = services.signals.tick()
    async with services.store.write() as tx:
        limited = await _refuse_if_tired(services, tx, user_id, now)
        if limited is not None:
            return limited
        stored = None if code is None else await tx.codes.get(codes.digest(code))
        if stored is None or not await _opens_here(tx, stored, guild_id):
            await tx.codes.record_failure(user_id, now)
            outcome = ClaimOutcome.NOT_A_CODE if code is None else ClaimOutcome.UNKNOWN
            failures = await tx.codes.failures(user_id, now - timedelta(minutes=services.policy.claim_window_minutes))
            if failures == services.policy.claim_tries and guild_id is not None:
                # The next tries are refused before they are counted, so this comes once a window.
                await notices.tell(tx, "claim.failed_often", guild_id, {"tries": failures}, now, user_id=user_id)
            return ClaimAnswer(outcome=outcome, tries_left=max(0, services.policy.claim_tries - failures))
        answer, keys = await _use(tx, stored, user_id, now)
    if keys:
        services.wake()
        waited_for = [str(key) for key in keys if key.user_id == user_id]
        await services.signals.wait(waited_for, since=started, patience=DELIVERY_PATIENCE)
    return await _describe(services, answer, stored, user_id)


async def _refuse_if_tired(services: Services, tx: Transaction, user_id: UserId, now: datetime) -> ClaimAnswer | None:
    window = timedelta(minutes=services.policy.claim_window_minutes)
    if await tx.codes.failures(user_id, now - window) < services.policy.claim_tries:
        return None
    first = await tx.codes.first_failure(user_id, now - window) or now
    return ClaimAnswer(outcome=ClaimOutcome.TOO_MANY_TRIES, retry_at=first + window)


async def _opens_here(tx: Transaction, stored: StoredCode, guild_id: GuildId | None) -> bool:
    if guild_id is None:
        return True
    return any(grant.guild_id == guild_id for grant in await tx.purchases.grants(stored.purchase_id))


async def _use(
    tx: Transaction, stored: StoredCode, user_id: UserId, now: datetime
) -> tuple[ClaimAnswer, list[MemberKey]]:
    purchase = await tx.purchases.get(stored.purchase_id)
    link = await tx.links.active(purchase.customer_id)
    is_theirs = link is not None and link.user_id == user_id
    if not is_theirs and (stored.used_by is not None or link is not None):
        return ClaimAnswer(outcome=ClaimOutcome.USED_BY_ANOTHER), []
    if await _has_ended(tx, purchase, now):
        return ClaimAnswer(outcome=ClaimOutcome.ENDED), []
    if link is not None:
        return ClaimAnswer(outcome=ClaimOutcome.USED_BY_YOU, used_at=stored.used_at or link.created_at), []
    if stored.expires_at <= now:
        return ClaimAnswer(outcome=ClaimOutcome.EXPIRED, until=stored.expires_at), []
    if not await tx.codes.use(stored.digest, user_id, now):
        return ClaimAnswer(outcome=ClaimOutcome.USED_BY_ANOTHER), []
    keys = await binding.bind(tx, purchase.customer_id, user_id, Proof.CODE, now)
    return ClaimAnswer(outcome=ClaimOutcome.OK), keys


async def _has_ended(tx: Transaction, purchase: Purchase, now: datetime) -> bool:
    """Say whether nothing that was bought gives access any more."""
    for grant in await tx.purchases.grants(purchase.id):
        plan = await tx.plans.get(grant.plan_id)
        if access_of(Claim(grant=grant, purchase=purchase, plan=plan), now=now).access is not Access.ENDED:
            return False
    return True


async def _describe(services: Services, answer: ClaimAnswer, stored: StoredCode, user_id: UserId) -> ClaimAnswer:
    """Add what the person now has to an answer that concerns their own purchase."""
    if answer.outcome not in (ClaimOutcome.OK, ClaimOutcome.USED_BY_YOU):
        return answer
    async with services.store.read() as tx:
        grants = await tx.purchases.grants(stored.purchase_id)
        keys = sorted({MemberKey(grant.guild_id, user_id) for grant in grants})
        decisions = [decide(await tx.members.facts(key), now=services.clock.now()) for key in keys]
    outcomes = [
        outcome
        for decision in decisions
        for outcome in decision.outcomes
        if outcome.claim.purchase.id == stored.purchase_id and outcome.access is Access.GRANTED
    ]
    return replace(
        answer,
        plan_names=tuple(outcome.claim.plan.name for outcome in outcomes),
        role_ids=tuple(sorted({role for outcome in outcomes for role in outcome.roles})),
        guild_id=keys[0].guild_id if keys else None,
        until=max((moment for outcome in outcomes if (moment := _lasts_until(outcome))), default=None),
        was_delivered=bool(outcomes) and all(outcome.claim.grant.state is GrantState.DELIVERED for outcome in outcomes),
    )


def _lasts_until(outcome: Outcome) -> datetime | None:
    purchase = outcome.claim.purchase
    return outcome.until or purchase.ends_at or purchase.period_ends_at
