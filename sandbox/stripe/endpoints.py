"""What the seller registers: webhook endpoints, what the customer portal allows, and portal sessions."""

from __future__ import annotations

from sandbox.stripe import forms, versions
from sandbox.stripe.errors import Refusal, invalid, required
from sandbox.stripe.forms import Params
from sandbox.stripe.shapes import Object, blank
from sandbox.stripe.subscriptions import ENDED
from sandbox.stripe.world import World

_MAX_ENDPOINTS = 16
_FLOWS = ("payment_method_update", "subscription_cancel")
"""Those that the sandbox's portal has a page for."""


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
    """Open a customer portal session; its `url` is the portal page. Raises Refusal for a flow that is switched off."""
    customer = world.get("customer", forms.demand(params, "customer"), param="customer")
    session_id = world.new_id("bps_")
    session = blank(
        "billing_portal.session",
        id=session_id,
        created=world.now(),
        customer=customer["id"],
        flow=_flow(world, customer, params),
        livemode=world.livemode,
        return_url=forms.text(params, "return_url"),
        url=f"{world.base_url}/portal/{session_id}",
    )
    return world.add(session)


def _flow(world: World, customer: Object, params: Params) -> Object | None:
    """Read the task that a portal session leads straight to: to cancel, or to change the card."""
    given = forms.mapping(params, "flow_data")
    if not given:
        return None
    kind = forms.choice(given, "type", _FLOWS, default=forms.demand(given, "type"))
    features = next(row for row in world.rows("billing_portal.configuration") if row["is_default"])["features"]
    if not features[kind]["enabled"]:
        raise invalid("flow_data[type]", f"The feature `{kind}` is disabled in the portal configuration.")
    flow: Object = dict.fromkeys(("subscription_cancel", "subscription_update", "subscription_update_confirm"))
    if kind == "subscription_cancel":
        subscription_id = forms.demand(forms.mapping(given, "subscription_cancel"), "subscription")
        _check_cancellable(world, customer, subscription_id)
        flow["subscription_cancel"] = {"retention": None, "subscription": subscription_id}
    after = forms.mapping(given, "after_completion")
    way_back = forms.text(forms.mapping(after, "redirect"), "return_url")
    completion = {
        "type": forms.text(after, "type") or "portal_homepage",
        "redirect": {"return_url": way_back} if way_back else None,
        "hosted_confirmation": None,
    }
    return flow | {"type": kind, "after_completion": completion}


def _check_cancellable(world: World, customer: Object, subscription_id: str) -> None:
    subscription = world.get("subscription", subscription_id, param="flow_data[subscription_cancel][subscription]")
    if subscription["customer"] != customer["id"]:
        raise invalid("flow_data[subscription_cancel]", "The subscription does not belong to this customer.")
    if subscription["status"] in ENDED or subscription["cancel_at"]:
        raise invalid("flow_data[subscription_cancel]", "The subscription is already set to cancel.")
