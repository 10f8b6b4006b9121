"""The HTTP face of the API, around the routes: keys, versions, parameters, idempotency, faults and the log."""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import parse_qsl

from aiohttp import web

from sandbox.stripe import forms, listing, versions
from sandbox.stripe.actions import Call
from sandbox.stripe.errors import Refusal
from sandbox.stripe.faults import Fault, Faults, Line, RequestLog
from sandbox.stripe.forms import Params
from sandbox.stripe.keys import Key, Keyring, forbidden
from sandbox.stripe.routes import Route, find_route, template_of
from sandbox.stripe.settings import PINNED_VERSION
from sandbox.stripe.shapes import Object
from sandbox.stripe.timeline import Timeline
from sandbox.stripe.world import World

_MAX_IDEMPOTENT = 10_000


@dataclass(frozen=True, slots=True)
class Reply:
    """A finished answer."""

    status: int
    body: Object
    headers: dict[str, str]


class Api:
    """Answers everything under /v1."""

    def __init__(self, world: World, timeline: Timeline, keys: Keyring) -> None:
        """Serve `world` to the holders of `keys`."""
        self.faults = Faults()
        self.requests = RequestLog()
        self.closing = asyncio.Event()
        self._world = world
        self._timeline = timeline
        self._keys = keys
        self._remembered: OrderedDict[str, tuple[str, Reply]] = OrderedDict()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, truly or as a fault has it."""
        path = "/v1/" + request.match_info["path"].rstrip("/")
        fault = self.faults.take(request.method, path)
        status = 0
        try:
            response = await self._serve(request, path, fault)
            status = response.status
        finally:
            line = Line(
                method=request.method, path=path, query=request.query_string, status=status, at=self._world.wall_time()
            )
            self.requests.note(line, template_of(request.method, path))
        return response

    async def _serve(self, request: web.Request, path: str, fault: Fault | None) -> web.StreamResponse:
        if fault and fault.answer in ("hang", "delay"):
            await self._wait(fault.seconds)
        if fault and fault.answer in ("hang", "reset"):
            return _reset(request)
        if fault and fault.answer == "status":
            text, kind = fault.body, "application/json"
            return web.Response(status=fault.status, text=text, headers=fault.headers, content_type=kind)
        if fault and fault.answer == "garbage":
            return web.Response(text="<html><body>upstream says hello</body></html>", content_type="text/html")
        raw = await request.read()
        reply = self._reply(request, path, raw)
        if fault and fault.answer in ("empty", "half"):
            reply = Reply(reply.status, _cut(reply.body, keep_half=fault.answer == "half"), reply.headers)
        text = json.dumps(reply.body)
        if fault and fault.answer == "truncated":
            return await _truncated(request, text)
        return web.Response(status=reply.status, text=text, headers=reply.headers, content_type="application/json")

    def _reply(self, request: web.Request, path: str, raw: bytes) -> Reply:
        """Return the true answer. The request id and the version stand in the headers, as with Stripe."""
        request_id = self._world.new_id("req_", 14)
        headers = {"Request-Id": request_id}
        try:
            key = self._keys.identify(request.headers.get("Authorization", ""))
            self._check_account(request)
            version = versions.check_version(request.headers.get("Stripe-Version", self._world.settings.api_version))
            headers["Stripe-Version"] = version
            idempotency_key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
            self._world.request = {"id": request_id, "idempotency_key": idempotency_key}
            fingerprint = f"{request.method} {path}?{request.query_string}&{raw.decode('utf-8', 'replace')}"
            if idempotency_key and idempotency_key in self._remembered:
                return self._replayed(idempotency_key, fingerprint)
            reply = self._answer(request.method, path, _params(request, raw), key, version)
            reply.headers.update(headers)
            if idempotency_key:
                self._remember(idempotency_key, fingerprint, reply)
        except Refusal as refusal:
            return Reply(refusal.status, refusal.body, {**headers, **refusal.headers})
        finally:
            self._world.request = {"id": None, "idempotency_key": None}
        return reply

    def _answer(self, method: str, path: str, params: Params, key: Key, version: str) -> Reply:
        found = find_route(method, path)
        if found is None:
            message = f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs."
            raise Refusal(404, message)
        route, ids = found
        if not key.allows(method, route.scope):
            raise forbidden(key, method, route.scope)
        if key.is_live is not self._world.livemode:
            return _other_mode(route, ids, path)
        if route.parameters:
            forms.check_names(route.parameters, params, is_current=version >= PINNED_VERSION)
        try:
            document = route.action(Call(world=self._world, timeline=self._timeline, path=path, ids=ids, params=params))
        except Refusal as refusal:
            # A refused payment is remembered under its key too.
            return Reply(refusal.status, refusal.body, dict(refusal.headers))
        finally:
            self._timeline.play(self._world.now())
        shown = listing.expanded(self._world, document, forms.sequence(params, "expand"))
        return Reply(200, versions.render(self._world, shown, version), {})

    def _check_account(self, request: web.Request) -> None:
        account = self._world.rows("account")[0]["id"]
        wanted = request.headers.get("Stripe-Account", account)
        if wanted != account:
            message = f"The provided key does not have access to account '{wanted}' (or that account does not exist)."
            raise Refusal(403, message, code="account_invalid")

    def _replayed(self, idempotency_key: str, fingerprint: str) -> Reply:
        seen, reply = self._remembered[idempotency_key]
        if seen != fingerprint:
            raise Refusal(
                400,
                "Keys for idempotent requests can only be used with the same parameters they were first used with. Try"
                f" using a key other than '{idempotency_key}' if you meant to execute a different request.",
                kind="idempotency_error",
            )
        return Reply(reply.status, reply.body, {**reply.headers, "Idempotent-Replayed": "true"})

    def _remember(self, idempotency_key: str, fingerprint: str, reply: Reply) -> None:
        frozen: Object = json.loads(json.dumps(reply.body))
        self._remembered[idempotency_key] = (fingerprint, Reply(reply.status, frozen, reply.headers))
        if len(self._remembered) > _MAX_IDEMPOTENT:
            self._remembered.popitem(last=False)

    async def _wait(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self.closing.wait()
        except TimeoutError:
            return


def _params(request: web.Request, raw: bytes) -> Params:
    if request.method == "POST" and raw and request.content_type != "application/x-www-form-urlencoded":
        raise Refusal(400, "Invalid request (check that your POST content type is application/x-www-form-urlencoded).")
    pairs = parse_qsl(request.query_string, keep_blank_values=True)
    if request.method == "POST":
        pairs += parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
    return forms.decode(pairs)


def _other_mode(route: Route, ids: tuple[str, ...], path: str) -> Reply:
    """Show what a test key sees of live objects: empty lists, and 404s that say so."""
    if route.method == "GET" and not ids:
        return Reply(200, listing.whole([], url=path), {})
    message = f"No such object: '{ids[0] if ids else path}'; a similar object exists in the other mode, but this key is"
    message += " not for that mode."
    raise Refusal(404, message, code="resource_missing", param="id")


def _cut(body: Object, *, keep_half: bool) -> Object:
    if body.get("object") != "list":
        return body
    kept = body["data"][: len(body["data"]) // 2] if keep_half else []
    return {**body, "data": kept, "has_more": False}


def _reset(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


async def _truncated(request: web.Request, text: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": str(len(text.encode()))})
    response.content_type = "application/json"
    await response.prepare(request)
    await response.write(text.encode()[: max(1, len(text) // 2)])
    if request.transport is not None:
        request.transport.close()
    return response
