"""Leave a member's roles alone until staff say otherwise: exempt and lift. `reconcile` honours it.

Each writes an audit entry `staff.action` and a change of kind EXEMPTION (change_kinds.py), {} for "not exempt".
"""

from __future__ import annotations

from datetime import datetime, timedelta

from membership import binding
from membership.actors import Actor
from membership.change_kinds import ChangeKind, exemption_json
from membership.desk import Exemption
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import ChangeId, Lane, MemberKey, UserId
from membership.services import Services
from membership.staff_acts import LONGEST_REASON, StaffAct, write_down


async def exempt(
    services: Services, actor: Actor, user_id: UserId, *, until: datetime | None, reason: str = ""
) -> ChangeId:
    """Never touch a member's roles until a moment (None: until lifted). Raises UserError.

    Staff without Manage Server may do so for `staff_max_grant_days` days at most; None is as long as that for them.
    """
    now = services.clock.now()
    until = _checked(services, actor, until, now)
    key = MemberKey(actor.guild_id, user_id)
    exemption = Exemption(key=key, until=until, reason=reason[:LONGEST_REASON], actor=str(actor), created_at=now)
    async with services.store.write() as tx:
        before = await tx.exemptions.get(key, now)
        await put(tx, exemption, now)
        change_id = await write_down(tx, actor, _act(user_id, before, exemption), now)
    services.wake()
    return change_id


async def lift(services: Services, actor: Actor, user_id: UserId) -> ChangeId:
    """Look after a member's roles again. Raises UserError when they are not exempt."""
    now = services.clock.now()
    key = MemberKey(actor.guild_id, user_id)
    async with services.store.write() as tx:
        before = await tx.exemptions.get(key, now)
        if before is None:
            raise UserError("This member is not exempt.")
        await drop(tx, key, now)
        change_id = await write_down(tx, actor, _act(user_id, before, None), now)
    services.wake()
    return change_id


async def put(tx: Transaction, exemption: Exemption, now: datetime) -> None:
    """Store an exemption and look at the member when it ends (undo of `lift`)."""
    await tx.exemptions.put(exemption)
    await binding.mark(tx, [exemption.key], Lane.PERSON, now)


async def drop(tx: Transaction, key: MemberKey, now: datetime) -> None:
    """End an exemption and look at the member (undo of `exempt`)."""
    await tx.exemptions.lift(key)
    await binding.mark(tx, [key], Lane.PERSON, now)


def _checked(services: Services, actor: Actor, until: datetime | None, now: datetime) -> datetime | None:
    if until is not None and until <= now:
        raise UserError("That moment has passed. Choose one in the future.")
    if actor.can_manage or actor.is_operator:
        return until
    longest = timedelta(days=services.policy.staff_max_grant_days)
    if until is not None and until - now > longest:
        raise UserError(f"You can choose {longest.days} days at most. Somebody with Manage Server can choose more.")
    return until or now + longest


def _act(user_id: UserId, before: Exemption | None, after: Exemption | None) -> StaffAct:
    what = "left alone" if after is not None else "looked after again"
    return StaffAct(
        kind=ChangeKind.EXEMPTION,
        summary=f"Roles of <@{user_id}> are {what}",
        before={} if before is None else exemption_json(before),
        after={} if after is None else exemption_json(after),
        user_id=user_id,
        reason="" if after is None else after.reason,
    )
