"""The link below a reminder: a page with a button for people, and one bare POST for mail programs (RFC 8058).

The POST comes from a mail provider's machines, without cookies and from no page: the secret in the address is all the
proof there is, so the guard against other sites lets it through (middleware.py).
"""

from __future__ import annotations

from aiohttp import web

from membership import unsubscribing
from web.middleware import ONE_CLICK
from web.site import Site
from web.visits import Visit


def install(site: Site) -> None:
    """Add the pages."""
    site.public.get(ONE_CLICK + "{token}", show)
    site.public.post(ONE_CLICK + "{token}", stop)
    site.public.post("/mail/resubscribe/{token}", go_on)


async def show(visit: Visit) -> web.Response:
    """Say how it stands and show the button. Changes nothing: mail scanners open links (threats O08)."""
    return await _page(visit)


async def stop(visit: Visit) -> web.Response:
    """Switch reminders off. Answered with a page at once: mail programs follow no redirect."""
    await unsubscribing.choose(visit.services, visit.path("token"), are_wanted=False)
    return await _page(visit)


async def go_on(visit: Visit) -> web.Response:
    """Switch reminders on again."""
    await unsubscribing.choose(visit.services, visit.path("token"), are_wanted=True)
    return await visit.go(ONE_CLICK + visit.path("token"), say=visit.words.say("Reminders are on again."))


async def _page(visit: Visit) -> web.Response:
    are_wanted = await unsubscribing.are_wanted(visit.services, visit.path("token"))
    return visit.page("unsubscribe.html", token=visit.path("token"), are_wanted=are_wanted)
