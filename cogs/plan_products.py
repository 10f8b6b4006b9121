"""What a plan can be sold with: products and prices of the accounts that a server may use, as people pick them. Pure.

A product with one price is mapped whole; of one with several, each price can be mapped alone, or all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cogs.cards import Option
from cogs.suggestions import MOST_CHOICES
from cogs.words import money
from membership.errors import UserError
from membership.model import Plan, PlanProduct
from membership.ports import Price
from membership.records import Account

Catalogue = Sequence[tuple[Account, Sequence[Price]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ware:
    """One thing to pick: `key` is what an option carries, `label` what people read."""

    key: str
    label: str
    product: PlanProduct
    sold_as: tuple[str, ...] = ()

    @property
    def option(self) -> Option:
        """Return the ware as an entry of a list."""
        return Option(label=self.label, value=self.key)


def wares(catalogue: Catalogue, plans: Iterable[Plan]) -> list[Ware]:
    """Return what can be mapped, what no plan sells first."""
    sold = [plan for plan in plans if not plan.is_archived]
    found: list[Ware] = []
    for account, prices in catalogue:
        by_product: dict[str, list[Price]] = defaultdict(list)
        for price in prices:
            if price.is_active:
                by_product[price.product_id].append(price)
        for product_id, variants in by_product.items():
            found += _of_product(account, product_id, variants, sold)
    return sorted(found, key=lambda ware: (bool(ware.sold_as), ware.label.casefold(), ware.key))


def find(offered: Sequence[Ware], text: str) -> Ware:
    """Return what was picked, or typed in words. Raises UserError when it names nothing, or several things."""
    wanted = text.strip().casefold()
    by_key = [ware for ware in offered if ware.key.casefold() == wanted]
    fitting = by_key or [ware for ware in offered if wanted in ware.label.casefold()]
    exact = [ware for ware in fitting if ware.label.casefold().split(" · ")[0] == wanted]
    if len(exact) == 1 or len(fitting) == 1:
        return (exact or fitting)[0]
    if not fitting:
        raise UserError("There is no such product. Pick one from the list; new products appear within a minute.")
    raise UserError(f"{len(fitting)} products fit. Pick one from the list.")


def options(offered: Sequence[Ware], chosen: Sequence[PlanProduct] = ()) -> tuple[Option, ...]:
    """Return the entries of a list, the chosen ones first so that none of them falls off its end."""
    known = {ware.product for ware in offered}
    lost = [
        Option(label=f"{each.product_id} (no longer for sale)", value=_key(each), is_chosen=True)
        for each in chosen
        if each not in known
    ]
    marked = [Option(label=ware.label, value=ware.key, is_chosen=ware.product in chosen) for ware in offered]
    ordered = lost + sorted(marked, key=lambda option: not option.is_chosen)
    return tuple(ordered[:MOST_CHOICES])


def product_lines(plan: Plan, offered: Sequence[Ware]) -> list[str]:
    """Say what unlocks a plan, one line each."""
    labels: Mapping[PlanProduct, str] = {ware.product: ware.label.split(" → ")[0] for ware in offered}
    return [labels.get(product, f"{product.product_id} (no longer for sale)") for product in plan.products]


def price_text(price: Price) -> str:
    """Write a price as in "9.00 € / month"."""
    amount = money({"amount": price.amount, "currency": price.currency})
    return f"{amount} / {price.interval}" if price.interval else amount


def _of_product(account: Account, product_id: str, variants: Sequence[Price], sold: Sequence[Plan]) -> list[Ware]:
    name, mode = variants[0].product_name or product_id, "" if account.is_live else " (test)"
    whole = PlanProduct(account_id=account.id, product_id=product_id)
    if len(variants) == 1:
        return [_ware(whole, f"{name} · {price_text(variants[0])}{mode}", sold)]
    each = [
        _ware(
            PlanProduct(account_id=account.id, product_id=product_id, price_id=price.external_id),
            f"{name} · {price_text(price)}{mode}",
            sold,
        )
        for price in variants
    ]
    return [_ware(whole, f"{name} · all {len(variants)} prices{mode}", sold), *each]


def _ware(product: PlanProduct, label: str, sold: Sequence[Plan]) -> Ware:
    names = tuple(plan.name for plan in sold if product in plan.products)
    marked = f"{label} → {', '.join(names)}" if names else label
    return Ware(key=_key(product), label=marked, product=product, sold_as=names)


def _key(product: PlanProduct) -> str:
    return f"{product.account_id}/{product.product_id}/{product.price_id or ''}"
