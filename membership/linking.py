"""Connect a purchase to a proven Discord account, move it, and say how far its roles have come."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from membership import binding, invites, switching
from membership.errors import Gone
from membership.ledgers import Transaction
from membership.model import (
    Grant,
    GrantId,
    Lane,
    Plan,
    Proof,
    Purchase,
    PurchaseId,
    UserId,
)
from membership.records import Draft, Guild, LinkToken
from membership.services import Services
from membership.switching import Refused

DELIVERY_PATIENCE = timedelta(seconds=6)
JOIN_SCOPE = "guilds.join"


class Verdict(StrEnum):
    """How a wish to connect ended."""

    CONNECTED = "connected"
    NEEDS_MOVE = "needs_move"
    MOVES_USED_UP = "moves_used_up"
    NOT_AVAILABLE = "not_available"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How a wish to connect ended. `refused`: until when, where the account was switched as often as possible."""

    verdict: Verdict
    refused: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A person's confirmed wish: this purchase to this account. `may_move` once they agreed to take it from another."""

    purchase_id: PurchaseId
    user_id: UserId
    access_token: str
    scopes: Collection[str]
    may_move: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A purchase with what it gives and who has it; `outside`: the grants whose member still has to come in."""

    purchase: Purchase
    email: str
    name: str
    grants: tuple[tuple[Grant, Plan, Guild], ...]
    linked_to: UserId | None
    outside: frozenset[GrantId] = frozenset()

    @property
    def is_alive(self) -> bool:
        """Say whether there is still something to get."""
        return any(not grant.is_over for grant, _, _ in self.grants)


async def token_standing(services: Services, digest: str) -> tuple[LinkToken, Standing | None] | None:
    """Return what a mailed link stands for, None when nobody knows it. Changes nothing."""
    async with services.store.read() as tx:
        token = await tx.links.token(digest)
        if token is None:
            return None
        return token, None if token.purchase_id is None else await _standing(tx, token.purchase_id)


async def standing(services: Services, purchase_id: PurchaseId) -> Standing:
    """Return where a purchase stands. Raises KeyError."""
    async with services.store.read() as tx:
        return await _standing(tx, purchase_id)


async def other_customers(services: Services, user_id: UserId, purchase: Purchase) -> list[str]:
    """Return the e-mails of other payers whose purchases this Discord account holds."""
    async with services.store.read() as tx:
        customers = [await tx.customers.get(customer_id) for customer_id in await tx.links.customers_of(user_id)]
    # Who was only given something by staff has no address.
    return [customer.email for customer in customers if customer.id != purchase.customer_id and customer.email]


async def mail_new_link(services: Services, digest: str) -> None:
    """Mail a new link to the payer behind an old one, once an hour at most. Raises Gone("link").

    A new link of a connected purchase moves it: whoever reads the payer's mail decides. An ended purchase gets none.
    """
    now = services.clock.now()
    async with services.store.write() as tx:
        token = await tx.links.token(digest)
        if token is None or token.purchase_id is None:
            raise Gone("link")
        current = await _standing(tx, token.purchase_id)
        if current.is_alive:
            draft = Draft(
                dedupe_key=f"link_again:{token.purchase_id}:{now:%Y-%m-%dT%H}",
                kind="mail",
                target=str(current.purchase.customer_id),
                template="link_again",
                facts={"purchase_id": int(token.purchase_id)},
            )
            await tx.outbox.put(draft, now)
    services.wake()


async def connect(services: Services, wish: Wish) -> Answer:
    """Link, join and give the roles, and wait a few seconds for them; an old account loses them in the same pass."""
    now = services.clock.now()
    started = services.signals.tick()
    async with services.store.write() as tx:
        current = await _standing(tx, wish.purchase_id)
        if not current.is_alive:
            return Answer(verdict=Verdict.NOT_AVAILABLE)
        if current.linked_to not in (None, wish.user_id) and not wish.may_move:
            return Answer(verdict=Verdict.NEEDS_MOVE)
        customer_id, policy = current.purchase.customer_id, services.policy
        refused = await switching.refusal(tx, customer_id, wish.user_id, policy=policy, now=now)
        if refused is not None:
            return Answer(verdict=Verdict.MOVES_USED_UP, refused=refused)
        if JOIN_SCOPE in wish.scopes:
            services.permits.keep(wish.user_id, wish.access_token, now)
        if current.linked_to == wish.user_id:
            keys = await binding.mark_members(tx, customer_id, Lane.PERSON, now)
        else:
            keys = await binding.bind(tx, customer_id, wish.user_id, Proof.OAUTH, now)
    services.wake()
    await services.signals.wait([str(key) for key in keys], since=started, patience=DELIVERY_PATIENCE)
    await _invite_those_outside(services, wish)
    return Answer(verdict=Verdict.CONNECTED)


async def invite_url(services: Services, grant: Grant, guild: Guild) -> str:
    """Return how a member who is not in the server gets there: the guild's own invite or the one made for them."""
    if guild.invite_url:
        return guild.invite_url
    async with services.store.read() as tx:
        link = await tx.links.active((await tx.purchases.get(grant.purchase_id)).customer_id)
        return "" if link is None else await invites.url_of(tx, grant.id, link.user_id, services.clock.now())


async def _invite_those_outside(services: Services, wish: Wish) -> None:
    """Make a single-use invite where the member could not be added; their roles follow when they join."""
    current = await standing(services, wish.purchase_id)
    for grant, _, guild in current.grants:
        if grant.id in current.outside:
            await invites.offer(services, grant, guild, wish.user_id)


async def _standing(tx: Transaction, purchase_id: PurchaseId) -> Standing:
    purchase = await tx.purchases.get(purchase_id)
    customer = await tx.customers.get(purchase.customer_id)
    link = await tx.links.active(customer.id)
    grants = []
    for grant in await tx.purchases.grants(purchase_id):
        plan = await tx.plans.get(grant.plan_id)
        guild = await tx.guilds.get(grant.guild_id) or Guild(id=grant.guild_id, name="")
        grants.append((grant, plan, guild))
    outside = [
        grant.id for grant, _, _ in grants if link is not None and await invites.needs_way_in(tx, grant, link.user_id)
    ]
    return Standing(
        purchase=purchase,
        email=customer.email,
        name=customer.name,
        grants=tuple(grants),
        linked_to=None if link is None else link.user_id,
        outside=frozenset(outside),
    )
