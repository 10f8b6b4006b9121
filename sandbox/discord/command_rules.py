"""Which application commands and autocomplete choices Discord accepts: names, lengths, counts, order of options."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from sandbox.discord.complaints import Complaints, Place
from sandbox.discord.world import Json

CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUB_COMMAND, SUB_COMMAND_GROUP = 1, 2
MOST_OPTIONS, MOST_CHOICES, MOST_CHARACTERS = 25, 25, 8_000
_NAME = re.compile(r"[-_'\w]{1,32}")


def check_command(given: Json) -> None:
    """Raise ApiError 50035 for a command that Discord would refuse."""
    complaints = Complaints()
    kind = given.get("type", CHAT_INPUT)
    complaints.check_choice(kind, (CHAT_INPUT, USER_MENU, MESSAGE_MENU), ("type",))
    if kind == CHAT_INPUT:
        _check_words(complaints, given, ())
        _check_options(complaints, given.get("options") or [], (), depth=0)
        if _size(given) > MOST_CHARACTERS:
            message = f"Command exceeds maximum size ({MOST_CHARACTERS})"
            complaints.add((), "APPLICATION_COMMAND_TOO_LARGE", message)
    else:
        complaints.check_length(str(given.get("name") or ""), 1, 32, ("name",))
        if given.get("description") or given.get("options"):
            message = "Context menu commands cannot have description"
            complaints.add(("description",), "APPLICATION_COMMAND_INVALID_DESCRIPTION", message)
    complaints.raise_any()


def check_choices(choices: Sequence[Json], within: Place) -> None:
    """Raise ApiError 50035 for autocomplete suggestions that Discord would refuse."""
    complaints = Complaints(within)
    _check_choices(complaints, list(choices), ("choices",))
    complaints.raise_any()


def _check_words(complaints: Complaints, given: Json, place: Place) -> None:
    for name in [given.get("name"), *(given.get("name_localizations") or {}).values()]:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or name != name.lower():
            complaints.add((*place, "name"), "APPLICATION_COMMAND_INVALID_NAME", f"Command name is invalid: {name}")
    for text in [given.get("description") or "", *(given.get("description_localizations") or {}).values()]:
        complaints.check_length(text, 1, 100, (*place, "description"))


def _check_options(complaints: Complaints, options: Sequence[Json], place: Place, *, depth: int) -> None:
    place = (*place, "options")
    complaints.check_length(list(options), 0, MOST_OPTIONS, place)
    names = [each.get("name") for each in options]
    has_optional = False
    for number, each in enumerate(options):
        at = (*place, number)
        kind = each.get("type")
        complaints.check_choice(kind, range(1, 12), (*at, "type"))
        _check_words(complaints, each, at)
        if names.count(each.get("name")) > 1:
            complaints.add((*at, "name"), "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option name is taken")
        if kind in (SUB_COMMAND, SUB_COMMAND_GROUP):
            if depth > 1 or (kind == SUB_COMMAND_GROUP and depth):
                complaints.add((*at, "type"), "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command option type")
            _check_options(complaints, each.get("options") or [], at, depth=depth + 1)
            continue
        if each.get("required") and has_optional:
            message = "Required options must be placed before non-required options"
            complaints.add((*at, "required"), "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message)
        has_optional = has_optional or not each.get("required")
        _check_choices(complaints, each.get("choices") or [], (*at, "choices"))
        if each.get("choices") and each.get("autocomplete"):
            message = "Autocomplete and choices exclude each other"
            complaints.add((*at, "autocomplete"), "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_INVALID", message)


def _check_choices(complaints: Complaints, choices: Sequence[Any], place: Place) -> None:
    complaints.check_length(list(choices), 0, MOST_CHOICES, place)
    for number, each in enumerate(choices):
        complaints.require(each, "name", (*place, number))
        complaints.require(each, "value", (*place, number))
        complaints.check_length(each.get("name"), 1, 100, (*place, number, "name"))
        if isinstance(each.get("value"), str):
            complaints.check_length(each["value"], 1, 100, (*place, number, "value"))


def _size(given: Json) -> int:
    """Return the characters that count: names, descriptions and values, the longest of each localisation."""
    total = 0
    for key in ("name", "description"):
        texts = [given.get(key) or "", *(given.get(f"{key}_localizations") or {}).values()]
        total += max(len(str(each)) for each in texts)
    for choice in given.get("choices") or ():
        total += len(str(choice.get("name"))) + len(str(choice.get("value")))
    return total + sum(_size(each) for each in given.get("options") or ())
