"""What every REST request goes through: faults, the ban, the token, the limits, the route, the log.

The order is Discord's as far as it can be seen from outside: the token is looked at before a bucket is touched.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from mimetypes import guess_type
from typing import Any, assert_never

from aiohttp import hdrs, web

from sandbox.discord import errors
from sandbox.discord.errors import ApiError
from sandbox.discord.faults import Answer, Fault, rate_limited
from sandbox.discord.files import Upload
from sandbox.discord.gateway import encode
from sandbox.discord.oauth import Token
from sandbox.discord.records import Exchange, RequestRecord
from sandbox.discord.rest import answers, channels, commands, guilds, members, roles
from sandbox.discord.rest.call import Call, Endpoint
from sandbox.discord.state import State

API = "/api/v10"
HANG_SECONDS = 600.0
INVALID = (401, 403, 429)
AiohttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_rest_routes(app: web.Application, state: State) -> None:
    """Register all REST routes; anything else under the API prefix is a 404 as Discord words it."""
    for endpoint in all_endpoints():
        app.router.add_route(endpoint.method, API + endpoint.template, _serve(state, endpoint))
    unknown = Endpoint(method="*", template="{tail:.*}", handler=_no_route, bucket="unknown", access="open")
    app.router.add_route("*", "/api/{tail:.*}", _serve(state, unknown))


def all_endpoints() -> list[Endpoint]:
    """Return every route, the busiest modules first: aiohttp looks through them in this order."""
    modules = (members, roles, guilds, channels, commands, answers)
    return [endpoint for module in modules for endpoint in module.routes.endpoints]


async def _no_route(call: Call) -> Answer:
    raise errors.not_found()


def _serve(state: State, endpoint: Endpoint) -> AiohttpHandler:
    async def serve(request: web.Request) -> web.StreamResponse:
        path = request.path.partition(API)[2] or request.path
        state.world.files.address = state.url(request, "")
        body, files = await read_body(request)
        call = Call(state=state, request=request, ids=request.match_info, body=body, files=files)

        async def carry_out() -> Answer:
            return await _answer(call, endpoint)

        fault = state.faults.take(request.method, path)
        answer = await apply_fault(state, fault, carry_out)
        _record(call, endpoint, path, answer, fault)
        return cut(request) if answer is None else respond(answer)

    return serve


async def apply_fault(state: State, fault: Fault | None, carry_out: Callable[[], Awaitable[Answer]]) -> Answer | None:
    """Answer a request under a fault; None means that the connection is to be cut."""
    if fault is None:
        return await carry_out()
    if fault.delay_seconds:
        await asyncio.sleep(fault.delay_seconds)
    if fault.answer is None:
        return await carry_out()
    if fault.after_effect:
        await carry_out()
    match fault.answer:
        case Answer():
            return fault.answer
        case "lie":
            return Answer()
        case "reset":
            return None
        case "hang":
            await _until_closing(state)
            return None
        case _ as never:
            assert_never(never)


async def _until_closing(state: State) -> None:
    try:
        async with asyncio.timeout(HANG_SECONDS):
            await state.is_closing.wait()
    except TimeoutError:
        return


async def _answer(call: Call, endpoint: Endpoint) -> Answer:
    buckets = call.state.buckets
    if buckets.is_banned:
        return Answer(status=429, text="error code: 1015", headers={"Content-Type": "text/plain"})
    try:
        call.token = _authenticate(call, endpoint)
        answer = await _within_limits(call, endpoint)
    except ApiError as error:
        answer = Answer(status=error.status, body=error.body)
    if answer.status in INVALID:
        buckets.count_invalid()
    return answer


def _authenticate(call: Call, endpoint: Endpoint) -> Token | None:
    """Return the token of a user, None for the bot and for open routes. Raises ApiError 401."""
    if endpoint.access == "open":
        return None
    scheme, _, secret = call.request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    if scheme == "Bot" and secret == call.world.portal.token and endpoint.access in ("bot", "both"):
        return None
    token = call.state.authorizations.token(secret) if scheme == "Bearer" else None
    if token is None or endpoint.access == "bot":
        raise errors.unauthorized()
    return token


async def _within_limits(call: Call, endpoint: Endpoint) -> Answer:
    # Interactions are outside the limits; Bearer calls count per user and never fill the bot's buckets.
    if endpoint.bucket is None or call.token is not None:
        return await _run(call, endpoint)
    verdict = call.state.buckets.take(endpoint.bucket, _major(call))
    if verdict.retry_after_seconds is not None:
        limited = rate_limited(verdict.retry_after_seconds, is_global=verdict.is_global)
        return Answer(status=429, body=limited.body, headers={**limited.headers, **verdict.headers})
    answer = await _run(call, endpoint)
    return Answer(status=answer.status, body=answer.body, headers={**verdict.headers, **answer.headers})


async def _run(call: Call, endpoint: Endpoint) -> Answer:
    try:
        return await endpoint.handler(call)
    except ApiError as error:
        return Answer(status=error.status, body=error.body)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        # A body of the wrong shape: Discord answers 400 for it, whatever the field.
        bad = errors.invalid_form("body", f"{type(error).__name__}: {error}")
        return Answer(status=bad.status, body=bad.body)


def _major(call: Call) -> str:
    for key in ("guild_id", "channel_id", "webhook_token", "webhook_id"):
        if key in call.ids:
            return call.ids[key]
    return ""


async def read_body(request: web.Request) -> tuple[Any, list[Upload]]:
    """Return the parsed body and the uploaded files; text that is no JSON stays text."""
    if not request.can_read_body:
        return None, []
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    text = await request.text()
    try:
        return json.loads(text), []
    except ValueError:
        return text, []


async def _read_multipart(request: web.Request) -> tuple[Any, list[Upload]]:
    body: Any = {}
    files: list[Upload] = []
    form = await request.post()
    for name, value in form.items():
        if isinstance(value, web.FileField):
            # The part is called files[3] where payload_json speaks of the attachment 3.
            number = int(name.removeprefix("files[").removesuffix("]")) if name.startswith("files[") else len(files)
            kind = guess_type(value.filename)[0] or value.content_type
            files.append(Upload(filename=value.filename, content=value.file.read(), content_type=kind, number=number))
        elif name == "payload_json" and isinstance(value, str):
            body = json.loads(value)
    return body, files


def respond(answer: Answer) -> web.Response:
    """Return the HTTP answer. JSON has exactly the content type that Discord sends: discord.py compares it."""
    headers = dict(answer.headers)
    if answer.text is not None:
        headers.setdefault("Content-Type", "application/json")
        return web.Response(status=answer.status, body=answer.text.encode(), headers=headers)
    if answer.body is None:
        return web.Response(status=answer.status, headers=headers)
    headers["Content-Type"] = "application/json"
    return web.Response(status=answer.status, body=encode(answer.body).encode(), headers=headers)


def cut(request: web.Request) -> web.Response:
    """Cut the connection without an answer."""
    if request.transport:
        request.transport.abort()
    return web.Response(status=500)


def _record(call: Call, endpoint: Endpoint, path: str, answer: Answer | None, fault: Fault | None) -> None:
    records, request = call.state.records, call.request
    status = answer.status if answer else 0
    headers = {key: value for key, value in request.headers.items() if key != hdrs.AUTHORIZATION}
    records.counts[endpoint.method, endpoint.template] += 1
    records.requests.append(
        RequestRecord(
            method=request.method,
            path=path,
            status=status,
            body=call.body,
            headers=headers,
            at=call.world.clock.now(),
        )
    )
    if records.keeps_exchanges:
        records.exchanges.append(
            Exchange(
                method=request.method,
                template=endpoint.template,
                request=call.body,
                status=status,
                response=answer.body if answer else None,
                is_faulty=fault is not None and fault.answer is not None,
            )
        )
