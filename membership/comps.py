"""What staff give and take by hand: grant a plan, extend a grant, revoke it (EXPERIENCE 2.7).

A gift is a purchase at our own account (house.py). Every act writes an audit entry `staff.action` and a change that can
be taken back. The kinds (change_kinds.py) and what they hold here:

    COMP     granted: {} -> {"purchase_id", "status": "active", "ends_at"}; extended: both sides hold these three
    REVOKE   {"grant_id", "revoke_at"} on both sides; null: not revoked

Moments are ISO texts or null. Undo calls `set_gift` or `set_revocation` with the `before` side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from membership import house, plan_checks, recording
from membership.actors import Actor
from membership.change_kinds import ChangeKind, moment_json, moment_of
from membership.entitlements import Access, Outcome, access_of, decide
from membership.errors import UserError
from membership.house import Gift
from membership.ledgers import Transaction
from membership.model import (
    ChangeId,
    Claim,
    Grant,
    GrantId,
    Lane,
    MemberKey,
    Plan,
    PlanId,
    Proof,
    Purchase,
    PurchaseId,
    PurchaseKind,
    PurchaseStatus,
    UserId,
)
from membership.recording import Occasion
from membership.services import Services
from membership.staff_acts import StaffAct, day_text, write_down

LONGEST_DAYS = 3660


class RevokeWhen(StrEnum):
    """When a revocation takes effect."""

    NOW = "now"
    PERIOD_END = "period_end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is given: a plan until a moment, None for ever."""

    plan_id: PlanId
    until: datetime | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an act came to. `until`: when the access ends now, None for never; `keys`: the members to wait for."""

    change_id: ChangeId
    grant: Grant
    plan: Plan
    until: datetime | None
    keys: tuple[MemberKey, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """A grant as it stands, whom it bears on, and the open comp of the same plan that they have, if any."""

    outcome: Outcome
    user_id: UserId | None
    comp: Outcome | None = None

    @property
    def claim(self) -> Claim:
        return self.outcome.claim

    @property
    def ends_at(self) -> datetime | None:
        """Return when what was paid or given runs out by itself, None when it does not."""
        purchase = self.claim.purchase
        return self.outcome.until or purchase.ends_at or purchase.period_ends_at


async def grant(services: Services, actor: Actor, user_id: UserId, terms: Terms) -> Done:
    """Give a plan to a member. Raises UserError.

    Staff without Manage Server may give `staff_max_grant_days` days at most. To oneself it is allowed, and told.
    """
    now = services.clock.now()
    _check_length(services, actor, terms.until, now)
    external_id = f"comp:{services.randomness.token()}"
    async with services.store.write() as tx:
        plan = await tx.plans.in_guild(terms.plan_id, actor.guild_id)
        if plan is None or plan.is_archived:
            raise UserError("There is no such plan on sale in this server. Choose one from the list.")
        plan_checks.refuse_power(services, actor, plan)
        await _refuse_second(tx, MemberKey(actor.guild_id, user_id), plan, now)
        gift = Gift(external_id=external_id, plan=plan, until=terms.until, started_at=now)
        given = await house.give(tx, gift, user_id, Proof.STAFF, now)
        act = StaffAct(
            kind=ChangeKind.COMP,
            summary=f"{plan.name} given to <@{user_id}> {_until_words(terms.until)}",
            before={},
            after=gift_json(given.purchase),
            user_id=user_id,
            grant_id=given.grant.id,
            reason=terms.reason,
        )
        change_id = await write_down(tx, actor, act, now)
    services.wake()
    return Done(change_id=change_id, grant=given.grant, plan=plan, until=terms.until, keys=(given.key,))


async def extend(services: Services, actor: Actor, grant_id: GrantId, days: int, *, reason: str = "") -> Done:
    """Add free days: a comp lasts longer, and a comp of the same plan follows what was paid. Raises UserError."""
    if not 1 <= days <= LONGEST_DAYS:
        raise UserError(f"{days} days do not work: use 1 to {LONGEST_DAYS}.")
    now = services.clock.now()
    external_id = f"comp:{services.randomness.token()}"
    async with services.store.write() as tx:
        subject = await _subject(tx, actor, grant_id, now)
        if subject.user_id is None:
            raise UserError("Nobody is connected to this grant yet. Connect a Discord account first.")
        plan, until = subject.claim.plan, _extended(subject, days, now)
        _check_length(services, actor, now + (until - _free_from(subject, now)), now)
        if subject.comp is not None:
            known = subject.comp.claim
            purchase = await house.change(tx, known.purchase, _occasion(services), is_given=True, until=until)
            extended, before = known.grant, gift_json(known.purchase)
        else:
            gift = Gift(external_id=external_id, plan=plan, until=until, started_at=now)
            given = await house.give(tx, gift, subject.user_id, Proof.STAFF, now)
            purchase, extended, before = given.purchase, given.grant, {}
        act = StaffAct(
            kind=ChangeKind.COMP,
            summary=f"{days} free days of {plan.name} for <@{subject.user_id}>, {_until_words(until)}",
            before=before,
            after=gift_json(purchase),
            user_id=subject.user_id,
            grant_id=extended.id,
            reason=reason,
        )
        change_id = await write_down(tx, actor, act, now)
    services.wake()
    key = MemberKey(actor.guild_id, subject.user_id)
    return Done(change_id=change_id, grant=extended, plan=plan, until=until, keys=(key,))


async def revoke(services: Services, actor: Actor, grant_id: GrantId, *, when: RevokeWhen, reason: str = "") -> Done:
    """End a grant now, or when its paid time is over. The provider is left alone: payments go on. Raises UserError."""
    now = services.clock.now()
    async with services.store.write() as tx:
        subject = await _subject(tx, actor, grant_id, now)
        if subject.outcome.access is Access.ENDED:
            raise UserError("This grant has ended already.")
        revoke_at = now if when is RevokeWhen.NOW else subject.ends_at
        if revoke_at is None:
            raise UserError("This grant has no end to wait for. Revoke it now instead.")
        known, plan = subject.claim.grant, subject.claim.plan
        revoked = replace(known, revoke_at=max(revoke_at, now))
        whom = "somebody who has not connected Discord" if subject.user_id is None else f"<@{subject.user_id}>"
        moment = "" if when is RevokeWhen.NOW else f" on {day_text(revoke_at)}"
        act = StaffAct(
            kind=ChangeKind.REVOKE,
            summary=f"{plan.name} taken back from {whom}{moment}",
            before=revocation_json(known),
            after=revocation_json(revoked),
            user_id=subject.user_id,
            grant_id=known.id,
            reason=reason,
        )
        change_id = await write_down(tx, actor, act, now)
        keys = await set_revocation(tx, known, revoked.revoke_at, _occasion(services))
    services.wake()
    return Done(change_id=change_id, grant=revoked, plan=plan, until=revoked.revoke_at, keys=tuple(keys))


async def set_revocation(
    tx: Transaction, grant: Grant, revoke_at: datetime | None, occasion: Occasion
) -> list[MemberKey]:
    """Set when staff end a grant (None: they do not, which is how a revocation is undone); return who was marked."""
    await tx.purchases.set_grant(replace(grant, revoke_at=revoke_at))
    return await recording.follow_up(tx, await tx.purchases.get(grant.purchase_id), occasion)


async def set_gift(tx: Transaction, purchase_id: PurchaseId, before: Mapping[str, object], occasion: Occasion) -> None:
    """Bring a comp back to the `before` side of a change of kind COMP; {}: it is withdrawn. Raises UserError."""
    purchase = await tx.purchases.get(purchase_id)
    if purchase.kind is not PurchaseKind.COMP:
        raise UserError("Only what was given by hand can be changed here.")
    until = moment_of(before["ends_at"]) if before else purchase.ends_at
    is_given = bool(before) and before["status"] == PurchaseStatus.ACTIVE.value
    await house.change(tx, purchase, occasion, is_given=is_given, until=until)


def gift_json(purchase: Purchase) -> dict[str, object]:
    """Return a comp as it stands in a change of kind COMP."""
    return {
        "purchase_id": int(purchase.id),
        "status": purchase.status.value,
        "ends_at": moment_json(purchase.ends_at),
    }


def revocation_json(grant: Grant) -> dict[str, object]:
    """Return a grant's revocation as it stands in a change of kind REVOKE."""
    return {"grant_id": int(grant.id), "revoke_at": moment_json(grant.revoke_at)}


