"""Sends a browser to Discord and receives it back. What happens with the identity afterwards is in connect.py.

The state is random, single-use, ten minutes old at most, and found only together with the browser's own cookie.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from aiohttp import web

from membership.errors import Blocked, Retry, UserError
from web import browser
from web.clients import FailureLimit, client_address
from web.discord_login import DiscordLogin, SignIn
from web.pages import PARTS

LOGIN = web.AppKey("discord_login", DiscordLogin)
FAILURES = web.AppKey("sign_in_failures", FailureLimit)

log = structlog.stdlib.get_logger()
_KIND = "oauth:connect"  # the purpose is part of the lookup: a state of another flow is simply not found (threats O17)
_SHORTEST_KEY = 20
_LONGEST_ANSWER = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A sign-in that came back. `signed_in` is None when it stopped; then `stopped_by` says why, in a word."""

    purchase_id: int
    back: str
    signed_in: SignIn | None = None
    stopped_by: str = ""
    text: str = ""


def install(app: web.Application) -> None:
    """Give the application its Discord client."""
    app[FAILURES] = FailureLimit("30/10minute")
    app.cleanup_ctx.append(_discord_login)


async def _discord_login(app: web.Application) -> AsyncIterator[None]:
    parts = app[PARTS]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        app[LOGIN] = DiscordLogin(session, parts.discord, parts.public_url)
        yield


async def start(request: web.Request, purchase_id: int, back: str) -> web.Response:
    """Send the browser to Discord. `back` is the path of ours to return to when it goes wrong."""
    parts = request.app[PARTS]
    known = browser.key_of(request, parts, browser.SIGN_IN)
    key = known if len(known) >= _SHORTEST_KEY else parts.randomness.token()  # two tabs share one key
    state = parts.randomness.token()
    verifier = "-".join(parts.randomness.token() for _ in range(3))[:128]  # RFC 7636 wants 43 to 128 characters
    content = {"purchase_id": purchase_id, "verifier": verifier, "back": back}
    await browser.remember(parts, f"{key}.{state}", _KIND, content)
    response = redirect(request.app[LOGIN].authorize_url(state, verifier))
    browser.set_key(response, parts, browser.SIGN_IN, key)
    return response


async def finish(request: web.Request) -> Attempt | None:
    """Receive the browser from Discord; None when it brings no state of its own. Asks Discord only for a good state."""
    attempt = await _take_state(request)
    if attempt is None:
        await count_failure(request)
        return None
    purchase_id, back = attempt["purchase_id"], attempt["back"]
    code = request.query.get("code", "")
    if not code or len(code) > _LONGEST_ANSWER:
        why = "denied" if request.query.get("error") == "access_denied" else "refused"
        text = "" if why == "denied" else "Discord sent you back without a sign-in. Please try again."
        return Attempt(purchase_id=purchase_id, back=back, stopped_by=why, text=text)
    try:
        signed_in = await request.app[LOGIN].finish(code, attempt["verifier"])
    except Retry as trouble:
        log.warning("sign_in_delayed", why=trouble.why)
        return Attempt(purchase_id=purchase_id, back=back, stopped_by="discord_down")
    except Blocked as block:
        log.error("sign_in_blocked", reason=block.reason, detail=block.detail)
        return Attempt(purchase_id=purchase_id, back=back, stopped_by="not_set_up")
    except UserError as error:
        return Attempt(purchase_id=purchase_id, back=back, stopped_by="refused", text=error.text)
    return Attempt(purchase_id=purchase_id, back=back, signed_in=signed_in)


async def count_failure(request: web.Request) -> None:
    """Count a wrong try. Raises 429 for a client with too many of them."""
    address = client_address(request, request.app[PARTS].settings.trusted_proxies)
    if not await request.app[FAILURES].count(address):
        raise web.HTTPTooManyRequests


def redirect(location: str) -> web.Response:
    """Answer 303: the browser asks for the new address with GET, and the form is not sent again."""
    return web.Response(status=303, headers={"Location": location})


async def _take_state(request: web.Request) -> Mapping[str, Any] | None:
    parts = request.app[PARTS]
    key = browser.key_of(request, parts, browser.SIGN_IN)
    state = request.query.get("state", "")
    if not key or not state or len(state) > _LONGEST_ANSWER:
        return None
    return await browser.take(parts, f"{key}.{state}", _KIND)
