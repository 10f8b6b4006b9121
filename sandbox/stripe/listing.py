"""Lists: filters, cursors and `expand`, the same way for every kind of object."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sandbox.stripe import forms
from sandbox.stripe.errors import Refusal, invalid
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object
from sandbox.stripe.world import World

Filter = Callable[[Object], bool]

_MAX_LIMIT = 100
_DEFAULT_LIMIT = 10
_MAX_EXPAND_DEPTH = 4
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}

# Fields that hold the id of another object, and the table it is in.
_POINTERS = {
    "customer": "customer",
    "subscription": "subscription",
    "payment_intent": "payment_intent",
    "latest_charge": "charge",
    "charge": "charge",
    "invoice": "invoice",
    "latest_invoice": "invoice",
    "product": "product",
    "price": "price",
    "default_price": "price",
    "default_payment_method": "payment_method",
    "payment_method": "payment_method",
    "schedule": "subscription_schedule",
}


def page(world: World, kind: str, params: Params, *, url: str, keep: Filter) -> Object:
    """Return one page, newest first, of the objects that `keep` accepts. Raises Refusal for a bad limit or cursor."""
    limit = _limit(params)
    before, after = forms.text(params, "ending_before"), forms.text(params, "starting_after")
    if before and after:
        raise Refusal(400, "Received both ending_before and starting_after parameters. Please pass in only one.")
    found: list[Object] = []
    for row in _walk(world, kind, params):
        if keep(row) and _is_visible(row, params):
            found.append(row)
        if len(found) > limit:
            break
    has_more = len(found) > limit
    shown = found[:limit]
    return {"object": "list", "data": shown[::-1] if before else shown, "has_more": has_more, "url": url}


def whole(rows: list[Object], *, url: str, has_more: bool = False) -> Object:
    """Return a list object that holds `rows` as they are."""
    return {"object": "list", "data": rows, "has_more": has_more, "url": url}


def equals(params: Params, *names: str) -> Filter:
    """Return a filter on plain fields: only those that the caller gave count."""
    wanted = {name: value for name in names if (value := forms.text(params, name)) is not None}
    return lambda row: all(str(row.get(name)) == value for name, value in wanted.items())


def within(params: Params, name: str) -> Callable[[int | None], bool]:
    """Return a check for a time filter: a second, or a range of gt, gte, lt, lte."""
    given = params.get(name)
    if given in (None, ""):
        return lambda value: True
    if not isinstance(given, dict):
        exact = forms.integer(params, name)
        return lambda value: value == exact
    bounds = {word: forms.integer(given, word) or 0 for word in given}
    return lambda value: value is not None and all(_COMPARE[word](value, bound) for word, bound in bounds.items())


def expanded(world: World, document: Object, paths: list[Any]) -> Object:
    """Return `document` with the ids at `paths` ("customer", "data.invoice") replaced by objects. Raises Refusal."""
    for path in paths:
        steps = str(path).split(".")
        if len(steps) > _MAX_EXPAND_DEPTH:
            raise invalid("expand", f"You cannot expand more than {_MAX_EXPAND_DEPTH} levels of a property")
        document = _expand(world, document, steps, str(path))
    return document


def _limit(params: Params) -> int:
    limit = forms.integer(params, "limit")
    if limit is None:
        return _DEFAULT_LIMIT
    if limit > _MAX_LIMIT:
        raise invalid(
            "limit", f"Invalid integer: {limit}. Limits must be at most 100", code="parameter_invalid_integer"
        )
    if limit < 1:
        raise invalid("limit", "This value must be greater than or equal to 1.", code="parameter_invalid_integer")
    return limit


def _walk(world: World, kind: str, params: Params) -> Iterator[Object]:
    """Yield rows away from the cursor: older ones after `starting_after`, newer ones before `ending_before`."""
    table = world.table(kind)
    before, after = forms.text(params, "ending_before"), forms.text(params, "starting_after")
    if before:
        world.get(kind, before, param="ending_before")
        for index in range(table.position[before] + 1, len(table.rows)):
            yield table.rows[index]
        return
    start = len(table.rows)
    if after:
        world.get(kind, after, param="starting_after")
        start = table.position[after]
    for index in range(start - 1, -1, -1):
        yield table.rows[index]


def _is_visible(row: Object, params: Params) -> bool:
    """Hide objects of a test clock unless the caller asks for the clock or for one customer."""
    clock = row.get("test_clock")
    if row.get("deleted"):
        return False
    wanted = forms.text(params, "test_clock")
    return clock == wanted if wanted else not clock or bool(params.get("customer"))


def _expand(world: World, node: Any, steps: list[str], path: str) -> Any:
    if isinstance(node, list):
        return [_expand(world, child, steps, path) for child in node]
    if not isinstance(node, dict):
        return node
    name, rest = steps[0], steps[1:]
    value = _included(world, node, name, path)
    if not isinstance(value, (dict, list)):
        if name not in _POINTERS:
            raise _not_expandable(path)
        value = world.find(_POINTERS[name], value)
    return {**node, name: _expand(world, value, rest, path) if rest else value}


def _included(world: World, node: Object, name: str, path: str) -> Any:
    """Return the field; some lists exist only when they are asked for."""
    kind = node.get("object")
    if kind == "checkout.session" and name == "line_items":
        return whole(world.secrets_of(node["id"])["lines"], url=f"/v1/checkout/sessions/{node['id']}/line_items")
    if kind == "charge" and name == "refunds":
        refunds = [row for row in reversed(world.rows("refund")) if row["charge"] == node["id"]]
        return whole(refunds, url=f"/v1/charges/{node['id']}/refunds")
    if kind == "customer" and name == "subscriptions":
        owned = [row for row in reversed(world.rows("subscription")) if row["customer"] == node["id"]]
        live = [row for row in owned if row["status"] not in ("canceled", "incomplete_expired")]
        return whole(live, url=f"/v1/customers/{node['id']}/subscriptions")
    if name not in node:
        raise _not_expandable(path)
    return node[name]


def _not_expandable(path: str) -> Refusal:
    return Refusal(400, f"This property cannot be expanded ({path}).", param="expand")
