"""Write a server's memberships as CSV, which the generic import reads again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from enum import StrEnum

from membership import csv_text
from membership.actors import Actor
from membership.addresses import masked
from membership.errors import Reason, UserError
from membership.model import GrantId, GrantState, PlanId
from membership.report_ledgers import Membership
from membership.services import Services

PAGE = 500
MOST_PAGES = 2000
HEADINGS = ("id", "email", "name", "discord_id", "plan", "status", "until", "since", "kind", "provider")

_WORDS: Mapping[GrantState, str] = {
    GrantState.PENDING: "waiting",
    GrantState.DELIVERED: "active",
    GrantState.PAST_DUE: "past due",
    GrantState.FAILED: "failed",
    GrantState.HELD: "held",
    GrantState.REVOKED: "ended",
}


class Status(StrEnum):
    """Which memberships are exported."""

    ACTIVE = "active"
    PAST_DUE = "past_due"
    ENDED = "ended"
    ALL = "all"

    @property
    def states(self) -> frozenset[GrantState]:
        """Return the grants that are meant: what waits or is held counts as active, for it is paid."""
        match self:
            case Status.PAST_DUE:
                return frozenset((GrantState.PAST_DUE,))
            case Status.ENDED:
                return frozenset((GrantState.REVOKED,))
            case Status.ALL:
                return frozenset(GrantState)
            case Status.ACTIVE:
                return frozenset(GrantState) - {GrantState.PAST_DUE, GrantState.REVOKED}


async def export(services: Services, actor: Actor, *, plan_id: PlanId | None, status: Status) -> tuple[bytes, int]:
    """Return the memberships of the actor's server as CSV, and how many; masked below data rights. Raises UserError."""
    async with services.store.read() as tx:
        plans = {plan.id: plan.name for plan in await tx.plans.all(actor.guild_id)}
    if plan_id is not None and plan_id not in plans:
        raise UserError("There is no such plan in this server. Choose one from the list.")
    rows: list[tuple[object, ...]] = [HEADINGS]
    after = GrantId(0)
    for _ in range(MOST_PAGES):
        async with services.store.read() as tx:
            page = await tx.reports.memberships(
                actor.guild_id, after=after, limit=PAGE, states=status.states, plan_id=plan_id
            )
        if not page:
            break
        rows += [_row(each, plans, is_masked=not actor.can_data) for each in page]
        after = page[-1].grant_id
    return await asyncio.to_thread(csv_text.write, rows), len(rows) - 1


def _row(each: Membership, plans: Mapping[PlanId, str], *, is_masked: bool) -> tuple[object, ...]:
    is_unpaid = each.state is GrantState.PENDING and each.reason is Reason.WAITING_FOR_PAYMENT
    return (
        "" if is_masked else each.purchase,
        masked(each.email) if is_masked else each.email,
        each.name,
        # As text: a spreadsheet keeps no more than 15 digits of a number.
        "" if each.user_id is None else str(each.user_id),
        plans.get(each.plan_id, ""),
        "pending" if is_unpaid else _WORDS[each.state],
        "" if each.ends_at is None else each.ends_at.isoformat(timespec="seconds"),
        each.opened_at.isoformat(timespec="seconds"),
        each.kind.value,
        each.provider,
    )
