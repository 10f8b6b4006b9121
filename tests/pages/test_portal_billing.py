"""Customers see their bills, go to the provider, and end a subscription on one page of ours."""

from __future__ import annotations

import pytest

from membership.errors import Audience, Blocked, Reason, Retry, UserError
from membership.model import CustomerSnapshot, Grant, PurchaseKind, PurchaseStatus
from membership.ports import Invoice, InvoiceState
from tests.pages.stage import PageStage, Visitor
from tests.usecases.world import CHARLIE, VIP, World

MAIL = f"user{CHARLIE}@example.com"


@pytest.fixture
async def vip(stage: PageStage) -> str:
    """Let Charlie be a delivered member; return the purchase."""
    await stage.world.plan("vip", VIP)
    return await stage.world.member("vip")


async def payer(stage: PageStage) -> Visitor:
    return await stage.customer(email=MAIL)


async def grant_of(world: World, external_id: str) -> Grant:
    return (await world.grants(external_id))[0]


async def customer_of(world: World, external_id: str) -> tuple[int, str]:
    purchase = await world.purchase(external_id)
    async with world.services.store.read() as tx:
        customer = await tx.customers.get(purchase.customer_id)
    return customer.id, customer.external_id


async def test_bills_are_listed_with_their_state_and_the_way_to_them(stage: PageStage, vip: str) -> None:
    _, external_id = await customer_of(stage.world, vip)
    stage.world.provider.bills[external_id] = [
        Invoice(
            external_id="in_1",
            made_at=stage.world.clock.now(),
            amount=900,
            currency="eur",
            state=InvoiceState.PAID,
            number="A-1",
            url="https://pay.example/in_1",
        )
    ]

    shown = await (await payer(stage)).get("/portal/billing")

    assert "A-1" in shown.words
    assert "Paid" in shown.words
    assert "9.00 €" in shown.words
    assert "https://pay.example/in_1" in shown.links


async def test_without_a_bill_the_page_says_so(stage: PageStage, vip: str) -> None:
    assert "There is no bill yet." in (await (await payer(stage)).get("/portal/billing")).words


@pytest.mark.parametrize("trouble", [Retry("down"), Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR)])
async def test_a_provider_in_trouble_spoils_nothing_else(stage: PageStage, vip: str, trouble: Exception) -> None:
    stage.world.provider.faults.fails_always("invoices", trouble)

    shown = await (await payer(stage)).get("/portal/billing")

    assert shown.status == 200
    assert "does not tell us your bills at the moment" in shown.words
    assert "Cancel membership VIP" in shown.words


