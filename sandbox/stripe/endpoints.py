"""What the seller registers: webhook endpoints, what the customer portal allows, and portal sessions."""

from __future__ import annotations

from sandbox.stripe import forms, versions
from sandbox.stripe.errors import Refusal, required
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.world import World

_MAX_ENDPOINTS = 16


def create_endpoint(world: World, params: Params) -> Object:
    """Register a webhook endpoint; the answer, and only this one, shows its signing secret."""
    enabled = [str(name) for name in forms.sequence(params, "enabled_events")]
    if not enabled:
        raise required("enabled_events")
    alive = [row for row in world.rows("webhook_endpoint") if not row.get("deleted")]
    if len(alive) >= _MAX_ENDPOINTS:
        raise Refusal(400, f"You have reached the maximum of {_MAX_ENDPOINTS} test webhook endpoints.")
    version = forms.text(params, "api_version")
    endpoint = blank(
        "webhook_endpoint",
        id=world.new_id("we_"),
        api_version=versions.check_version(version) if version else None,
        created=world.now(),
        description=forms.text(params, "description"),
        enabled_events=enabled,
        livemode=world.livemode,
        metadata=forms.merged_metadata({}, params),
        status="enabled",
        url=forms.demand(params, "url"),
    )
    secret = world.new_id("whsec_", 32)
    world.secrets_of(endpoint["id"]).update(secret=secret, thin=False)
    return {**world.add(endpoint, event=None), "secret": secret}


def update_endpoint(world: World, endpoint: Object, params: Params) -> Object:
    """Change URL, events, description or whether it is disabled."""
    changes: Object = {name: forms.text(params, name) for name in ("url", "description") if name in params}
    if "enabled_events" in params:
        changes["enabled_events"] = [str(name) for name in forms.sequence(params, "enabled_events")]
    if "disabled" in params:
        changes["status"] = "disabled" if forms.boolean(params, "disabled") else "enabled"
    return world.update(endpoint, event=None, **changes)


def delete_endpoint(world: World, endpoint: Object) -> Object:
    """Stop all deliveries to an endpoint."""
    world.update(endpoint, event=None, status="disabled", deleted=True)
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def open_portal(world: World) -> Object:
    """Set the customer portal up as most sellers do: customers may cancel and change their card."""
    configuration = blank(
        "billing_portal.configuration",
        id=world.new_id("bpc_"),
        created=world.now(),
        updated=world.now(),
        is_default=True,
        livemode=world.livemode,
    )
    features = configuration["features"]
    features["subscription_cancel"]["enabled"] = True
    features["payment_method_update"]["enabled"] = True
    return world.add(configuration, event=None)


def create_portal_session(world: World, params: Params) -> Object:
    """Open a customer portal session; its `url` is the portal page."""
    customer = world.get("customer", forms.demand(params, "customer"), param="customer")
    session_id = world.new_id("bps_")
    session = blank(
        "billing_portal.session",
        id=session_id,
        created=world.now(),
        customer=customer["id"],
        livemode=world.livemode,
        return_url=forms.text(params, "return_url"),
        url=f"{world.base_url}/portal/{session_id}",
    )
    return world.add(session)
