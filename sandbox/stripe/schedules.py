"""Subscription schedules and test clocks: enough of both that Stripe's own trigger scripts run."""

from __future__ import annotations

from datetime import timedelta

from sandbox.stripe import changes, forms, subscriptions
from sandbox.stripe.errors import Refusal, invalid
from sandbox.stripe.forms import Params
from sandbox.stripe.periods import add_months, period_end
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

# Documented as seven days; Stripe's trigger script gets the event nine days ahead.
EXPIRING_NOTICE_SECONDS = int(timedelta(days=9).total_seconds())

_LIVE = ("not_started", "active")


def create_clock(world: World, params: Params) -> Object:
    """Create a test clock that stands still at `frozen_time`."""
    frozen = forms.integer(params, "frozen_time")
    if frozen is None:
        raise invalid("frozen_time", "Missing required param: frozen_time.")
    clock = blank(
        "test_helpers.test_clock",
        id=world.new_id("clock_"),
        created=world.now(),
        deletes_after=world.now() + int(timedelta(days=30).total_seconds()),
        frozen_time=frozen,
        livemode=False,
        name=forms.text(params, "name"),
    )
    return world.add(clock)


def create(world: World, params: Params) -> Object:
    """Create a schedule of phases; it starts at once when its date has come."""
    customer = world.get("customer", forms.demand(params, "customer"), param="customer")
    now = world.now(customer["test_clock"])
    given_start = params.get("start_date", "now")
    start = now if given_start == "now" else forms.integer(params, "start_date") or now
    phases = _phases(world, forms.sequence(params, "phases"), start)
    schedule = blank(
        "subscription_schedule",
        id=world.new_id("sub_sched_"),
        created=now,
        customer=customer["id"],
        end_behavior=forms.choice(params, "end_behavior", ("release", "cancel"), default="release"),
        livemode=world.livemode,
        metadata=forms.merged_metadata({}, params),
        phases=phases,
        status="not_started",
        test_clock=customer["test_clock"],
    )
    world.add(schedule)
    if start <= now:
        enter_phase(world, schedule, 0)
    return schedule


def update(world: World, schedule: Object, params: Params) -> Object:
    """Change the metadata or what happens at the end."""
    end = forms.choice(params, "end_behavior", ("release", "cancel"), default=schedule["end_behavior"])
    return world.update(schedule, metadata=forms.merged_metadata(schedule["metadata"], params), end_behavior=end)


def cancel(world: World, schedule: Object) -> Object:
    """Cancel a schedule with its subscription. One that never began is also announced as aborted (Stripe's script)."""
    _require_live(schedule)
    had_begun = schedule["status"] == "active"
    world.update(schedule, event="canceled", status="canceled", canceled_at=world.now(schedule["test_clock"]))
    if not had_begun:
        world.emit("aborted", schedule)
    subscription = world.find("subscription", schedule["subscription"])
    if subscription and subscription["status"] not in subscriptions.ENDED:
        subscriptions.cancel(world, subscription)
    return schedule


def release(world: World, schedule: Object) -> Object:
    """Let the subscription run on without the schedule."""
    _require_live(schedule)
    now = world.now(schedule["test_clock"])
    ended = {"status": "released", "released_at": now, "released_subscription": schedule["subscription"]}
    return world.update(schedule, event="released", subscription=None, current_phase=None, **ended)


def enter_phase(world: World, schedule: Object, index: int) -> None:
    """Begin a phase: the first one creates the subscription, later ones change its items."""
    phase = schedule["phases"][index]
    current = {"start_date": phase["start_date"], "end_date": phase["end_date"]}
    items = [{"price": item["price"], "quantity": item["quantity"]} for item in phase["items"]]
    subscription = world.find("subscription", schedule["subscription"])
    if subscription is None:
        given: Params = {"customer": schedule["customer"], "items": items}
        subscription = subscriptions.begin(world, subscriptions.build(world, given))
        subscription["schedule"] = schedule["id"]
    else:
        old = [{"id": item["id"], "deleted": True} for item in subscription["items"]["data"]]
        changes.update(world, subscription, {"items": [*old, *items]})
    world.update(schedule, subscription=subscription["id"], status="active", current_phase=current)


def finish(world: World, schedule: Object) -> None:
    """End a schedule whose last phase is over."""
    now = world.now(schedule["test_clock"])
    world.update(schedule, event="completed", status="completed", completed_at=now, current_phase=None)
    subscription = world.find("subscription", schedule["subscription"])
    if schedule["end_behavior"] == "cancel" and subscription and subscription["status"] not in subscriptions.ENDED:
        subscriptions.cancel(world, subscription)


def next_phase(world: World, schedule: Object) -> None:
    """Go on to the phase after the current one, or finish."""
    starts = [phase["start_date"] for phase in schedule["phases"]]
    index = starts.index(schedule["current_phase"]["start_date"]) + 1
    if index < len(starts):
        enter_phase(world, schedule, index)
    else:
        finish(world, schedule)


def announce_expiring(world: World, schedule: Object) -> None:
    """Announce, once, that the last phase ends soon."""
    notes = world.secrets_of(schedule["id"])
    if not notes.get("announced"):
        notes["announced"] = True
        world.emit("expiring", schedule)


def _phases(world: World, given: list[Params], start: int) -> list[Object]:
    if not given:
        raise invalid("phases", "You must pass in at least one phase.")
    phases: list[Object] = []
    for one in given:
        items = [_phase_item(world, item) for item in forms.sequence(one, "items")]
        end = forms.integer(one, "end_date") or _end_of(world, items, start, forms.integer(one, "iterations") or 1)
        example = blank("subscription_schedule")["phases"][0]
        neutral = {"billing_thresholds": None, "transfer_data": None, "invoice_settings": None}
        phases.append({**example, **neutral, "items": items, "start_date": start, "end_date": end})
        start = end
    return phases


def _phase_item(world: World, given: Params) -> Object:
    price = world.get("price", forms.demand(given, "price"), param="phases[0][items][0][price]")
    quantity = forms.integer(given, "quantity") or 1
    neutral: Object = {"billing_thresholds": None, "discounts": [], "metadata": {}, "tax_rates": []}
    return {**neutral, "price": price["id"], "plan": price["id"], "quantity": quantity}


def _end_of(world: World, items: list[Object], start: int, iterations: int) -> int:
    recurring = world.get("price", items[0]["price"])["recurring"]
    interval, length = recurring["interval"], recurring["interval_count"] * iterations
    if interval == "month":
        return add_months(start, length)
    return period_end(start, interval, length, after=start)


def _require_live(schedule: Object) -> None:
    if schedule["status"] not in _LIVE:
        raise Refusal(400, f"You cannot change a subscription schedule that is {schedule['status']}.")
