"""Money in: PaymentIntents and charges, decided by how the test card behaves."""

from __future__ import annotations

from sandbox.stripe import customers, disputes, forms
from sandbox.stripe.cards import Card
from sandbox.stripe.errors import Refusal, declined, invalid
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

_DECLINE = "Your card was declined."


def create_intent(world: World, params: Params) -> Object:
    """Create a PaymentIntent and, with `confirm`, charge it. Raises Refusal (402) when the card is declined."""
    amount = forms.integer(params, "amount")
    if amount is None or amount < 1:
        raise invalid("amount", "This value must be greater than or equal to 1.", code="parameter_invalid_integer")
    customer = forms.text(params, "customer")
    if customer:
        world.get("customer", customer, param="customer")
    intent = new_intent(world, amount=amount, currency=forms.demand(params, "currency"), customer=customer)
    intent["description"] = forms.text(params, "description")
    intent["metadata"] = forms.merged_metadata({}, params)
    intent["shipping"] = forms.mapping(params, "shipping") or None
    world.emit("created", intent)
    return confirm_intent(world, intent, params) if forms.boolean(params, "confirm") else intent


def new_intent(world: World, *, amount: int, currency: str, customer: str | None) -> Object:
    """Store a PaymentIntent without a word to anybody; the caller completes and announces it."""
    intent_id = world.new_id("pi_")
    intent = blank(
        "payment_intent",
        id=intent_id,
        amount=amount,
        client_secret=f"{intent_id}_secret_{world.new_id('')}",
        created=world.now(),
        currency=currency.lower(),
        customer=customer,
        livemode=world.livemode,
    )
    return world.add(intent, event=None)


def confirm_intent(world: World, intent: Object, params: Params) -> Object:
    """Charge a PaymentIntent. Raises Refusal (402) when the card is declined."""
    given = forms.text(params, "payment_method") or intent["payment_method"]
    if not given:
        raise Refusal(400, "You cannot confirm this PaymentIntent because it's missing a payment method.")
    charge_intent(world, intent, customers.find_or_make_method(world, given))
    if intent["last_payment_error"]:
        raise declined(_DECLINE, decline_code="generic_decline")
    return intent


def cancel_intent(world: World, intent: Object, params: Params) -> Object:
    """Cancel a PaymentIntent that has not been paid."""
    if intent["status"] in ("succeeded", "canceled"):
        raise Refusal(400, f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}.")
    reason = forms.text(params, "cancellation_reason")
    changes = {"status": "canceled", "canceled_at": world.now(), "cancellation_reason": reason}
    return world.update(intent, event="canceled", **changes)


def charge_intent(world: World, intent: Object, method: Object) -> str:
    """Try to take the money and return the intent's new status: succeeded, processing, requires_action or _method."""
    card = world.cards.get(method["id"], Card.GOOD)
    intent.update(payment_method=method["id"], payment_method_types=[method["type"]])
    if card.is_debit:
        world.update(intent, event="processing", status="processing", latest_charge=_charge(world, intent, "pending"))
    elif card is Card.NEEDS_ACTION:
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        world.update(intent, event="requires_action", status="requires_action", next_action=action)
    elif card is Card.DECLINED or (card is Card.FAILS_LATER and method["id"] in world.charged):
        fail_intent(world, intent, _charge(world, intent, "failed"))
    else:
        world.charged.add(method["id"])
        succeed_intent(world, intent, _charge(world, intent, "succeeded"))
        disputes.raise_from_card(world, world.get("charge", intent["latest_charge"]), card)
    status: str = intent["status"]
    return status


def succeed_intent(world: World, intent: Object, charge_id: str) -> None:
    """Book the money."""
    world.update(
        intent,
        event="succeeded",
        amount_received=intent["amount"],
        last_payment_error=None,
        latest_charge=charge_id,
        next_action=None,
        status="succeeded",
    )


def fail_intent(world: World, intent: Object, charge_id: str) -> None:
    """Note that the bank refused."""
    error = {
        "charge": charge_id,
        "code": "card_declined",
        "decline_code": "generic_decline",
        "message": _DECLINE,
        "type": "card_error",
    }
    world.update(
        intent,
        event="payment_failed",
        last_payment_error=error,
        latest_charge=charge_id,
        status="requires_payment_method",
    )


def settle_debit(world: World, intent: Object) -> bool:
    """End a bank debit that was on its way; return whether the money arrived."""
    charge = world.get("charge", intent["latest_charge"])
    arrived = world.cards.get(intent["payment_method"]) is not Card.DEBIT_FAILS
    if arrived:
        world.update(charge, event="succeeded", status="succeeded", paid=True, captured=True)
        succeed_intent(world, intent, charge["id"])
    else:
        world.update(charge, event="failed", status="failed", failure_code="insufficient_funds")
        fail_intent(world, intent, charge["id"])
    return arrived


def _charge(world: World, intent: Object, status: str) -> str:
    """Store the charge of one attempt, announce how it ended, and return its id."""
    is_paid = status == "succeeded"
    method = world.get("payment_method", intent["payment_method"])
    charge = blank(
        "charge",
        id=world.new_id("ch_"),
        amount=intent["amount"],
        amount_captured=intent["amount"] if is_paid else 0,
        billing_details=method["billing_details"],
        captured=is_paid,
        created=world.now(),
        currency=intent["currency"],
        customer=intent["customer"],
        description=intent["description"],
        failure_code="card_declined" if status == "failed" else None,
        failure_message=_DECLINE if status == "failed" else None,
        livemode=world.livemode,
        metadata=intent["metadata"],
        paid=is_paid,
        payment_intent=intent["id"],
        payment_method=method["id"],
        receipt_url=None,
        status=status,
    )
    if method["type"] != "card":
        charge["payment_method_details"] = {"sepa_debit": method["sepa_debit"], "type": "sepa_debit"}
    world.add(charge, event=status)
    found: str = charge["id"]
    return found
