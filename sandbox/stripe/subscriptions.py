"""Subscriptions: created, ended, paused, resumed. Updates are in `changes`, the passing of time in `renewals`."""

from __future__ import annotations

from datetime import timedelta

from sandbox.stripe import billing, catalog, customers, forms, invoices
from sandbox.stripe.errors import Refusal, declined, invalid, required
from sandbox.stripe.forms import Params
from sandbox.stripe.periods import period_end
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

TRIAL_NOTICE_SECONDS = int(timedelta(days=3).total_seconds())

_DAY = int(timedelta(days=1).total_seconds())
_BEHAVIORS = ("allow_incomplete", "default_incomplete", "error_if_incomplete", "pending_if_incomplete")
ENDED = ("canceled", "incomplete_expired")


def create(world: World, params: Params) -> Object:
    """Create a subscription and charge its first invoice. Raises Refusal: 402 only with `error_if_incomplete`."""
    subscription = build(world, params)
    behavior = forms.choice(params, "payment_behavior", _BEHAVIORS, default="allow_incomplete")
    customer = world.get("customer", subscription["customer"])
    method = customers.method_for(world, customer, subscription)
    if subscription["status"] != "trialing" and method is None and behavior != "default_incomplete":
        raise Refusal(
            400,
            "This customer has no attached payment source or default payment method. Please consider adding a default"
            " payment method.",
            code="resource_missing",
        )
    begin(world, subscription, charge=behavior != "default_incomplete")
    if subscription["status"] == "incomplete" and behavior == "error_if_incomplete":
        raise declined("Your card was declined.", decline_code="generic_decline")
    return subscription


def build(world: World, params: Params) -> Object:
    """Return a subscription nobody has heard of yet: `trialing`, or `incomplete` until its invoice is paid."""
    customer = world.get("customer", forms.demand(params, "customer"), param="customer")
    now = world.now(customer["test_clock"])
    trial_end = _trial_end(params, now)
    subscription = blank(
        "subscription",
        id=world.new_id("sub_"),
        billing_cycle_anchor=trial_end or now,
        cancel_at_period_end=forms.boolean(params, "cancel_at_period_end"),
        created=now,
        customer=customer["id"],
        default_payment_method=_default_method(world, params),
        description=forms.text(params, "description"),
        livemode=world.livemode,
        metadata=forms.merged_metadata({}, params),
        start_date=now,
        status="trialing" if trial_end else "incomplete",
        test_clock=customer["test_clock"],
        trial_end=trial_end,
        trial_start=now if trial_end else None,
    )
    subscription["billing_mode"]["updated_at"] = now
    if missing_method := forms.mapping(forms.mapping(params, "trial_settings"), "end_behavior"):
        behavior = {"billing_cycle_anchor": None, **missing_method}
        subscription["trial_settings"] = {"end_behavior": behavior}
    items = [new_item(world, subscription, given) for given in forms.sequence(params, "items")]
    if not items:
        raise required("items")
    subscription["currency"] = items[0]["price"]["currency"]
    subscription["items"] = items_list(subscription, items)
    _schedule_end(subscription, params)
    return subscription


def begin(world: World, subscription: Object, *, charge: bool = True, announce_first: bool = False) -> Object:
    """Store a built subscription, bill its first period and announce it.

    Checkout announces it as `incomplete` before the money is there (`announce_first`); the API afterwards.
    """
    world.add(subscription, event="created" if announce_first else None)
    invoice = billing.bill(world, subscription, reason="subscription_create")
    if subscription["status"] == "trialing" or charge:
        if announce_first:
            billing.collect(world, invoice)
        else:
            _collect_silently(world, subscription, invoice)
    else:
        invoices.finalize(world, invoice)
    if not announce_first:
        world.emit("created", subscription)
    notify_trial_end(world, subscription)
    return subscription


def new_item(world: World, subscription: Object, given: Params) -> Object:
    """Return a subscription item for `price` and `quantity`, with its own current period. Raises Refusal."""
    if given.get("price_data"):
        price = catalog.create_price(world, forms.mapping(given, "price_data"))
    else:
        price_id = forms.text(given, "price") or forms.demand(given, "plan")
        price = world.get("price", price_id, param="items[0][price]")
    if not price["recurring"]:
        raise invalid("items[0][price]", "The price specified is set to `type=one_time` but this field only accepts"
                      " prices with `type=recurring`.")  # fmt: skip
    quantity = forms.integer(given, "quantity")
    item = blank(
        "subscription_item",
        id=world.new_id("si_", 14),
        created=world.now(subscription["test_clock"]),
        metadata=forms.merged_metadata({}, given),
        plan=catalog.plan_of(price),
        price=price,
        quantity=1 if quantity is None else quantity,
        subscription=subscription["id"],
    )
    start = world.now(subscription["test_clock"])
    return with_period(item, start, subscription["trial_end"] or next_boundary(subscription, item, after=start))


def next_boundary(subscription: Object, item: Object, *, after: int) -> int:
    """Return when the item's period that is running at `after` ends."""
    recurring = item["price"]["recurring"]
    anchor = subscription["billing_cycle_anchor"]
    return period_end(anchor, recurring["interval"], recurring["interval_count"], after=after)


def with_period(item: Object, start: int, end: int) -> Object:
    """Return a copy of the item with another current period."""
    return {**item, "current_period_start": start, "current_period_end": end, "billed_until": end}


