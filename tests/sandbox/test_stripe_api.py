"""The rules of Stripe's API that programs trip over: parameters, keys, lists, idempotency, versions, faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from sandbox.stripe.faults import Answer, Fault
from tests.sandbox.stripe_stage import Stage, a_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as running:
        yield running


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/subscriptions?colour=red", 400, "parameter_unknown"),
        ("/v1/subscriptions?created[near]=1", 400, "parameter_unknown"),
        ("/v1/subscriptions?limit=101", 400, "parameter_invalid_integer"),
        ("/v1/subscriptions?limit=many", 400, "parameter_invalid_integer"),
        ("/v1/subscriptions?customer=cus_nobody", 400, "resource_missing"),
        ("/v1/subscriptions/sub_nothing", 404, "resource_missing"),
        ("/v1/nothing", 404, None),
    ],
)
async def test_a_wrong_read_is_refused_with_stripes_code(
    stage: Stage, path: str, status: int, code: str | None
) -> None:
    answered, body = await stage.call("GET", path)
    assert (answered, body["error"].get("code")) == (status, code)


async def test_more_than_twenty_event_types_are_refused(stage: Stage) -> None:
    query = "&".join(f"types[]=customer.type{number}" for number in range(21))
    status, _ = await stage.call("GET", f"/v1/events?{query}")
    assert status == 400


async def test_a_wrong_key_is_401_and_a_narrow_one_403(stage: Stage) -> None:
    stage.stripe.add_restricted_key("rk_test_narrow", {"customers": "read"})
    assert (await stage.call("GET", "/v1/customers", key="sk_test_other"))[0] == 401
    assert (await stage.call("GET", "/v1/customers", key="rk_test_narrow"))[0] == 200
    assert (await stage.call("POST", "/v1/customers", key="rk_test_narrow"))[0] == 403
    assert (await stage.call("GET", "/v1/subscriptions", key="rk_test_narrow"))[0] == 403


async def test_a_live_key_sees_no_test_objects(stage: Stage) -> None:
    stage.stripe.add_restricted_key("rk_live_all", {"customers": "read"})
    customer = await stage.post("/v1/customers", email="ada@example.com")
    assert (await stage.call("GET", "/v1/customers", key="rk_live_all"))[1]["data"] == []
    status, body = await stage.call("GET", f"/v1/customers/{customer['id']}", key="rk_live_all")
    assert status == 404
    assert "other mode" in body["error"]["message"]


async def test_a_live_account_says_so_in_every_object() -> None:
    async with a_stage(secret_key="sk_live_sandbox") as live:
        _, customer = await live.call("POST", "/v1/customers", key="sk_live_sandbox")
        assert customer["livemode"] is True


async def test_customers_are_found_by_email_in_exact_case_only(stage: Stage) -> None:
    await stage.post("/v1/customers", email="Ada@example.com")
    assert len((await stage.get("/v1/customers", email="Ada@example.com"))["data"]) == 1
    assert (await stage.get("/v1/customers", email="ada@example.com"))["data"] == []


async def test_pages_follow_each_other_in_both_directions(stage: Stage) -> None:
    made = [(await stage.post("/v1/customers", name=f"{number}"))["id"] for number in range(5)]
    first = await stage.get("/v1/customers", limit="2")
    assert [row["id"] for row in first["data"]] == [made[4], made[3]]
    assert first["has_more"] is True
    older = await stage.get("/v1/customers", limit="2", starting_after=made[3])
    assert [row["id"] for row in older["data"]] == [made[2], made[1]]
    newer = await stage.get("/v1/customers", limit="2", ending_before=made[1])
    assert [row["id"] for row in newer["data"]] == [made[3], made[2]]
    assert newer["has_more"] is True
    last = await stage.get("/v1/customers", limit="2", starting_after=made[1])
    assert ([row["id"] for row in last["data"]], last["has_more"]) == ([made[0]], False)


async def test_ended_subscriptions_are_listed_only_when_asked_for(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    bought = stage.stripe.control.buy(price["id"], "ada@example.com")["subscription"]
    stage.stripe.control.cancel_now(bought)
    assert (await stage.get("/v1/subscriptions"))["data"] == []
    for status in ("all", "ended", "canceled"):
        assert [row["id"] for row in (await stage.get("/v1/subscriptions", status=status))["data"]] == [bought]


async def test_the_same_idempotency_key_answers_the_same_and_refuses_another_body(stage: Stage) -> None:
    headers = {"Idempotency-Key": "once"}
    _, first = await stage.call("POST", "/v1/customers", data={"name": "Ada"}, headers=headers)
    _, again = await stage.call("POST", "/v1/customers", data={"name": "Ada"}, headers=headers)
    assert first["id"] == again["id"]
    status, other = await stage.call("POST", "/v1/customers", data={"name": "Ben"}, headers=headers)
    assert (status, other["error"]["type"]) == (400, "idempotency_error")


async def test_a_declined_card_is_402_and_leaves_no_active_subscription(stage: Stage) -> None:
    price = stage.stripe.control.add_price("VIP", 900)
    customer = await stage.post("/v1/customers", payment_method="pm_card_chargeCustomerFail")
    fields = {"customer": customer["id"], "items[0][price]": price["id"]}
    made = await stage.post("/v1/subscriptions", **fields)
    assert made["status"] == "incomplete"
    status, body = await stage.call(
        "POST", "/v1/subscriptions", data={**fields, "payment_behavior": "error_if_incomplete"}
    )
    assert (status, body["error"]["type"]) == (402, "card_error")


async def test_an_update_that_must_be_paid_first_waits_as_pending(stage: Stage) -> None:
    price, dearer = (stage.stripe.control.add_price(name, amount) for name, amount in (("VIP", 900), ("Gold", 1900)))
    customer = await stage.post("/v1/customers", payment_method="pm_card_visa")
    made = await stage.post("/v1/subscriptions", **{"customer": customer["id"], "items[0][price]": price["id"]})
    method = await stage.post("/v1/payment_methods/pm_card_chargeCustomerFail/attach", customer=customer["id"])
    await stage.post(f"/v1/subscriptions/{made['id']}", default_payment_method=method["id"])
    changed = await stage.post(
        f"/v1/subscriptions/{made['id']}",
        **{
            "items[0][id]": made["items"]["data"][0]["id"],
            "items[0][price]": dearer["id"],
            "payment_behavior": "pending_if_incomplete",
        },
    )
    assert changed["items"]["data"][0]["price"]["id"] == price["id"]
    assert changed["pending_update"]["subscription_items"][0]["price"]["id"] == dearer["id"]
    paid = await stage.post(f"/v1/invoices/{changed['latest_invoice']}/pay", payment_method="pm_card_visa")
    assert paid["status"] == "paid"
    now = await stage.get(f"/v1/subscriptions/{made['id']}")
    assert (now["items"]["data"][0]["price"]["id"], now["pending_update"]) == (dearer["id"], None)


async def test_a_bad_expand_is_refused(stage: Stage) -> None:
    customer = await stage.post("/v1/customers")
    status, _ = await stage.call("GET", f"/v1/customers/{customer['id']}?expand[]=email")
    assert status == 400


async def test_a_rate_limit_has_its_reason_in_a_header_only(stage: Stage) -> None:
    stage.stripe.faults.rate_limit("endpoint-rate", times=1)
    url = f"{stage.stripe.base_url}/v1/customers"
    async with stage.browser.get(url, headers={"Authorization": "Bearer sk_test_sandbox"}) as answer:
        assert answer.status == 429
        assert answer.headers["Stripe-Rate-Limited-Reason"] == "endpoint-rate"
    assert (await stage.get("/v1/customers"))["data"] == []


async def test_half_a_list_and_an_empty_list_pretend_to_be_complete(stage: Stage) -> None:
    for number in range(4):
        await stage.post("/v1/customers", name=str(number))
    stage.stripe.faults.add(Fault(answer="half", path="^/v1/customers$", times=1))
    half = await stage.get("/v1/customers")
    assert (len(half["data"]), half["has_more"]) == (2, False)
    stage.stripe.faults.add(Fault(answer="empty", times=1))
    assert (await stage.get("/v1/customers"))["data"] == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("garbage", aiohttp.ContentTypeError),
        ("truncated", aiohttp.ClientPayloadError),
        ("reset", aiohttp.ClientConnectionError),
        ("hang", TimeoutError),
    ],
)
async def test_a_broken_answer_breaks_the_client(stage: Stage, answer: Answer, error: type[Exception]) -> None:
    stage.stripe.faults.add(Fault(answer=answer))
    with pytest.raises(error):
        async with asyncio.timeout(0.2):
            await stage.get("/v1/customers")
    stage.stripe.faults.clear()
    assert (await stage.get("/v1/customers"))["data"] == []


async def test_requests_are_counted_by_route(stage: Stage) -> None:
    customer = await stage.post("/v1/customers")
    await stage.get(f"/v1/customers/{customer['id']}")
    assert stage.stripe.requests.counts == {"POST /v1/customers": 1, "GET /v1/customers/{id}": 1}
    assert stage.stripe.requests.reads() == 1
