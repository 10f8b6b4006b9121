"""Blank objects in Stripe's own shape: every key of `shapes.json` (stripe/openapi, MIT), values made neutral."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

Object = dict[str, Any]

_SHAPES = Path(__file__).with_name("shapes.json")

# The fixtures show every nullable hash filled in; a fresh object has null there.
_NULL: dict[str, str] = {
    "product": "default_price description package_dimensions",
    "price": "custom_unit_amount transform_quantity recurring",
    "plan": "transform_usage",
    "customer": "discount shipping currency address",
    "payment_method": "customer",
    "subscription": (
        "billing_cycle_anchor_config billing_thresholds cancel_at canceled_at ended_at"
        " next_pending_invoice_item_invoice pause_collection"
        " pending_invoice_item_interval pending_update transfer_data trial_end trial_start"
    ),
    "subscription_item": "billing_thresholds",
    "checkout.session": (
        "after_expiration consent consent_collection payment_intent payment_method_configuration_details"
        " shipping_address_collection shipping_cost collected_information currency_conversion url"
        " saved_payment_method_options invoice_creation customer_details"
    ),
    "item": "adjustable_quantity",
    "payment_intent": (
        "automatic_payment_methods canceled_at last_payment_error next_action payment_method_configuration_details"
        " processing shipping transfer_data"
    ),
    "charge": "shipping source transfer_data balance_transaction description",
    "invoice": (
        "customer_shipping due_date from_invoice last_finalization_error next_payment_attempt shipping_cost"
        " shipping_details webhooks_delivered_at effective_at parent rendering customer_address"
    ),
    "invoiceitem": "parent",
    "line_item": "parent",
    "subscription_schedule": "canceled_at completed_at released_at current_phase",
    "billing_portal.session": "flow",
}

# Removed from current versions although the fixtures still list them, or only there when expanded.
_GONE: dict[str, str] = {
    "invoice": "subscription",
    "line_item": "subscription",
    "charge": "refunds source",
    "product": "package_dimensions",
}

_NEUTRAL: dict[str, Object] = {
    "account": {"charges_enabled": True, "payouts_enabled": True, "details_submitted": True},
    "customer": {"metadata": {}},
    "payment_method": {"metadata": {}},
    "subscription": {
        "automatic_tax": {"enabled": False, "liability": None, "disabled_reason": None},
        "billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}, "updated_at": None},
        "billing_schedules": [],
        "cancel_at_period_end": False,
        "cancellation_details": {"comment": None, "feedback": None, "feedback_option": None, "reason": None},
        "managed_payments": {"enabled": False},
        "payment_settings": {
            "payment_method_options": None,
            "payment_method_types": None,
            "save_default_payment_method": "off",
        },
        "presentment_details": None,
        "status_details": None,
        "trial_settings": {"end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}},
    },
    "subscription_item": {"current_trial": None, "billed_until": None},
    "checkout.session": {
        "automatic_tax": {"enabled": False, "liability": None, "status": None, "provider": None},
        "managed_payments": {"enabled": False},
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "adaptive_pricing": {"enabled": False},
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "ui_mode": "hosted_page",
    },
    "payment_intent": {"managed_payments": {"enabled": False}},
    "invoice": {
        "amount_overpaid": 0,
        "automatic_tax": {
            "enabled": False,
            "liability": None,
            "status": None,
            "disabled_reason": None,
            "provider": None,
        },
    },
    "dispute": {"enhanced_eligibility_types": []},
    "subscription_schedule": {"billing_mode": {"type": "flexible", "flexible": {"proration_discounts": "included"}}},
}


def blank(kind: str, **values: Any) -> Object:
    """Return a new object of `kind` ("subscription", "checkout.session") with `values` laid over the neutral shape."""
    document: Object = json.loads(_neutral_text(kind))
    document.update(values)
    return document


@cache
def published() -> dict[str, Object]:
    """Return Stripe's published example objects, unchanged, by resource name."""
    loaded: dict[str, Object] = json.loads(_SHAPES.read_text())
    return loaded


@cache
def _neutral_text(kind: str) -> str:
    document = {**published()[kind], **_NEUTRAL.get(kind, {})}
    for name in _NULL.get(kind, "").split():
        document[name] = None
    for name in _GONE.get(kind, "").split():
        document.pop(name, None)
    return json.dumps(document)
