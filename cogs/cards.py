"""What an answer looks like, without discord.py: cards of lines and buttons, and forms. rendering.py draws them.

Every control names an action and its arguments, and nothing else: what it does is looked up when it is pressed, so that
it works after a restart and never carries anybody's rights.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

PREFIX = "door"
LONGEST_ID = 100


class Style(StrEnum):
    """How a button looks: grey unless it is the way forward, done well, or cannot be undone."""

    PLAIN = "secondary"
    MAIN = "primary"
    GOOD = "success"
    SHARP = "danger"


class Tone(StrEnum):
    """The colour at a card's edge; the words say the same."""

    NONE = "none"
    GOOD = "good"
    BAD = "bad"
    WARN = "warn"
    NEWS = "news"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button that starts an action, or a link when it has a `url`."""

    label: str
    action: str = ""
    args: tuple[object, ...] = ()
    style: Style = Style.PLAIN
    url: str = ""
    emoji: str = ""
    is_off: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One entry of a list to choose from."""

    label: str
    value: str
    about: str = ""
    is_chosen: bool = False


class Pick(StrEnum):
    """What is chosen from: our own list, or Discord's own lists of the server."""

    OPTION = "option"
    ROLE = "role"
    CHANNEL = "channel"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A list to choose from; choosing starts the action, with the chosen values. `chosen`: ids preset in ours."""

    action: str
    args: tuple[object, ...] = ()
    placeholder: str = ""
    options: tuple[Option, ...] = ()
    kind: Pick = Pick.OPTION
    least: int = 1
    most: int = 1
    chosen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph, in Discord's markdown."""

    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A paragraph with the one button that acts on it."""

    text: str
    button: Button


@dataclass(frozen=True, slots=True)
class Buttons:
    """Up to five buttons side by side; more start a new row."""

    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Divider:
    """A thin line."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An attached picture with its numbers in words."""

    file_name: str
    alt: str


@dataclass(frozen=True, slots=True)
class Download:
    """An attached file to download."""

    file_name: str


Line = Text | Row | Buttons | Choice | Divider | Picture | Download


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes with a card."""

    file_name: str
    content: bytes
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One answer: a heading, lines, a colour, and the files that its lines show."""

    title: str = ""
    lines: tuple[Line, ...] = ()
    tone: Tone = Tone.NONE
    files: tuple[Attachment, ...] = ()


class Shape(StrEnum):
    """What a field of a form takes."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    OPTIONS = "options"
    RADIO = "radio"
    ROLES = "roles"
    CHANNELS = "channels"
    USERS = "users"
    CHECK = "check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a form. `value` presets a text, `chosen` ids preset a role, channel or user list."""

    name: str
    label: str
    about: str = ""
    shape: Shape = Shape.TEXT
    value: str = ""
    placeholder: str = ""
    longest: int = 200
    is_needed: bool = True
    options: tuple[Option, ...] = ()
    most: int = 1
    chosen: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A form of at most five fields; sending it starts the action with what was filled in."""

    title: str
    action: str
    args: tuple[object, ...] = ()
    fields: tuple[Field, ...] = field(default=())


def custom_id(action: str, args: tuple[object, ...]) -> str:
    """Write an action and its arguments as Discord carries them. Raises ValueError when that is too long or unclear."""
    parts = [PREFIX, action, *(str(arg) for arg in args)]
    text = ":".join(parts)
    if len(text) > LONGEST_ID or any(":" in part for part in parts):
        raise ValueError(f"not a custom_id: {text}")
    return text


def read_custom_id(text: str) -> tuple[str, tuple[str, ...]] | None:
    """Return action and arguments, None for what is not ours."""
    prefix, *parts = text.split(":")
    return (parts[0], tuple(parts[1:])) if prefix == PREFIX and parts else None


def notice(text: str, *, tone: Tone = Tone.NONE) -> Card:
    """Return a card of one sentence."""
    return Card(lines=(Text(text),), tone=tone)
