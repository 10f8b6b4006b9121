"""The door for payment providers: check the signature on the raw bytes, store, answer after the commit. Nothing else.

What an event means is membership/intake.py's business, later. Refusals are one line in the log, however many come.
"""

from __future__ import annotations

import structlog
from aiohttp import hdrs, web

from providers.signatures import BadPayload, BadSignature
from web.clients import FailureLimit, client_address
from web.pages import PARTS
from web.site import Site

REFUSALS = web.AppKey("webhook_refusals", FailureLimit)
REFUSED_LINES = web.AppKey("webhook_refused_lines", FailureLimit)

log = structlog.stdlib.get_logger()
_WHY = web.RequestKey("webhook_refused_why", str)
_EVERYBODY = "0.0.0.0"  # noqa: S104 - a name for all clients together, nothing is bound to it


def install(site: Site) -> None:
    """Add the route."""
    site.app[REFUSALS] = FailureLimit("30/minute")
    site.app[REFUSED_LINES] = FailureLimit("60/minute")
    site.raw(hdrs.METH_POST, "/webhooks/{provider}", receive)


async def receive(request: web.Request) -> web.Response:
    """Store a provider's signed event. 200 is sent only when it is on the disk (DESIGN law 2)."""
    parts = request.app[PARTS]
    provider = parts.providers.get(request.match_info["provider"])
    if provider is None or not provider.can_receive:
        raise web.HTTPNotFound
    body = await request.read()
    try:
        events = provider.verify(request.headers, body, now=parts.clock.now())
    except BadSignature as flaw:
        return await _refuse(request, 401, flaw)
    except BadPayload as flaw:
        return await _refuse(request, 400, flaw)
    await parts.intake.accept(provider.name, events)
    return web.Response()


async def tell_refusal(request: web.Request, status: int) -> None:
    """Log a refused webhook in one line, wherever it was refused; of a flood only the beginning (threats W32)."""
    if await request.app[REFUSED_LINES].count(_EVERYBODY):
        parts = request.app[PARTS]
        provider = parts.providers.get(request.match_info.get("provider", ""))
        log.warning(
            "webhook_refused",
            provider=provider.name if provider else "unknown",
            status=status,
            why=request.get(_WHY, ""),
            address=client_address(request, parts.settings.trusted_proxies),
        )


async def _refuse(request: web.Request, status: int, flaw: Exception) -> web.Response:
    """Answer a bad request; whoever sends many gets 429. Good ones are never limited (threats W23)."""
    request[_WHY] = str(flaw)
    address = client_address(request, request.app[PARTS].settings.trusted_proxies)
    if await request.app[REFUSALS].count(address):
        return web.Response(status=status)
    return web.Response(status=429, headers={hdrs.RETRY_AFTER: "60"})
