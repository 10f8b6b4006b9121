"""What every payment platform in the registry keeps to, whatever its own rules are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from membership.errors import Audience, Blocked, Reason, Retry
from membership.ports import CheckoutOrder, Provider
from providers.config import PaymentsSettings, StripeSettings
from providers.registry import build_providers
from providers.signatures import BadSignature
from tests.providers.stripe.conftest import NOW, QUICK, FixedClock, NoRandomness

NAMES = ("stripe",)
ORDER = CheckoutOrder(
    price_id="price_1",
    link_token="tok",
    success_url="https://door.example/welcome",
    cancel_url="https://door.example/",
    expires_at=NOW + timedelta(hours=2),
)


def everything(url: str = "http://127.0.0.1:9", *, secret: str = "whsec_1", key: str = "rk_test_1") -> PaymentsSettings:
    """Return settings in which every platform is configured and lives at `url`."""
    return PaymentsSettings(
        stripe=StripeSettings(api_key=SecretStr(key), webhook_secret=SecretStr(secret), api_url=url),
    )


def built(settings: PaymentsSettings) -> Mapping[str, Provider]:
    return build_providers(settings, clock=FixedClock(), randomness=NoRandomness(), patience=QUICK)


async def _drain(found: AsyncIterator[object]) -> int:
    return len([entry async for entry in found])


# Everything that asks the platform something.
QUESTIONS: dict[str, Callable[[Provider], Awaitable[object]]] = {
    "account": lambda provider: provider.account(),
    "fetch": lambda provider: provider.fetch("sub_1"),
    "purchases": lambda provider: _drain(provider.purchases()),
    "newest_event": lambda provider: provider.newest_event(),
    "events_after": lambda provider: _drain(provider.events_after("evt_1")),
    "prices": lambda provider: provider.prices(),
    "checkout": lambda provider: provider.checkout(ORDER),
    "portal": lambda provider: provider.portal("cus_1", "https://door.example/"),
    "portal at a task": lambda provider: provider.portal("cus_1", "https://door.example/", "card"),
    "end_at_period": lambda provider: provider.end_at_period("sub_1", is_ending=True),
    "invoices": lambda provider: provider.invoices("cus_1", 20),
    "examine": lambda provider: provider.examine(),
    "repair_webhook": lambda provider: provider.repair_webhook("we_1", "https://door.example/webhooks"),
}


@asynccontextmanager
async def answering(name: str, status: int, body: str) -> AsyncIterator[Provider]:
    """Open a provider whose platform answers everything alike, and asks to be left alone for a minute."""

    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=body, headers={"Retry-After": "60"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", answer)
    async with TestServer(app) as server:
        provider = built(everything(str(server.make_url("")).rstrip("/")))[name]
        try:
            yield provider
        finally:
            await provider.close()


def test_the_suite_knows_every_platform_of_the_registry() -> None:
    assert tuple(built(everything())) == NAMES


def test_without_a_key_a_platform_is_off() -> None:
    assert built(PaymentsSettings()) == {}
    assert built(everything(key=" ")) == {}


@pytest.mark.parametrize("name", NAMES)
def test_a_platform_is_registered_under_its_own_name(name: str) -> None:
    assert built(everything())[name].name == name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("secret", "can_receive"), [("whsec_1", True), ("", False), ("  ", False), ("whsec_", False)])
def test_a_platform_receives_only_with_a_real_secret(name: str, secret: str, can_receive: bool) -> None:
    assert built(everything(secret=secret))[name].can_receive is can_receive


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("secret", ["whsec_1", ""])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\xff\xfe", bytes(range(256))], ids=range(5))
def test_what_nobody_signed_is_refused(name: str, secret: str, body: bytes) -> None:
    with pytest.raises(BadSignature):
        built(everything(secret=secret))[name].verify({"Content-Type": "application/json"}, body, now=NOW)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_platform_in_trouble_is_asked_again_later(
    name: str, question: Callable[[Provider], Awaitable[object]], status: int
) -> None:
    async with answering(name, status, '{"error": {"message": "in trouble"}}') as provider:
        with pytest.raises(Retry) as caught:
            await question(provider)
    assert caught.value.after == timedelta(minutes=1)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_blocks_until_the_operator_acts(
    name: str, question: Callable[[Provider], Awaitable[object]], status: int
) -> None:
    async with answering(name, status, '{"error": {"message": "no"}}') as provider:
        with pytest.raises(Blocked) as caught:
            await question(provider)
    assert (caught.value.reason, caught.value.audience) == (Reason.CREDENTIALS_REFUSED, Audience.OPERATOR)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("question", QUESTIONS.values(), ids=QUESTIONS)
@pytest.mark.parametrize("body", ["<html>Log in to the hotel</html>", "{}", "[]", "null", ""], ids=range(5))
async def test_an_answer_that_is_none_is_never_taken_for_an_empty_one(
    name: str, question: Callable[[Provider], Awaitable[object]], body: str
) -> None:
    async with answering(name, 200, body) as provider:
        with pytest.raises(Retry):
            await question(provider)


@pytest.mark.parametrize("name", NAMES)
async def test_a_platform_that_was_never_asked_can_be_closed_twice(name: str) -> None:
    provider = built(everything())[name]
    await provider.close()
    await provider.close()
