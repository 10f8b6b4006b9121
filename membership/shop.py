"""What can be bought and where the buyer goes: offers, checkouts, and the purchase that a checkout became."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from membership import codes, recording
from membership.errors import Gone, Retry
from membership.ledgers import Transaction
from membership.model import AccountId, GuildId, Lane, Plan, PurchaseId, UserId
from membership.ports import CheckoutOrder, Price
from membership.records import Guild
from membership.services import Services

CHECKOUT_LIFE = timedelta(hours=2)
SECRETS_LIFE = timedelta(days=30)
"""How long what a checkout was given serves: delayed payments take days."""

_PAYER = "welcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A plan with the price that buys it."""

    plan: Plan
    price: Price
    account_id: AccountId


@dataclass(frozen=True, slots=True, kw_only=True)
class Ware:
    """A plan in the shop window. `offers` are its prices; none: it is not for sale (now)."""

    plan: Plan
    guild: Guild
    offers: tuple[Offer, ...]


async def offers_in(services: Services, guild_ids: Collection[GuildId]) -> Sequence[Offer]:
    """Return what is for sale in these guilds, where they were set up."""
    return [offer for offer in await offers(services) if offer.plan.guild_id in set(guild_ids)]


async def offers(services: Services) -> Sequence[Offer]:
    """Return every plan that is for sale, one price each, by the stored catalogue."""
    return [ware.offers[0] for ware in await wares(services)]


async def wares(services: Services) -> Sequence[Ware]:
    """Return every plan that is for sale, with all its prices, server by server."""
    async with services.store.read() as tx:
        guilds = [guild for guild in await tx.guilds.all() if guild.is_active]
        catalogue = await _catalogue(tx)
        plans = [(guild, plan) for guild in guilds for plan in await tx.plans.all(guild.id)]
    found = [Ware(plan=plan, guild=guild, offers=_offers(plan, catalogue)) for guild, plan in plans]
    return [ware for ware in found if ware.offers]


async def ware(services: Services, slug: str) -> Ware | None:
    """Return a plan of a server that was set up, also one that is not sold any more; None when there is none."""
    async with services.store.read() as tx:
        plan = await tx.plans.by_slug(slug)
        guild = None if plan is None else await tx.guilds.get(plan.guild_id)
        if plan is None or guild is None or not guild.is_active:
            return None
        return Ware(plan=plan, guild=guild, offers=_offers(plan, await _catalogue(tx)))


async def start_checkout(services: Services, slug: str, *, price_id: str = "", user_id: UserId | None = None) -> str:
    """Make a checkout for a plan and return its URL. Raises Gone("plan"), Gone("price"), Retry, Blocked.

    `price_id` chooses among the plan's prices, "" its first. With `user_id` the purchase is linked to that Discord
    user when it is paid: they proved who they are in Discord.
    """
    wanted = await ware(services, slug)
    found = [] if wanted is None else [each for each in wanted.offers if price_id in ("", each.price.external_id)]
    provider = await services.sellers.provider(found[0].account_id) if found else None
    if not found or provider is None:
        raise Gone("plan")
    token, payer_key = services.randomness.token(), services.randomness.token()
    expires_at = services.clock.now() + CHECKOUT_LIFE
    async with services.store.write() as tx:
        await tx.links.issue_token(codes.digest(token), None, user_id, expires_at)
    order = CheckoutOrder(
        price_id=found[0].price.external_id,
        link_token=token,
        # Whoever starts a checkout knows its id and may let somebody else pay: only the way back carries the key.
        success_url=f"{services.public_url}/welcome?session_id={{CHECKOUT_SESSION_ID}}&key={payer_key}",
        cancel_url=f"{services.public_url}/plans/{slug}",
        expires_at=expires_at,
    )
    checkout_id, url = await provider.checkout(order)
    async with services.store.write() as tx:
        lasts_until = services.clock.now() + SECRETS_LIFE
        for secret, kind in ((payer_key, _PAYER), (token, recording.ISSUED_FOR)):
            await tx.sessions.put(codes.digest(secret), kind, {"checkout_id": checkout_id}, lasts_until)
    return url


async def is_payer(services: Services, checkout_id: str, key_digest: str) -> bool:
    """Say whether a key came back with the browser that paid for this very checkout."""
    async with services.store.read() as tx:
        found = await tx.sessions.get(key_digest, _PAYER, services.clock.now())
    return found is not None and found["checkout_id"] == checkout_id


async def purchase_of_checkout(services: Services, checkout_id: str, *, ask: bool) -> PurchaseId | None:
    """Return the purchase that came out of a checkout; with `ask` the provider is asked when its event is late."""
    async with services.store.read() as tx:
        purchase = await tx.purchases.by_checkout(checkout_id)
    if purchase is not None or not ask:
        return None if purchase is None else purchase.id
    for name, provider in services.sellers.by_name.items():
        account = await services.sellers.account(name)
        try:
            snapshot = await provider.fetch(checkout_id)
        except (Gone, Retry):
            # Not this seller's, or not paid yet.
            continue
        occasion = recording.Occasion(now=services.clock.now(), lane=Lane.PERSON, policy=services.policy)
        async with services.store.write() as tx:
            found = await recording.record(tx, account.id, snapshot, occasion)
        services.wake()
        return found.id
    return None


async def billing_url(services: Services, token_digest: str) -> str:
    """Open a billing session for the payer behind a mailed link; return its URL. Raises Gone("link"), Retry, Blocked.

    A link whose connection is made still serves: the mailbox owner remains the payer. One that was made for a Discord
    user serves while the purchase is theirs.
    """
    async with services.store.read() as tx:
        token = await tx.links.token(token_digest)
        if token is None or token.purchase_id is None or token.expires_at <= services.clock.now():
            raise Gone("link")
        purchase = await tx.purchases.get(token.purchase_id)
        customer = await tx.customers.get(purchase.customer_id)
        link = await tx.links.active(customer.id)
    if token.user_id is not None and (link is None or link.user_id != token.user_id):
        raise Gone("link")
    provider = await services.sellers.provider(purchase.account_id)
    if provider is None:
        raise Gone("link")
    return await provider.portal(customer.external_id, f"{services.public_url}/")


async def _catalogue(tx: Transaction) -> Mapping[AccountId, Sequence[Price]]:
    return {account.id: await tx.accounts.prices(account.id) for account in await tx.accounts.all()}


def _offers(plan: Plan, catalogue: Mapping[AccountId, Sequence[Price]]) -> tuple[Offer, ...]:
    """Return a plan's prices that can be bought, in the order of its products, the cheapest of each first."""
    if plan.is_archived:
        return ()
    found: dict[str, Offer] = {}
    for product in plan.products:
        for price in sorted(catalogue.get(product.account_id, ()), key=lambda each: each.amount):
            is_meant = price.product_id == product.product_id and product.price_id in (None, price.external_id)
            if is_meant and price.is_active:
                found.setdefault(price.external_id, Offer(plan=plan, price=price, account_id=product.account_id))
    return tuple(found.values())
