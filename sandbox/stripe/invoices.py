"""Invoices: drafted, finalised, paid, voided. What that means for a subscription is decided in `billing`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sandbox.stripe import customers, forms, payments
from sandbox.stripe.errors import Refusal
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

Outcome = Literal["paid", "failed", "needs_action", "processing"]


def create_item(world: World, params: Params) -> Object:
    """Create a line that waits for the customer's next invoice."""
    customer = world.get("customer", forms.demand(params, "customer"), param="customer")
    now = world.now(customer["test_clock"])
    amount = forms.integer(params, "amount") or 0
    item = blank(
        "invoiceitem",
        id=world.new_id("ii_"),
        amount=amount,
        net_amount=amount,
        currency=forms.text(params, "currency") or "usd",
        customer=customer["id"],
        date=now,
        description=forms.text(params, "description"),
        livemode=world.livemode,
        period={"start": now, "end": now},
        quantity_decimal="1",
    )
    return world.add(item)


def create_invoice(world: World, params: Params) -> Object:
    """Draft an invoice by hand from the customer's waiting lines."""
    customer = world.get("customer", forms.demand(params, "customer"), param="customer")
    waiting = [row for row in world.rows("invoiceitem") if row["customer"] == customer["id"] and not row["invoice"]]
    lines = [manual_line(world, item) for item in waiting]
    invoice = draft(world, customer, lines, reason="manual")
    invoice["description"] = forms.text(params, "description")
    for item in waiting:
        world.update(item, event=None, invoice=invoice["id"])
    return invoice


def draft(
    world: World, customer: Object, lines: Sequence[Object], *, reason: str, subscription: Object | None = None
) -> Object:
    """Store a draft invoice over `lines` and announce it."""
    total = sum(line["amount"] for line in lines)
    now = world.now(customer["test_clock"])
    invoice_id = world.new_id("in_")
    amounts = ("amount_due", "amount_remaining", "subtotal", "subtotal_excluding_tax", "total", "total_excluding_tax")
    invoice = blank(
        "invoice",
        id=invoice_id,
        billing_reason=reason,
        created=now,
        currency=lines[0]["currency"] if lines else "usd",
        customer=customer["id"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        lines={
            "object": "list",
            "data": [{**line, "invoice": invoice_id} for line in lines],
            "has_more": False,
            "url": f"/v1/invoices/{invoice_id}/lines",
        },
        livemode=world.livemode,
        parent=_parent(subscription),
        period_start=now,
        period_end=now,
        test_clock=customer["test_clock"],
        **dict.fromkeys(amounts, total),
    )
    return world.add(invoice)


def subscription_line(world: World, subscription: Object, item: Object) -> Object:
    """Return the line that bills one subscription item for its current period."""
    amount = item["price"]["unit_amount"] * (item["quantity"] or 1)
    line = _line(world, amount=amount, currency=item["price"]["currency"])
    return {
        **line,
        "description": f"{item['quantity']} x {world.get('product', item['price']['product'])['name']}",
        "period": {"start": item["current_period_start"], "end": item["current_period_end"]},
        "quantity": item["quantity"],
        "parent": {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": False,
                "proration_details": {"credited_items": None},
                "subscription": subscription["id"],
                "subscription_item": item["id"],
            },
        },
        "pricing": {
            "type": "price_details",
            "price_details": {"price": item["price"]["id"], "product": item["price"]["product"]},
            "unit_amount_decimal": item["price"]["unit_amount_decimal"],
        },
    }


def manual_line(world: World, item: Object) -> Object:
    """Return the line for an invoice item made by hand."""
    details = {"invoice_item": item["id"], "proration": False, "subscription": None}
    details["proration_details"] = {"credited_items": None}
    return {
        **_line(world, amount=item["amount"], currency=item["currency"]),
        "description": item["description"],
        "period": item["period"],
        "parent": {
            "type": "invoice_item_details",
            "invoice_item_details": details,
            "subscription_item_details": None,
        },
    }


def finalize(world: World, invoice: Object) -> Object:
    """Open a draft for payment: it gets a number, a page and, above zero, a PaymentIntent. Raises Refusal."""
    if invoice["status"] != "draft":
        raise Refusal(400, "This invoice is already finalized, you can't re-finalize a non-draft invoice.")
    now = world.now(invoice["test_clock"])
    number = f"SBX-{len(world.rows('invoice')):04d}"
    invoice.update(
        automatically_finalizes_at=None,
        effective_at=now,
        hosted_invoice_url=f"{world.base_url}/invoice/{invoice['id']}",
        number=number,
    )
    transitions = {**invoice["status_transitions"], "finalized_at": now}
    world.update(invoice, event="finalized", status="open", status_transitions=transitions)
    if invoice["amount_due"]:
        _request_payment(world, invoice)
    return invoice


