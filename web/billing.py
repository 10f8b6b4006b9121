"""The way from a mail to the provider's own billing page: card, invoices, cancelling. We never see a card."""

from __future__ import annotations

from aiohttp import web

from membership.codes import digest
from membership.errors import Gone
from web.leaving import leave_by
from web.naming import named_after
from web.outcomes import Notice, Step
from web.parts import LinkState
from web.site import Site
from web.visits import Visit


def install(site: Site) -> None:
    """Add the routes."""
    site.public.get("/billing/{token}", show)
    site.public.post("/billing/{token}", leave_for_billing)


async def show(visit: Visit) -> web.Response:
    """Say what the button leads to. Changes nothing: mail scanners open links (threats O08)."""
    preview = await visit.parts.use_cases.begin_connect(digest(visit.path("token")))
    if preview.state in (LinkState.UNKNOWN, LinkState.EXPIRED):
        raise Gone("link")
    here = await named_after(visit, preview.guild_ids)
    return here.page("billing.html", preview=preview)


async def leave_for_billing(visit: Visit) -> web.Response:
    """Open a session at the provider and send the browser there; by a link where it would not follow a form."""
    url = await visit.parts.use_cases.billing(digest(visit.path("token")))
    notice = Notice(
        title=visit.words.say("Your billing"),
        text=visit.words.say("Your card, your invoices and cancelling are at our payment provider."),
    )
    return leave_by(visit, notice, Step(label=visit.words.say("Continue"), url=url))
