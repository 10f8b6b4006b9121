"""Checkout Sessions: opened by the seller, completed by a buyer, expired by time. The page itself is in `pages`."""

from __future__ import annotations

from datetime import timedelta

from sandbox.stripe import customers, forms, payments, subscriptions
from sandbox.stripe.cards import Card
from sandbox.stripe.errors import Refusal, invalid, required
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

_MODES = ("payment", "setup", "subscription")
_SHORTEST, _LONGEST = timedelta(minutes=30), timedelta(hours=24)
_SLACK = timedelta(minutes=1)
_REFERENCE_LENGTH = 200


def create(world: World, params: Params) -> Object:
    """Open a session. Raises Refusal for a missing mode, lines, success URL, or a lifetime outside 30 min to 24 h."""
    mode = forms.choice(params, "mode", _MODES, default=forms.demand(params, "mode"))
    session_id = world.new_id("cs_live_a" if world.livemode else "cs_test_a", 57)
    lines = [_line(world, given, mode) for given in forms.sequence(params, "line_items")]
    if not lines and mode != "setup":
        raise required("line_items")
    total = sum(line["amount_total"] for line in lines)
    customer = forms.text(params, "customer")
    session = blank(
        "checkout.session",
        id=session_id,
        amount_subtotal=total,
        amount_total=total,
        cancel_url=forms.text(params, "cancel_url"),
        client_reference_id=_reference(params),
        created=world.now(),
        currency=lines[0]["currency"] if lines else forms.text(params, "currency"),
        customer=world.get("customer", customer, param="customer")["id"] if customer else None,
        customer_creation=_customer_creation(params, mode),
        customer_email=forms.text(params, "customer_email"),
        expires_at=_expires_at(world, params),
        livemode=world.livemode,
        metadata=forms.merged_metadata({}, params),
        mode=mode,
        payment_method_types=forms.sequence(params, "payment_method_types") or ["card", "sepa_debit"],
        payment_status="no_payment_required" if mode == "setup" else "unpaid",
        success_url=forms.demand(params, "success_url"),
        url=f"{world.base_url}/checkout/{session_id}",
    )
    if session["customer"] and session["customer_email"]:
        raise Refusal(400, "You may only specify one of these parameters: customer, customer_email.")
    notes = {"lines": lines, "trial": forms.mapping(params, "subscription_data")}
    notes["intent"] = forms.mapping(params, "payment_intent_data")
    world.secrets_of(session_id).update(notes)
    return world.add(session, event=None)


def complete(world: World, session: Object, *, card: Card, email: str | None = None, name: str | None = None) -> Object:
    """Pay as a buyer does on the page. Raises Refusal: 402 when the card is declined, the session stays open."""
    method = customers.make_method(world, card, details={"email": email, "name": name})
    return complete_with(world, session, method)


def complete_with(world: World, session: Object, method: Object) -> Object:
    """Pay an open session with a payment method that exists. Raises Refusal."""
    if session["status"] != "open":
        raise Refusal(400, f"This Checkout Session is {session['status']}.")
    if world.cards.get(method["id"]) is Card.DECLINED:
        raise Refusal(402, "Your card was declined.", kind="card_error", code="card_declined")
    customer = _customer(world, session, method)
    changes: Object = {"customer": customer["id"] if customer else None}
    if session["mode"] == "subscription" and customer:
        changes |= _subscribe(world, session, customer, method)
    elif session["mode"] == "payment":
        changes |= _charge(world, session, customer, method)
    details = dict(method["billing_details"])
    buyer = {"email": details["email"] or session["customer_email"] or (customer or {}).get("email")}
    shown = {"address": None, "name": details["name"], "phone": None, "tax_exempt": "none", "tax_ids": []}
    shown |= {"business_name": None, "individual_name": None}
    return world.update(
        session, event="completed", status="complete", url=None, customer_details=buyer | shown, **changes
    )


def expire(world: World, session: Object) -> Object:
    """Close an open session unpaid. Raises Refusal when it is not open."""
    if session["status"] != "open":
        raise Refusal(400, f"Only Checkout Sessions with a status in [\"open\"] can be expired. This one is"
                      f" {session['status']}.")  # fmt: skip
    return world.update(session, event="expired", status="expired", url=None)


def settle(world: World, session: Object, *, arrived: bool) -> None:
    """Announce how the bank debit of a completed session ended."""
    if arrived:
        world.update(session, event="async_payment_succeeded", payment_status="paid")
    else:
        world.emit("async_payment_failed", session)