def pay(world: World, invoice: Object, method: Object | None) -> Outcome:
    """Try once to collect an open invoice with `method`, and announce how it went."""
    if invoice["status"] != "open":
        raise Refusal(400, f"This invoice can't be paid: its status is {invoice['status']}.")
    if not invoice["amount_due"]:
        return mark_paid(world, invoice)
    intent = intent_of(world, invoice)
    changes = {"attempted": True, "attempt_count": invoice["attempt_count"] + 1}
    status = payments.charge_intent(world, intent, method) if method else "requires_payment_method"
    if status == "succeeded":
        invoice.update(changes)
        return mark_paid(world, invoice)
    if status == "processing":
        world.update(invoice, **changes)
        return "processing"
    world.update(invoice, **changes)
    world.emit("payment_action_required" if status == "requires_action" else "payment_failed", invoice)
    return "needs_action" if status == "requires_action" else "failed"


def mark_paid(world: World, invoice: Object) -> Outcome:
    """Close an invoice as paid."""
    now = world.now(invoice["test_clock"])
    world.update(
        invoice,
        event="paid",
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        attempted=True,
        next_payment_attempt=None,
        status="paid",
        status_transitions={**invoice["status_transitions"], "paid_at": now},
    )
    world.emit("payment_succeeded", invoice)
    for payment in _payments_of(world, invoice):
        changes = {"status": "paid", "amount_paid": invoice["amount_due"]}
        transitions = {**payment["status_transitions"], "paid_at": now}
        world.update(payment, event="paid", **changes, status_transitions=transitions)
    return "paid"


def void(world: World, invoice: Object) -> Object:
    """Void an open invoice: nobody owes it any more."""
    _require_open(invoice)
    transitions = {**invoice["status_transitions"], "voided_at": world.now(invoice["test_clock"])}
    return _close(world, invoice, "void", "voided", transitions)


def mark_uncollectible(world: World, invoice: Object) -> Object:
    """Write an open invoice off."""
    _require_open(invoice)
    transitions = {**invoice["status_transitions"], "marked_uncollectible_at": world.now(invoice["test_clock"])}
    return _close(world, invoice, "uncollectible", "marked_uncollectible", transitions)


def intent_of(world: World, invoice: Object) -> Object:
    """Return the PaymentIntent that is to pay the invoice."""
    payment = _payments_of(world, invoice)[0]
    return world.get("payment_intent", payment["payment"]["payment_intent"])


def last_payment_of(world: World, subscription: Object) -> Object:
    """Return the PaymentIntent that last paid for a subscription. Raises Refusal when nothing was ever paid."""
    for invoice in reversed(world.rows("invoice")):
        is_paid = invoice["status"] == "paid" and invoice["amount_paid"]
        if is_paid and subscription_of(world, invoice) is subscription:
            return intent_of(world, invoice)
    raise Refusal(400, f"Nothing has been paid for {subscription['id']}.")


def subscription_of(world: World, invoice: Object) -> Object | None:
    """Return the subscription that an invoice bills, or None for a manual one."""
    details = (invoice["parent"] or {}).get("subscription_details") or {}
    return world.find("subscription", details.get("subscription"))


def method_for(world: World, invoice: Object) -> Object | None:
    """Return the payment method that an automatic charge of this invoice uses."""
    customer = world.get("customer", invoice["customer"])
    return customers.method_for(world, customer, subscription_of(world, invoice))


def _parent(subscription: Object | None) -> Object | None:
    if subscription is None:
        return None
    details = {"metadata": subscription["metadata"], "subscription": subscription["id"]}
    return {"type": "subscription_details", "quote_details": None, "subscription_details": details}


def _line(world: World, *, amount: int, currency: str) -> Object:
    return blank(
        "line_item", id=world.new_id("il_"), amount=amount, subtotal=amount, currency=currency, livemode=world.livemode
    )


def _request_payment(world: World, invoice: Object) -> None:
    intent = payments.new_intent(
        world, amount=invoice["amount_due"], currency=invoice["currency"], customer=invoice["customer"]
    )
    intent["description"] = "Subscription creation" if invoice["parent"] else invoice["description"]
    world.emit("created", intent)
    payment = blank(
        "invoice_payment",
        id=world.new_id("inpay_"),
        amount_requested=invoice["amount_due"],
        created=world.now(invoice["test_clock"]),
        currency=invoice["currency"],
        invoice=invoice["id"],
        livemode=world.livemode,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
    )
    world.secrets_of(invoice["id"])["payments"] = [payment]
    world.add(payment, event=None)


def _payments_of(world: World, invoice: Object) -> list[Object]:
    found: list[Object] = world.secrets_of(invoice["id"]).get("payments", [])
    return found


def _close(world: World, invoice: Object, status: str, verb: str, transitions: Object) -> Object:
    changes = {"status": status, "status_transitions": transitions}
    return world.update(invoice, event=verb, auto_advance=False, next_payment_attempt=None, **changes)


def _require_open(invoice: Object) -> None:
    if invoice["status"] not in ("open", "uncollectible"):
        raise Refusal(400, f"You can only pass in open invoices. This invoice isn't open: it is {invoice['status']}.")
