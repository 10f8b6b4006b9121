"""One member's history in one server, newest first: the audit and the payments as one (`/member history`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from membership import dossier as dossiers
from membership.actors import Actor
from membership.desk import Payment
from membership.dossier import Dossier
from membership.ledgers import Transaction
from membership.model import MemberKey, UserId
from membership.records import AuditEntry
from membership.services import Services

PAGE = 10
MOST_PAGES = 30
_OF_CUSTOMERS = ("link.created", "link.moved", "link.removed")
"""Entries that name a payer and no server: a link holds in every server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line of a history: an audit entry or a payment."""

    at: datetime
    what: AuditEntry | Payment


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some of a history. `number` counts from 0; `is_last` False: there is more."""

    happenings: tuple[Happening, ...]
    number: int
    is_last: bool


async def history(
    services: Services, actor: Actor, user_id: UserId, *, since: datetime | None = None, number: int = 0
) -> Page:
    """Return one page of what happened to a member of the actor's server."""
    number = min(max(number, 0), MOST_PAGES - 1)
    key = MemberKey(actor.guild_id, user_id)
    wanted = (number + 1) * PAGE + 1
    async with services.store.read() as tx:
        dossier = await dossiers.read(tx, key, services.clock.now())
        found = await _entries(tx, dossier, wanted, since) + await _payments(tx, dossier, since)
    found.sort(key=lambda each: each.at, reverse=True)
    shown = found[number * PAGE : (number + 1) * PAGE]
    return Page(happenings=tuple(shown), number=number, is_last=len(found) < wanted or number == MOST_PAGES - 1)


async def _entries(tx: Transaction, dossier: Dossier, limit: int, since: datetime | None) -> list[Happening]:
    guild_id, user_id = dossier.key
    here = await tx.audit.recent(limit, guild_id=guild_id, user_id=user_id, since=since)
    links = await tx.audit.recent(limit, user_id=user_id, events=_OF_CUSTOMERS, since=since)
    own = [each for each in links if each[2].guild_id is None and each[2].customer_id in dossier.payers]
    return [Happening(at=at, what=entry) for _, at, entry in [*here, *own]]


async def _payments(tx: Transaction, dossier: Dossier, since: datetime | None) -> list[Happening]:
    found: list[Happening] = []
    for purchase_id in sorted({grant.purchase.id for grant in dossier.grants}):
        payments = await tx.payments.of_purchase(purchase_id)
        found += [Happening(at=payment.at, what=payment) for payment in payments]
    return [each for each in found if since is None or each.at >= since]
