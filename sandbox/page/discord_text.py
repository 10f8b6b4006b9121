"""Discord's markup as safe HTML: mentions, moments, bold and code. Everything else is escaped text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from sandbox.discord.world import Guild, World

_TOKEN = re.compile(
    r"<@&(?P<role>\d+)>|<@!?(?P<user>\d+)>|<#(?P<channel>\d+)>|<t:(?P<moment>-?\d{1,11})(?::(?P<style>\w))?>"
    r"|\*\*(?P<bold>[^*]+)\*\*|`(?P<code>[^`]+)`|\\(?P<escaped>[^\w\s])|(?P<newline>\n)"
)
_STYLES = {"t": "%H:%M", "d": "%d %b %Y", "D": "%d %b %Y", "f": "%d %b %Y %H:%M", "F": "%a %d %b %Y %H:%M"}


def to_html(text: str, world: World, guild: Guild) -> Markup:
    """Return a message's text as HTML."""
    parts: list[Markup] = []
    position = 0
    for found in _TOKEN.finditer(text):
        parts += [escape(text[position : found.start()]), _shown(found, world, guild)]
        position = found.end()
    return Markup("").join([*parts, escape(text[position:])])


def distance(moment: datetime, now: datetime) -> str:
    """Say how far away a moment is: "in 12 days", "3 hours ago"."""
    gap = abs(moment - now)
    for unit, name in _UNITS:
        if gap >= unit:
            count = round(gap / unit)
            words = f"{count} {name}{'' if count == 1 else 's'}"
            return f"in {words}" if moment > now else f"{words} ago"
    return "now"


def _shown(found: re.Match[str], world: World, guild: Guild) -> Markup:
    kind = found.lastgroup if found.lastgroup != "style" else "moment"
    return _SHOWN[kind or "newline"](found, world, guild)


def _role(found: re.Match[str], _: World, guild: Guild) -> Markup:
    role = guild.roles.get(int(found["role"]))
    return Markup('<span class="mention">@{}</span>').format(role.name if role else "deleted-role")


def _user(found: re.Match[str], world: World, _: Guild) -> Markup:
    user = world.users.get(int(found["user"]))
    return Markup('<span class="mention">@{}</span>').format(user.username if user else "unknown-user")


def _channel(found: re.Match[str], world: World, _: Guild) -> Markup:
    channel = world.channels.get(int(found["channel"]))
    return Markup('<span class="mention">#{}</span>').format((channel and channel.name) or "unknown")


def _moment(found: re.Match[str], world: World, _: Guild) -> Markup:
    try:
        moment = datetime.fromtimestamp(int(found["moment"]), UTC)
    except (OverflowError, ValueError, OSError):
        return escape(found[0])
    style = found["style"] or "f"
    text = distance(moment, world.clock.now()) if style == "R" else moment.strftime(_STYLES.get(style, _STYLES["f"]))
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), text)


_SHOWN: dict[str, Callable[[re.Match[str], World, Guild], Markup]] = {
    "role": _role,
    "user": _user,
    "channel": _channel,
    "moment": _moment,
    "bold": lambda found, world, guild: Markup("<strong>{}</strong>").format(to_html(found["bold"], world, guild)),
    "code": lambda found, *_: Markup("<code>{}</code>").format(found["code"]),
    "escaped": lambda found, *_: escape(found["escaped"]),
    "newline": lambda *_: Markup("<br>"),
}
_UNITS = (
    (timedelta(days=365), "year"),
    (timedelta(days=30), "month"),
    (timedelta(days=1), "day"),
    (timedelta(hours=1), "hour"),
    (timedelta(minutes=1), "minute"),
    (timedelta(seconds=1), "second"),
)
