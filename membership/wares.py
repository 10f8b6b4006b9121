"""What the accounts that a server may use sell, as people pick it: products with their prices."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from membership.ledgers import Transaction
from membership.model import GuildId, Plan, PlanProduct
from membership.ports import Price
from membership.records import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Ware:
    """One product of an account with its prices, those on sale first. `is_sold`: some price of it is."""

    account: Account
    product_id: str
    name: str
    prices: tuple[Price, ...]

    @property
    def is_sold(self) -> bool:
        """Say whether it can be bought."""
        return any(price.is_active for price in self.prices)

    @property
    def whole(self) -> PlanProduct:
        """Return the product with every price it has and will have."""
        return PlanProduct(account_id=self.account.id, product_id=self.product_id)

    def at(self, price: Price) -> PlanProduct:
        """Return the product at one price alone."""
        return PlanProduct(account_id=self.account.id, product_id=self.product_id, price_id=price.external_id)

    def choices(self, chosen: Collection[PlanProduct]) -> list[tuple[PlanProduct, Price | None]]:
        """Return what of it can be chosen, each with its price, None for every price.

        With a single price it is taken whole. What is `chosen` already is there, though it be no longer for sale.
        """
        shown = [price for price in self.prices if price.is_active or self.at(price) in chosen]
        if len(shown) == 1 and self.at(shown[0]) not in chosen:
            return [(self.whole, shown[0])]
        whole: list[tuple[PlanProduct, Price | None]] = [(self.whole, None)] if shown or self.whole in chosen else []
        return [*whole, *((self.at(price), price) for price in shown)]

    def has(self, product: PlanProduct) -> bool:
        """Say whether what unlocks a plan is this product, or one price of it."""
        return (product.account_id, product.product_id) == (self.account.id, self.product_id)


async def offered(tx: Transaction, guild_id: GuildId) -> list[Ware]:
    """Return what a server may put into its plans, by name."""
    catalogue = [(account, await tx.accounts.prices(account.id)) for account in await tx.guilds.accounts_of(guild_id)]
    return wares(catalogue)


def wares(catalogue: Iterable[tuple[Account, Sequence[Price]]]) -> list[Ware]:
    """Gather prices into their products, by name; what cannot be bought comes last."""
    found: list[Ware] = []
    for account, prices in catalogue:
        by_product: dict[str, list[Price]] = defaultdict(list)
        for price in prices:
            by_product[price.product_id].append(price)
        found += [_ware(account, product_id, each) for product_id, each in by_product.items()]
    return sorted(found, key=lambda ware: (not ware.is_sold, ware.name.casefold(), ware.product_id))


def key_of(product: PlanProduct) -> str:
    """Return a product or price as a form carries it."""
    return f"{product.account_id}/{product.product_id}/{product.price_id or ''}"


def chosen(keys: Iterable[str], offers: Sequence[Ware], had: Sequence[PlanProduct]) -> tuple[PlanProduct, ...]:
    """Return what the keys of a form name, among what is offered or what a plan had; others are left out.

    A price beside its whole product says nothing more, and is left out too.
    """
    known = {key_of(product): product for ware in offers for product in (ware.whole, *map(ware.at, ware.prices))}
    known |= {key_of(product): product for product in had}
    found = list(dict.fromkeys(known[key] for key in keys if key in known))
    whole = {(product.account_id, product.product_id) for product in found if product.price_id is None}
    return tuple(
        product
        for product in found
        if product.price_id is None or (product.account_id, product.product_id) not in whole
    )


def lost(plan: Plan, offers: Sequence[Ware]) -> list[PlanProduct]:
    """Return what unlocks a plan and is sold by no account that the server may use."""
    known = {product for ware in offers for product in (ware.whole, *map(ware.at, ware.prices))}
    return [product for product in plan.products if product not in known]


def _ware(account: Account, product_id: str, prices: Sequence[Price]) -> Ware:
    ordered = sorted(prices, key=lambda price: (not price.is_active, price.currency, price.amount, price.external_id))
    return Ware(
        account=account, product_id=product_id, name=ordered[0].product_name or product_id, prices=tuple(ordered)
    )
