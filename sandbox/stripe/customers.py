"""Customers and the payment methods they pay with."""

from __future__ import annotations

from sandbox.stripe import forms
from sandbox.stripe.cards import TEST_METHODS, Card, of_iban
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

_TEXTS = ("description", "email", "name", "phone")


def create_customer(world: World, params: Params) -> Object:
    """Create a customer; `payment_method`, `source` and `invoice_settings` attach a card at once."""
    clock = forms.text(params, "test_clock")
    customer = blank(
        "customer",
        id=world.new_id("cus_", 14),
        created=world.now(clock),
        invoice_prefix=world.new_id("", 8).upper(),
        livemode=world.livemode,
        metadata=forms.merged_metadata({}, params),
        test_clock=clock,
        **{name: forms.text(params, name) for name in _TEXTS},
    )
    given = forms.text(params, "payment_method") or forms.text(params, "source")
    if given:
        method = attach_method(world, find_or_make_method(world, given), customer, event=None)
        _make_default(customer, method["id"])
    return world.add(customer)


def update_customer(world: World, customer: Object, params: Params) -> Object:
    """Change the texts, the metadata or the default payment method."""
    changes: Object = {name: forms.text(params, name) for name in _TEXTS if name in params}
    changes["metadata"] = forms.merged_metadata(customer["metadata"], params)
    default = forms.text(forms.mapping(params, "invoice_settings"), "default_payment_method")
    if default:
        method = attach_method(world, find_or_make_method(world, default), customer)
        changes["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    return world.update(customer, **changes)


def delete_customer(world: World, customer: Object) -> Object:
    """Delete a customer for good; what follows for the subscriptions is decided in `subscriptions`."""
    world.update(customer, event=None, deleted=True)
    world.emit("deleted", customer)
    return {"id": customer["id"], "object": "customer", "deleted": True}


def shown_customer(customer: Object) -> Object:
    """Return what a retrieve shows: of a deleted customer only that it is gone."""
    if customer.get("deleted"):
        return {"id": customer["id"], "object": "customer", "deleted": True}
    return customer


def make_method(world: World, card: Card, *, details: Params | None = None) -> Object:
    """Create a payment method that behaves like `card`. `details` are billing details."""
    method = blank(
        "payment_method",
        id=world.new_id("pm_"),
        created=world.now(),
        livemode=world.livemode,
        type="sepa_debit" if card.is_debit else "card",
    )
    method["billing_details"] = {**method["billing_details"], "email": None, "name": None, "phone": None}
    method["billing_details"].update({name: value for name, value in (details or {}).items() if name != "address"})
    if card.is_debit:
        del method["card"]
        method["sepa_debit"] = {"bank_code": "37040044", "country": "DE", "fingerprint": "sandbox", "last4": "3000"}
    world.cards[method["id"]] = card
    return world.add(method, event=None)


def create_method(world: World, params: Params) -> Object:
    """Create a payment method from a card token or an IBAN; other card numbers are good cards."""
    details = forms.mapping(params, "billing_details")
    if forms.demand(params, "type") == "sepa_debit":
        iban = forms.demand(forms.mapping(params, "sepa_debit"), "iban")
        return make_method(world, of_iban(iban), details=details)
    token = forms.text(forms.mapping(params, "card"), "token") or ""
    return make_method(world, TEST_METHODS.get(token, Card.GOOD), details=details)


def find_or_make_method(world: World, given: str) -> Object:
    """Return the payment method with that id; Stripe's test ids (`pm_card_visa`) make a new one each time."""
    if given in TEST_METHODS:
        return make_method(world, TEST_METHODS[given])
    return world.get("payment_method", given, param="payment_method")


def attach_method(world: World, method: Object, customer: Object, *, event: str | None = "attached") -> Object:
    """Tie a payment method to a customer."""
    return world.update(method, event=event, customer=customer["id"])


def use_method(world: World, customer: Object, method: Object) -> None:
    """Attach a payment method and make it the customer's default."""
    attach_method(world, method, customer)
    settings = {**customer["invoice_settings"], "default_payment_method": method["id"]}
    world.update(customer, invoice_settings=settings)


def method_for(world: World, customer: Object, subscription: Object | None) -> Object | None:
    """Return what pays an invoice: the subscription's own payment method, else the customer's default."""
    own = subscription["default_payment_method"] if subscription else None
    return world.find("payment_method", own or customer["invoice_settings"]["default_payment_method"])


def _make_default(customer: Object, method_id: str) -> None:
    customer["invoice_settings"] = {**customer["invoice_settings"], "default_payment_method": method_id}
