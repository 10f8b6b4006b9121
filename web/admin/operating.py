"""The pages on which staff see how a server runs and put things right; each registers its own."""

from __future__ import annotations

from web.admin import audit, brake, codes, doctor, events, notifications, overview, problems, reports, runs, webhooks
from web.site import Site


def install(site: Site) -> None:
    """Register the pages."""
    for each in (overview, problems, brake, events, runs, webhooks, notifications, doctor, audit, reports, codes):
        each.install(site)
