"""The way from a mail to the provider's own billing page: card, invoices, cancelling. We never see a card."""

from __future__ import annotations

from aiohttp import web

from membership.codes import digest
from membership.errors import Gone
from web import outcomes
from web.leaving import leave_by
from web.pages import PARTS, page
from web.parts import LinkState


def install(app: web.Application) -> None:
    """Add the routes."""
    app.router.add_get("/billing/{token}", show)
    app.router.add_post("/billing/{token}", leave_for_billing)


async def show(request: web.Request) -> web.Response:
    """Say what the button leads to. Changes nothing: mail scanners open links (threats O08)."""
    preview = await request.app[PARTS].use_cases.begin_connect(digest(request.match_info["token"]))
    if preview.state in (LinkState.UNKNOWN, LinkState.EXPIRED):
        raise Gone("link")
    return page(request, "billing.html", {"preview": preview})


async def leave_for_billing(request: web.Request) -> web.Response:
    """Open a session at the provider and send the browser there; by a link where it would not follow a form."""
    parts = request.app[PARTS]
    url = await parts.use_cases.billing(digest(request.match_info["token"]))
    notice = outcomes.Notice(title="Your billing", text=outcomes.CONTINUE_TO_BILLING, action="Continue", url=url)
    return leave_by(request, notice)
