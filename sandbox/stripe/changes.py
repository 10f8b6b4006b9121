"""What `POST /v1/subscriptions/{id}` can change: items, scheduled end, trial, paused collection, texts."""

from __future__ import annotations

from datetime import timedelta

from sandbox.stripe import billing, customers, forms, renewals, subscriptions
from sandbox.stripe.errors import Refusal, invalid
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object
from sandbox.stripe.world import World

_PENDING_LIVES = int(timedelta(hours=23).total_seconds())
_PAUSES = ("keep_as_draft", "mark_uncollectible", "void")
_PRORATIONS = ("create_prorations", "always_invoice", "none")


def update(world: World, subscription: Object, params: Params) -> Object:
    """Apply an update and announce everything it changed as one event. Raises Refusal for an ended subscription."""
    if subscription["status"] in subscriptions.ENDED:
        raise Refusal(400, "A canceled subscription can only update its cancellation_details and metadata.")
    changes = _texts(world, subscription, params) | _scheduled_end(world, subscription, params)
    changes |= _collection(world, params)
    now_items = subscription["items"]["data"]
    items = _items(world, subscription, params)
    if params.get("trial_end") not in (None, "", "now"):
        changes |= _longer_trial(world, subscription, params)
        items = [subscriptions.with_period(i, i["current_period_start"], changes["trial_end"]) for i in items]
    is_charged = items != now_items and _is_charged_now(now_items, items, params)
    if is_charged and params.get("payment_behavior") == "pending_if_incomplete":
        return _try_pending(world, subscription, items)
    if items != now_items:
        changes["items"] = {**subscription["items"], "data": items}
    world.update(subscription, **changes)
    if is_charged:
        billing.collect(world, billing.bill(world, subscription, reason="subscription_update"))
    if params.get("trial_end") == "now" and subscription["status"] == "trialing":
        renewals.end_trial(world, subscription, at_once=True)
    subscriptions.notify_trial_end(world, subscription)
    return subscription


def schedule_end(world: World, subscription: Object, moment: int | None, *, at_period_end: bool = False) -> Object:
    """Set or undo a scheduled end. The portal's "cancel at period end" on flexible billing sets only the moment."""
    return world.update(subscription, **_end(world, subscription, moment, at_period_end))


def _end(world: World, subscription: Object, moment: int | None, at_period_end: bool) -> Object:
    now = world.now(subscription["test_clock"])
    reason = "cancellation_requested" if moment else None
    return {
        "cancel_at": moment,
        "cancel_at_period_end": at_period_end,
        "canceled_at": now if moment else None,
        "cancellation_details": {**subscription["cancellation_details"], "reason": reason},
    }


def _texts(world: World, subscription: Object, params: Params) -> Object:
    changes: Object = {"metadata": forms.merged_metadata(subscription["metadata"], params)}
    if "description" in params:
        changes["description"] = forms.text(params, "description")
    method = forms.text(params, "default_payment_method")
    if method:
        changes["default_payment_method"] = customers.find_or_make_method(world, method)["id"]
    return changes


def _scheduled_end(world: World, subscription: Object, params: Params) -> Object:
    if "cancel_at_period_end" in params:
        wanted = forms.boolean(params, "cancel_at_period_end")
        moment = subscriptions.first_period_end(subscription) if wanted else None
        return _end(world, subscription, moment, wanted)
    if "cancel_at" not in params:
        return {}
    given = params["cancel_at"]
    ends = [item["current_period_end"] for item in subscription["items"]["data"]]
    named = {"min_period_end": min(ends), "max_period_end": max(ends)}
    moment = named[given] if given in named else forms.integer(params, "cancel_at")
    if moment is not None and moment < world.now(subscription["test_clock"]):
        raise invalid("cancel_at", "The subscription `cancel_at` must be in the future.")
    return _end(world, subscription, moment, False)


def _collection(world: World, params: Params) -> Object:
    if "pause_collection" not in params:
        return {}
    given = params["pause_collection"]
    if not given:
        return {"pause_collection": None}
    behavior = forms.choice(given, "behavior", _PAUSES, default=forms.demand(given, "behavior"))
    return {"pause_collection": {"behavior": behavior, "resumes_at": forms.integer(given, "resumes_at")}}


def _longer_trial(world: World, subscription: Object, params: Params) -> Object:
    end = forms.integer(params, "trial_end")
    now = world.now(subscription["test_clock"])
    if end is None or end <= now:
        raise invalid("trial_end", "Invalid timestamp: must be an integer Unix timestamp in the future.")
    start = subscription["trial_start"] or now
    return {"trial_end": end, "trial_start": start, "billing_cycle_anchor": end, "status": "trialing"}


def _items(world: World, subscription: Object, params: Params) -> list[Object]:
    """Return the items after the update: changed by `id`, removed by `deleted`, the rest is new."""
    items: dict[str, Object] = {item["id"]: item for item in subscription["items"]["data"]}
    for given in forms.sequence(params, "items"):
        item_id = forms.text(given, "id")
        if item_id is None:
            fresh = subscriptions.new_item(world, subscription, given)
            items[fresh["id"]] = fresh
        elif item_id not in items:
            raise Refusal(404, f"No such subscription item: '{item_id}'", code="resource_missing", param="items[0][id]")
        elif forms.boolean(given, "deleted"):
            del items[item_id]
        else:
            items[item_id] = _changed(world, subscription, items[item_id], given)
    if not items:
        raise invalid("items", "A subscription must have at least one active plan.")
    return list(items.values())


def _changed(world: World, subscription: Object, item: Object, given: Params) -> Object:
    changed = dict(item)
    if forms.text(given, "price") or forms.text(given, "plan"):
        fresh = subscriptions.new_item(world, subscription, given)
        changed |= {"price": fresh["price"], "plan": fresh["plan"]}
        if _interval(fresh) != _interval(item):
            changed = subscriptions.with_period(changed, fresh["current_period_start"], fresh["current_period_end"])
    quantity = forms.integer(given, "quantity")
    if quantity is not None:
        changed["quantity"] = quantity
    return changed


def _interval(item: Object) -> tuple[str, int]:
    recurring = item["price"]["recurring"]
    return recurring["interval"], recurring["interval_count"]


def _is_charged_now(before: list[Object], after: list[Object], params: Params) -> bool:
    """Say whether a change of items is invoiced at once; prorations otherwise wait for the renewal."""
    proration = forms.choice(params, "proration_behavior", _PRORATIONS, default="create_prorations")
    intervals = {item["id"]: _interval(item) for item in before}
    moved = any(intervals.get(item["id"], _interval(item)) != _interval(item) for item in after)
    return moved or proration == "always_invoice" or params.get("payment_behavior") == "pending_if_incomplete"


def _try_pending(world: World, subscription: Object, items: list[Object]) -> Object:
    """Charge for new items first; until that is paid they wait in `pending_update` and the old ones stay in force."""
    pending = {
        "billing_cycle_anchor": None,
        "cancel_at_period_end": None,
        "discount": None,
        "discounts": None,
        "expires_at": world.now(subscription["test_clock"]) + _PENDING_LIVES,
        "metadata": None,
        "subscription_items": items,
        "trial_end": None,
        "trial_from_plan": None,
    }
    invoice = billing.bill(world, subscription, reason="subscription_update", items=items)
    world.secrets_of(subscription["id"])["pending_invoice"] = invoice["id"]
    world.update(subscription, pending_update=pending)
    billing.collect(world, invoice)
    return subscription