def items_list(subscription: Object, items: list[Object]) -> Object:
    """Return the list object that holds a subscription's items."""
    url = f"/v1/subscription_items?subscription={subscription['id']}"
    return {"object": "list", "data": items, "has_more": False, "url": url}


def first_period_end(subscription: Object) -> int:
    """Return the earliest end of a current period among the items."""
    end: int = min(item["current_period_end"] for item in subscription["items"]["data"])
    return end


def cancel(
    world: World, subscription: Object, *, reason: str = "cancellation_requested", params: Params | None = None
) -> Object:
    """End a subscription now. `reason` is one of Stripe's: cancellation_requested, payment_failed, payment_disputed."""
    if subscription["status"] in ENDED:
        raise Refusal(404, f"No such subscription: '{subscription['id']}'", code="resource_missing", param="id")
    now = world.now(subscription["test_clock"])
    given = forms.mapping(params or {}, "cancellation_details")
    subscription.update(
        cancellation_details={**subscription["cancellation_details"], **given, "reason": reason},
        canceled_at=subscription["canceled_at"] or now,
        ended_at=now,
        pending_update=None,
        status="canceled",
    )
    _drop_drafts(world, subscription)
    world.touched.append(subscription)
    world.emit("deleted", subscription)
    return subscription


def expire_incomplete(world: World, subscription: Object) -> None:
    """Give up on a first payment that never came."""
    invoice = world.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        invoices.void(world, invoice)
    world.update(subscription, status="incomplete_expired", ended_at=world.now(subscription["test_clock"]))


def pause(world: World, subscription: Object, *, why: str = "pause_requested") -> Object:
    """Pause a subscription: no periods, no invoices, status `paused`. Raises Refusal when it has ended or is paused."""
    if subscription["status"] not in ("active", "trialing", "past_due", "unpaid"):
        raise Refusal(400, f"You cannot pause a subscription with status {subscription['status']}.")
    details = {"subscription": {"type": why}, "transitioned_at": world.now(subscription["test_clock"])}
    world.update(subscription, status="paused", status_details={"paused": {**details, "type": "subscription"}})
    world.emit("paused", subscription)
    return subscription


def resume(world: World, subscription: Object, params: Params) -> Object:
    """Resume a paused subscription. A new period is billed first unless the old one still runs. Raises Refusal."""
    if subscription["status"] != "paused":
        raise Refusal(400, "You can only resume a subscription that is paused.")
    now = world.now(subscription["test_clock"])
    anchor = forms.choice(params, "billing_cycle_anchor", ("now", "unchanged"), default="now")
    if anchor == "now" and first_period_end(subscription) <= now:
        subscription["billing_cycle_anchor"] = now
        fresh = [with_period(item, now, next_boundary(subscription, item, after=now)) for item in _items(subscription)]
        subscription["items"] = {**subscription["items"], "data": fresh}
        if billing.collect(world, billing.bill(world, subscription, reason="subscription_update")) == "failed":
            return subscription
    world.update(subscription, status="active", status_details=None)
    world.emit("resumed", subscription)
    return subscription


def end_all_of(world: World, customer: Object) -> None:
    """Cancel everything a deleted customer had."""
    for subscription in world.rows("subscription"):
        if subscription["customer"] == customer["id"] and subscription["status"] not in ENDED:
            cancel(world, subscription)


def notify_trial_end(world: World, subscription: Object) -> None:
    """Announce, once, that a trial ends within three days."""
    notes = world.secrets_of(subscription["id"])
    end = subscription["trial_end"]
    is_soon = end and end - world.now(subscription["test_clock"]) <= TRIAL_NOTICE_SECONDS
    if is_soon and subscription["status"] == "trialing" and notes.get("noticed") != end:
        notes["noticed"] = end
        world.emit("trial_will_end", subscription)


def _items(subscription: Object) -> list[Object]:
    found: list[Object] = subscription["items"]["data"]
    return found


def _collect_silently(world: World, subscription: Object, invoice: Object) -> None:
    """Charge the first invoice before the subscription is announced: its status must not be news twice."""
    invoices.finalize(world, invoice)
    outcome = invoices.pay(world, invoice, invoices.method_for(world, invoice))
    if outcome in ("paid", "processing") and subscription["status"] == "incomplete":
        world.update(subscription, event=None, status="active")


def _drop_drafts(world: World, subscription: Object) -> None:
    invoice = world.find("invoice", subscription["latest_invoice"])
    if invoice and invoice["status"] in ("draft", "open"):
        world.update(
            invoice, event=None, auto_advance=False, automatically_finalizes_at=None, next_payment_attempt=None
        )


def _trial_end(params: Params, now: int) -> int | None:
    days = forms.integer(params, "trial_period_days")
    if days:
        return now + days * _DAY
    if params.get("trial_end") == "now":
        return None
    end = forms.integer(params, "trial_end")
    if end is not None and end <= now:
        raise invalid("trial_end", "Invalid timestamp: must be an integer Unix timestamp in the future.")
    return end


def _default_method(world: World, params: Params) -> str | None:
    given = forms.text(params, "default_payment_method")
    if given is None:
        return None
    found: str = customers.find_or_make_method(world, given)["id"]
    return found


def _schedule_end(subscription: Object, params: Params) -> None:
    subscription["cancel_at"] = forms.integer(params, "cancel_at")
    if subscription["cancel_at_period_end"]:
        subscription["cancel_at"] = first_period_end(subscription)
