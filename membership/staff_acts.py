"""Write an act of staff down: once for the record, and once so that it can be taken back (change_kinds.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from membership import notices
from membership.actors import Actor
from membership.change_kinds import ChangeKind
from membership.desk import Change
from membership.ledgers import Transaction
from membership.model import ChangeId, GrantId, UserId

LONGEST_REASON = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAct:
    """What somebody did. `summary` is one line for people; `user_id` is whom it concerns, None for nobody in Discord.

    `before` and `after` are in the shape of the kind.
    """

    kind: ChangeKind
    summary: str
    before: Mapping[str, object]
    after: Mapping[str, object]
    user_id: UserId | None = None
    grant_id: GrantId | None = None
    reason: str = ""


def day_text(moment: datetime) -> str:
    """Write a day, in UTC, as people do in a summary: "21 Dec 2026"."""
    return f"{moment.day} {moment:%b %Y}"


async def write_down(tx: Transaction, actor: Actor, act: StaffAct, now: datetime) -> ChangeId:
    """Write a change, and tell the server of `staff.action`; return the change's id.

    The entry's detail says what was done and why, and `is_self` where staff did it to themselves: the owner is told.
    """
    change = Change(
        guild_id=actor.guild_id,
        actor=str(actor),
        at=now,
        kind=act.kind.value,
        summary=act.summary,
        before=act.before,
        after=act.after,
    )
    change_id = await tx.changes.add(change)
    facts = {
        "action": act.kind.value,
        "summary": act.summary,
        "reason": act.reason[:LONGEST_REASON],
        "actor_name": actor.name,
        "change_id": int(change_id),
        "is_self": act.user_id == actor.user_id,
    }
    about: notices.About = {"actor": str(actor), "user_id": act.user_id, "grant_id": act.grant_id}
    await notices.tell(tx, "staff.action", actor.guild_id, facts, now, **about)
    return change_id
