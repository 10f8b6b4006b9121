"""What an API operation does, built from the rules: create, read, change, act, list, and the few special ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.stripe import billing, checkout, customers, forms, listing, payments, subscriptions
from sandbox.stripe.cards import Card
from sandbox.stripe.errors import declined
from sandbox.stripe.filters import FilterMaker
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object
from sandbox.stripe.timeline import Timeline
from sandbox.stripe.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request that has passed all checks."""

    world: World
    timeline: Timeline
    path: str
    ids: tuple[str, ...]
    params: Params


Action = Callable[[Call], Object]


def creates(make: Callable[[World, Params], Object]) -> Action:
    """Return an action that makes something new from the parameters."""
    return lambda call: make(call.world, call.params)


def reads(kind: str) -> Action:
    """Return an action that shows one object."""
    return lambda call: call.world.get(kind, call.ids[0])


def changes(kind: str, change: Callable[[World, Object, Params], Object]) -> Action:
    """Return an action that changes one object by the parameters."""
    return lambda call: change(call.world, call.world.get(kind, call.ids[0]), call.params)


def acts(kind: str, act: Callable[[World, Object], Object]) -> Action:
    """Return an action on one object that has no parameters."""
    return lambda call: act(call.world, call.world.get(kind, call.ids[0]))


def lists(kind: str, keep: FilterMaker) -> Action:
    """Return an action that shows a page of the objects that pass `keep`."""

    def action(call: Call) -> Object:
        customer = forms.text(call.params, "customer")
        if customer:
            call.world.get("customer", customer, param="customer")
        return listing.page(call.world, kind, call.params, url=call.path, keep=keep(call.world, call.params))

    return action


def account(call: Call) -> Object:
    """Show the account that owns the key."""
    account: Object = call.world.rows("account")[0]
    return account


def customer(call: Call) -> Object:
    """Show a customer, or that it was deleted."""
    return customers.shown_customer(call.world.get("customer", call.ids[0]))


def delete_customer(world: World, customer: Object) -> Object:
    """Delete a customer after ending what it subscribed to."""
    subscriptions.end_all_of(world, customer)
    return customers.delete_customer(world, customer)


def cancel_subscription(world: World, subscription: Object, params: Params) -> Object:
    """End a subscription now."""
    return subscriptions.cancel(world, subscription, params=params)


def attach(world: World, call: Call) -> Object:
    """Tie a payment method to a customer. Raises Refusal (402) when the card is declined at once."""
    method = customers.find_or_make_method(world, call.ids[0])
    customer = world.get("customer", forms.demand(call.params, "customer"), param="customer")
    if world.cards.get(method["id"]) is Card.DECLINED and call.ids[0] != "pm_card_chargeCustomerFail":
        raise declined("Your card was declined.", decline_code="generic_decline")
    return customers.attach_method(world, method, customer)


def pay_invoice(world: World, invoice: Object, params: Params) -> Object:
    """Collect an invoice now. Raises Refusal (402) when that fails."""
    given = forms.text(params, "payment_method")
    outcome = billing.collect(world, invoice, customers.find_or_make_method(world, given) if given else None)
    if outcome == "failed":
        raise declined("Your card was declined.", decline_code="generic_decline")
    if outcome == "needs_action":
        code = "invoice_payment_intent_requires_action"
        raise declined("This payment requires additional user action.", decline_code="authentication", code=code)
    return invoice


def void(world: World, invoice: Object) -> Object:
    """Void an invoice."""
    return billing.write_off(world, invoice, uncollectible=False)


def mark_uncollectible(world: World, invoice: Object) -> Object:
    """Write an invoice off."""
    return billing.write_off(world, invoice, uncollectible=True)


def session_lines(call: Call) -> Object:
    """Show what a Checkout Session sells."""
    session = call.world.get("checkout.session", call.ids[0])
    return listing.whole(call.world.secrets_of(session["id"])["lines"], url=call.path)


def confirm_page(world: World, session: Object, params: Params) -> Object:
    """Pay as the page's own script does; Stripe's CLI uses this private call in its triggers."""
    method = customers.find_or_make_method(world, forms.demand(params, "payment_method"))
    return checkout.complete_with(world, session, method)


def confirm_intent(world: World, intent: Object, params: Params) -> Object:
    """Charge a PaymentIntent."""
    return payments.confirm_intent(world, intent, params)


def advance(call: Call) -> Object:
    """Move a test clock forward."""
    clock = call.world.get("test_helpers.test_clock", call.ids[0])
    return call.timeline.advance_test_clock(clock, int(forms.demand(call.params, "frozen_time")))
