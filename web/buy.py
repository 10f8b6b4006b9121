"""The plans that can be bought, and the way to the provider's checkout. We never see a card."""

from __future__ import annotations

from itertools import groupby

from aiohttp import web

from membership.errors import Gone
from web import outcomes
from web.leaving import leave_by
from web.pages import PARTS, page
from web.parts import Offer


def install(app: web.Application) -> None:
    """Add the routes."""
    app.router.add_get("/", show_plans)
    app.router.add_get("/buy/{slug}", show_plan)
    app.router.add_post("/buy/{slug}", leave_for_checkout)


async def show_plans(request: web.Request) -> web.Response:
    """Show what is for sale, by server."""
    offers = sorted(await request.app[PARTS].use_cases.offers(), key=_by_server)
    servers = [(name, list(group)) for name, group in groupby(offers, key=_by_server)]
    return page(request, "home.html", {"servers": servers})


async def show_plan(request: web.Request) -> web.Response:
    """Show one plan with its price."""
    return page(request, "buy.html", {"offer": await _offer(request)})


async def leave_for_checkout(request: web.Request) -> web.Response:
    """Make a checkout and send the browser there; by a link where the browser would not follow a form."""
    parts = request.app[PARTS]
    offer = await _offer(request)
    url = await parts.use_cases.start_checkout(offer.slug)
    notice = outcomes.Notice(
        title=f"Buy {offer.plan_name}", text=outcomes.CONTINUE_TO_PAY, action="Continue to payment", url=url
    )
    return leave_by(request, notice)


async def _offer(request: web.Request) -> Offer:
    slug = request.match_info["slug"]
    for offer in await request.app[PARTS].use_cases.offers():
        if offer.slug == slug:
            return offer
    raise Gone("plan")


def _by_server(offer: Offer) -> str:
    return offer.server_name
