"""The messages of the open channel as one person reads them, private answers in their places."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from yarl import URL

from sandbox.discord.component_rules import CHECKBOX_GROUP, STRING_SELECT
from sandbox.discord.world import Json, Message, User
from sandbox.page.composing import Choice, picks
from sandbox.page.desk import Desk
from sandbox.page.discord_text import to_blocks, to_html

MESSAGES_SHOWN = 12
_TONES = {0x2E8B57: "ok", 0xD64545: "bad", 0xE0A020: "warn", 0x3B7DD8: "info"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Embed:
    """A box in a message; `picture` is an address on this site with its alt text."""

    tone: str
    title: Markup
    url: str
    text: Markup
    fields: tuple[tuple[Markup, Markup], ...]
    footer: str
    picture: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message as it is read; `is_private` ones are seen by the person alone."""

    id: int
    author: str
    face: str
    is_bot: bool
    at: datetime
    text: Markup
    embeds: tuple[Embed, ...]
    components: tuple[Json, ...]
    attachments: tuple[Json, ...]
    is_private: bool
    is_loading: bool
    is_edited: bool


class Drawing:
    """What the templates ask for while they draw a component: safe text, safe addresses, the lines of a list."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._world = desk.world.discord.world

    def text(self, given: str) -> Markup:
        """Return Discord's markup as HTML."""
        return to_blocks(given, self._world, self._desk.guild, language=self._desk.person.locale)

    def address(self, url: str) -> str:
        """Return an uploaded file's address on this site, "" for anything that is elsewhere: it would not load."""
        return URL(url).path if url.startswith(f"{self._world.files.address}/attachments/") else ""

    def link(self, url: str) -> str:
        """Return an address that may be followed, "" for any other."""
        return url if url.startswith(("http://", "https://")) else ""

    def picks(self, component: Json) -> list[Choice]:
        """Return the lines of a select."""
        return picks(component, self._world, self._desk.guild)

    def filled(self, component: Json) -> list[Choice]:
        """Return the lines of a form's list, as they were chosen before the form was refused."""
        chosen = self._desk.talk.filled.get(component["custom_id"]) if self._desk.talk.filled else None
        return picks(component, self._world, self._desk.guild, chosen)

    def typed(self, component: Json) -> str:
        """Return the text of a form's field."""
        found = self._desk.talk.filled.get(component["custom_id"])
        return found[0] if found else str(component.get("value") or "")

    def most(self, component: Json) -> int:
        """Return how many lines of a list can be chosen."""
        default = len(component.get("options") or ()) if component["type"] == CHECKBOX_GROUP else 1
        return int(component.get("max_values") or default)

    def can_be_empty(self, component: Json) -> bool:
        """Say whether nothing can be chosen."""
        return component.get("min_values") == 0 or component.get("required") is False

    def colour(self, number: int) -> str:
        """Return a colour as six digits."""
        return f"#{number:06x}"

    def placeholder(self, component: Json) -> str:
        """Return what an empty select says."""
        return str(component.get("placeholder") or ("Choose" if component["type"] == STRING_SELECT else "Search"))


def messages(desk: Desk) -> Iterator[Said]:
    """Iterate the newest messages of the open channel, oldest first."""
    posted = [each for each in desk.channel.messages.values() if not each.is_ephemeral]
    private = desk.talk.private_answers(desk.person, desk.channel)
    shown = sorted([*posted[-MESSAGES_SHOWN:], *private], key=lambda each: each.id)
    return (_said(desk, each) for each in shown[-MESSAGES_SHOWN:])


def name_of(user: User) -> str:
    """Return what somebody is called."""
    return user.global_name or user.username


def embed_tone(given: Json) -> str:
    """Return the tone that is nearest to an embed's colour."""
    return _TONES.get(given.get("color") or 0, "off")


def _said(desk: Desk, message: Message) -> Said:
    world = desk.world.discord.world
    return Said(
        id=message.id,
        author=world.portal.name if message.author.is_bot else name_of(message.author),
        face="bot" if message.author.is_bot else desk.face(message.author),
        is_bot=message.author.is_bot,
        at=message.timestamp,
        text=to_blocks(message.content, world, desk.guild, language=desk.person.locale),
        embeds=tuple(_embed(desk, each) for each in message.embeds),
        components=tuple(message.components),
        attachments=() if message.is_v2 else tuple(message.attachments),
        is_private=message.is_ephemeral,
        is_loading=message.is_loading,
        is_edited=message.edited_at is not None and not message.is_ephemeral,
    )


def _embed(desk: Desk, given: Json) -> Embed:
    guild, world, language = desk.guild, desk.world.discord.world, desk.person.locale
    picture = (given.get("image") or given.get("thumbnail") or {}).get("url") or ""
    return Embed(
        tone=embed_tone(given),
        title=to_html(given.get("title") or "", world, guild, language=language),
        url=Drawing(desk).link(given.get("url") or ""),
        text=to_blocks(given.get("description") or "", world, guild, language=language),
        fields=tuple(
            (
                to_html(each["name"], world, guild, language=language),
                to_blocks(each["value"], world, guild, language=language),
            )
            for each in given.get("fields") or ()
        ),
        footer=(given.get("footer") or {}).get("text", ""),
        picture=Drawing(desk).address(picture),
    )
