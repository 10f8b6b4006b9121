"""What a signed-in customer has, in every server: each grant with its state, its roles, who is connected, what is next.

Reads only: what they may do about it is in portal_acts, connections, cancelling, portal_billing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from membership import dossier as dossiers
from membership import invites, reach
from membership.browsing import SignIn
from membership.dossier import Dossier
from membership.entitlements import access_of
from membership.errors import Gone
from membership.ledgers import Transaction
from membership.model import Claim, Grant, GrantId, GuildId, MemberKey, PlanId, Purchase, RoleId, UserId
from membership.reach import Reached
from membership.records import Guild
from membership.services import Services
from membership.shown import ShownGrant, shown

MOST_CARDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSeen:
    """A role that a grant gives, and whether its member was seen with it."""

    role_id: RoleId
    name: str
    has: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One grant as its customer sees it. `handle` names the connected Discord account, "" for none.

    `interval` is how often is paid ("month"), "" for once or unknown. `invite_url`: the way in that is there already,
    for somebody outside; `is_inside`: they were seen in the server.
    """

    guild: Guild
    shown: ShownGrant
    reached: Reached
    roles: tuple[RoleSeen, ...] = ()
    is_inside: bool = False
    is_outside: bool = False
    handle: str = ""
    interval: str = ""
    invite_url: str = ""

    @property
    def grant_id(self) -> GrantId:
        """Return what names it in addresses."""
        return self.shown.grant.id

    @property
    def is_mine(self) -> bool:
        """Say whether the visitor is the payer, and not only who holds it."""
        return self.reached.is_payer


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """Everything of one customer, what lives first. `left_out`: cards beyond those that are shown.

    `has_more_by_mail`: their address bought something that another Discord account has.
    """

    cards: tuple[Card, ...]
    left_out: int = 0
    has_more_by_mail: bool = False


async def read(services: Services, sign_in: SignIn) -> Portal:
    """Read everything that somebody reaches."""
    async with services.store.read() as tx:
        reached = await reach.customers(tx, sign_in)
        found = [card for each in reached for card in await _cards_of(services, tx, each)]
        has_more = await reach.has_more_by_mail(tx, sign_in)
    worth = _worth_showing(found)
    cards = await _named(services, worth[:MOST_CARDS])
    return Portal(cards=tuple(cards), left_out=max(0, len(worth) - MOST_CARDS), has_more_by_mail=has_more)


async def card(services: Services, sign_in: SignIn, grant_id: GrantId) -> Card:
    """Read one grant that somebody reaches. Raises Gone("grant")."""
    async with services.store.read() as tx:
        found = await reach.grant(tx, sign_in, grant_id)
        cards = await _cards_of(services, tx, found.reached, found.purchase)
    for each in await _named(services, cards):
        if each.grant_id == grant_id:
            return each
    raise Gone("grant")


async def servers(services: Services, sign_in: SignIn) -> frozenset[GuildId]:
    """Return the servers of everything that somebody reaches, also of what is over."""
    async with services.store.read() as tx:
        reached = await reach.customers(tx, sign_in)
        purchases = [purchase for each in reached for purchase in await tx.purchases.of_customer(each.customer.id)]
        grants = [grant for each in purchases for grant in await tx.purchases.grants(each.id)]
    return frozenset(grant.guild_id for grant in grants)


async def _cards_of(
    services: Services, tx: Transaction, reached: Reached, only: Purchase | None = None
) -> Sequence[Card]:
    """Return the grants of a payer's purchases, or of one of them."""
    purchases = await tx.purchases.of_customer(reached.customer.id) if only is None else [only]
    prices = {price.external_id: price.interval for price in await tx.accounts.prices(reached.account.id)}
    known: dict[MemberKey, Dossier] = {}
    found = []
    for purchase in purchases:
        interval = next((prices[item.price_id] for item in purchase.items if item.price_id in prices), "")
        for grant in await tx.purchases.grants(purchase.id):
            made = await _card(services, tx, reached, (purchase, grant), known)
            found.append(replace(made, interval=interval))
    return found


async def _card(
    services: Services,
    tx: Transaction,
    reached: Reached,
    bought: tuple[Purchase, Grant],
    known: dict[MemberKey, Dossier],
) -> Card:
    """Show a grant as its member's dossier has it, or alone where no Discord account is connected."""
    (purchase, grant), link, now = bought, reached.link, services.clock.now()
    dossier = None
    if link is not None:
        key = MemberKey(grant.guild_id, link.user_id)
        if key not in known:
            known[key] = await dossiers.read(tx, key, now)
        dossier = known[key]
    seen = dossier.grant(grant.id) if dossier is not None else None
    if dossier is None or seen is None:
        claim = Claim(grant=grant, purchase=purchase, plan=await tx.plans.get(grant.plan_id))
        guild = await tx.guilds.get(grant.guild_id) or Guild(id=grant.guild_id, name="")
        alone = shown(access_of(claim, now=now), is_connected=False)
        return Card(guild=guild, shown=alone, reached=reached, roles=_roles(services, alone, frozenset()))
    row = dossier.row
    is_inside = row is not None and row.is_present
    is_outside = not seen.is_over and not is_inside and invites.is_outside(grant)
    url = ""
    if is_outside:
        url = dossier.guild.invite_url or await invites.url_of(tx, grant.id, dossier.key.user_id, now)
    return Card(
        guild=dossier.guild,
        shown=seen,
        reached=reached,
        roles=_roles(services, seen, frozenset() if row is None else row.observed),
        is_inside=is_inside,
        is_outside=is_outside,
        handle="" if row is None else row.name,
        invite_url=url,
    )


def _roles(services: Services, seen: ShownGrant, has: frozenset[RoleId]) -> tuple[RoleSeen, ...]:
    """Name the roles that a grant gives; one that Discord does not show has no name to show."""
    known = services.discord.roles(seen.plan.guild_id)
    wanted = sorted(seen.roles or frozenset(seen.plan.roles))
    return tuple(RoleSeen(role_id=role, name=known[role].name, has=role in has) for role in wanted if role in known)


async def _named(services: Services, cards: Sequence[Card]) -> Sequence[Card]:
    """Add how people know the connected accounts; one account has one name, whichever server saw it."""
    names: dict[UserId, str] = {}
    for each in cards:
        if each.reached.link is not None and each.handle:
            names.setdefault(each.reached.link.user_id, each.handle)
    return [replace(each, handle=await _handle(services, each, names)) for each in cards]


async def _handle(services: Services, each: Card, names: dict[UserId, str]) -> str:
    link = each.reached.link
    if link is None:
        return ""
    if link.user_id not in names:
        names[link.user_id] = await services.discord.handle(link.user_id)
    return names[link.user_id]


def _worth_showing(found: Sequence[Card]) -> list[Card]:
    """Put what lives first; of a plan's ends show the newest, and none where the plan is there again."""
    worth: list[Card] = []
    told: set[PlanId] = set()
    for each in sorted(found, key=_newest_first):
        if not each.shown.is_over or each.shown.plan.id not in told:
            worth.append(each)
        told.add(each.shown.plan.id)
    return worth


def _newest_first(each: Card) -> tuple[bool, float]:
    return each.shown.is_over, -each.shown.grant.opened_at.timestamp()
