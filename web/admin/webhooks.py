"""The inbox of provider events: how each was taken in, what it said without what is private, and once more."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from locales.catalogue import translatable
from membership import inbox_desk
from membership.errors import UserError
from membership.listing_ledgers import EventFilter
from web.admin.lists import before_of, older_url
from web.site import Site
from web.visits import StaffVisit

STATES: Mapping[str, tuple[str, str, str]] = {
    "new": ("info", "…", translatable("Waiting")),
    "done": ("ok", "✓", translatable("Processed")),
    "ignored": ("off", "·", translatable("Not needed")),
    "quarantined": ("bad", "!", translatable("Set aside")),
}
"""How an event stands: a badge's tone and sign, and its word."""


def install(site: Site) -> None:
    """Register the pages."""
    site.manager.get("/admin/{guild}/webhooks", show_events)
    site.manager.get("/admin/{guild}/webhooks/{event}", show_event)
    site.manager.post("/admin/{guild}/webhooks/{event}/again", process_again)


async def show_events(visit: StaffVisit) -> web.Response:
    """List the events that concern this server, newest first."""
    wanted = EventFilter(state=visit.query("state"), type=visit.query("type"), search=visit.query("search"))
    found = await inbox_desk.listed(visit.services, visit.actor, wanted, before=before_of(visit))
    states = [("", visit.words.say("All")), *((name, visit.words.say(word)) for name, (_, _, word) in STATES.items())]
    return visit.page(
        "admin/webhooks.html",
        lines=found.rows,
        older=older_url(visit, found),
        is_cut=found.is_cut,
        wanted=wanted,
        states=states,
        badges=_badges(visit),
    )


async def show_event(visit: StaffVisit) -> web.Response:
    """Show one event."""
    look = await inbox_desk.look(visit.services, visit.actor, visit.number("event"))
    return visit.page("admin/webhook.html", look=look, badges=_badges(visit))


async def process_again(visit: StaffVisit) -> web.Response:
    """Work an event off once more: what it points at is read at the provider now."""
    number = visit.number("event")
    back = visit.here(f"/webhooks/{number}")
    try:
        look = await inbox_desk.again(visit.services, visit.actor, number)
    except UserError as refusal:
        return await visit.go(back, say=visit.why(refusal), tone="warn")
    if look.job is None:
        return await visit.go(back, say=visit.words.say("Processed again."))
    return await visit.go(
        back, say=visit.words.say("It is being processed. Load the page again in a moment."), tone="info"
    )


def _badges(visit: StaffVisit) -> Mapping[str, tuple[str, str, str]]:
    return {name: (tone, sign, visit.words.say(word)) for name, (tone, sign, word) in STATES.items()}
