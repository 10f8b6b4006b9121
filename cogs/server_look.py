"""How a server looks: its picture, its text channels, its size. Reads what the gateway shows; the picture over HTTP."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import islice

import aiohttp
import discord
from discord.abc import GuildChannel

from cogs import errors
from membership.errors import Retry
from membership.model import ChannelId, RoleId
from membership.ports import Icon

ICON_PIXELS = 64
MOST_ICON_BYTES = 64 * 1024
ICON_SECONDS = 10.0
_TYPES = {b"\x89PNG\r\n\x1a\n": "image/png", b"RIFF": "image/webp"}


def icon_key(guild: discord.Guild | None) -> str:
    """Return the hash by which Discord names the picture, "" when there is none."""
    return guild.icon.key if guild is not None and guild.icon is not None else ""


async def read_icon(guild: discord.Guild) -> Icon | None:
    """Fetch the picture from Discord's CDN, as it stands still. Raises Retry, also for what is no picture.

    Not by `Asset.read`: that takes in whatever comes, however long.
    """
    if guild.icon is None:
        return None
    address = guild.icon.replace(size=ICON_PIXELS, format="png").url
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ICON_SECONDS)) as session,
            session.get(address, allow_redirects=False) as answer,
        ):
            if answer.status == 404:
                return None
            if answer.status != 200:
                raise Retry(f"Discord did not give the server's picture ({answer.status})")
            content = await _read_at_most(answer.content, MOST_ICON_BYTES)
    except errors.TRANSPORT_ERRORS as error:
        raise errors.failure(error) from error
    return Icon(key=guild.icon.key, content=content, content_type=_type_of(content))


def text_channels(guild: discord.Guild | None) -> dict[ChannelId, str]:
    """Return the text channels that the bot sees, as people see them: under their categories, from top to bottom."""
    if guild is None:
        return {}
    return {
        ChannelId(channel.id): channel.name
        for _, channels in guild.by_category()
        for channel in channels
        if isinstance(channel, discord.TextChannel) and channel.permissions_for(guild.me).view_channel
    }


def channels_opened(guild: discord.Guild | None, roles: Collection[RoleId], limit: int) -> list[str]:
    """Return what these roles let somebody see that a member without a role does not, at most `limit` names.

    From top to bottom, as people read them: a text channel with its #.
    """
    if guild is None:
        return []
    known = [role for role in guild.roles if role.id in roles]
    opened = (
        channel
        for _, channels in guild.by_category()
        for channel in channels
        if _is_seen(channel, known) and not _is_seen(channel, ())
    )
    return [_spoken(channel) for channel in islice(opened, limit)]


def server_size(guild: discord.Guild | None) -> int:
    """Return how many are in the server, bots too, as the gateway counts them; 0 when unknown."""
    return (guild.member_count or 0) if guild is not None else 0


def _is_seen(channel: GuildChannel, roles: Sequence[discord.Role]) -> bool:
    """Add up what Discord does for a member with these roles: of overwrites of roles, one that allows is enough."""
    everyone = channel.guild.default_role
    permissions = [role.permissions for role in (everyone, *roles)]
    if any(each.administrator for each in permissions):
        return True
    answers = {channel.overwrites_for(role).view_channel for role in roles}
    if answers & {True, False}:
        return True in answers
    own = channel.overwrites_for(everyone).view_channel
    return any(each.view_channel for each in permissions) if own is None else own


def _spoken(channel: GuildChannel) -> str:
    is_spoken_in = isinstance(channel, discord.VoiceChannel | discord.StageChannel)
    return channel.name if is_spoken_in else f"#{channel.name}"


async def _read_at_most(content: aiohttp.StreamReader, limit: int) -> bytes:
    read = bytearray()
    async for portion in content.iter_chunked(limit):
        read += portion
        if len(read) > limit:
            raise Retry("the server's picture is too large")
    return bytes(read)


def _type_of(content: bytes) -> str:
    """Judge by the first bytes: what we send on to browsers must be what we say it is."""
    for beginning, content_type in _TYPES.items():
        if content.startswith(beginning):
            return content_type
    raise Retry("the server's picture is none that we know")
