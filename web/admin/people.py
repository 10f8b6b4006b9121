"""Registers the pages about members and their orders."""

from __future__ import annotations

from web.admin import member, member_acts, members, order_acts, orders
from web.site import Site


def install(site: Site) -> None:
    """Register them."""
    members.install(site)
    orders.install(site)
    order_acts.install(site)
    member.install(site)
    member_acts.install(site)
