"""What can be bought and where the buyer goes: offers, checkouts, and the purchase that a checkout became."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from membership import codes, recording
from membership.errors import Gone, Retry
from membership.model import AccountId, GuildId, Lane, Plan, PurchaseId, UserId
from membership.ports import CheckoutOrder, Price
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


async def offers_in(services: Services, guild_ids: Collection[GuildId]) -> Sequence[Offer]:
    """Return what is for sale in these guilds, where they were set up."""
    async with services.store.read() as tx:
        active = {guild.id for guild in await tx.guilds.all() if guild.is_active}
    return [offer for offer in await offers(services) if offer.plan.guild_id in active & set(guild_ids)]


async def offers(services: Services) -> Sequence[Offer]:
    """Return every plan that is for sale, one price each, by the stored catalogue."""
    found: list[Offer] = []
    async with services.store.read() as tx:
        catalogue = {account.id: await tx.accounts.prices(account.id) for account in await tx.accounts.all()}
        for plan in await tx.plans.all():
            offer = None if plan.is_archived else _offer(plan, catalogue)
            if offer is not None:
                found.append(offer)
    return found


async def start_checkout(services: Services, slug: str, *, user_id: UserId | None = None) -> str:
    """Make a checkout for a plan and return its URL. Raises Gone("plan"), Retry, Blocked.

    With `user_id` the purchase is linked to that Discord user when it is paid: they proved who they are in Discord.
    """
    offer = next((offer for offer in await offers(services) if offer.plan.slug == slug), None)
    provider = None if offer is None else await services.sellers.provider(offer.account_id)
    if offer is None or provider is None:
        raise Gone("plan")
    token, payer_key = services.randomness.token(), services.randomness.token()
    expires_at = services.clock.now() + CHECKOUT_LIFE
    async with services.store.write() as tx:
        await tx.links.issue_token(codes.digest(token), None, user_id, expires_at)
    order = CheckoutOrder(
        price_id=offer.price.external_id,
        link_token=token,
        # Whoever starts a checkout knows its id and may let somebody else pay: only the way back carries the key.
        success_url=f"{services.public_url}/welcome?session_id={{CHECKOUT_SESSION_ID}}&key={payer_key}",
        cancel_url=f"{services.public_url}/",
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


def _offer(plan: Plan, catalogue: dict[AccountId, Sequence[Price]]) -> Offer | None:
    for product in plan.products:
        for price in catalogue.get(product.account_id, ()):
            is_meant = price.product_id == product.product_id and product.price_id in (None, price.external_id)
            if is_meant and price.is_active:
                return Offer(plan=plan, price=price, account_id=product.account_id)
    return None
