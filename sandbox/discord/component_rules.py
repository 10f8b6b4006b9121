"""Which components Discord accepts in messages and forms: kinds, nesting, lengths, counts, ids.

The numbers are those of Discord's OpenAPI description and of its documentation ("Component Reference").
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sandbox.discord.complaints import Complaints, Place
from sandbox.discord.walking import walk
from sandbox.discord.world import Json

ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT = 5, 6, 7, 8
SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR = 9, 10, 11, 12, 13, 14
CONTAINER, LABEL, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX = 17, 18, 19, 21, 22, 23
LINK_STYLE, PREMIUM_STYLE = 5, 6

SELECTS = frozenset({STRING_SELECT, USER_SELECT, ROLE_SELECT, MENTIONABLE_SELECT, CHANNEL_SELECT})
LEGACY_TOP = frozenset({ROW})
IN_CONTAINER = frozenset({ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR})
V2_TOP = IN_CONTAINER | {CONTAINER}
FORM_TOP = frozenset({ROW, LABEL, TEXT})
IN_LABEL = SELECTS | {TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX}

MOST_COMPONENTS, MOST_TEXT, MOST_ROWS, MOST_IN_FORM = 40, 4_000, 5, 5
ATTACHMENT = "attachment://"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """The limits of one kind: (least, most) lengths of texts, ranges of numbers, counts of options or children."""

    required: tuple[str, ...] = ()
    lengths: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    numbers: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    inside: Mapping[str, tuple[int, int]] = field(default_factory=dict)


_ID = {"custom_id": (1, 100)}
_PICKED = {"min_values": (0, 25), "max_values": (1, 25)}
_SELECT = _Rule(
    required=("custom_id",), lengths={**_ID, "placeholder": (0, 150), "default_values": (0, 25)}, numbers=_PICKED
)
_RULES: Mapping[int, _Rule] = {
    ROW: _Rule(required=("components",), inside={"components": (1, 5)}),
    BUTTON: _Rule(required=("style",), lengths={**_ID, "label": (0, 80), "url": (1, 512)}, numbers={"style": (1, 6)}),
    STRING_SELECT: _Rule(
        required=("custom_id", "options"),
        lengths={**_ID, "placeholder": (0, 150), "options": (1, 25)},
        numbers=_PICKED,
    ),
    TEXT_INPUT: _Rule(
        required=("custom_id", "style"),
        lengths={**_ID, "label": (1, 45), "placeholder": (0, 100), "value": (0, 4_000)},
        numbers={"style": (1, 2), "min_length": (0, 4_000), "max_length": (1, 4_000)},
    ),
    USER_SELECT: _SELECT,
    ROLE_SELECT: _SELECT,
    MENTIONABLE_SELECT: _SELECT,
    CHANNEL_SELECT: _SELECT,
    SECTION: _Rule(required=("components", "accessory"), inside={"components": (1, 3)}),
    TEXT: _Rule(required=("content",), lengths={"content": (1, MOST_TEXT)}),
    THUMBNAIL: _Rule(required=("media",), lengths={"description": (1, 1_024)}),
    GALLERY: _Rule(required=("items",), lengths={"items": (1, 10)}),
    FILE: _Rule(required=("file",)),
    SEPARATOR: _Rule(numbers={"spacing": (1, 2)}),
    CONTAINER: _Rule(required=("components",), inside={"components": (1, 40)}, numbers={"accent_color": (0, 0xFFFFFF)}),
    LABEL: _Rule(required=("label", "component"), lengths={"label": (1, 45), "description": (1, 100)}),
    FILE_UPLOAD: _Rule(required=("custom_id",), lengths=_ID, numbers={"min_values": (0, 10), "max_values": (1, 10)}),
    RADIO_GROUP: _Rule(required=("custom_id", "options"), lengths={**_ID, "options": (2, 10)}),
    CHECKBOX_GROUP: _Rule(
        required=("custom_id", "options"),
        lengths={**_ID, "options": (1, 10)},
        numbers={"min_values": (0, 10), "max_values": (1, 10)},
    ),
    CHECKBOX: _Rule(required=("custom_id",), lengths=_ID),
}
_INSIDE: Mapping[int, Mapping[str, Collection[int]]] = {
    ROW: {"components": SELECTS | {BUTTON}},
    SECTION: {"components": {TEXT}, "accessory": {BUTTON, THUMBNAIL}},
    CONTAINER: {"components": IN_CONTAINER},
    LABEL: {"component": IN_LABEL},
}


def check_message_components(
    complaints: Complaints, given: Sequence[Json], *, is_v2: bool, uploaded: Collection[str]
) -> None:
    """Complain about a message's components; `uploaded` are the file names that attachment:// may point to."""
    place: Place = ("components",)
    if not is_v2:
        complaints.check_length(list(given), 0, MOST_ROWS, place)
    for number, each in enumerate(given):
        _check(complaints, each, V2_TOP if is_v2 else LEGACY_TOP, (*place, number))
        _check_media(complaints, each, uploaded, (*place, number))
    everything = list(walk(given))
    if is_v2 and len(everything) > MOST_COMPONENTS:
        message = f"The total number of components cannot exceed {MOST_COMPONENTS}."
        complaints.add(place, "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", message)
    if sum(len(str(each.get("content") or "")) for each in everything if each.get("type") == TEXT) > MOST_TEXT:
        message = f"The displayable text size cannot exceed {MOST_TEXT} characters."
        complaints.add(place, "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", message)
    _check_unique(complaints, everything, place)


