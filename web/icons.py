"""The pictures of servers, served by us: no page of ours loads anything from elsewhere. Kept in memory, a few hundred.

The address carries the picture's key, so that browsers may keep it for ever.
"""

from __future__ import annotations

from collections import OrderedDict

from aiohttp import hdrs, web

from membership.errors import Gone, Retry
from membership.model import GuildId
from membership.ports import Icon
from membership.services import Services
from web.numbers import number_in
from web.pages import PARTS
from web.site import Site

MOST_KEPT = 256
"""At most 64 KiB each."""

_FOR_EVER = "public, max-age=31536000, immutable"
_TYPES = ("image/png", "image/webp", "image/jpeg", "image/gif")


class Icons:
    """The pictures that were read lately."""

    def __init__(self) -> None:
        """Start with none."""
        self._kept: OrderedDict[tuple[GuildId, str], Icon] = OrderedDict()

    async def of(self, services: Services, guild_id: GuildId, key: str) -> Icon:
        """Return the picture that a server has under this key. Raises Gone for another, and for none."""
        known = self._kept.get((guild_id, key))
        if known is not None:
            self._kept.move_to_end((guild_id, key))
            return known
        if not key or services.discord.icon_key(guild_id) != key:
            raise Gone("icon")
        found = await services.discord.icon(guild_id)
        if found is None or found.key != key or found.content_type not in _TYPES:
            raise Gone("icon")
        self._kept[guild_id, key] = found
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return found


ICONS = web.AppKey("icons", Icons)


def install(site: Site) -> None:
    """Add the route."""
    site.app[ICONS] = Icons()
    site.raw(hdrs.METH_GET, "/icons/{guild}.png", show_icon)


async def show_icon(request: web.Request) -> web.Response:
    """Show the picture of a server that Doorlist works for."""
    services, number = request.app[PARTS].services, number_in(request.match_info["guild"])
    if number is None:
        raise Gone("icon")
    guild_id = GuildId(number)
    async with services.store.read() as tx:
        guild = await tx.guilds.get(guild_id)
    if guild is None or not guild.is_active:
        raise Gone("icon")
    try:
        icon = await request.app[ICONS].of(services, guild_id, request.query.get("v", ""))
    except Retry as trouble:
        raise Gone("icon") from trouble  # a page without its picture is whole: nobody needs an error for it
    return web.Response(body=icon.content, content_type=icon.content_type, headers={hdrs.CACHE_CONTROL: _FOR_EVER})
