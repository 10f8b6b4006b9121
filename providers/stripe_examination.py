"""How a Stripe account is set up: what the key may do, where events go, what the portal allows. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from membership.errors import Blocked
from membership.ports import Examination, PortalFeatures, WebhookEndpoint
from providers.base import JsonObject, moment, nested, rows, text
from providers.stripe_client import StripeClient
from providers.stripe_events import POLLED_TYPES

# The oldest shape that tests/fixtures hold, and the one that the SDK asks for.
TESTED_VERSIONS = ("2024-06-20", "2026-10-28")
_ALL_EVENTS = "*"

# What the key needs, as the Dashboard names it, and a list that shows whether it has it.
_READS = {
    "Charges and refunds: read": "/v1/charges",
    "Checkout Sessions: read": "/v1/checkout/sessions",
    "Customers: read": "/v1/customers",
    "Disputes: read": "/v1/disputes",
    "Events: read": "/v1/events",
    "Invoices: read": "/v1/invoices",
    "Prices: read": "/v1/prices",
    "Products: read": "/v1/products",
    "Subscriptions: read": "/v1/subscriptions",
}
# A request without its required parameters: Stripe looks at the permission first, and never makes anything of it.
_WRITES = {
    "Checkout Sessions: write": "/v1/checkout/sessions",
    "Customer portal: write": "/v1/billing_portal/sessions",
    "Subscriptions: write": "/v1/subscriptions",
}


async def examine(client: StripeClient) -> Examination:
    """Ask Stripe how the account is set up. Raises Retry, and Blocked when the key itself is refused."""
    await client.get("/v1/account", kind="account", gone="account")
    missing, webhooks, portal, newest = await asyncio.gather(
        _missing_permissions(client), _webhooks(client), _portal(client), _newest_event(client)
    )
    return Examination(
        is_live=client.is_live,
        missing_permissions=missing,
        webhooks=webhooks,
        portal=portal,
        newest_event_id=text(newest, "id"),
        newest_event_at=moment(newest, "created"),
        tested_versions=TESTED_VERSIONS,
    )


async def repair_webhook(client: StripeClient, external_id: str, url: str) -> None:
    """Switch an endpoint on, point it at `url` and ask for every event; its signing secret stays. Raises Gone."""
    await client.post(
        f"/v1/webhook_endpoints/{external_id}",
        kind="webhook_endpoint",
        gone="webhook endpoint",
        url=url,
        disabled=False,
        enabled_events=list(POLLED_TYPES),
    )


async def _missing_permissions(client: StripeClient) -> tuple[str, ...]:
    """Try every permission once. A key that may do everything costs as many requests as there are permissions."""
    tries = [_may_read(client, path) for path in _READS.values()] + [_may_write(client, p) for p in _WRITES.values()]
    granted = await asyncio.gather(*tries)
    return tuple(name for name, is_granted in zip([*_READS, *_WRITES], granted, strict=True) if not is_granted)


async def _may_read(client: StripeClient, path: str) -> bool:
    return await _rows(client, path) is not None


async def _may_write(client: StripeClient, path: str) -> bool:
    try:
        return await client.is_write_allowed(path)
    except Blocked:
        return False


async def _webhooks(client: StripeClient) -> tuple[WebhookEndpoint, ...] | None:
    found = await _rows(client, "/v1/webhook_endpoints", limit=100)
    return None if found is None else tuple(map(_webhook, found))


def _webhook(raw: JsonObject) -> WebhookEndpoint:
    listed = raw.get("enabled_events")
    sent: Sequence[object] = listed if isinstance(listed, list) else ()
    return WebhookEndpoint(
        external_id=text(raw, "id"),
        url=text(raw, "url"),
        is_enabled=text(raw, "status") == "enabled",
        missing_events=() if _ALL_EVENTS in sent else tuple(name for name in POLLED_TYPES if name not in sent),
        api_version=text(raw, "api_version"),
    )


async def _portal(client: StripeClient) -> PortalFeatures | None:
    """Return what the default portal allows. An account whose portal was never saved has none, and allows nothing."""
    found = await _rows(client, "/v1/billing_portal/configurations", is_default=True, active=True)
    if found is None:
        return None
    features = nested(found[0], "features") if found else {}
    return PortalFeatures(
        can_cancel=nested(features, "subscription_cancel").get("enabled") is True,
        can_change_card=nested(features, "payment_method_update").get("enabled") is True,
    )


async def _newest_event(client: StripeClient) -> JsonObject:
    found = await _rows(client, "/v1/events", types=list(POLLED_TYPES))
    return found[0] if found else {}


async def _rows(client: StripeClient, path: str, *, limit: int = 1, **params: object) -> list[JsonObject] | None:
    """Return the first entries of a list, None when the key may not see it. Raises Retry."""
    try:
        return rows(await client.get(path, kind="list", gone="list", limit=limit, **params), "data")
    except Blocked:
        return None
