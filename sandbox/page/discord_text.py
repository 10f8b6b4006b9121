"""Discord's markup as safe HTML: mentions, moments, emphasis, links, code; headings, lists and quotes by line.

Everything else is escaped text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

from sandbox.discord.world import Guild, World

_TOKEN = re.compile(
    r"<@&(?P<role>\d+)>|<@!?(?P<user>\d+)>|<#(?P<channel>\d+)>|<t:(?P<moment>-?\d{1,11})(?::(?P<style>\w))?>"
    r"|</(?P<command>[-\w ]+):\d+>|<a?:(?P<emoji>\w+):\d+>"
    r"|```(?:\w*\n)?(?P<block>.+?)```|\*\*(?P<bold>[^*]+)\*\*|`(?P<code>[^`]+)`|__(?P<under>[^_]+)__"
    r"|~~(?P<gone>[^~]+)~~|\|\|(?P<spoiler>[^|]+)\|\||\*(?P<italic>[^*\s][^*]*)\*|(?<!\w)_(?P<slanted>[^_]+)_(?!\w)"
    r"|\[(?P<label>[^\]\n]+)\]\(<?(?P<target>https?://[^\s)>]+)>?\)|(?P<bare>https?://[^\s<>\"')\]]+[^\s<>\"')\].,;:!?])"
    r"|\\(?P<escaped>[^\w\s]|_)|(?P<newline>\n)",
    re.DOTALL,
)
_LINE = re.compile(r"(?P<mark>#{1,3} |-# |[-*] |\d+\. |> )?(?P<rest>.*)")
_STYLES = {"t": "%H:%M", "d": "%d %b %Y", "D": "%d %b %Y", "f": "%d %b %Y %H:%M", "F": "%a %d %b %Y %H:%M"}
_BLOCKS = {"# ": "h1", "## ": "h2", "### ": "h3", "-# ": "sub", "> ": "quote"}


def to_blocks(text: str, world: World, guild: Guild) -> Markup:
    """Return a message's text as HTML with its headings, lists, quotes and small print."""
    return Markup("").join(_blocks(text, world, guild))


def to_html(text: str, world: World, guild: Guild) -> Markup:
    """Return a line of a message's text as HTML."""
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


def _blocks(text: str, world: World, guild: Guild) -> Iterator[Markup]:
    plain: list[str] = []
    is_code = False
    for line in text.split("\n"):
        found = _LINE.fullmatch(line)
        mark = found["mark"] if found and not is_code else None
        is_code ^= line.count("```") % 2 == 1
        if found is None or mark is None:
            plain.append(line)
            continue
        yield from _paragraph(plain, world, guild)
        plain = []
        kind = _BLOCKS.get(mark, "number" if mark[0].isdigit() else "item")
        before = escape(mark) if mark[0].isdigit() else Markup("")
        yield Markup('<p class="md-{}">{}{}</p>').format(kind, before, to_html(found["rest"], world, guild))
    yield from _paragraph(plain, world, guild)


def _paragraph(lines: list[str], world: World, guild: Guild) -> Iterator[Markup]:
    text = "\n".join(lines).strip("\n")
    if text:
        yield Markup("<p>{}</p>").format(to_html(text, world, guild))


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


def _around(tag: str, name: str) -> Callable[[re.Match[str], World, Guild], Markup]:
    def show(found: re.Match[str], world: World, guild: Guild) -> Markup:
        opening, closing = Markup(f"<{tag}>"), Markup(f"</{tag.partition(' ')[0]}>")  # noqa: S704 - tags of ours
        return opening + to_html(found[name], world, guild) + closing

    return show


def _link(found: re.Match[str], world: World, guild: Guild) -> Markup:
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(found["target"], to_html(found["label"], world, guild))


_SHOWN: dict[str, Callable[[re.Match[str], World, Guild], Markup]] = {
    "role": _role,
    "user": _user,
    "channel": _channel,
    "moment": _moment,
    "command": lambda found, *_: Markup('<span class="mention">/{}</span>').format(found["command"]),
    "emoji": lambda found, *_: Markup(":{}:").format(found["emoji"]),
    "block": lambda found, *_: Markup('<code class="block">{}</code>').format(found["block"].strip("\n")),
    "bold": _around("strong", "bold"),
    "under": _around("u", "under"),
    "gone": _around("s", "gone"),
    "spoiler": _around('span class="spoiler"', "spoiler"),
    "italic": _around("em", "italic"),
    "slanted": _around("em", "slanted"),
    "code": lambda found, *_: Markup("<code>{}</code>").format(found["code"]),
    "target": _link,
    "bare": lambda found, *_: Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(found["bare"]),
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
