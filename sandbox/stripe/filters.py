"""Which objects a list call asks for, one function per kind. Paging and cursors are in `listing`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sandbox.stripe import forms
from sandbox.stripe.errors import Refusal, invalid
from sandbox.stripe.forms import Params
from sandbox.stripe.listing import Filter, equals, within
from sandbox.stripe.shapes import Object
from sandbox.stripe.world import World

FilterMaker = Callable[[World, Params], Filter]

_EVENTS_LIVE_SECONDS = int(timedelta(days=30).total_seconds())
_MAX_TYPES = 20
_ENDED = ("canceled", "incomplete_expired")
_STATUSES = (
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
)


def plain(*names: str) -> FilterMaker:
    """Return a maker of filters on fields that must be equal, and on `created`."""

    def make(world: World, params: Params) -> Filter:
        same, in_time = equals(params, *names), within(params, "created")
        return lambda row: same(row) and in_time(row.get("created"))

    return make


def endpoints(world: World, params: Params) -> Filter:
    """Leave out the deleted ones."""
    return lambda row: not row.get("deleted")


def portal_configurations(world: World, params: Params) -> Filter:
    """Filter what the customer portal allows by whether it is in use and the default."""
    active, default = _truth(params, "active"), _truth(params, "is_default")
    return lambda row: active(row["active"]) and default(row["is_default"])


def prices(world: World, params: Params) -> Filter:
    """Filter prices by activity, product, currency, type, lookup keys and interval."""
    same = plain("currency", "product", "type")(world, params)
    keys = set(forms.sequence(params, "lookup_keys"))
    recurring = equals(forms.mapping(params, "recurring"), "interval", "usage_type")
    wants_recurring = bool(params.get("recurring"))
    active = _truth(params, "active")
    return lambda row: (
        same(row)
        and active(row["active"])
        and (not keys or row["lookup_key"] in keys)
        and (not wants_recurring or (row["recurring"] is not None and recurring(row["recurring"])))
    )


def products(world: World, params: Params) -> Filter:
    """Filter products by activity, ids and time."""
    same, active = plain("url")(world, params), _truth(params, "active")
    ids = set(forms.sequence(params, "ids"))
    return lambda row: same(row) and active(row["active"]) and (not ids or row["id"] in ids)


def subscriptions(world: World, params: Params) -> Filter:
    """Filter subscriptions. Without a status the ended ones are left out; `all` and `ended` are the other words."""
    status = forms.choice(params, "status", _STATUSES, default="live") if params.get("status") else "live"
    same = plain("customer", "collection_method")(world, params)
    price = forms.text(params, "price") or forms.text(params, "plan")
    starts, ends = within(params, "current_period_start"), within(params, "current_period_end")

    def keep(row: Object) -> bool:
        items = row["items"]["data"]
        return (
            same(row)
            and _has_status(row["status"], status)
            and (price is None or any(item["price"]["id"] == price for item in items))
            and starts(max(item["current_period_start"] for item in items))
            and ends(min(item["current_period_end"] for item in items))
        )

    return keep


def sessions(world: World, params: Params) -> Filter:
    """Filter Checkout Sessions, also by the buyer's e-mail."""
    same = plain("customer", "payment_intent", "payment_link", "status", "subscription")(world, params)
    email = forms.text(forms.mapping(params, "customer_details"), "email")
    return lambda row: same(row) and (email is None or (row["customer_details"] or {}).get("email") == email)


def invoices(world: World, params: Params) -> Filter:
    """Filter invoices, also by subscription."""
    same = plain("customer", "status", "collection_method")(world, params)
    wanted = forms.text(params, "subscription")

    def keep(row: Object) -> bool:
        details = (row["parent"] or {}).get("subscription_details") or {}
        return same(row) and (wanted is None or details.get("subscription") == wanted)

    return keep


def invoice_payments(world: World, params: Params) -> Filter:
    """Filter invoice payments, also by `payment`. Raises Refusal for a payment without its type."""
    same = plain("invoice", "status")(world, params)
    payment = forms.mapping(params, "payment")
    if payment:
        forms.demand(payment, "type")
    of_payment = equals(payment, "type", "payment_intent")
    return lambda row: same(row) and of_payment(row["payment"])


def events(world: World, params: Params) -> Filter:
    """Filter events by type, up to twenty types, time and delivery. Nothing is older than thirty days."""
    types = [str(name) for name in forms.sequence(params, "types")]
    if len(types) > _MAX_TYPES:
        raise invalid("types", f"You may pass at most {_MAX_TYPES} types.")
    if types and params.get("type"):
        raise Refusal(400, "You may only specify one of these parameters: type, types.")
    one, in_time = equals(params, "type"), within(params, "created")
    is_delivered = _truth(params, "delivery_success")
    oldest = world.now() - _EVENTS_LIVE_SECONDS
    return lambda row: (
        row["created"] >= oldest
        and one(row)
        and in_time(row["created"])
        and (not types or row["type"] in types)
        and is_delivered(row["pending_webhooks"] == 0)
    )


def _truth(params: Params, name: str) -> Callable[[bool], bool]:
    if params.get(name) in (None, ""):
        return lambda value: True
    wanted = forms.boolean(params, name)
    return lambda value: value is wanted


def _has_status(status: str, wanted: str) -> bool:
    if wanted == "all":
        return True
    if wanted in ("live", "ended"):
        return (status in _ENDED) is (wanted == "ended")
    return status == wanted
