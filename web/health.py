"""Whether the process lives and whether it can do its work (EXPERIENCE 7.4). For machines: JSON, no secrets."""

from __future__ import annotations

from aiohttp import hdrs, web

from web.pages import PARTS
from web.parts import Check
from web.site import Site


def install(site: Site) -> None:
    """Add the routes under both of their usual names."""
    for path in ("/health/live", "/healthz"):
        site.raw(hdrs.METH_GET, path, live)
    for path in ("/health/ready", "/readiness"):
        site.raw(hdrs.METH_GET, path, ready)


async def live(request: web.Request) -> web.Response:
    """Answer at all: the event loop turns."""
    return web.json_response({"status": "ok"})


async def ready(request: web.Request) -> web.Response:
    """Answer 200 when every part is well, 503 with what is not."""
    health = await request.app[PARTS].use_cases.health()
    if health.is_ready:
        return web.json_response({"status": "ok"})
    failing = {name: _described(check) for name, check in health.checks.items() if not check.is_ok}
    return web.json_response({"status": "degraded", "checks": failing}, status=503)


def _described(check: Check) -> dict[str, object]:
    since = {} if check.since is None else {"since": check.since.isoformat()}
    return {"ok": check.is_ok, "text": check.text} | since
