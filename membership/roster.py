"""Everybody who bought in the actor's server: one line for each membership, filtered, in pages and as CSV.

A line says what the member's card says: the same rules judge it. Only where a membership of a state may be found as
it is stored is said here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from membership import csv_text
from membership.actors import Actor
from membership.addresses import masked
from membership.entitlements import access_of, decide
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import Claim, GrantId, GrantState, Plan, PlanId, PurchaseKind, UserId
from membership.records import HOUSE, AuditEntry
from membership.roster_ledger import EVERYWHERE, Place, RosterFilter, RosterPage, RosterRow, Trait
from membership.services import Services
from membership.shown import ShownGrant, ShownState, shown

ROWS = 50
EXPORTED_AT_ONCE = 100
"""Small, so that others have their turn at the database and the event loop between two portions."""
MOST_PORTIONS = 20_000
LONGEST_SEARCH = 200
_BOM = "\ufeff".encode()

_RUNNING = (Reason.PAID, Reason.COMP)
PLACES: Mapping[ShownState, tuple[Place, ...]] = {
    ShownState.PENDING_PAYMENT: (Place(state=GrantState.PENDING, reason=Reason.WAITING_FOR_PAYMENT),),
    ShownState.PENDING_LINK: (Place(state=GrantState.PENDING, reason=Reason.NOT_LINKED),),
    ShownState.PENDING_JOIN: (Place(state=GrantState.PENDING, reason=Reason.NOT_IN_SERVER),),
    ShownState.PENDING_RULES: (Place(state=GrantState.PENDING, reason=Reason.RULES_NOT_ACCEPTED),),
    ShownState.DELIVERING: (
        Place(state=GrantState.PENDING, reason=Reason.NOT_LINKED, trait=Trait.CONNECTED),
        Place(state=GrantState.HELD, reason=Reason.BRAKE, trait=Trait.LIVE),
    ),
    ShownState.ACTIVE: tuple(
        Place(state=GrantState.DELIVERED, reason=reason, trait=Trait.RUNNING) for reason in _RUNNING
    ),
    ShownState.TRIALING: (Place(state=GrantState.DELIVERED, reason=Reason.TRIAL),),
    ShownState.ENDING: tuple(
        Place(state=GrantState.DELIVERED, reason=reason, trait=Trait.ENDING) for reason in _RUNNING
    ),
    ShownState.PAST_DUE: (Place(state=GrantState.PAST_DUE),),
    ShownState.PAUSED: (Place(state=GrantState.DELIVERED, reason=Reason.PAUSED),),
    ShownState.FAILED: (Place(state=GrantState.FAILED),),
    ShownState.HELD: (Place(state=GrantState.HELD, reason=Reason.BRAKE),),
    ShownState.HAND_REMOVED: (Place(state=GrantState.HELD, reason=Reason.HAND_REMOVED),),
    ShownState.DISPUTED: (Place(state=GrantState.HELD, reason=Reason.DISPUTED),),
    ShownState.UNCLEAR: (Place(state=GrantState.HELD, reason=Reason.STATUS_UNKNOWN),),
    ShownState.REMOVING: (
        Place(state=GrantState.DELIVERED, trait=Trait.OVER),
        Place(state=GrantState.PAST_DUE, trait=Trait.OVER),
    ),
    ShownState.REVOKED: (Place(state=GrantState.REVOKED),),
}
"""Where to look for what people call a state; what is found there is judged before it is shown."""

PROBLEMS = (
    ShownState.FAILED,
    ShownState.HELD,
    ShownState.HAND_REMOVED,
    ShownState.UNCLEAR,
    ShownState.DISPUTED,
    ShownState.PAST_DUE,
    ShownState.PENDING_JOIN,
    ShownState.PENDING_RULES,
)
"""What somebody should look at."""

_UNLINKED = (
    Place(state=GrantState.PENDING, reason=Reason.NOT_LINKED, trait=Trait.ALONE),
    Place(state=GrantState.PENDING, reason=Reason.WAITING_FOR_PAYMENT, trait=Trait.ALONE),
    Place(state=GrantState.HELD, trait=Trait.ALONE),
    Place(state=GrantState.REVOKED, trait=Trait.ALONE),
)


class Connection(StrEnum):
    """How a membership is tied to Discord."""

    NOBODY = "nobody"
    OUTSIDE = "outside"
    INSIDE = "inside"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks for; empty for everything. `is_linked` None: whether connected or not."""

    state: ShownState | None = None
    plan_id: PlanId | None = None
    is_linked: bool | None = None
    is_problem: bool = False
    search: str = ""

    @property
    def is_everything(self) -> bool:
        """Say whether nothing is left out."""
        return self == Wanted()


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One membership. `email` is masked for whoever may not see it whole; `discord_name` is what we last saw, or "".

    `provider` is "" for what was given by hand.
    """

    shown: ShownGrant
    name: str
    email: str
    user_id: UserId | None
    discord_name: str
    connection: Connection
    provider: str

    @property
    def since(self) -> datetime:
        """Return since when it is there."""
        return self.shown.grant.opened_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of lines; the other marks are those of RosterPage. `plans` are those to choose from."""

    lines: tuple[Line, ...]
    plans: tuple[Plan, ...]
    next_before: GrantId | None
    is_cut: bool
    is_crowded: bool


