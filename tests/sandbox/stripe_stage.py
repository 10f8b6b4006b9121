"""A running local Stripe with a shop that receives its webhooks, for the tests of the local Stripe."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer

from sandbox.clock import MovableClock
from sandbox.stripe import LocalStripe

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
KEY = "sk_test_sandbox"


@dataclass
class Shop:
    """A webhook receiver: keeps what came and answers `status`."""

    status: int = 200
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.signatures.append(request.headers["Stripe-Signature"])
        return web.Response(status=self.status)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for body in self.bodies]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def forget(self) -> None:
        self.bodies.clear()
        self.signatures.clear()

    def last(self, event_type: str) -> dict[str, Any]:
        return [event for event in self.events if event["type"] == event_type][-1]


@dataclass
class Stage:
    """Everything a test of the local Stripe touches. `get` and `post` speak HTTP as a program without an SDK would."""

    stripe: LocalStripe
    clock: MovableClock
    shop: Shop
    shop_url: str
    secret: str
    browser: aiohttp.ClientSession

    async def call(self, method: str, path: str, key: str = KEY, **options: Any) -> tuple[int, dict[str, Any]]:
        headers = {"Authorization": f"Bearer {key}", **options.pop("headers", {})}
        async with self.browser.request(method, self.stripe.base_url + path, headers=headers, **options) as answer:
            return answer.status, await answer.json()

    async def get(self, path: str, **params: str) -> dict[str, Any]:
        status, body = await self.call("GET", path, params=params)
        assert status == 200, body
        return body

    async def post(self, path: str, **params: str) -> dict[str, Any]:
        status, body = await self.call("POST", path, data=params)
        assert status == 200, body
        return body

    async def delivered(self) -> list[str]:
        await self.stripe.deliver_pending()
        return self.shop.types


@asynccontextmanager
async def a_stage(*, secret_key: str = KEY) -> AsyncIterator[Stage]:
    """Start the local Stripe under a prefix, as the sandbox mounts it, and a shop with one endpoint for everything."""
    clock = MovableClock(START)
    stripe = LocalStripe(clock, secret_key=secret_key, seed=1)
    shop = Shop()
    root = web.Application()
    root.add_subapp("/_emu/stripe", stripe.app())
    root.router.add_post("/webhooks/stripe", shop.receive)
    server = TestServer(root)
    await server.start_server()
    stripe.base_url = str(server.make_url("/_emu/stripe"))
    shop_url = str(server.make_url("/webhooks/stripe"))
    secret = stripe.add_endpoint(shop_url)
    async with aiohttp.ClientSession() as browser:
        yield Stage(stripe, clock, shop, shop_url, secret, browser)
        await stripe.close()
    await server.close()
