"""Sends a browser to Discord and receives it back. What happens with the identity is up to the flow: connect, verify.

The state is random, single-use, ten minutes old at most, and found only together with the browser's own cookie. There
is one way back; which flow began is kept with the state on our side, so that no flow can finish another's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import structlog
from aiohttp import hdrs, web

from membership.errors import Blocked, Retry, UserError
from web import browser, outcomes
from web.clients import FailureLimit, client_address
from web.discord_login import CALLBACK_PATH, TO_CONNECT, Consent, DiscordLogin, SignIn
from web.pages import PARTS, page
from web.site import Site
from web.speaking import words_of

LOGIN = web.AppKey("discord_login", DiscordLogin)
FAILURES = web.AppKey("sign_in_failures", FailureLimit)

log = structlog.stdlib.get_logger()
_SHORTEST_KEY = 20
_LONGEST_ANSWER = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A sign-in that came back. `content` is what its flow gave along.

    `signed_in` is None when it stopped; then `stopped_by` says why, in a word.
    """

    content: Mapping[str, Any]
    back: str
    signed_in: SignIn | None = None
    stopped_by: str = ""
    text: str = ""


Flow = Callable[[web.Request, Attempt], Awaitable[web.Response]]
FLOWS = web.AppKey("sign_in_flows", dict[str, Flow])


def install(site: Site) -> None:
    """Give the application its Discord client and the way back from Discord."""
    site.app[FAILURES] = FailureLimit("30/10minute")
    site.app[FLOWS] = {}
    site.app.cleanup_ctx.append(_discord_login)
    site.raw(hdrs.METH_GET, CALLBACK_PATH, come_back)


def add_flow(app: web.Application, purpose: str, flow: Flow) -> None:
    """Let a flow receive the browsers that it sent away with `start`."""
    app[FLOWS][purpose] = flow


async def _discord_login(app: web.Application) -> AsyncIterator[None]:
    parts = app[PARTS]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        app[LOGIN] = DiscordLogin(session, parts.discord, parts.public_url)
        yield


async def start(
    request: web.Request, purpose: str, content: Mapping[str, object], back: str, *, consent: Consent = TO_CONNECT
) -> web.Response:
    """Send the browser to Discord. `back` is the path of ours to return to when it goes wrong."""
    parts = request.app[PARTS]
    known = browser.key_of(request, parts, browser.SIGN_IN)
    key = known if len(known) >= _SHORTEST_KEY else parts.randomness.token()  # two tabs share one key
    state = parts.randomness.token()
    verifier = "-".join(parts.randomness.token() for _ in range(3))[:128]  # RFC 7636 wants 43 to 128 characters
    kept = {"content": dict(content), "verifier": verifier, "back": back}
    await browser.remember(parts, f"{key}.{state}", _kind(purpose), kept)
    response = redirect(request.app[LOGIN].authorize_url(state, verifier, consent))
    browser.set_key(response, parts, browser.SIGN_IN, key)
    return response


async def come_back(request: web.Request) -> web.Response:
    """Receive the browser from Discord and hand it to the flow that sent it."""
    for purpose, flow in request.app[FLOWS].items():
        kept = await _take_state(request, purpose)
        if kept is not None:
            return await flow(request, await _finish(request, kept))
    await count_failure(request)
    notice = outcomes.sign_in_too_old(words_of(request))
    return page(request, "notice.html", {"notice": notice}, status=notice.status)


async def _finish(request: web.Request, kept: Mapping[str, Any]) -> Attempt:
    """Ask Discord who signed in; only ever for a good state."""
    content, back = kept["content"], kept["back"]
    code = request.query.get("code", "")
    if not code or len(code) > _LONGEST_ANSWER:
        why = "denied" if request.query.get("error") == "access_denied" else "refused"
        return Attempt(content=content, back=back, stopped_by=why)
    try:
        signed_in = await request.app[LOGIN].finish(code, kept["verifier"])
    except Retry as trouble:
        log.warning("sign_in_delayed", why=trouble.why)
        return Attempt(content=content, back=back, stopped_by="discord_down")
    except Blocked as block:
        log.error("sign_in_blocked", reason=block.reason, detail=block.detail)
        return Attempt(content=content, back=back, stopped_by="not_set_up")
    except UserError as error:
        return Attempt(content=content, back=back, stopped_by="refused", text=error.text)
    return Attempt(content=content, back=back, signed_in=signed_in)


async def count_failure(request: web.Request) -> None:
    """Count a wrong try. Raises 429 for a client with too many of them."""
    address = client_address(request, request.app[PARTS].settings.trusted_proxies)
    if not await request.app[FAILURES].count(address):
        raise web.HTTPTooManyRequests


def redirect(location: str) -> web.Response:
    """Answer 303: the browser asks for the new address with GET, and the form is not sent again."""
    return web.Response(status=303, headers={"Location": location})


def _kind(purpose: str) -> str:
    """Name the sessions of a flow: a state of another flow is simply not found (threats O17)."""
    return f"oauth:{purpose}"


async def _take_state(request: web.Request, purpose: str) -> Mapping[str, Any] | None:
    parts = request.app[PARTS]
    key = browser.key_of(request, parts, browser.SIGN_IN)
    state = request.query.get("state", "")
    if not key or not state or len(state) > _LONGEST_ANSWER:
        return None
    return await browser.take(parts, f"{key}.{state}", _kind(purpose))
