"""The page of somebody who has connected: how far their roles are. It looks again by itself until they are there."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from web import outcomes
from web.pages import page
from web.parts import AccessState, ServerAccess

WORKING_SECONDS, WAITING_SECONDS = 2, 5


def arrival_page(request: web.Request, access: Sequence[ServerAccess], handle: str) -> web.Response:
    """Show the access that a Discord account, named by its handle, has come to."""
    shown = tuple(access)
    context = {
        "title": outcomes.headline(shown, handle),
        "handle": handle,
        "server_names": tuple(dict.fromkeys(each.server_name for each in shown)),
        "is_complete": all(each.state is AccessState.DELIVERED for each in shown),
        "access": [outcomes.words(each) for each in shown],
    }
    is_working = any(each.state is AccessState.WORKING for each in shown)
    seconds = 0 if outcomes.is_settled(shown) else WORKING_SECONDS if is_working else WAITING_SECONDS
    return page(request, "done.html", context, refresh_seconds=seconds)