async def page(services: Services, actor: Actor, wanted: Wanted, *, before: GrantId | None = None) -> Page:
    """Return one page of the memberships of the actor's server, newest first; an unknown plan has none."""
    async with services.store.read() as tx:
        plans = {plan.id: plan for plan in await tx.plans.all(actor.guild_id)}
        found = await tx.roster.page(actor.guild_id, _filter(actor, wanted, plans), before=before, limit=ROWS)
        lines = await _lines(tx, actor, plans, found, services.clock.now())
    return Page(
        lines=tuple(line for line in lines if _fits(line, wanted)),
        plans=tuple(plans.values()),
        next_before=found.next_before,
        is_cut=found.is_cut,
        is_crowded=found.is_crowded,
    )


async def export(services: Services, actor: Actor, wanted: Wanted) -> AsyncGenerator[bytes]:
    """Write the memberships that fit as CSV, portion by portion; each is read in a transaction of its own.

    Addresses are whole for data rights alone. What changes meanwhile may be told as it was before or after. That it was
    handed out is written down.
    """
    entry = AuditEntry(
        event="members.exported",
        actor=str(actor),
        guild_id=actor.guild_id,
        detail={"actor_name": actor.name, "is_whole": actor.can_data},
    )
    async with services.store.write() as tx:
        await tx.audit.add(entry, services.clock.now())
    yield csv_text.write([HEADINGS])
    before: GrantId | None = None
    for _ in range(MOST_PORTIONS):
        async with services.store.read() as tx:
            plans = {plan.id: plan for plan in await tx.plans.all(actor.guild_id)}
            stored = _filter(actor, wanted, plans)
            found = await tx.roster.page(actor.guild_id, stored, before=before, limit=EXPORTED_AT_ONCE)
            lines = await _lines(tx, actor, plans, found, services.clock.now())
        rows = [_row(line) for line in lines if _fits(line, wanted)]
        if rows:
            yield (await asyncio.to_thread(csv_text.write, rows)).removeprefix(_BOM)
        if found.next_before is None:
            return
        before = found.next_before


HEADINGS = (
    "number", "name", "email", "discord_id", "discord_name", "connection", "plan", "state", "reason", "purchase_status",
    "since", "until", "renews", "amount", "currency", "provider",
)  # fmt: skip


def line_of(actor: Actor, row: RosterRow, shown_grant: ShownGrant) -> Line:
    """Return a membership as this actor may see it."""
    email = row.customer.email
    return Line(
        shown=shown_grant,
        name=row.customer.name,
        email=email if actor.can_data else masked(email),
        user_id=row.user_id,
        discord_name=row.name,
        connection=_connection(row),
        provider="" if row.account.provider == HOUSE else row.account.provider,
    )


