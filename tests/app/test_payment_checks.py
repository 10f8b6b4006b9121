"""What the doctor finds at the seller's account, driven over the local Stripe."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from pydantic import SecretStr

from membership.checks import Outcome
from membership.model import AccountId, PlanProduct
from sandbox.stripe.keys import Permission
from tests.app.clinic import Clinic

Break = Callable[[Clinic], Awaitable[None]]
READS: dict[str, Permission] = {
    **dict.fromkeys(("account", "charges", "customers", "disputes", "events", "invoices", "prices"), "read"),
    **dict.fromkeys(("products", "webhook_endpoints", "customer_portal"), "read"),
}


def stripe(clinic: Clinic, **changes: object) -> None:
    """Change Stripe's settings."""
    clinic.set("payments", stripe=clinic.settings.payments.stripe.model_copy(update=changes))


async def key_was_revoked(clinic: Clinic) -> None:
    clinic.outside.stripe.keys.revoke(clinic.settings.payments.stripe.api_key.get_secret_value())


async def key_is_restricted(clinic: Clinic) -> None:
    clinic.outside.stripe.add_restricted_key("rk_test_limited", READS)
    stripe(clinic, api_key=SecretStr("rk_test_limited"))


async def webhook_is_gone(clinic: Clinic) -> None:
    endpoint(clinic)["url"] = "https://old.example/webhooks/stripe"


async def webhook_is_off(clinic: Clinic) -> None:
    endpoint(clinic)["status"] = "disabled"


async def webhook_is_incomplete(clinic: Clinic) -> None:
    endpoint(clinic)["enabled_events"] = ["invoice.paid"]


async def secret_is_missing(clinic: Clinic) -> None:
    stripe(clinic, webhook_secret=SecretStr(""))


async def event_was_missed(clinic: Clinic) -> None:
    clinic.outside.stripe.control.buy(clinic.outside.seed.wares[0].price_id, "ada@example.com")
    await clinic.clock.advance(timedelta(minutes=43))


async def something_is_sold_without_a_plan(clinic: Clinic) -> None:
    known = (await plan_products(clinic))[1:]
    await clinic.plan(products=known)


async def nothing_unlocks_the_plan(clinic: Clinic) -> None:
    (first, *_) = await plan_products(clinic)
    await clinic.plan(products=(PlanProduct(account_id=first.account_id, product_id="prod_old"),))


async def portal_is_closed(clinic: Clinic) -> None:
    (configuration,) = clinic.outside.stripe.world.rows("billing_portal.configuration")
    configuration["features"]["subscription_cancel"]["enabled"] = False


async def plan_is_of_the_test_account(clinic: Clinic) -> None:
    async with clinic.services.store.write() as tx:
        other = await tx.accounts.ensure("stripe", "acct_other", False, clinic.clock.now())
    await clinic.plan(products=(PlanProduct(account_id=AccountId(other.id), product_id="prod_1"),))


async def webhook_is_old(clinic: Clinic) -> None:
    endpoint(clinic)["api_version"] = "2023-10-16"


def endpoint(clinic: Clinic) -> dict[str, object]:
    (found,) = clinic.outside.stripe.world.rows("webhook_endpoint")
    return found


async def plan_products(clinic: Clinic) -> tuple[PlanProduct, ...]:
    async with clinic.services.store.read() as tx:
        return (await tx.plans.all())[0].products


@pytest.mark.parametrize(
    ("number", "cause_of", "outcome", "cause"),
    [
        ("P01", key_was_revoked, Outcome.FAIL, "Stripe refuses the key"),
        (
            "P02",
            key_is_restricted,
            Outcome.FAIL,
            "Subscriptions: read, Checkout Sessions: write",
        ),
        ("P03", webhook_is_gone, Outcome.FAIL, "There is one for old.example."),
        ("P03", webhook_is_off, Outcome.FAIL, "switched the webhook off"),
        ("P03", webhook_is_incomplete, Outcome.FAIL, "leaves out charge.dispute.closed"),
        ("P04", secret_is_missing, Outcome.FAIL, "No webhook secret is set"),
        ("P05", event_was_missed, Outcome.WARN, "newer event for 43 min"),
        ("P06", something_is_sold_without_a_plan, Outcome.WARN, "can be bought and gives nothing"),
        ("P07", portal_is_closed, Outcome.WARN, "Customers cannot cancel"),
        ("P08", plan_is_of_the_test_account, Outcome.FAIL, "another test account"),
        ("P09", webhook_is_old, Outcome.HINT, "2023-10-16"),
    ],
)
async def test_it_finds_the_cause_and_says_what_to_do(
    clinic: Clinic, number: str, cause_of: Break, outcome: Outcome, cause: str
) -> None:
    await cause_of(clinic)
    found = await clinic.only(number)
    assert (found.outcome, cause in found.cause, bool(found.fix)) == (outcome, True, True), found


async def test_a_plan_that_nobody_can_buy_is_named(clinic: Clinic) -> None:
    await nothing_unlocks_the_plan(clinic)
    assert "Nothing that unlocks VIP is sold any more" in (await clinic.look("P06"))[-1].cause


@pytest.mark.parametrize("cause_of", [webhook_is_off, webhook_is_incomplete])
async def test_a_webhook_is_repaired_in_place(clinic: Clinic, cause_of: Break) -> None:
    await cause_of(clinic)
    await clinic.look("P03", repairs=True)
    assert await clinic.outcome("P03") is Outcome.OK


async def test_missed_events_are_pulled(clinic: Clinic) -> None:
    await clinic.look("P05", repairs=True)
    async with clinic.services.store.write() as tx:  # the first poll was long ago
        account = await clinic.services.sellers.account("stripe")
        await tx.cursors.put(f"events:{account.id}", await clinic.services.sellers.by_name["stripe"].newest_event())
    await event_was_missed(clinic)
    await clinic.look("P05", repairs=True)
    assert await clinic.outcome("P05") is Outcome.OK


async def test_what_the_key_may_not_see_is_skipped(clinic: Clinic) -> None:
    clinic.outside.stripe.add_restricted_key("rk_test_limited", {"account": "read"})
    stripe(clinic, api_key=SecretStr("rk_test_limited"))
    found = await clinic.look("P03", "P07")
    assert {result.outcome for result in found} == {Outcome.SKIP}


async def test_an_outage_of_stripe_is_no_failure(clinic: Clinic) -> None:
    clinic.outside.stripe.start_outage()
    found = await clinic.only("P01")
    assert (found.outcome, found.is_unreachable) == (Outcome.SKIP, True)


async def test_without_a_key_payments_are_skipped(clinic: Clinic) -> None:
    stripe(clinic, api_key=SecretStr(""))
    found = await clinic.look("P01", "P05")
    assert {result.cause for result in found} == {"no payment platform is configured (payments.stripe.api_key)"}
