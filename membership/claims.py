"""Redeem a code: the one service behind `!claim` and `/claim`. The words of the answers live in cogs.

A claim code connects what somebody bought; a plan code gives a plan (gift_codes.py). People need not know which it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from membership import binding, codes, gift_codes, notices, switching
from membership.desk import PlanCode
from membership.entitlements import Access, Outcome, access_of, decide
from membership.errors import Retry
from membership.gift_codes import GiftFate, LostRace
from membership.ledgers import Transaction
from membership.model import Claim, GrantState, GuildId, MemberKey, Proof, Purchase, PurchaseId, RoleId, UserId
from membership.records import StoredCode
from membership.services import Services

DELIVERY_PATIENCE = timedelta(seconds=8)
RACES = 3


class ClaimOutcome(StrEnum):
    """What came of a code."""

    OK = "ok"
    NOT_A_CODE = "not_a_code"
    UNKNOWN = "unknown"
    USED_BY_YOU = "used_by_you"
    USED_BY_ANOTHER = "used_by_another"
    MOVED_TOO_OFTEN = "moved_too_often"
    EXPIRED = "expired"
    ENDED = "ended"
    TOO_MANY_TRIES = "too_many_tries"
    GIFT = "gift"
    GIFT_USED_UP = "gift_used_up"
    GIFT_EXPIRED = "gift_expired"
    GIFT_OFF = "gift_off"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimAnswer:
    """What to tell the person. `was_delivered` is False while Discord is busy or they still have to join.

    Of a gift, `server` is where it is valid and `days` how long, None for ever.
    """

    outcome: ClaimOutcome
    plan_names: tuple[str, ...] = ()
    role_ids: tuple[RoleId, ...] = ()
    guild_id: GuildId | None = None
    until: datetime | None = None
    tries_left: int = 0
    used_at: datetime | None = None
    retry_at: datetime | None = None
    was_delivered: bool = False
    server: str = ""
    days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Redeemed:
    """What a code became: the answer so far, the purchase that it speaks of, and whose jobs to wait for."""

    answer: ClaimAnswer
    purchase_id: PurchaseId | None = None
    keys: tuple[MemberKey, ...] = ()


async def redeem(services: Services, user_id: UserId, guild_id: GuildId | None, text: str) -> ClaimAnswer:
    """Redeem what a person typed and wait a few seconds for the roles, so that the answer can name them.

    `guild_id` is where it was typed, None in a direct message: a claim code of another guild is unknown here. A plan
    code works for its own server wherever it is typed. Raises Retry.
    """
    started = services.signals.tick()
    redeemed = await _redeemed(services, user_id, guild_id, codes.normalise(text))
    if redeemed.keys:
        services.wake()
        waited_for = [str(key) for key in redeemed.keys if key.user_id == user_id]
        await services.signals.wait(waited_for, since=started, patience=DELIVERY_PATIENCE)
    return await _describe(services, redeemed, user_id)


async def _redeemed(services: Services, user_id: UserId, guild_id: GuildId | None, code: str | None) -> _Redeemed:
    for _ in range(RACES):
        try:
            async with services.store.write() as tx:
                return await _try(services, tx, user_id, guild_id, code)
        except LostRace:
            continue
    raise Retry("many people redeem this code at once")


async def _try(
    services: Services, tx: Transaction, user_id: UserId, guild_id: GuildId | None, code: str | None
) -> _Redeemed:
    """Use a code, or count the try. Raises LostRace."""
    now = services.clock.now()
    limited = await _refuse_if_tired(services, tx, user_id, now)
    if limited is not None:
        return _Redeemed(answer=limited)
    digest = "" if code is None else codes.digest(code)
    stored = await tx.codes.get(digest) if digest else None
    if stored is not None and await _opens_here(tx, stored, guild_id):
        answer, keys = await _use(services, tx, stored, user_id)
        return _Redeemed(answer=answer, purchase_id=stored.purchase_id, keys=tuple(keys))
    gift = await gift_codes.find(tx, digest) if digest else None
    if gift is not None:
        return await _unwrap(tx, gift, user_id, now)
    await tx.codes.record_failure(user_id, now)
    failures = await tx.codes.failures(user_id, now - timedelta(minutes=services.policy.claim_window_minutes))
    if failures == services.policy.claim_tries and guild_id is not None:
        # The next tries are refused before they are counted, so this comes once a window.
        await notices.tell(tx, "claim.failed_often", guild_id, {"tries": failures}, now, user_id=user_id)
    outcome = ClaimOutcome.NOT_A_CODE if code is None else ClaimOutcome.UNKNOWN
    return _Redeemed(answer=ClaimAnswer(outcome=outcome, tries_left=max(0, services.policy.claim_tries - failures)))


_GIFTS = {
    GiftFate.GIVEN: ClaimOutcome.GIFT,
    GiftFate.USED_BY_YOU: ClaimOutcome.USED_BY_YOU,
    GiftFate.USED_UP: ClaimOutcome.GIFT_USED_UP,
    GiftFate.EXPIRED: ClaimOutcome.GIFT_EXPIRED,
    GiftFate.OFF: ClaimOutcome.GIFT_OFF,
}


async def _unwrap(tx: Transaction, code: PlanCode, user_id: UserId, now: datetime) -> _Redeemed:
    """Use a plan code. Raises LostRace."""
    gift = await gift_codes.redeem(tx, code, user_id, now)
    answer = ClaimAnswer(
        outcome=_GIFTS[gift.fate],
        plan_names=(gift.plan.name,),
        guild_id=gift.plan.guild_id,
        until=code.expires_at if gift.fate is GiftFate.EXPIRED else None,
        used_at=gift.used_at,
        server=gift.server,
        days=code.duration_days,
    )
    return _Redeemed(answer=answer, purchase_id=gift.purchase_id, keys=() if gift.key is None else (gift.key,))


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
    services: Services, tx: Transaction, stored: StoredCode, user_id: UserId
) -> tuple[ClaimAnswer, list[MemberKey]]:
    now = services.clock.now()
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
    refused = await switching.refusal(tx, purchase.customer_id, user_id, policy=services.policy, now=now)
    if refused is not None:
        return ClaimAnswer(outcome=ClaimOutcome.MOVED_TOO_OFTEN, retry_at=refused.until), []
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


async def _describe(services: Services, redeemed: _Redeemed, user_id: UserId) -> ClaimAnswer:
    """Add what the person now has to an answer that concerns their own purchase."""
    answer, purchase_id = redeemed.answer, redeemed.purchase_id
    if purchase_id is None or answer.outcome not in (ClaimOutcome.OK, ClaimOutcome.GIFT, ClaimOutcome.USED_BY_YOU):
        return answer
    async with services.store.read() as tx:
        grants = await tx.purchases.grants(purchase_id)
        keys = sorted({MemberKey(grant.guild_id, user_id) for grant in grants})
        decisions = [decide(await tx.members.facts(key), now=services.clock.now()) for key in keys]
    outcomes = [
        outcome
        for decision in decisions
        for outcome in decision.outcomes
        if outcome.claim.purchase.id == purchase_id and outcome.access is Access.GRANTED
    ]
    if not outcomes and answer.outcome is ClaimOutcome.USED_BY_YOU:
        # A gift whose time is over, or that staff took back.
        return replace(answer, outcome=ClaimOutcome.ENDED)
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
