"""What a person reads and can use on a message or a form: its text in reading order, and its controls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sandbox.discord.component_rules import BUTTON, LABEL, SELECTS, TEXT
from sandbox.discord.walking import walk
from sandbox.discord.world import Json, Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """A button, link, select or form field. `label` is what is read on or above it; `kind` is Discord's number.

    `choices` are the (value, label) pairs of a list; selects of users, roles and channels have none.
    """

    kind: int
    label: str
    custom_id: str = ""
    url: str = ""
    is_disabled: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    values: tuple[str, ...] = ()

    def is_called(self, name: str) -> bool:
        """Say whether the control goes by a custom_id or by what is read on it."""
        return name in (self.custom_id, self.label)


def visible_text(message: Message) -> str:
    """Return everything that is written on a message, a line each: content, embeds, Components V2."""
    embeds = [line for each in message.embeds for line in _embed_lines(each)]
    texts = [each["content"] for each in walk(message.components) if each["type"] == TEXT]
    return "\n".join(filter(None, [message.content, *embeds, *texts]))


def form_text(form: Json) -> str:
    """Return everything that is written on a form, a line each: title, texts, labels, descriptions."""
    lines = [form["title"]]
    for each in walk(form["components"]):
        lines += [str(each[key]) for key in ("content", "label", "description") if each.get(key)]
    return "\n".join(lines)


def controls(components: Sequence[Json]) -> tuple[Control, ...]:
    """Return what can be used, in reading order."""
    return tuple(_controls(components))


def _controls(components: Sequence[Json]) -> Iterator[Control]:
    heading = ""
    for each in walk(components):
        if each["type"] == LABEL:
            heading = each["label"]
        elif each["type"] == BUTTON or each.get("custom_id"):
            options = each.get("options") or ()
            yield Control(
                kind=each["type"],
                label=_label(each, heading),
                custom_id=each.get("custom_id") or "",
                url=each.get("url") or "",
                is_disabled=bool(each.get("disabled")),
                choices=tuple((option["value"], option["label"]) for option in options),
                values=tuple(_values(each)),
            )


def _label(given: Json, heading: str) -> str:
    if given["type"] == BUTTON:
        return str(given.get("label") or (given.get("emoji") or {}).get("name") or "")
    if given["type"] in SELECTS and not heading:
        return str(given.get("placeholder") or given["custom_id"])
    return heading or str(given.get("label") or given["custom_id"])


def _values(given: Json) -> Iterator[str]:
    for option in given.get("options") or ():
        if option.get("default"):
            yield option["value"]
    for each in given.get("default_values") or ():
        yield str(each["id"])
    if given.get("value"):
        yield str(given["value"])


def _embed_lines(given: Json) -> Iterator[str]:
    yield from (given[key] for key in ("title", "description") if given.get(key))
    for each in given.get("fields") or ():
        yield f"{each['name']}\n{each['value']}"
    if given.get("footer"):
        yield given["footer"]["text"]
