"""What a plan code does when somebody redeems it. Making and voiding codes is plan_codes.py's, trying them claims.py's.

A code works wherever it is typed, for the server that made it: whoever has it was given it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from membership import house, notices
from membership.desk import PlanCode, PlanCodeUse
from membership.ledgers import Transaction
from membership.model import MemberKey, Plan, Proof, PurchaseId, UserId

_DIGITS_IN_ID = 16


class GiftFate(StrEnum):
    """What came of a plan code."""

    GIVEN = "given"
    USED_BY_YOU = "used_by_you"
    USED_UP = "used_up"
    EXPIRED = "expired"
    OFF = "off"


class LostRace(Exception):
    """Somebody else had the last use of a code meanwhile: the transaction has to be rolled back and tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """A redeemed code. `purchase_id` is what the person has from it, None for nothing; `key` is whom to wait for."""

    fate: GiftFate
    code: PlanCode
    plan: Plan
    server: str
    purchase_id: PurchaseId | None = None
    used_at: datetime | None = None
    key: MemberKey | None = None


async def find(tx: Transaction, digest: str) -> PlanCode | None:
    """Return a code of a server that was set up; the codes of others are unknown."""
    code = await tx.plan_codes.find(digest)
    guild = None if code is None else await tx.guilds.get(code.guild_id)
    return code if guild is not None and guild.is_active else None


async def redeem(tx: Transaction, code: PlanCode, user_id: UserId, now: datetime) -> Gift:
    """Use a code for a person: once each, as often as it says. Raises LostRace."""
    plan = await tx.plans.get(code.plan_id)
    guild = await tx.guilds.get(code.guild_id)
    server = "" if guild is None else guild.name
    known = await tx.plan_codes.use_by(code.digest, user_id)
    if known is not None:
        return _used(Gift(fate=GiftFate.USED_BY_YOU, code=code, plan=plan, server=server), known)
    refusal = _refusal(code, plan, now)
    if refusal is not None:
        return Gift(fate=refusal, code=code, plan=plan, server=server)
    until = None if code.duration_days is None else now + timedelta(days=code.duration_days)
    external_id = f"code:{code.digest[:_DIGITS_IN_ID]}:{user_id}"
    wish = house.Gift(external_id=external_id, plan=plan, until=until, started_at=now)
    given = await house.give(tx, wish, user_id, Proof.CODE, now)
    use = PlanCodeUse(digest=code.digest, user_id=user_id, used_at=now, purchase_id=given.purchase.id)
    if not await tx.plan_codes.use(use):
        raise LostRace
    facts = {"plan": plan.name, "label": code.label, "days": code.duration_days}
    about: notices.About = {"actor": f"user:{user_id}", "user_id": user_id, "grant_id": given.grant.id}
    await notices.tell(tx, "code.redeemed", code.guild_id, facts, now, **about)
    return _used(Gift(fate=GiftFate.GIVEN, code=code, plan=plan, server=server, key=given.key), use)


def _refusal(code: PlanCode, plan: Plan, now: datetime) -> GiftFate | None:
    """Say why a code gives nothing any more; None while it does."""
    if code.is_void or plan.is_archived:
        return GiftFate.OFF
    if code.expires_at is not None and code.expires_at <= now:
        return GiftFate.EXPIRED
    return GiftFate.USED_UP if code.uses >= code.max_uses else None


def _used(gift: Gift, use: PlanCodeUse) -> Gift:
    return replace(gift, purchase_id=use.purchase_id, used_at=use.used_at)