def _check_length(services: Services, actor: Actor, until: datetime | None, now: datetime) -> None:
    if until is not None and until <= now:
        raise UserError("That moment has passed. Choose one in the future.")
    if actor.can_manage or actor.is_operator:
        return
    longest = timedelta(days=services.policy.staff_max_grant_days)
    if until is None or until - now > longest:
        raise UserError(
            f"You can give {longest.days} days at most, and all free time that is still to come counts, "
            "whoever gave it. Somebody with Manage Server can give more."
        )


def _occasion(services: Services) -> Occasion:
    return Occasion(now=services.clock.now(), lane=Lane.PERSON, policy=services.policy)


def _extended(subject: _Subject, days: int, now: datetime) -> datetime:
    """Return the new end: after what was paid, and after what was given before."""
    if subject.comp is not None and subject.comp.claim.grant.revoke_at is not None:
        raise UserError("This grant is taken back already. Give the plan again instead.")
    if subject.ends_at is None:
        raise UserError("This grant has no end, so there is nothing to extend.")
    given_until = subject.comp.until if subject.comp is not None else None
    return max(subject.ends_at, given_until or now, now) + timedelta(days=days)


def _free_from(subject: _Subject, now: datetime) -> datetime:
    """Return from when on a grant costs nothing: what was paid is over, or at once for a comp."""
    is_paid = subject.claim.purchase.kind is not PurchaseKind.COMP
    return max(subject.ends_at or now, now) if is_paid else now


