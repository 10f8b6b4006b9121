"""Discord's markup as safe HTML: mentions, moments, emphasis, links, code; headings, lists and quotes by line.

Everything else is escaped text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup, escape

from sandbox.discord.world import Guild, World
from sandbox.page.moments import distance, written

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
_BLOCKS = {"# ": "h1", "## ": "h2", "### ": "h3", "-# ": "sub", "> ": "quote"}


@dataclass(frozen=True, slots=True)
class _Scene:
    """Where a text is read: the names in it, and the reader's language."""

    world: World
    guild: Guild
    language: str


def to_blocks(text: str, world: World, guild: Guild, *, language: str = "en-US") -> Markup:
    """Return a message's text as HTML with its headings, lists, quotes and small print."""
    return Markup("").join(_blocks(text, _Scene(world, guild, language)))


def to_html(text: str, world: World, guild: Guild, *, language: str = "en-US") -> Markup:
    """Return a line of a message's text as HTML."""
    return _html(text, _Scene(world, guild, language))


def _html(text: str, scene: _Scene) -> Markup:
    parts: list[Markup] = []
    position = 0
    for found in _TOKEN.finditer(text):
        parts += [escape(text[position : found.start()]), _shown(found, scene)]
        position = found.end()
    return Markup("").join([*parts, escape(text[position:])])


def _blocks(text: str, scene: _Scene) -> Iterator[Markup]:
    plain: list[str] = []
    is_code = False
    for line in text.split("\n"):
        found = _LINE.fullmatch(line)
        mark = found["mark"] if found and not is_code else None
        is_code ^= line.count("```") % 2 == 1
        if found is None or mark is None:
            plain.append(line)
            continue
        yield from _paragraph(plain, scene)
        plain = []
        kind = _BLOCKS.get(mark, "number" if mark[0].isdigit() else "item")
        before = escape(mark) if mark[0].isdigit() else Markup("")
        yield Markup('<p class="md-{}">{}{}</p>').format(kind, before, _html(found["rest"], scene))
    yield from _paragraph(plain, scene)


def _paragraph(lines: list[str], scene: _Scene) -> Iterator[Markup]:
    text = "\n".join(lines).strip("\n")
    if text:
        yield Markup("<p>{}</p>").format(_html(text, scene))


def _shown(found: re.Match[str], scene: _Scene) -> Markup:
    kind = found.lastgroup if found.lastgroup != "style" else "moment"
    return _SHOWN[kind or "newline"](found, scene)


def _role(found: re.Match[str], scene: _Scene) -> Markup:
    role = scene.guild.roles.get(int(found["role"]))
    return Markup('<span class="mention">@{}</span>').format(role.name if role else "deleted-role")


def _user(found: re.Match[str], scene: _Scene) -> Markup:
    user = scene.world.users.get(int(found["user"]))
    return Markup('<span class="mention">@{}</span>').format(user.username if user else "unknown-user")


def _channel(found: re.Match[str], scene: _Scene) -> Markup:
    channel = scene.world.channels.get(int(found["channel"]))
    return Markup('<span class="mention">#{}</span>').format((channel and channel.name) or "unknown")


def _moment(found: re.Match[str], scene: _Scene) -> Markup:
    try:
        moment = datetime.fromtimestamp(int(found["moment"]), UTC)
    except (OverflowError, ValueError, OSError):
        return escape(found[0])
    style = found["style"] or "f"
    now, language = scene.world.clock.now(), scene.language
    text = distance(moment, now, language) if style == "R" else written(moment, style, language)
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), text)


def _around(tag: str, name: str) -> Callable[[re.Match[str], _Scene], Markup]:
    def show(found: re.Match[str], scene: _Scene) -> Markup:
        opening, closing = Markup(f"<{tag}>"), Markup(f"</{tag.partition(' ')[0]}>")  # noqa: S704 - tags of ours
        return opening + _html(found[name], scene) + closing

    return show


def _link(found: re.Match[str], scene: _Scene) -> Markup:
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(found["target"], _html(found["label"], scene))


_SHOWN: dict[str, Callable[[re.Match[str], _Scene], Markup]] = {
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
