"""What every request passes: limits before reading, the cross-site guard, error pages, headers, the access log.

Handlers raise; here failures become answers, bugs among them: for pages this is the only place that catches broadly.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import structlog
from aiohttp import hdrs, web

from locales.catalogue import translatable
from membership.errors import Blocked, Gone, Retry, UserError
from web.pages import PARTS, page
from web.parts import Parts
from web.speaking import words_of
from web.webhooks import tell_refusal

LARGEST_BODY = 1024 * 1024
BODY_SECONDS = 5.0
RETRY_SECONDS = 30

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
log = structlog.stdlib.get_logger()

_NONE: Mapping[str, str] = {}
_SAFE_METHODS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
_FORM = "application/x-www-form-urlencoded"
_WEBHOOKS = "/webhooks/"
_STATIC = "/static/"
_POLICY = "Content-Security-Policy"
ONE_CLICK = "/mail/unsubscribe/"
"""Where mail programs send the one POST of RFC 8058: from no page of ours, proven by the secret in its address."""
_KEPT = (_STATIC, "/icons/")  # addresses that change with what they serve
_QUIET = (_WEBHOOKS, _STATIC, "/health", "/readiness")  # asked all the time; their failures log a line of their own
_TITLES = {
    400: translatable("That did not work"),
    403: translatable("Not from here"),
    404: translatable("Nothing here"),
    405: translatable("That is not possible here"),
    408: translatable("That took too long"),
    410: translatable("No longer here"),
    413: translatable("That is too large"),
    415: translatable("That is not something we read"),
    429: translatable("Please wait a little"),
    503: translatable("Back in a moment"),
}
_SOMETHING_WRONG = translatable("Something went wrong")
_TEXTS = {
    403: translatable(
        "This request came from another website, or your browser did not say where it came from. "
        "Open the page again and press the button there. If that does not help, please use a newer browser."
    ),
    404: translatable("This page does not exist. If you followed a link from a mail, check that it was copied whole."),
    405: translatable("Please go back and use the buttons on the page."),
    408: translatable("Your browser did not send everything in time. Please try again."),
    429: translatable("There were too many failed tries from your connection. Please wait some minutes."),
    503: translatable(
        "Something we depend on is not answering. Nothing is lost, and nothing was charged. Please try again."
    ),
}
_NOTHING_CHANGED = translatable("Nothing was changed. Please try again.")


@web.middleware
async def observe(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log what was served: the route, never the address, which may hold a token; never a query (threats O11)."""
    started = time.perf_counter()
    response = await handler(request)
    if request.path.startswith(_WEBHOOKS) and 400 <= response.status < 500:
        await tell_refusal(request, response.status)
    elif response.status >= 400 or not request.path.startswith(_QUIET):
        resource = request.match_info.route.resource
        log.info(
            "page_served",
            method=request.method if len(request.method) <= 16 else "?",
            route=resource.canonical if resource is not None else "none",
            status=response.status,
            milliseconds=round(1000 * (time.perf_counter() - started)),
        )
    return response


@web.middleware
async def answer_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn whatever a handler raises into an answer that says what to do next, and nothing about our insides."""
    try:
        return await handler(request)
    except web.HTTPException as refusal:
        if refusal.status < 400:
            raise
        allowed = {str(hdrs.ALLOW): refusal.headers[hdrs.ALLOW]} if hdrs.ALLOW in refusal.headers else {}
        return _failure(request, refusal.status, headers=allowed)
    except UserError as error:
        return _failure(request, 400, text=words_of(request).unfilled(error.text))
    except Gone:
        return _failure(request, 404)
    except Retry as trouble:
        reference = _reference(request)
        log.warning("page_delayed", why=trouble.why, reference=reference)
        seconds = math.ceil(trouble.after.total_seconds()) if trouble.after else RETRY_SECONDS
        return _failure(request, 503, reference=reference, headers={hdrs.RETRY_AFTER: str(max(1, seconds))})
    except Blocked as block:
        reference = _reference(request)
        log.error(
            "page_blocked", reason=block.reason, audience=block.audience, detail=block.detail, reference=reference
        )
        return _failure(request, 503, reference=reference, headers={hdrs.RETRY_AFTER: str(RETRY_SECONDS)})
    except Exception:  # a bug: loud in the log, silent to the visitor
        reference = _reference(request)
        log.exception("page_failed", reference=reference)
        return _failure(request, 500, reference=reference)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what no browser or provider of ours sends, and read the body within bounds, before any handler runs."""
    if request.method not in _SAFE_METHODS:
        await _check_body(request)
        if not request.path.startswith((_WEBHOOKS, ONE_CLICK)):
            _check_origin(request, request.app[PARTS])
    return await handler(request)


