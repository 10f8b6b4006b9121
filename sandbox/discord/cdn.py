"""The local CDN: uploaded files and server pictures by their address. Files that are no pictures are downloads."""

from __future__ import annotations

from aiohttp import web

from sandbox.discord.state import State

_SHOWN_IN_PLACE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def add_cdn_routes(app: web.Application, state: State) -> None:
    """Register the two routes."""

    async def download(request: web.Request) -> web.StreamResponse:
        found = state.world.files.find(int(request.match_info["file_id"]))
        if found is None:
            raise web.HTTPNotFound
        is_picture = found.content_type in _SHOWN_IN_PLACE
        headers = {
            "Content-Type": found.content_type if is_picture else "application/octet-stream",
            "Content-Disposition": "inline" if is_picture else "attachment",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=found.content, headers=headers)

    async def icon(request: web.Request) -> web.StreamResponse:
        guild = state.world.guilds.get(int(request.match_info["guild_id"]))
        # The size that is asked for is a wish: the sandbox's pictures are as small as they get.
        if guild is None or guild.icon_hash != request.match_info["hash"]:
            raise web.HTTPNotFound
        return web.Response(body=guild.icon, content_type="image/png")

    app.router.add_get("/icons/{guild_id:\\d+}/{hash:\\w+}.png", icon)
    app.router.add_get("/attachments/{channel_id:\\d+}/{file_id:\\d+}/{name}", download)
