"""Puts the web application together from its parts. What a page does is in the module that bears its name."""

from __future__ import annotations

import gzip

from aiohttp import hdrs, web

from web import (
    billing,
    connect,
    customer_sign_in,
    health,
    icons,
    language,
    pages,
    shop,
    sign_in,
    staff_sign_in,
    unsubscribe,
    verify,
    webhooks,
    welcome,
)
from web.admin import mail, managing, operating, people
from web.middleware import LARGEST_BODY, answer_failures, guard, observe, security_headers
from web.pages import PARTS, STYLESHEET_PATH
from web.parts import Parts
from web.portal import pages as portal_pages
from web.site import Site

_FOR_EVER = "public, max-age=31536000, immutable"


def build_app(parts: Parts) -> web.Application:
    """Return the application; nothing is opened before it starts."""
    app = web.Application(middlewares=[observe, answer_failures, guard], client_max_size=LARGEST_BODY)
    app[PARTS] = parts
    app.on_response_prepare.append(security_headers(parts))
    pages.install(app, parts)
    _install_site(Site(app))
    return app


def _install_site(site: Site) -> None:
    site.raw(hdrs.METH_GET, STYLESHEET_PATH, stylesheet)
    health.install(site)
    webhooks.install(site)
    sign_in.install(site)
    language.install(site)
    icons.install(site)
    shop.install(site)
    billing.install(site)
    welcome.install(site)
    connect.install(site)
    verify.install(site)
    customer_sign_in.install(site)
    portal_pages.install(site)
    staff_sign_in.install(site)
    unsubscribe.install(site)
    managing.install(site)
    operating.install(site)
    mail.install(site)
    people.install(site)


async def stylesheet(request: web.Request) -> web.Response:
    """Serve the one stylesheet in the accent that is asked for; its address changes with its content."""
    packed = pages.stylesheet(request.query.get("accent", "")[:6])
    headers = {
        hdrs.CACHE_CONTROL: _FOR_EVER,
        hdrs.CONTENT_TYPE: "text/css; charset=utf-8",
        hdrs.VARY: "Accept-Encoding",
    }
    if "gzip" not in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
        return web.Response(body=gzip.decompress(packed), headers=headers)
    return web.Response(body=packed, headers={**headers, hdrs.CONTENT_ENCODING: "gzip"})
