"""The hosted pages of the local Stripe, used the way a browser without scripts uses them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.sandbox.stripe_stage import Stage, a_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as running:
        yield running


async def press(stage: Stage, url: str, **fields: str) -> tuple[int, str, str]:
    """Submit a form and return the status, the redirect and the page."""
    async with stage.browser.post(url, data=fields, allow_redirects=False) as answer:
        return answer.status, answer.headers.get("Location", ""), await answer.text()


async def read(stage: Stage, url: str) -> str:
    async with stage.browser.get(url) as answer:
        return await answer.text()


async def test_the_checkout_page_names_what_is_sold_and_has_no_script(stage: Stage) -> None:
    price = stage.stripe.control.add_price("<VIP> & friends", 900)
    page = await read(stage, stage.stripe.control.open_checkout(price["id"], customer_email="ada@example.com")["url"])
    assert "&lt;VIP&gt; &amp; friends" in page
    assert "9.00&nbsp;EUR" in page
    assert 'value="ada@example.com"' in page
    assert "<script" not in page


async def test_paying_leads_back_to_the_shop_with_the_session_id_and_the_webhook_was_first(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    session = stage.stripe.control.open_checkout(price["id"], success_url="http://shop/ok?s={CHECKOUT_SESSION_ID}")
    status, where, _ = await press(stage, session["url"], email="ada@example.com", pay_with="good")
    assert (status, where) == (303, f"http://shop/ok?s={session['id']}")
    assert "checkout.session.completed" in stage.shop.types


async def test_paying_twice_is_refused(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    url = stage.stripe.control.open_checkout(price["id"])["url"]
    await press(stage, url, email="ada@example.com", pay_with="good")
    status, _, page = await press(stage, url, email="ada@example.com", pay_with="good")
    assert status == 400
    assert "This purchase is complete." in page


async def test_a_missing_address_and_a_declined_card_are_explained_on_the_page(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    session = stage.stripe.control.open_checkout(price["id"])
    status, _, page = await press(stage, session["url"], email=" ", pay_with="good")
    assert (status, 'aria-invalid="true"' in page) == (400, True)
    status, _, page = await press(stage, session["url"], email="ada@example.com", pay_with="declined")
    assert (status, "Your card was declined." in page) == (402, True)
    assert session["status"] == "open"


async def test_cancel_leads_back_unpaid(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    session = stage.stripe.control.open_checkout(price["id"], cancel_url="http://shop/back")
    assert (await press(stage, session["url"], pay_with="cancel"))[1] == "http://shop/back"
    assert session["status"] == "open"


async def test_a_guest_pays_without_becoming_a_customer(stage: Stage) -> None:
    price = stage.stripe.control.add_price("Lifetime", 19900, interval=None)
    session = stage.stripe.control.open_checkout(price["id"])
    await press(stage, session["url"], email="ada@example.com", pay_with="good")
    paid = await stage.get(f"/v1/checkout/sessions/{session['id']}")
    assert (paid["customer"], paid["customer_details"]["email"]) == (None, "ada@example.com")


async def test_the_portal_switches_schedules_undoes_and_ends(stage: Stage) -> None:
    control = stage.stripe.control
    price, dearer = control.add_price("VIP", 900), control.add_price("Gold", 1900)
    bought = control.buy(price["id"], "ada@example.com")
    portal = await stage.post("/v1/billing_portal/sessions", customer=bought["customer"])
    subscription = stage.stripe.world.get("subscription", bought["subscription"])
    named = {"subscription": subscription["id"]}
    await press(stage, portal["url"], action="switch", price=dearer["id"], **named)
    assert subscription["items"]["data"][0]["price"]["id"] == dearer["id"]
    await press(stage, portal["url"], action="cancel_at_period_end", **named)
    assert subscription["cancel_at"] is not None
    await press(stage, portal["url"], action="undo", **named)
    assert subscription["cancel_at"] is None
    await press(stage, portal["url"], action="cancel_now", **named)
    assert subscription["status"] == "canceled"


async def test_the_portal_of_one_customer_does_not_touch_another(stage: Stage) -> None:
    control = stage.stripe.control
    price = control.add_price("VIP", 900)
    ada, ben = (control.buy(price["id"], email) for email in ("ada@example.com", "ben@example.com"))
    portal = await stage.post("/v1/billing_portal/sessions", customer=ada["customer"])
    status, _, _ = await press(stage, portal["url"], action="cancel_now", subscription=ben["subscription"])
    assert status == 403


async def test_an_open_invoice_can_be_paid_on_its_page(stage: Stage) -> None:
    control = stage.stripe.control
    bought = control.buy(control.add_price("VIP", 900)["id"], "ada@example.com")
    subscription = control.fail_payment(bought["subscription"])
    invoice = await stage.get(f"/v1/invoices/{subscription['latest_invoice']}")
    assert "Pay with test card" in await read(stage, invoice["hosted_invoice_url"])
    await press(stage, invoice["hosted_invoice_url"])
    assert subscription["status"] == "active"
