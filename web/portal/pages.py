"""Installs the customers' pages. What each does is in the module that bears its name."""

from __future__ import annotations

from web.portal import billing, choices, data, discord, home
from web.site import Site


def install(site: Site) -> None:
    """Register all of them."""
    home.install(site)
    discord.install(site)
    billing.install(site)
    choices.install(site)
    data.install(site)
