"""Puts a page under the name of the server that it is about: its picture, its colour, its small print."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import TypeVar

from membership.model import GuildId
from web.access_words import listed
from web.brand import BRAND, Brand, brand_of
from web.visits import Visit

V = TypeVar("V", bound=Visit)


async def named_after(visit: V, guild_ids: Collection[GuildId]) -> V:
    """Return the visit under a server's name, or under the names of several; unchanged where none is known."""
    async with visit.store.read() as tx:
        found = [guild for guild_id in sorted(set(guild_ids)) if (guild := await tx.guilds.get(guild_id)) is not None]
    brands = [brand_of(visit.services, guild) for guild in found]
    if not brands:
        return visit
    several = Brand(name=listed(visit.words, [brand.name for brand in brands]))
    visit.request[BRAND] = brands[0] if len(brands) == 1 else several
    return replace(visit, brand=visit.request[BRAND])
