"""Where something stands in the payment platform's own dashboard, for the platforms whose addresses are known. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from membership.records import Account

# https://docs.stripe.com/dashboard/basics: objects are found by their id, in test mode below /test.
_STRIPE = "https://dashboard.stripe.com"
_STRIPE_PAGES: Mapping[str, str] = {"sub": "subscriptions", "cus": "customers", "pi": "payments", "in": "invoices"}


def dashboard_url(account: Account, external_id: str) -> str:
    """Return the address of an object by its id, "" where there is none that we know."""
    kind, separator, rest = external_id.partition("_")
    if account.provider != "stripe" or not separator or not rest.isalnum() or kind not in _STRIPE_PAGES:
        return ""
    mode = "" if account.is_live else "/test"
    return f"{_STRIPE}{mode}/{_STRIPE_PAGES[kind]}/{external_id}"
