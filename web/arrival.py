"""The page of somebody who has connected: how far their roles are. It looks again by itself until they are there."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from web import access_words
from web.naming import named_after
from web.parts import AccessState, Delay, ServerAccess
from web.visits import Visit

WORKING_SECONDS, WAITING_SECONDS = 2, 5


async def arrival_page(visit: Visit, access: Sequence[ServerAccess], handle: str) -> web.Response:
    """Show the access that a Discord account, named by its handle, has come to."""
    here = await named_after(visit, [each.guild_id for each in access if each.guild_id is not None])
    return here.page(
        "done.html",
        refresh_seconds=looks_again_in(access),
        title=access_words.headline(visit.words, access, handle),
        handle=handle,
        server_names=tuple(dict.fromkeys(each.server_name for each in access)),
        is_complete=all(each.state is AccessState.DELIVERED for each in access),
        access=[access_words.described(visit.words, each, contact=here.brand.support_address) for each in access],
    )


def looks_again_in(access: Sequence[ServerAccess]) -> int:
    """Return the seconds until there may be something new to see, 0 for never: soon only while nothing hinders us."""
    if access_words.is_settled(access):
        return 0
    is_quick = any(each.state is AccessState.WORKING and each.delay is Delay.NONE for each in access)
    return WORKING_SECONDS if is_quick or not access else WAITING_SECONDS
