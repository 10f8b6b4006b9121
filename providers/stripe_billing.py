"""What customers settle with Stripe: ending a subscription, the portal, their invoices. Buying is in stripe.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from membership.errors import UserError
from membership.model import PurchaseSnapshot
from membership.ports import Invoice, InvoiceState
from providers import stripe_shapes as shapes
from providers.base import JsonObject, integer, moment, rows, text
from providers.stripe_client import StripeClient

_SUBSCRIPTION_ID = re.compile(r"sub_\w{1,250}", re.ASCII)
_OVER = ("canceled", "incomplete_expired")
_CANCEL = "cancel:"
_CARD = "card"
_STATES = {state.value: state for state in InvoiceState}
"""Stripe has our words for them."""


async def end_at_period(
    client: StripeClient, external_id: str, *, is_ending: bool, now: Callable[[], datetime]
) -> PurchaseSnapshot:
    """Let a subscription end with its period, or take that back. One GET, and a POST where something is to change.

    Raises UserError for a checkout's one-time purchase, for what ended, and for what a schedule governs.
    """
    if not _SUBSCRIPTION_ID.fullmatch(external_id):
        raise UserError("This was paid once and does not renew: there is nothing to cancel.")
    path, read_at = f"/v1/subscriptions/{external_id}", now()
    raw = await client.get(path, kind="subscription", gone="purchase", expand=["customer"])
    changes = _changes(raw, is_ending=is_ending)
    if changes:
        read_at = now()
        raw = await client.post(path, kind="subscription", gone="purchase", expand=["customer"], **changes)
    return shapes.subscription_snapshot(raw, read_at=read_at)


async def portal(client: StripeClient, customer_id: str, return_url: str, task: str) -> str:
    """Open a portal session, at a task where Stripe agrees to it. Raises Gone("customer").

    Stripe refuses a task that the portal's settings switch off, or that makes no sense (cancelling what is cancelled):
    then the customer finds the portal's first page.
    """
    path, asked = "/v1/billing_portal/sessions", {"customer": customer_id, "return_url": return_url}
    kind, gone = "billing_portal.session", "customer"
    flow = _flow(task, return_url)
    session = await client.post_if_agreed(path, kind=kind, gone=gone, flow_data=flow, **asked) if flow else None
    if session is None:
        session = await client.post(path, kind=kind, gone=gone, **asked)
    return text(session, "url")


async def invoices(client: StripeClient, customer_id: str, limit: int) -> Sequence[Invoice]:
    """List a customer's invoices, newest first, without drafts. One GET."""
    found = await client.get("/v1/invoices", kind="list", gone="customer", customer=customer_id, limit=limit)
    read = (_invoice(raw) for raw in rows(found, "data") if text(raw, "status") != "draft")
    return [invoice for invoice in read if invoice is not None]


def _changes(raw: JsonObject, *, is_ending: bool) -> dict[str, Any]:
    """Return what to ask Stripe for, nothing where it is so already."""
    if text(raw, "status") in _OVER:
        if is_ending:
            return {}
        raise UserError("This subscription has ended. To have it again, buy it again.")
    is_scheduled = bool(raw.get("cancel_at") or raw.get("cancel_at_period_end"))
    if is_ending == is_scheduled:
        return {}
    if raw.get("schedule"):
        raise UserError("This subscription follows a schedule of the seller. Please ask them to change it.")
    if is_ending:
        return {"cancel_at_period_end": True}
    # With flexible billing (the default since 2025-09-30) the portal sets the moment alone; both at once are refused.
    return {"cancel_at_period_end": False} if raw.get("cancel_at_period_end") else {"cancel_at": ""}


def _flow(task: str, return_url: str) -> dict[str, Any] | None:
    """Return the portal's deep link for a task, None for an unknown one and for none."""
    after = {"type": "redirect", "redirect": {"return_url": return_url}}
    subscription = task.removeprefix(_CANCEL)
    if task == _CARD:
        return {"type": "payment_method_update", "after_completion": after}
    if task.startswith(_CANCEL) and _SUBSCRIPTION_ID.fullmatch(subscription):
        cancel = {"subscription": subscription}
        return {"type": "subscription_cancel", "subscription_cancel": cancel, "after_completion": after}
    return None


def _invoice(raw: JsonObject) -> Invoice | None:
    """Read an invoice; one without a time is not shown."""
    made_at = moment(raw, "created")
    if made_at is None:
        return None
    return Invoice(
        external_id=text(raw, "id"),
        made_at=made_at,
        amount=integer(raw, "total") or 0,
        currency=text(raw, "currency"),
        state=_STATES.get(text(raw, "status"), InvoiceState.UNKNOWN),
        number=text(raw, "number"),
        url=text(raw, "hosted_invoice_url"),
    )
