"""Typing a command and filling in a form: the fields that the page shows, and what their texts mean as values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from sandbox.discord import component_rules as kinds
from sandbox.discord import offers
from sandbox.discord.filling import Value
from sandbox.discord.offers import Offer, OptionValue
from sandbox.discord.walking import walk
from sandbox.discord.world import Guild, Json, World
from sandbox.page.conversation import CommandDraft
from sandbox.page.fields import Fields

PEOPLE_LISTED = 60
_WORDS = {offers.INTEGER: "number", offers.NUMBER: "number", offers.ATTACHMENT: "file"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One line of a list."""

    value: str
    label: str
    detail: str = ""
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionField:
    """An option of a command as a field; `control` is text, number, list or file."""

    name: str
    shown_name: str
    description: str
    control: str
    value: str
    is_required: bool
    choices: tuple[Choice, ...]
    has_suggestions: bool
    rule: Json


def option_fields(draft: CommandDraft, world: World, guild: Guild) -> Iterator[OptionField]:
    """Iterate the fields of a command's form."""
    for option in draft.offer.options:
        name, value = option["name"], draft.typed.get(option["name"], "")
        suggested = draft.suggested.get(name)
        listed = _option_choices(option, world, guild, value)
        if suggested is not None:
            listed = [Choice(value=each, label=each) for each in suggested]
        yield OptionField(
            name=name,
            shown_name=offers.localized(option, "name", draft.user.locale),
            description=offers.localized(option, "description", draft.user.locale),
            control=_control(option),
            value=value,
            is_required=bool(option.get("required")),
            choices=tuple(listed),
            has_suggestions=bool(option.get("autocomplete")),
            rule=option,
        )


def option_values(draft: CommandDraft, fields: Fields) -> dict[str, OptionValue]:
    """Return the values of a command's form; empty fields are left out. Raises LookupError for no number."""
    values: dict[str, OptionValue] = {}
    for option in draft.offer.options:
        name = option["name"]
        if f"o.{name}" in fields.files:
            values[name] = fields.files[f"o.{name}"]
        text = fields.get(f"o.{name}").strip()
        if text:
            values[name] = option_value(option, text, draft.suggested.get(name, {}))
    return values


def option_value(option: Json, text: str, suggested: Mapping[str, Value]) -> OptionValue:
    """Return what a text means for an option; the name of a suggestion means its value. Raises LookupError."""
    if text in suggested:
        return suggested[text]
    if option["type"] in (offers.INTEGER, offers.NUMBER):
        try:
            return int(text) if option["type"] == offers.INTEGER else float(text)
        except ValueError:
            raise LookupError(f"“{option['name']}” takes a number.") from None
    return text == "true" if option["type"] == offers.BOOLEAN else text


def typed_options(offer: Offer, rest: str) -> dict[str, str]:
    """Return the options of a typed line: `name:value` pairs, else all of it for the first option."""
    names = [each["name"] for each in offer.options]
    found = re.split(rf"(?:^|\s)({'|'.join(map(re.escape, names))}):\s*", rest) if names else [rest]
    if len(found) == 1:
        return {names[0]: rest.strip()} if names and rest.strip() else {}
    return {name: value.strip() for name, value in zip(found[1::2], found[2::2], strict=True)}


def form_values(form: Json, fields: Fields) -> dict[str, Value | Sequence[Value] | None]:
    """Return the values of a form's fields by custom_id."""
    values: dict[str, Value | Sequence[Value] | None] = {}
    for each in walk(form["components"]):
        key, kind = each.get("custom_id"), each["type"]
        if key is None:
            continue
        given = [text for text in fields.all(f"f.{key}") if text]
        if kind == kinds.CHECKBOX:
            values[key] = bool(given)
        elif kind == kinds.RADIO_GROUP:
            values[key] = given[0] if given else None
        elif kind == kinds.TEXT_INPUT:
            values[key] = fields.get(f"f.{key}").replace("\r\n", "\n")
        elif kind == kinds.FILE_UPLOAD:
            values[key] = [fields.files[f"f.{key}"]] if f"f.{key}" in fields.files else []
        else:
            values[key] = given
    return values


def picks(component: Json, world: World, guild: Guild, chosen: Sequence[str] | None = None) -> list[Choice]:
    """Return the lines of a select, radio group or checkbox group; `chosen` overrides what it says is chosen."""
    if "options" in component:
        listed = [
            Choice(value=each["value"], label=each["label"], detail=each.get("description") or "")
            for each in component["options"]
        ]
        default = [each["value"] for each in component["options"] if each.get("default")]
    else:
        listed = [*_entities(component["type"], component.get("channel_types"), world, guild)]
        default = [str(each["id"]) for each in component.get("default_values") or ()]
    wanted = default if chosen is None else chosen
    return [
        Choice(value=each.value, label=each.label, detail=each.detail, is_chosen=each.value in wanted)
        for each in listed
    ]


def _control(option: Json) -> str:
    if offers.BOOLEAN <= option["type"] <= offers.MENTIONABLE or option.get("choices"):
        return "list"
    return "text" if option.get("autocomplete") else _WORDS.get(option["type"], "text")


def _option_choices(option: Json, world: World, guild: Guild, value: str) -> list[Choice]:
    kind = option["type"]
    if option.get("choices"):
        listed = [Choice(value=str(each["value"]), label=each["name"]) for each in option["choices"]]
    elif kind == offers.BOOLEAN:
        listed = [Choice(value="true", label="True"), Choice(value="false", label="False")]
    else:
        listed = list(_entities(_SELECT_OF.get(kind, 0), option.get("channel_types"), world, guild))
    return [Choice(value=each.value, label=each.label, is_chosen=each.value == value) for each in listed]


def _entities(kind: int, channel_types: Sequence[int] | None, world: World, guild: Guild) -> Iterator[Choice]:
    if kind in (kinds.USER_SELECT, kinds.MENTIONABLE_SELECT):
        inside = (member.user for member in guild.members.values())
        outside = (user for user in world.users.values() if user.id not in guild.members and user.email)
        for user in islice(chain(inside, outside), PEOPLE_LISTED):
            yield Choice(value=str(user.id), label=f"@{user.global_name or user.username}")
    if kind in (kinds.ROLE_SELECT, kinds.MENTIONABLE_SELECT):
        for role in sorted(guild.roles.values(), key=lambda each: each.rank, reverse=True):
            yield Choice(value=str(role.id), label=role.name if role.id == guild.id else f"@{role.name}")
    if kind == kinds.CHANNEL_SELECT:
        for channel in guild.channels.values():
            if not channel_types or channel.kind in channel_types:
                yield Choice(value=str(channel.id), label=f"#{channel.name}")


_SELECT_OF = {
    offers.USER: kinds.USER_SELECT,
    offers.ROLE: kinds.ROLE_SELECT,
    offers.CHANNEL: kinds.CHANNEL_SELECT,
    offers.MENTIONABLE: kinds.MENTIONABLE_SELECT,
}
