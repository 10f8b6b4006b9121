"""Asks staff to prove again who they are before they change something, when the last proof is 15 minutes old.

What they sent is kept meanwhile, sealed, and goes on with one click: nothing typed is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from aiohttp import hdrs, web

from membership.browsing import SignIn
from membership.sign_ins import FRESH
from web import browser
from web.pages import PARTS

KEPT = "kept_form"
_LIFE = timedelta(minutes=30)
EXEMPT = frozenset({"/admin/sign-out"})


async def asked(request: web.Request, sign_in: SignIn) -> web.Response | None:
    """Return the way to the sign-in for a form that came too long after the last proof, None when it may go on."""
    parts = request.app[PARTS]
    is_change = request.method not in (hdrs.METH_GET, hdrs.METH_HEAD)
    if not is_change or request.path in EXEMPT or sign_in.proved_at > parts.clock.now() - FRESH:
        return None
    form = await request.post()
    fields = [[name, value] for name, value in form.items() if isinstance(value, str)]
    kept_id = parts.randomness.token()
    kept = {"path": str(request.rel_url), "fields": fields, "user_id": sign_in.user_id}
    await browser.remember(parts, kept_id, KEPT, kept, life=_LIFE)
    return web.Response(status=303, headers={hdrs.LOCATION: f"/admin/again/{kept_id}"})


async def kept(request: web.Request, kept_id: str, sign_in: SignIn) -> Mapping[str, Any] | None:
    """Return what this very person sent before, None when it is too old or somebody else's."""
    found = await browser.recall(request.app[PARTS], kept_id[:64], KEPT)
    return found if found is not None and found["user_id"] == sign_in.user_id else None
