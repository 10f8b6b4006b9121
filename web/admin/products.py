"""Roles by price: every product and price that the server may sell, and the roles that each gives, chosen by name.

A price with roles of its own has a plan of its own: choosing roles for it makes or changes that plan, after a preview.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiohttp import web

from membership import plans as plan_rules
from membership import wares
from membership.errors import Gone
from membership.model import Plan, PlanProduct, RoleId
from membership.plan_effects import NEW_ROLE
from membership.ports import Price
from membership.wares import Ware
from web.admin import plan_form, plans, role_words
from web.admin.plan_form import Choices
from web.site import Site
from web.visits import StaffVisit
from web.wording import money, shortened


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A product (price None) or one price of it: who sells it for what. `own` is its own plan, None for none yet.

    `shared` are plans that it unlocks together with others: other products, or every price of this one.
    """

    key: str
    price: Price | None
    own: Plan | None
    own_roles: Sequence[str]
    shared: Sequence[tuple[Plan, Sequence[str]]]


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/products", show_list)
    site.manager.get("/admin/{guild}/products/roles", show_roles)
    site.manager.post("/admin/{guild}/products/roles", send_roles)


async def show_list(visit: StaffVisit) -> web.Response:
    """Show what the accounts sell, and what each of it gives."""
    chosen, known = await plans.choices_of(visit), await _plans(visit)
    shown = [(ware, _lines(visit, ware, known, chosen)) for ware in chosen.offers]
    return visit.page("admin/products.html", products=shown)


async def show_roles(visit: StaffVisit) -> web.Response:
    """Show the roles that one product or price gives, to add and remove them."""
    chosen = await plans.choices_of(visit)
    product, ware = _product(visit.query("product"), chosen)
    own = _own(product, await _plans(visit))
    return _page(visit, (product, ware), own, chosen)


async def send_roles(visit: StaffVisit) -> web.Response:
    """Preview the plan that gives the chosen roles for this product or price."""
    form, chosen = await visit.form(), await plans.choices_of(visit)
    product, ware = _product(form.text("product"), chosen)
    own = _own(product, await _plans(visit))
    before = own or replace(plans.blank(visit, _name(product, ware)), products=(product,))
    typed = replace(plan_form.typed_of(before), roles=tuple(form.texts("roles")))
    plan, errors = plan_form.read(typed, before, chosen, visit.words)
    if not plan.roles and "roles" not in errors:
        errors["roles"] = visit.words.say("Choose at least one role. To stop selling it, archive its plan.")
    errors = {**await plans.flaws(visit, plan, own), **errors}
    if errors:
        return _page(visit, (product, ware), replace(before, roles=plan.roles), chosen, errors=errors)
    return await plans.to_preview(visit, plan)


def _page(
    visit: StaffVisit,
    sold: tuple[PlanProduct, Ware],
    own: Plan | None,
    chosen: Choices,
    *,
    errors: dict[str, str] | None = None,
) -> web.Response:
    product, ware = sold
    price = next((each for known, each in ware.choices([product]) if known == product), None)
    had = frozenset[RoleId]() if own is None else own.all_roles - {NEW_ROLE}
    make = (str(NEW_ROLE), visit.words.say("+ make a new role, named like the product"), "")
    return visit.page(
        "admin/product_roles.html",
        status=422 if errors else 200,
        errors=errors or {},
        key=wares.key_of(product),
        ware=ware,
        price=price,
        own=own if own is not None and own.id else None,
        roles=[*role_words.options(chosen.roles, had, visit.words), make],
        values=[] if own is None else [str(role) for role in own.roles],
    )


def _lines(visit: StaffVisit, ware: Ware, known: Sequence[Plan], chosen: Choices) -> list[Line]:
    mapped = [product for plan in known for product in plan.products]
    return [_line(visit, sold, known, chosen) for sold in ware.choices(mapped)]


def _line(visit: StaffVisit, sold: tuple[PlanProduct, Price | None], known: Sequence[Plan], chosen: Choices) -> Line:
    product, price = sold
    own = _own(product, known)
    whole = replace(product, price_id=None)
    shared = [plan for plan in known if plan is not own and {product, whole} & set(plan.products)]
    return Line(
        key=wares.key_of(product),
        price=price,
        own=own,
        own_roles=[] if own is None else plans.role_names(visit, own, chosen),
        shared=[(plan, plans.role_names(visit, plan, chosen)) for plan in shared],
    )


def _own(product: PlanProduct, known: Sequence[Plan]) -> Plan | None:
    """Return the plan that this product or price alone unlocks; of several the oldest."""
    return next((plan for plan in known if plan.products == (product,)), None)


async def _plans(visit: StaffVisit) -> Sequence[Plan]:
    async with visit.store.read() as tx:
        found = await tx.plans.all(visit.guild.id)
    return sorted((plan for plan in found if not plan.is_archived), key=lambda plan: plan.id)


def _product(key: str, chosen: Choices) -> tuple[PlanProduct, Ware]:
    """Return what a key names among what the server may sell. Raises Gone."""
    found = wares.chosen([key], chosen.offers, ())
    if not found:
        raise Gone("product")
    return found[0], next(ware for ware in chosen.offers if ware.has(found[0]))


def _name(product: PlanProduct, ware: Ware) -> str:
    """Name a new plan like its product, with the price where it is for one of several."""
    price = next((each for each in ware.prices if each.external_id == product.price_id), None)
    several = len([each for each in ware.prices if each.is_active]) > 1
    text = f"{ware.name} {money(price.amount, price.currency)}" if price is not None and several else ware.name
    return shortened(" ".join(text.split()), plan_rules.LONGEST_NAME)