async def test_a_guest_without_an_account_at_the_provider_is_told(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    guest = CustomerSnapshot(external_id="", email="guest@example.com")
    await stage.world.buys("vip", customer=guest, kind=PurchaseKind.ONE_TIME)

    shown = await (await stage.customer(email="guest@example.com")).get("/portal/billing")

    assert "This was paid once" in shown.words
    assert all("/portal/billing/" not in form.action for form in shown.forms)


async def test_the_payer_is_led_to_the_provider(stage: PageStage, vip: str) -> None:
    visitor = await payer(stage)

    leaving = await visitor.press(await visitor.get("/portal/billing"), "Change card, cancel, invoices ↗")

    assert f"{stage.world.services.public_url}/portal/billing" in leaving.links
    assert [entry.event for entry in await stage.world.audit("customer.billing")] == ["customer.billing"]


async def test_nobody_is_led_to_somebody_elses_bills(stage: PageStage, vip: str) -> None:
    number, _ = await customer_of(stage.world, vip)
    visitor = await stage.customer(email="eve@example.com")

    assert (await visitor.post(f"/portal/billing/{number}")).status == 404
    assert (await visitor.post("/portal/billing/9999999")).status == 404
    assert stage.world.provider.faults.of("portal") == []


async def test_cancelling_says_what_and_when_first_and_shows_at_once(stage: PageStage, vip: str) -> None:
    grant = await grant_of(stage.world, vip)
    visitor = await payer(stage)

    page = await visitor.get(f"/portal/cancel/{grant.id}")
    assert "You keep it until 31 March 2026" in page.words
    assert "these roles go" in page.words
    assert stage.world.provider.bought[vip].ends_at is None

    done = await visitor.press(page, "Cancel VIP", reason="too dear")
    await stage.world.settle()

    assert "Cancelled. VIP ends on 31 March 2026." in done.words
    assert "Keep my membership" in done.words
    assert stage.world.roles(CHARLIE) == {VIP}
    (entry,) = await stage.world.audit("customer.cancelled")
    assert entry.actor.startswith("customer:")
    assert (entry.detail or {})["reason_text"] == "too dear"
    assert await stage.world.audit("grant.ending")


async def test_a_cancellation_is_taken_back(stage: PageStage, vip: str) -> None:
    grant = await grant_of(stage.world, vip)
    visitor = await payer(stage)
    await visitor.post(f"/portal/cancel/{grant.id}")

    page = await visitor.get(f"/portal/cancel/{grant.id}")
    done = await visitor.press(page, "Keep my membership")

    assert "VIP is cancelled" in page.words
    assert "VIP goes on." in done.words
    assert "Active, renews" in done.words
    assert stage.world.provider.bought[vip].ends_at is None
    assert await stage.world.audit("customer.resumed")


async def test_opening_the_page_cancels_nothing(stage: PageStage, vip: str) -> None:
    grant = await grant_of(stage.world, vip)
    visitor = await payer(stage)

    for _ in range(3):
        await visitor.get(f"/portal/cancel/{grant.id}")

    assert stage.world.provider.faults.of("end_at_period") == []


async def test_what_does_not_renew_cannot_be_cancelled(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    external_id = await stage.world.member("vip", kind=PurchaseKind.ONE_TIME)
    grant = await grant_of(stage.world, external_id)
    visitor = await payer(stage)

    page = await visitor.get(f"/portal/cancel/{grant.id}")
    forced = await visitor.post(f"/portal/cancel/{grant.id}")

    assert "Nothing to cancel" in page.words
    assert forced.status == 422
    assert stage.world.provider.faults.of("end_at_period") == []


async def test_what_the_provider_refuses_is_said_and_nothing_is_written(stage: PageStage, vip: str) -> None:
    grant = await grant_of(stage.world, vip)
    stage.world.provider.faults.fails("end_at_period", UserError("This subscription has ended."))

    shown = await (await payer(stage)).post(f"/portal/cancel/{grant.id}")

    assert shown.status == 422
    assert "This subscription has ended." in shown.words
    assert await stage.world.audit("customer.cancelled") == []


async def test_a_provider_that_is_down_cancels_nothing_and_says_when_to_try(stage: PageStage, vip: str) -> None:
    grant = await grant_of(stage.world, vip)
    stage.world.provider.faults.fails("end_at_period", Retry("down"))

    shown = await (await payer(stage)).post(f"/portal/cancel/{grant.id}")

    assert shown.status == 503
    assert await stage.world.audit("customer.cancelled") == []


async def test_after_a_cancellation_the_role_goes_with_the_period(stage: PageStage, vip: str) -> None:
    grant = await grant_of(stage.world, vip)
    await (await payer(stage)).post(f"/portal/cancel/{grant.id}")

    await stage.world.advance(days=29)
    assert stage.world.roles(CHARLIE) == {VIP}
    await stage.world.advance(days=2)
    assert stage.world.roles(CHARLIE) == set()


async def test_the_customer_without_discord_can_do_all_of_it(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    external_id = await stage.world.buys("vip", by="nodiscord")
    grant = await grant_of(stage.world, external_id)
    visitor = await stage.customer(email="nodiscord@example.com")

    assert (await visitor.get("/portal/billing")).status == 200
    done = await visitor.press(await visitor.get(f"/portal/cancel/{grant.id}"), "Cancel VIP")

    assert "Cancelled." in done.words
    assert stage.world.provider.bought[external_id].status is PurchaseStatus.ACTIVE
    assert stage.world.provider.bought[external_id].ends_at is not None
