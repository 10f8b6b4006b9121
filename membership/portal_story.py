"""What happened to one of a customer's own grants, newest first: their part of the history, without notes of staff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from membership import reach
from membership.browsing import SignIn
from membership.desk import Payment
from membership.ledgers import Transaction
from membership.model import GrantId, Plan
from membership.reach import ReachedGrant
from membership.records import AuditEntry
from membership.services import Services

MOST_TOLD = 40
MOST_READ = 200

_OF_GRANT = (
    "grant.created",
    "grant.trial_started",
    "grant.delivered",
    "grant.failed",
    "grant.past_due",
    "grant.recovered",
    "grant.ending",
    "grant.revoked",
    "grant.changed",
    "grant.paused",
    "grant.resumed",
    "member.joined_with_grant",
    "member.left_with_grant",
    "customer.cancelled",
    "customer.resumed",
)
_OF_ROLES = ("role.added", "role.removed", "role.drift_fixed")
_OF_LINK = ("link.created", "link.moved", "link.removed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that happened: an audit entry, or a payment."""

    at: datetime
    what: AuditEntry | Payment


async def read(services: Services, sign_in: SignIn, grant_id: GrantId) -> Sequence[Told]:
    """Return what happened to a grant that somebody reaches. Raises Gone("grant").

    Payments are the payer's alone to see; of an account's past only what came after it was connected.
    """
    async with services.store.read() as tx:
        found = await reach.grant(tx, sign_in, grant_id)
        plan = await tx.plans.get(found.grant.plan_id)
        told = await _entries(tx, found, plan)
        if found.reached.is_payer:
            told += [Told(at=each.at, what=each) for each in await tx.payments.of_purchase(found.purchase.id)]
    return sorted(told, key=lambda each: each.at, reverse=True)[:MOST_TOLD]


async def _entries(tx: Transaction, found: ReachedGrant, plan: Plan) -> list[Told]:
    link = found.reached.link
    if link is None:
        return []
    events = (*_OF_GRANT, *_OF_ROLES, *_OF_LINK)
    entries = await tx.audit.recent(
        MOST_READ, guild_id=found.grant.guild_id, user_id=link.user_id, events=events, since=link.created_at
    )
    return [Told(at=at, what=entry) for _, at, entry in entries if _is_theirs(entry, found, plan)]


def _is_theirs(entry: AuditEntry, found: ReachedGrant, plan: Plan) -> bool:
    """Say whether an entry of the member is about this grant: another purchase's may be somebody else's."""
    if entry.event in _OF_LINK:
        return entry.customer_id == found.reached.customer.id
    if entry.event in _OF_ROLES:
        listed = (entry.detail or {}).get("role_ids")
        return isinstance(listed, list) and any(str(role) in listed for role in plan.all_roles)
    return entry.grant_id == found.grant.id
