"""Which Discord accounts a customer's purchases are connected to, and taking one off. Connecting is in linking.py.

Whoever reads the payer's mail decides about all of it; whoever only holds a purchase may take their own account off.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from membership import erasing, reach, switching
from membership.browsing import SignIn
from membership.entitlements import decide
from membership.errors import Gone, Reason
from membership.ledgers import Transaction
from membership.model import CustomerId, Lane, MemberFacts, MemberKey, PurchaseId, UserId
from membership.reach import Reached
from membership.recording import Occasion
from membership.services import Services
from membership.switching import Refused

PATIENCE = timedelta(seconds=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class GoingRole:
    """A role that somebody would lose, and where."""

    name: str
    server: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One Discord account (None: nobody yet) with what is connected to it.

    `plans` still give something. `purchases`: one of each payer that the visitor may connect or move; `moves_left`: how
    often that is possible within 30 days, and `used_up` when it is again. `going`: the roles that taking the account
    off takes.
    """

    user_id: UserId | None
    handle: str
    since: datetime | None
    plans: tuple[str, ...]
    purchases: tuple[PurchaseId, ...]
    moves_left: int
    used_up: Refused | None = None
    going: tuple[GoingRole, ...] = ()

    @property
    def may_switch(self) -> bool:
        """Say whether the visitor may connect something of it to another account."""
        return bool(self.purchases)


async def read(services: Services, sign_in: SignIn) -> Sequence[Connection]:
    """Return a customer's connections that still give something, those that nobody has first. Gifts are staff's."""
    found = []
    async with services.store.read() as tx:
        for user_id, group in _grouped(await reach.customers(tx, sign_in)):
            made = await _connection(services, tx, user_id, group)
            if made.plans:
                found.append(made)
    return [each if each.user_id is None else await _named(services, each, each.user_id) for each in found]


async def find(services: Services, sign_in: SignIn, user_id: UserId | None) -> Connection:
    """Return one connection. Raises Gone("connection") where there is none of theirs."""
    for each in await read(services, sign_in):
        if each.user_id == user_id:
            return each
    raise Gone("connection")


async def disconnect(services: Services, sign_in: SignIn, user_id: UserId) -> Connection:
    """Take an account off; its roles go in the same pass, and what was bought waits for another. Raises Gone.

    Returns what was connected, and waits a few seconds for the roles.
    """
    before = await find(services, sign_in, user_id)
    started = services.signals.tick()
    occasion = Occasion(now=services.clock.now(), lane=Lane.PERSON, policy=services.policy)
    keys: list[MemberKey] = []
    async with services.store.write() as tx:
        for holder, group in _grouped(await reach.customers(tx, sign_in)):
            for each in group if holder == user_id else ():
                keys += await erasing.detach(tx, each.customer.id, reach.actor_of(sign_in, each), occasion)
    services.wake()
    await services.signals.wait([str(key) for key in keys], since=started, patience=PATIENCE)
    return before


def _grouped(reached: Sequence[Reached]) -> Sequence[tuple[UserId | None, list[Reached]]]:
    groups: dict[UserId | None, list[Reached]] = {}
    for each in reached:
        if each.is_paid:
            groups.setdefault(None if each.link is None else each.link.user_id, []).append(each)
    return sorted(groups.items(), key=lambda group: group[0] or 0)


async def _connection(
    services: Services, tx: Transaction, user_id: UserId | None, group: Sequence[Reached]
) -> Connection:
    plans: dict[str, None] = {}
    purchases: list[PurchaseId] = []
    switches: Sequence[datetime] = ()
    for each in group:
        alive = await _alive(tx, each)
        plans |= dict.fromkeys(name for names in alive.values() for name in names)
        if alive and each.is_payer:
            purchases.append(next(iter(alive)))
            made = await switching.recent(tx, each.customer.id, services.clock.now())
            switches = max(switches, made, key=len)
    since = [each.link.created_at for each in group if each.link is not None]
    ids = {each.customer.id for each in group}
    return Connection(
        user_id=user_id,
        handle="",
        since=min(since, default=None),
        plans=tuple(plans),
        purchases=tuple(purchases),
        moves_left=max(0, services.policy.moves_per_30_days - len(switches)),
        used_up=switching.used_up(switches, services.policy),
        going=() if user_id is None else await _going(services, tx, user_id, ids),
    )


async def _alive(tx: Transaction, each: Reached) -> Mapping[PurchaseId, Sequence[str]]:
    """Return a payer's purchases that still give something, each with the names of its plans."""
    found: dict[PurchaseId, list[str]] = {}
    for purchase in await tx.purchases.of_customer(each.customer.id):
        for grant in await tx.purchases.grants(purchase.id):
            if not grant.is_over:
                found.setdefault(purchase.id, []).append((await tx.plans.get(grant.plan_id)).name)
    return found


async def _going(
    services: Services, tx: Transaction, user_id: UserId, customers: Collection[CustomerId]
) -> tuple[GoingRole, ...]:
    """Ask the rules which of our roles a member would lose without these payers."""
    found = []
    keys = {key for each in customers for key in await tx.members.keys_of_customer(each) if key.user_id == user_id}
    for key in sorted(keys):
        facts = await tx.members.facts(key)
        left = decide(_without(facts, customers), now=services.clock.now())
        names = services.discord.roles(key.guild_id)
        server = services.discord.guild_name(key.guild_id)
        going = sorted(facts.held_roles - left.roles - left.kept)
        found += [GoingRole(name=names[role].name, server=server) for role in going if role in names]
    return tuple(found)


def _without(facts: MemberFacts, customers: Collection[CustomerId]) -> MemberFacts:
    claims = (
        replace(claim, is_linked=False, unlink_reason=Reason.DISCONNECTED)
        if claim.purchase.customer_id in customers
        else claim
        for claim in facts.claims
    )
    return replace(facts, claims=tuple(claims))


async def _named(services: Services, connection: Connection, user_id: UserId) -> Connection:
    return replace(connection, handle=await services.discord.handle(user_id))
