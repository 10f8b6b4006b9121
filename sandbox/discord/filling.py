"""Filling in: what a person's client sends for a select or for a form, and what it does not let them send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox.discord.component_rules import (
    BUTTON,
    CHECKBOX,
    CHECKBOX_GROUP,
    FILE_UPLOAD,
    RADIO_GROUP,
    SELECTS,
    TEXT_INPUT,
)
from sandbox.discord.files import Upload
from sandbox.discord.resolving import BY_SELECT, Resolved
from sandbox.discord.walking import walk
from sandbox.discord.world import Json

Value = str | int | float | bool | Upload
Filled = Mapping[str, Value | Sequence[Value] | None]
_MANY = SELECTS | {CHECKBOX_GROUP, FILE_UPLOAD}


def check_pick(component: Json, values: Sequence[Value], *, is_form: bool = False) -> None:
    """Raise ValueError for a choice that the client would not let somebody make; forms alone can require nothing."""
    if component["type"] == BUTTON:
        return
    name = component["custom_id"]
    is_required = not is_form or component.get("required", True) is not False
    least = component.get("min_values", 1) if is_required or values else 0
    most = component.get(
        "max_values", len(component.get("options") or ()) if component["type"] == CHECKBOX_GROUP else 1
    )
    if not (least if least is not None else 1) <= len(values) <= (most or 1):
        raise ValueError(f"{name!r} takes {least} to {most} values")
    offered = [each["value"] for each in component.get("options") or ()]
    missing = [each for each in values if offered and str(each) not in offered]
    if missing:
        raise ValueError(f"{name!r} does not offer {missing[0]!r}; it offers {', '.join(offered)}")


def check_form(form: Json, values: Filled) -> None:
    """Raise LookupError for a field that the form lacks, ValueError for what its client would not send."""
    fields = {each["custom_id"]: each for each in walk(form["components"]) if "custom_id" in each}
    for key in values:
        if key not in fields:
            raise LookupError(f"the form has no field {key!r}; it has {', '.join(fields)}")
    for key, field in fields.items():
        if field["type"] in _MANY:
            check_pick(field, many(values[key]) if key in values else _default_choices(field), is_form=True)
        elif field["type"] == TEXT_INPUT:
            _check_text(field, str(values.get(key, field.get("value")) or ""))
        elif field["type"] == RADIO_GROUP:
            _check_radio(field, values.get(key, _default_value(field)))


def fill(given: Json, values: Filled, uploads: Mapping[str, Sequence[Json]], resolved: Resolved) -> Json:
    """Return a form's component as it is submitted; what was chosen in its selects is put into `resolved`."""
    body: Json = {"type": given["type"], "id": given.get("id", 0)}
    if "component" in given:
        return body | {"component": fill(given["component"], values, uploads, resolved)}
    if "components" in given:
        return body | {"components": [fill(each, values, uploads, resolved) for each in given["components"]]}
    key = given.get("custom_id")
    if key is None:
        return body
    body["custom_id"] = key
    if given["type"] == FILE_UPLOAD:
        for each in uploads.get(key, ()):
            resolved.add_attachment(each)
        return body | {"values": [each["id"] for each in uploads.get(key, ())]}
    if given["type"] in _MANY:
        picked = many(values[key]) if key in values else _default_choices(given)
        resolved.add(BY_SELECT.get(given["type"]), picked)
        return body | {"values": [str(each) for each in picked]}
    return body | {"value": values.get(key, _default_value(given))}


def many(value: Value | Sequence[Value] | None) -> list[Value]:
    """Return one value, several or none as a list."""
    if value is None:
        return []
    return [value] if isinstance(value, str | int | float | Upload) else list(value)


def _check_text(field: Json, text: str) -> None:
    name = field["custom_id"]
    if not text and field.get("required", True) is not False:
        raise ValueError(f"{name!r} is required")
    if text and not (field.get("min_length") or 0) <= len(text) <= (field.get("max_length") or 4_000):
        raise ValueError(f"{name!r} is too short or too long")


def _check_radio(field: Json, value: object) -> None:
    offered = [each["value"] for each in field["options"]]
    if value is None and field.get("required", True) is not False:
        raise ValueError(f"{field['custom_id']!r} is required")
    if value is not None and value not in offered:
        raise ValueError(f"{field['custom_id']!r} does not offer {value!r}; it offers {', '.join(offered)}")


def _default_choices(given: Json) -> list[Value]:
    listed = [each["value"] for each in given.get("options") or () if each.get("default")]
    return listed + [each["id"] for each in given.get("default_values") or ()]


def _default_value(given: Json) -> Value | None:
    if given["type"] == RADIO_GROUP:
        return next((each["value"] for each in given["options"] if each.get("default")), None)
    if given["type"] == CHECKBOX:
        return bool(given.get("default"))
    return str(given.get("value") or "")
