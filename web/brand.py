"""In whose name a page stands: a server's name, picture, colour and small print; ours where no one server is meant."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from membership.colours import accent_of
from membership.records import Guild
from membership.services import Services

OUR_NAME = "Doorlist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """What stands at the head and the foot of a page. `accent` is "rrggbb", "" for ours; `icon_url` "" for none."""

    name: str = OUR_NAME
    icon_url: str = ""
    accent: str = ""
    support_address: str = ""
    imprint: str = ""


NEUTRAL = Brand()
BRAND = web.RequestKey("brand", Brand)
"""Whose page it is, kept with the request for the page that says what went wrong."""


def brand_of(services: Services, guild: Guild) -> Brand:
    """Return the brand of a server."""
    key = services.discord.icon_key(guild.id)
    return Brand(
        name=services.discord.guild_name(guild.id) or guild.name,
        # The picture of a server that was not let in is not served.
        icon_url=f"/icons/{guild.id}.png?v={key}" if key and guild.is_active else "",
        accent=guild.accent if accent_of(guild.accent) else "",
        support_address=guild.support_address,
        imprint=guild.imprint,
    )


async def house_brand(services: Services) -> Brand:
    """Return the brand of the one server that Doorlist works for; ours where there are several, or none yet."""
    async with services.store.read() as tx:
        active = [guild for guild in await tx.guilds.all() if guild.is_active]
    return brand_of(services, active[0]) if len(active) == 1 else NEUTRAL