async def _check_body(request: web.Request) -> None:
    """Bound size and time. The body is kept on the request: `read` and `post` find it there."""
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower() != "identity":
        raise web.HTTPUnsupportedMediaType
    if (request.content_length or 0) > LARGEST_BODY:
        raise web.HTTPRequestEntityTooLarge(max_size=LARGEST_BODY, actual_size=request.content_length or 0)
    # RFC 8058 lets a mail program send a form of either kind; what stands in it is not read.
    reads_form = not request.path.startswith((_WEBHOOKS, ONE_CLICK))
    if request.body_exists and reads_form and request.content_type != _FORM:
        raise web.HTTPUnsupportedMediaType
    try:
        async with asyncio.timeout(BODY_SECONDS):
            await request.read()
    except TimeoutError:
        raise web.HTTPRequestTimeout from None
    except web.RequestPayloadError:
        raise web.HTTPBadRequest from None


def _check_origin(request: web.Request, parts: Parts) -> None:
    """Refuse a form that another site sent (threats T05).

    Browsers say so in Sec-Fetch-Site, which a page cannot forge; those that do not send it send Origin.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        is_ours = site == "same-origin"
    else:
        is_ours = request.headers.get(hdrs.ORIGIN, "").lower() == parts.public_url.lower()
    if not is_ours:
        raise web.HTTPForbidden


def _reference(request: web.Request) -> str:
    """Return what a visitor can name, and staff can find in the log."""
    return request.app[PARTS].randomness.token()[-8:]


def _failure(
    request: web.Request, status: int, *, text: str = "", reference: str = "", headers: Mapping[str, str] = _NONE
) -> web.Response:
    """Make the answer: a page for people, the bare status for providers."""
    if request.path.startswith(_WEBHOOKS):
        response = web.Response(status=status)
    else:
        words = words_of(request)
        title, standard = _TITLES.get(status, _SOMETHING_WRONG), _TEXTS.get(status, _NOTHING_CHANGED)
        context: dict[str, object] = {
            "title": words.say(title),
            "text": text or words.say(standard),
            "reference": reference,
            "way_back": "/admin" if request.path.startswith("/admin") else "/",
        }
        response = page(request, "error.html", context, status=status)
    response.headers.update(headers)
    if status in (408, 413, 415):
        response.force_close()  # the rest of the body is still on its way, and nobody will read it
    return response


def security_headers(parts: Parts) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return the signal that puts the headers of EXPERIENCE 3.1 on every answer."""
    headers = _headers(parts)

    async def put(request: web.Request, response: web.StreamResponse) -> None:
        own_policy = response.headers.get(_POLICY)
        response.headers.update(headers)
        if own_policy is not None:  # what shows a mail is stricter than a page, and lets its styles be
            response.headers[_POLICY] = own_policy
        if not request.path.startswith(_KEPT) or response.status != 200:
            response.headers[hdrs.CACHE_CONTROL] = "no-store"

    return put


def _headers(parts: Parts) -> Mapping[str, str]:
    # Browsers apply form-action to where a form is redirected as well, so both places we send people to are named.
    targets = " ".join(("'self'", _origin(parts.discord.site_url), *map(_origin, parts.checkout_origins)))
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {targets}"
    )
    headers = {
        _POLICY: policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Referrer-Policy": "no-referrer",
        "Server": "doorlist",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if parts.public_url.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def _origin(url: str) -> str:
    split = urlsplit(url)
    return f"{split.scheme}://{split.netloc}"