def check_form(complaints: Complaints, form: Json) -> None:
    """Complain about a form: title, custom_id and at most five components."""
    for key, most in (("custom_id", 100), ("title", 45)):
        complaints.require(form, key, ())
        complaints.check_length(form.get(key), 1, most, (key,))
    given = form.get("components") or []
    complaints.check_length(given, 1, MOST_IN_FORM, ("components",))
    for number, each in enumerate(given):
        _check(complaints, each, FORM_TOP, ("components", number), is_form=True)
    _check_unique(complaints, list(walk(given)), ("components",))


def _check(
    complaints: Complaints, given: object, allowed: Collection[int], place: Place, *, is_form: bool = False
) -> None:
    if not isinstance(given, dict):
        complaints.add(place, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return
    kind = int(given.get("type") or 0)
    if kind not in allowed:
        listed = ", ".join(str(each) for each in sorted(allowed))
        message = f'Value of field "type" must be one of ({listed}).'
        complaints.add((*place, "type"), "UNION_TYPE_CHOICES", message)
        return
    rule = _RULES[kind]
    for key in rule.required:
        complaints.require(given, key, place)
    for key, (least, most) in (*rule.lengths.items(), *rule.inside.items()):
        complaints.check_length(given.get(key), least, most, (*place, key))
    for key, (least, most) in rule.numbers.items():
        complaints.check_number(given.get(key), least, most, (*place, key))
    _check_special(complaints, given, place, is_form=is_form)
    for key, inner in _INSIDE.get(kind, {}).items():
        kinds = {TEXT_INPUT} if is_form and kind == ROW else inner
        found = given.get(key)
        if isinstance(found, list):
            for number, each in enumerate(found):
                _check(complaints, each, kinds, (*place, key, number), is_form=is_form)
        elif found is not None:
            _check(complaints, found, kinds, (*place, key), is_form=is_form)


def _check_special(complaints: Complaints, given: Json, place: Place, *, is_form: bool) -> None:
    kind = given["type"]
    if kind == ROW:
        _check_row(complaints, given, place)
    elif kind == BUTTON:
        _check_button(complaints, given, place)
    elif kind == TEXT_INPUT:
        _check_text_input(complaints, given, place)
    if "options" in given:
        _check_options(complaints, given, place)
    if kind in SELECTS and is_form and given.get("disabled"):
        complaints.add((*place, "disabled"), "COMPONENT_DISABLED_IN_MODAL", "A select in a modal cannot be disabled.")
    _check_counts(complaints, given, place)


def _check_row(complaints: Complaints, given: Json, place: Place) -> None:
    inside = [each.get("type") for each in given.get("components") or () if isinstance(each, dict)]
    if len(inside) > 1 and any(each in SELECTS or each == TEXT_INPUT for each in inside):
        message = "The specified component exceeds the maximum width"
        complaints.add((*place, "components"), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", message)


def _check_button(complaints: Complaints, given: Json, place: Place) -> None:
    style = given.get("style")
    if style == LINK_STYLE:
        complaints.require(given, "url", place)
        if given.get("custom_id"):
            complaints.add((*place, "custom_id"), "BASE_TYPE_BAD", "A link button has no custom id.")
        if given.get("url") and urlsplit(str(given["url"])).scheme not in ("http", "https", "discord"):
            message = "Scheme must be one of ('http', 'https', 'discord')."
            complaints.add((*place, "url"), "URL_TYPE_INVALID_SCHEME", message)
    elif style != PREMIUM_STYLE:
        complaints.require(given, "custom_id", place)
        if given.get("url"):
            complaints.add((*place, "url"), "BASE_TYPE_BAD", "Only a link button has a url.")
    if style != PREMIUM_STYLE and not given.get("label") and not given.get("emoji"):
        complaints.add((*place, "label"), "BASE_TYPE_REQUIRED", "A button needs a label or an emoji.")


def _check_text_input(complaints: Complaints, given: Json, place: Place) -> None:
    most, least = given.get("max_length"), given.get("min_length")
    if isinstance(most, int):
        complaints.check_length(given.get("value"), 0, most, (*place, "value"))
        if isinstance(least, int) and least > most:
            complaints.add((*place, "min_length"), "NUMBER_TYPE_MAX", f"int value should be at most {most}.")


def _check_options(complaints: Complaints, given: Json, place: Place) -> None:
    seen: set[object] = set()
    for number, option in enumerate(given.get("options") or ()):
        at = (*place, "options", number)
        for key, least in (("label", 1), ("value", 1), ("description", 0)):
            if least:
                complaints.require(option, key, at)
            complaints.check_length(option.get(key), least, 100, (*at, key))
        if option.get("value") in seen:
            message = "The specified option value is already used"
            complaints.add((*at, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", message)
        seen.add(option.get("value"))


def _check_counts(complaints: Complaints, given: Json, place: Place) -> None:
    """Compare what may be picked with what there is and with what is picked already."""
    least, most = given.get("min_values"), given.get("max_values")
    if isinstance(least, int) and isinstance(most, int) and least > most:
        complaints.add((*place, "min_values"), "NUMBER_TYPE_MAX", f"int value should be at most {most}.")
    options = given.get("options")
    if isinstance(options, list) and isinstance(most, int) and most > len(options):
        complaints.add((*place, "max_values"), "NUMBER_TYPE_MAX", f"int value should be at most {len(options)}.")
    chosen = [each for each in options or () if each.get("default")] or given.get("default_values") or []
    can_pick = most if isinstance(most, int) else len(chosen) if given["type"] == CHECKBOX_GROUP else 1
    if len(chosen) > can_pick:
        message = f"Must be {can_pick} or fewer in length."
        complaints.add((*place, "default_values"), "SELECT_COMPONENT_TOO_MANY_DEFAULTS", message)


def _check_media(complaints: Complaints, given: object, uploaded: Collection[str], place: Place) -> None:
    for each in walk([given]):
        for media in media_of(each):
            url = str(media.get("url") or "")
            if url.startswith(ATTACHMENT):
                if url.removeprefix(ATTACHMENT) not in uploaded:
                    message = f"The referenced attachment was not found: {url}"
                    complaints.add(place, "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND", message)
            elif each["type"] == FILE or urlsplit(url).scheme not in ("http", "https"):
                complaints.add(place, "UNFURLED_MEDIA_ITEM_URL_INVALID", f"Not a well formed URL: {url}")


def media_of(given: Json) -> list[Json]:
    """Return the media that a component shows itself, its inner components left out."""
    if given.get("type") == GALLERY:
        return [each["media"] for each in given.get("items") or () if each.get("media")]
    found = given.get("media") if given.get("type") == THUMBNAIL else given.get("file")
    return [found] if isinstance(found, dict) else []


def _check_unique(complaints: Complaints, everything: Sequence[Json], place: Place) -> None:
    for key, code in (("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"), ("id", "COMPONENT_ID_DUPLICATED")):
        given = [each[key] for each in everything if each.get(key)]
        for value in sorted({str(each) for each in given if given.count(each) > 1}):
            complaints.add(place, code, f"Component {key} cannot be duplicated: {value}")
