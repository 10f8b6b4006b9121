"""Old API versions: turns an object of the current version into the shape that older accounts and endpoints still get.

Only the differences that reach a membership are modelled: periods, plan, quantity, and who belongs to whom.
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.stripe.errors import Refusal
from sandbox.stripe.shapes import Object
from sandbox.stripe.world import World

# 2025-03-31 moved periods to the items and cut the direct ties between charge, payment and invoice.
_BASIL = "2025-03-31"
# 2025-09-30 made flexible billing the default; older versions do not know the field.
_CLOVER = "2025-09-30"
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?")


def check_version(version: str) -> str:
    """Return `version` unchanged. Raises Refusal when it does not look like one."""
    if not _VERSION.fullmatch(version):
        raise Refusal(400, f"Invalid Stripe API version: {version}")
    return version


def render(world: World, document: Any, version: str) -> Any:
    """Return `document`, and everything in it, as `version` shows it."""
    if version[:10] >= _CLOVER:
        return document
    if isinstance(document, list):
        return [render(world, child, version) for child in document]
    if not isinstance(document, dict):
        return document
    shown = {name: render(world, child, version) for name, child in document.items()}
    return _AGED.get(str(document.get("object")), _unchanged)(world, shown, version)


def _unchanged(world: World, shown: Object, version: str) -> Object:
    return shown


def _subscription(world: World, shown: Object, version: str) -> Object:
    shown.pop("billing_mode", None)
    if version[:10] >= _BASIL:
        return shown
    items = shown["items"]["data"]
    first = items[0] if items else {}
    shown["current_period_start"] = first.get("current_period_start")
    shown["current_period_end"] = first.get("current_period_end")
    shown["items"] = {**shown["items"], "data": [_without_period(item) for item in items]}
    single = first if len(items) == 1 else {}
    shown.update(plan=single.get("plan"), quantity=single.get("quantity"), discount=None)
    return shown


def _without_period(item: Object) -> Object:
    return {name: value for name, value in item.items() if not name.startswith("current_period_")}


def _invoice(world: World, shown: Object, version: str) -> Object:
    if version[:10] >= _BASIL:
        return shown
    details = (shown.pop("parent", None) or {}).get("subscription_details") or {}
    payment = next((row for row in world.rows("invoice_payment") if row["invoice"] == shown["id"]), None)
    intent = world.find("payment_intent", payment["payment"]["payment_intent"]) if payment else None
    shown.update(
        subscription=details.get("subscription"),
        subscription_details={"metadata": details.get("metadata")} if details else None,
        payment_intent=intent["id"] if intent else None,
        charge=intent["latest_charge"] if intent else None,
        paid=shown["status"] == "paid",
    )
    return shown


def _tied_to_invoice(world: World, shown: Object, version: str) -> Object:
    if version[:10] < _BASIL:
        intent = shown["id"] if shown["object"] == "payment_intent" else shown["payment_intent"]
        shown["invoice"] = invoice_of_payment(world, intent)
    return shown


def invoice_of_payment(world: World, payment_intent: str | None) -> str | None:
    """Return the id of the invoice that a PaymentIntent paid, or None."""
    for row in world.rows("invoice_payment"):
        if payment_intent and row["payment"].get("payment_intent") == payment_intent:
            found: str = row["invoice"]
            return found
    return None


_AGED = {
    "subscription": _subscription,
    "invoice": _invoice,
    "charge": _tied_to_invoice,
    "payment_intent": _tied_to_invoice,
}
