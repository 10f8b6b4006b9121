"""What the seller sells: products and prices."""

from __future__ import annotations

from sandbox.stripe import forms
from sandbox.stripe.errors import Refusal, invalid
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

_INTERVALS = ("day", "week", "month", "year")


def create_product(world: World, params: Params) -> Object:
    """Create a product, with its default price when `default_price_data` is given."""
    now = world.now()
    product = blank(
        "product",
        id=forms.text(params, "id") or world.new_id("prod_", 14),
        active=forms.boolean(params, "active", default=True),
        created=now,
        updated=now,
        description=forms.text(params, "description"),
        livemode=world.livemode,
        metadata=forms.merged_metadata({}, params),
        name=forms.demand(params, "name"),
        type="service",
    )
    world.add(product)
    if params.get("default_price_data"):
        price = create_price(world, {**forms.mapping(params, "default_price_data"), "product": product["id"]})
        world.update(product, default_price=price["id"])
    return product


def update_product(world: World, product: Object, params: Params) -> Object:
    """Change name, description, metadata, default price or whether it is sold."""
    changes = {name: forms.text(params, name) for name in ("name", "description", "default_price") if name in params}
    active = forms.boolean(params, "active", default=product["active"])
    return world.update(product, **changes, active=active, metadata=forms.merged_metadata(product["metadata"], params))


def delete_product(world: World, product: Object) -> Object:
    """Delete a product that has no prices. Raises Refusal otherwise, as Stripe does."""
    if any(price["product"] == product["id"] for price in world.rows("price")):
        raise Refusal(400, "This product cannot be deleted because it has one or more user-created prices.")
    world.update(product, event=None, deleted=True)
    world.emit("deleted", product)
    return {"id": product["id"], "object": "product", "deleted": True}


def create_price(world: World, params: Params) -> Object:
    """Create a one-time or recurring price of a product (an id, or `product_data`)."""
    recurring = forms.mapping(params, "recurring")
    amount = forms.integer(params, "unit_amount")
    if amount is None or amount < 0:
        raise invalid("unit_amount", "A price needs a unit_amount of zero or more.")
    price = blank(
        "price",
        id=world.new_id("price_"),
        active=forms.boolean(params, "active", default=True),
        created=world.now(),
        currency=forms.demand(params, "currency").lower(),
        livemode=world.livemode,
        lookup_key=forms.text(params, "lookup_key"),
        metadata=forms.merged_metadata({}, params),
        nickname=forms.text(params, "nickname"),
        product=_product_of(world, params),
        recurring=_recurring(recurring) if recurring else None,
        type="recurring" if recurring else "one_time",
        unit_amount=amount,
        unit_amount_decimal=str(amount),
    )
    return world.add(price)


def update_price(world: World, price: Object, params: Params) -> Object:
    """Change nickname, lookup key, metadata or whether it is sold; the amount of a price is fixed."""
    changes = {name: forms.text(params, name) for name in ("nickname", "lookup_key") if name in params}
    active = forms.boolean(params, "active", default=price["active"])
    return world.update(price, **changes, active=active, metadata=forms.merged_metadata(price["metadata"], params))


def plan_of(price: Object) -> Object:
    """Return the `plan` that subscription items still carry beside their price."""
    recurring = price["recurring"] or {}
    return blank(
        "plan",
        id=price["id"],
        active=price["active"],
        amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"],
        created=price["created"],
        currency=price["currency"],
        interval=recurring.get("interval", "month"),
        interval_count=recurring.get("interval_count", 1),
        livemode=price["livemode"],
        metadata=price["metadata"],
        nickname=price["nickname"],
        product=price["product"],
        usage_type="licensed",
    )


def _product_of(world: World, params: Params) -> str:
    if params.get("product_data"):
        created: str = create_product(world, forms.mapping(params, "product_data"))["id"]
        return created
    found: str = world.get("product", forms.demand(params, "product"), param="product")["id"]
    return found


def _recurring(given: Params) -> Object:
    return {
        "interval": forms.choice(given, "interval", _INTERVALS, default=forms.demand(given, "interval")),
        "interval_count": forms.integer(given, "interval_count") or 1,
        "meter": None,
        "trial_period_days": forms.integer(given, "trial_period_days"),
        "usage_type": "licensed",
    }