async def _refuse_second(tx: Transaction, key: MemberKey, plan: Plan, now: datetime) -> None:
    """Refuse a second gift of one plan at a time: extending the first says what is meant."""
    known = _open_comp(decide(await tx.members.facts(key), now=now).outcomes, plan)
    if known is not None:
        raise UserError(f"This member was given {plan.name} already, {_until_words(known.until)}. Extend that instead.")


async def _subject(tx: Transaction, actor: Actor, grant_id: GrantId, now: datetime) -> _Subject:
    """Look a grant up inside the actor's own server. Raises UserError."""
    found = await tx.purchases.grant_in_guild(grant_id, actor.guild_id)
    if found is None:
        raise UserError("There is no such grant in this server.")
    purchase, plan = await tx.purchases.get(found.purchase_id), await tx.plans.get(found.plan_id)
    link = await tx.links.active(purchase.customer_id)
    alone = access_of(Claim(grant=found, purchase=purchase, plan=plan), now=now)
    if link is None:
        return _Subject(outcome=alone, user_id=None)
    # Passes of one plan stack: only all claims together say when this one ends.
    outcomes = decide(await tx.members.facts(MemberKey(actor.guild_id, link.user_id)), now=now).outcomes
    outcome = next((each for each in outcomes if each.claim.grant.id == found.id), alone)
    is_comp = purchase.kind is PurchaseKind.COMP
    return _Subject(outcome=outcome, user_id=link.user_id, comp=outcome if is_comp else _open_comp(outcomes, plan))


def _open_comp(outcomes: Iterable[Outcome], plan: Plan) -> Outcome | None:
    for outcome in outcomes:
        is_comp = outcome.claim.purchase.kind is PurchaseKind.COMP
        is_staying = outcome.access is Access.GRANTED and outcome.claim.grant.revoke_at is None
        if is_comp and is_staying and outcome.claim.plan.id == plan.id:
            return outcome
    return None


def _until_words(until: datetime | None) -> str:
    return "for ever" if until is None else f"until {day_text(until)}"
