"""A loopback server that answers with the objects it was given, or fails in the way it was told. Not a Stripe."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import web

FIXTURES = Path(__file__).parents[2] / "fixtures"
Fault = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StandIn:
    """Keeps answers by path, a queue of faults that come first, and every request it got."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.queries: list[dict[str, str]] = []
        self.headers: list[dict[str, str]] = []

    def application(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        return app

    def put(self, path: str, answer: Any) -> None:
        self.answers[path] = answer

    def listing(self, path: str, *found: Any, has_more: bool = False) -> None:
        self.answers[path] = {"object": "list", "data": list(found), "has_more": has_more, "url": path}

    def paths(self) -> list[str]:
        return [path for _, path in self.requests]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        form = dict(await request.post())
        self.requests.append((request.method, request.path))
        self.queries.append({**request.query, **{name: str(value) for name, value in form.items()}})
        self.headers.append(dict(request.headers))
        if self.faults:
            return await self.faults.pop(0)(request)
        answer = self.answers.get(request.path)
        if callable(answer):
            answer = answer(self.queries[-1])
        if answer is None:
            return refusal(404, "resource_missing", f"No such object: {request.path}")
        return web.json_response(answer)


def refusal(status: int, code: str | None, message: str, **headers: str) -> web.Response:
    body = {"error": {"type": "invalid_request_error", "code": code, "message": message}}
    return web.json_response(body, status=status, headers={name.replace("_", "-"): v for name, v in headers.items()})


def says(status: int, body: str, *, content_type: str = "application/json", **headers: str) -> Fault:
    async def fault(_: web.Request) -> web.StreamResponse:
        spelled = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=body, content_type=content_type, headers=spelled)

    return fault


def refuses(status: int, code: str | None = None, message: str = "no") -> Fault:
    async def fault(_: web.Request) -> web.StreamResponse:
        return refusal(status, code, message)

    return fault


async def cuts_the_body(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "5000", "Content-Type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"object": "subscr')
    assert request.transport is not None
    request.transport.close()
    return response


async def closes_at_once(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def hangs(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(5)
    return web.Response()


def body_of(name: str) -> bytes:
    """Return a fixture's bytes: "invoice.paid", or "thin/unknown"."""
    folder, _, file = name.rpartition("/")
    return (FIXTURES / ("stripe-thin" if folder else "stripe-events") / f"{file}.json").read_bytes()


def object_of(name: str) -> Any:
    """Return the object inside a snapshot event."""
    return json.loads(body_of(name))["data"]["object"]


def all_names() -> list[str]:
    snapshots = sorted(path.stem for path in (FIXTURES / "stripe-events").glob("*.json"))
    return snapshots + sorted(f"thin/{path.stem}" for path in (FIXTURES / "stripe-thin").glob("*.json"))