def session_of_payment(world: World, intent_id: str) -> Object | None:
    """Return the session that a PaymentIntent paid, also the first one of its subscription."""
    for session in reversed(world.rows("checkout.session")):
        if intent_id in (session["payment_intent"], world.secrets_of(session["id"]).get("first_intent")):
            return session
    return None


def _line(world: World, given: Params, mode: str) -> Object:
    price = world.get("price", forms.demand(given, "price"), param="line_items[0][price]")
    if mode == "payment" and price["recurring"]:
        raise invalid("mode", "You must provide at least one non-recurring price in `payment` mode.")
    if mode == "subscription" and not price["recurring"]:
        raise invalid("mode", "You must provide at least one recurring price in `subscription` mode.")
    quantity = forms.integer(given, "quantity") or 1
    amount = price["unit_amount"] * quantity
    return blank(
        "item",
        id=world.new_id("li_"),
        amount_subtotal=amount,
        amount_total=amount,
        currency=price["currency"],
        description=world.get("product", price["product"])["name"],
        price=price,
        quantity=quantity,
    )


def _reference(params: Params) -> str | None:
    reference = forms.text(params, "client_reference_id")
    if reference and len(reference) > _REFERENCE_LENGTH:
        raise invalid("client_reference_id", f"Invalid string: must be at most {_REFERENCE_LENGTH} characters")
    return reference


def _customer_creation(params: Params, mode: str) -> str | None:
    if mode != "payment":
        return None if forms.text(params, "customer") else "always"
    return forms.choice(params, "customer_creation", ("always", "if_required"), default="if_required")


def _expires_at(world: World, params: Params) -> int:
    now = world.now()
    given = forms.integer(params, "expires_at")
    if given is None:
        return now + int(world.settings.session_lives.total_seconds())
    lives = timedelta(seconds=given - now)
    if not _SHORTEST - _SLACK <= lives <= _LONGEST + _SLACK:
        raise invalid("expires_at", "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.")
    return given


def _customer(world: World, session: Object, method: Object) -> Object | None:
    """Return who pays. A one-time payment without `customer_creation` stays a guest: no customer."""
    if session["customer"]:
        customer = world.get("customer", session["customer"])
    elif session["customer_creation"] == "always":
        details = method["billing_details"]
        email = details["email"] or session["customer_email"]
        customer = customers.create_customer(world, {"email": email, "name": details["name"]})
    else:
        return None
    customers.attach_method(world, method, customer)
    return customer


def _subscribe(world: World, session: Object, customer: Object, method: Object) -> Object:
    notes = world.secrets_of(session["id"])
    items = [{"price": line["price"]["id"], "quantity": line["quantity"]} for line in notes["lines"]]
    given = {**notes["trial"], "customer": customer["id"], "items": items, "default_payment_method": method["id"]}
    subscription = subscriptions.build(world, given)
    subscription["payment_settings"] = {
        **subscription["payment_settings"],
        "save_default_payment_method": "on_subscription",
    }
    subscriptions.begin(world, subscription, announce_first=True)
    paid = world.find("invoice", subscription["latest_invoice"]) or {}
    payments_made = world.secrets_of(subscription["latest_invoice"]).get("payments")
    if payments_made:
        notes["first_intent"] = payments_made[0]["payment"]["payment_intent"]
    status = "paid" if paid.get("status") == "paid" else "unpaid"
    is_free = subscription["status"] == "trialing"
    return {
        "invoice": subscription["latest_invoice"],
        "payment_status": "no_payment_required" if is_free else status,
        "subscription": subscription["id"],
    }


def _charge(world: World, session: Object, customer: Object | None, method: Object) -> Object:
    given = world.secrets_of(session["id"])["intent"]
    amount, currency = session["amount_total"], session["currency"]
    if not amount:
        return {"payment_status": "no_payment_required"}
    intent = payments.new_intent(world, amount=amount, currency=currency, customer=customer["id"] if customer else None)
    intent["metadata"] = forms.merged_metadata({}, given)
    intent["shipping"] = forms.mapping(given, "shipping") or None
    world.emit("created", intent)
    status = payments.charge_intent(world, intent, method)
    return {"payment_intent": intent["id"], "payment_status": "paid" if status == "succeeded" else "unpaid"}
