"""Registers the pages for those who set a server up: servers, set-up, plans, previews, products, settings, moves."""

from __future__ import annotations

from web.admin import holders, moves, plans, previews, products, servers, settings, setup, taking_back
from web.site import Site


def install(site: Site) -> None:
    """Register them all."""
    for each in (servers, setup, plans, previews, products, settings, moves, holders, taking_back):
        each.install(site)
