"""Puts the web application together from its parts. What a page does is in the module that bears its name."""

from __future__ import annotations

from aiohttp import web

from web import billing, buy, connect, health, pages, sign_in, verify, webhooks, welcome
from web.middleware import LARGEST_BODY, answer_failures, guard, observe, security_headers
from web.pages import PARTS, STATIC
from web.parts import Parts

_FOR_EVER = "public, max-age=31536000, immutable"


def build_app(parts: Parts) -> web.Application:
    """Return the application; nothing is opened before it starts."""
    app = web.Application(middlewares=[observe, answer_failures, guard], client_max_size=LARGEST_BODY)
    app[PARTS] = parts
    app.on_response_prepare.append(security_headers(parts))
    pages.install(app, parts)
    sign_in.install(app)
    webhooks.install(app)
    health.install(app)
    buy.install(app)
    billing.install(app)
    welcome.install(app)
    connect.install(app)
    verify.install(app)
    app.router.add_get("/static/doorlist.css", stylesheet)
    return app


async def stylesheet(request: web.Request) -> web.FileResponse:
    """Serve the one stylesheet; its address changes with its content."""
    return web.FileResponse(STATIC / "doorlist.css", headers={"Cache-Control": _FOR_EVER})
