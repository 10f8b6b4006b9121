"""What an examination tells of a Stripe account: permissions, webhooks, portal, the newest event."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from membership.errors import Blocked
from providers.config import StripeSettings
from providers.registry import build_stripe
from providers.stripe_examination import TESTED_VERSIONS
from sandbox.stripe.keys import Permission
from tests.providers.stripe.conftest import QUICK, NoRandomness
from tests.providers.stripe.local_stage import LocalStage, local_stage

EVERYTHING: dict[str, Permission] = {
    **dict.fromkeys(("account", "charges", "customers", "disputes", "events", "invoices", "prices"), "read"),
    **dict.fromkeys(("products", "webhook_endpoints"), "read"),
    "checkout_sessions": "write",
    "customer_portal": "write",
    "subscriptions": "write",
}


@pytest.fixture
async def stage() -> AsyncIterator[LocalStage]:
    async with local_stage() as opened:
        yield opened


async def examined_with(stage: LocalStage, permissions: dict[str, Permission]) -> tuple[str, ...]:
    """Return the permissions that a restricted key is found to lack."""
    stage.local.add_restricted_key("rk_test_limited", permissions)
    settings = StripeSettings(api_key=SecretStr("rk_test_limited"), api_url=stage.local.base_url)
    provider = build_stripe(settings, clock=stage.clock, randomness=NoRandomness(), patience=QUICK)
    try:
        return (await provider.examine()).missing_permissions
    finally:
        await provider.close()


async def test_a_well_kept_account_lacks_nothing(stage: LocalStage) -> None:
    found = await stage.stripe.examine()
    assert found.missing_permissions == ()
    assert found.webhooks is not None
    (webhook,) = found.webhooks
    assert (webhook.is_enabled, webhook.missing_events) == (True, ())
    assert webhook.url.endswith("/webhooks/stripe")
    assert found.portal is not None
    assert (found.portal.can_cancel, found.portal.can_change_card) == (True, True)


async def test_an_examination_makes_nothing_at_stripe(stage: LocalStage) -> None:
    await stage.stripe.examine()
    assert stage.local.world.rows("checkout.session") == []
    assert stage.local.world.rows("billing_portal.session") == []


async def test_a_key_with_just_what_is_needed_lacks_nothing(stage: LocalStage) -> None:
    assert await examined_with(stage, EVERYTHING) == ()


@pytest.mark.parametrize(
    ("scope", "granted", "missing"),
    [
        ("charges", None, "Charges and refunds: read"),
        ("subscriptions", "read", "Subscriptions: write"),
        ("checkout_sessions", "read", "Checkout Sessions: write"),
        ("customer_portal", "read", "Customer portal: write"),
        ("events", None, "Events: read"),
    ],
)
async def test_it_names_the_permission_that_a_key_lacks(
    stage: LocalStage, scope: str, granted: Permission | None, missing: str
) -> None:
    permissions = {name: kind for name, kind in EVERYTHING.items() if name != scope}
    assert await examined_with(stage, permissions | ({scope: granted} if granted else {})) == (missing,)


async def test_a_revoked_key_is_refused_as_a_whole(stage: LocalStage) -> None:
    stage.local.keys.revoke("sk_test_sandbox")
    with pytest.raises(Blocked):
        await stage.stripe.examine()


async def test_it_tells_which_events_a_webhook_leaves_out(stage: LocalStage) -> None:
    stage.local.add_endpoint("https://old.example/hook", events=["invoice.paid", "price.created"])
    webhooks = (await stage.stripe.examine()).webhooks or ()
    (old,) = (webhook for webhook in webhooks if webhook.url == "https://old.example/hook")
    assert "customer.subscription.deleted" in old.missing_events
    assert "invoice.paid" not in old.missing_events


async def test_a_repaired_webhook_sends_what_is_needed_with_its_old_secret(stage: LocalStage) -> None:
    (webhook,) = (await stage.stripe.examine()).webhooks or ()
    row = stage.local.world.get("webhook_endpoint", webhook.external_id)
    row.update(status="disabled", enabled_events=["invoice.paid"])
    await stage.stripe.repair_webhook(webhook.external_id, webhook.url)
    (repaired,) = (await stage.stripe.examine()).webhooks or ()
    assert (repaired.is_enabled, repaired.missing_events) == (True, ())
    stage.local.control.buy(stage.local.control.add_price("VIP", 900)["id"], "ada@example.com")
    await stage.settle()
    assert stage.known


async def test_it_tells_of_the_newest_event(stage: LocalStage) -> None:
    assert (await stage.stripe.examine()).newest_event_id == ""
    stage.local.control.buy(stage.local.control.add_price("VIP", 900)["id"], "ada@example.com")
    found = await stage.stripe.examine()
    assert found.newest_event_id == await stage.stripe.newest_event()
    assert found.newest_event_at == stage.clock.now().replace(microsecond=0)


async def test_it_tells_what_customers_cannot_do_in_the_portal(stage: LocalStage) -> None:
    (configuration,) = stage.local.world.rows("billing_portal.configuration")
    configuration["features"]["subscription_cancel"]["enabled"] = False
    portal = (await stage.stripe.examine()).portal
    assert portal is not None
    assert (portal.can_cancel, portal.can_change_card) == (False, True)


def test_the_tested_versions_reach_to_the_one_that_the_sdk_asks_for() -> None:
    import stripe

    assert stripe.api_version.startswith(TESTED_VERSIONS[1])