def _filter(actor: Actor, wanted: Wanted, plans: Mapping[PlanId, Plan]) -> RosterFilter:
    is_known = wanted.plan_id is None or wanted.plan_id in plans
    return RosterFilter(
        places=_places(wanted) if is_known else (),
        plan_id=wanted.plan_id,
        is_linked=wanted.is_linked is True,
        search=wanted.search.strip()[:LONGEST_SEARCH],
        whole_address=not actor.can_data,
    )


def _places(wanted: Wanted) -> tuple[Place, ...]:
    """Say where to look; of those whom nobody is connected to, only where such memberships may stand."""
    if wanted.state is None and not wanted.is_problem:
        return _UNLINKED if wanted.is_linked is False else EVERYWHERE
    states = [state for state in PLACES if wanted.state in (None, state)]
    if wanted.is_problem:
        states = [state for state in states if state in PROBLEMS]
    places = dict.fromkeys(place for state in states for place in PLACES[state])
    if wanted.is_linked is False:
        return tuple(replace(place, trait=Trait.ALONE) if place.trait is Trait.ANY else place for place in places)
    return tuple(places)


def _fits(line: Line, wanted: Wanted) -> bool:
    """Say whether a line is what was asked for, now that the rules have spoken."""
    is_state = wanted.state is None or line.shown.state is wanted.state
    is_problem = not wanted.is_problem or line.shown.state in PROBLEMS
    is_connected = wanted.is_linked is None or wanted.is_linked == (line.user_id is not None)
    return is_state and is_problem and is_connected


async def _lines(
    tx: Transaction, actor: Actor, plans: Mapping[PlanId, Plan], found: RosterPage, now: datetime
) -> list[Line]:
    """Judge each membership: alone, but for passes of one plan, which stack: only all of a member's say when."""
    alone = {row.grant.id: _alone(row, plans[row.grant.plan_id], now) for row in found.rows}
    stacking = [row.user_id for row in found.rows if row.user_id is not None and _is_stacking(row, plans)]
    together = await _together(tx, actor, list(dict.fromkeys(stacking)), now)
    return [line_of(actor, row, together.get(row.grant.id) or alone[row.grant.id]) for row in found.rows]


def _alone(row: RosterRow, plan: Plan, now: datetime) -> ShownGrant:
    claim = Claim(grant=row.grant, purchase=row.purchase, plan=plan)
    return shown(access_of(claim, now=now), is_connected=row.user_id is not None)


def _is_stacking(row: RosterRow, plans: Mapping[PlanId, Plan]) -> bool:
    return plans[row.grant.plan_id].duration_days is not None and row.purchase.kind is PurchaseKind.ONE_TIME


async def _together(
    tx: Transaction, actor: Actor, user_ids: Sequence[UserId], now: datetime
) -> Mapping[GrantId, ShownGrant]:
    judged: dict[GrantId, ShownGrant] = {}
    if user_ids:
        for standing in await tx.crowds.standings(actor.guild_id, user_ids, now):
            for outcome in decide(standing.facts, now=now).outcomes:
                if outcome.claim.is_linked:
                    judged[outcome.claim.grant.id] = shown(outcome)
    return judged


def _connection(row: RosterRow) -> Connection:
    if row.user_id is None:
        return Connection.NOBODY
    return Connection.INSIDE if row.is_present else Connection.OUTSIDE


def _row(line: Line) -> tuple[object, ...]:
    grant, purchase, at = line.shown.grant, line.shown.purchase, line.shown.at
    return (
        int(grant.id),
        line.name,
        line.email,
        # As text: a spreadsheet keeps no more than 15 digits of a number.
        "" if line.user_id is None else str(line.user_id),
        line.discord_name,
        line.connection.value,
        line.shown.plan.name,
        line.shown.state.value,
        line.shown.reason.value,
        purchase.status.value,
        line.since.isoformat(timespec="seconds"),
        "" if at is None else at.isoformat(timespec="seconds"),
        "yes" if line.shown.is_renewing else "no",
        purchase.amount,
        purchase.currency,
        line.provider,
    )
