"""Parameters the Stripe way: `items[0][price]=...` becomes nested lists and dicts, read by type, checked by name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from sandbox.stripe.errors import Refusal, invalid, required, unknown_parameter

Params = dict[str, Any]

_DECLARED = Path(__file__).with_name("parameters.json")
_MAX_DEPTH = 8
# Gone from the current version; callers that pin an older one, such as Stripe's CLI, still send them.
_OLDER = ("payment_method_types", "iterations")
_TRUE, _FALSE = ("true", "True", "1", True), ("false", "False", "0", "", False, None)


def decode(pairs: Iterable[tuple[str, str]]) -> Params:
    """Return the nested parameters of a query or a form body. Raises Refusal for one nested too deep."""
    root: Params = {}
    for name, value in pairs:
        _insert(root, _segments(name), value)
    return {name: _with_lists(value) for name, value in root.items()}


def check_names(declared_as: str, params: Params, *, is_current: bool = True) -> None:
    """Refuse what Stripe's own SDK does not declare for this operation. Raises Refusal (parameter_unknown)."""
    _check(_declarations()[declared_as], params if is_current else _without_older(params), prefix="")


def text(params: Params, name: str) -> str | None:
    """Return a string parameter; None when it is absent or emptied."""
    value = params.get(name)
    if isinstance(value, (dict, list)):
        raise invalid(name, f"Invalid string: {value}")
    return str(value) if value not in (None, "") else None


def demand(params: Params, name: str) -> str:
    """Return a string parameter that must be there. Raises Refusal (parameter_missing)."""
    value = text(params, name)
    if value is None:
        raise required(name)
    return value


def integer(params: Params, name: str) -> int | None:
    """Return a whole number; None when absent. Raises Refusal (parameter_invalid_integer)."""
    value = params.get(name)
    if value in (None, ""):
        return None
    try:
        return int(str(value))
    except ValueError:
        raise invalid(name, f"Invalid integer: {value}", code="parameter_invalid_integer") from None


def boolean(params: Params, name: str, *, default: bool = False) -> bool:
    """Return a truth value. Raises Refusal for anything but true and false."""
    value = params.get(name, default)
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise invalid(name, f"Invalid boolean: {value}")


def choice(params: Params, name: str, allowed: Sequence[str], *, default: str) -> str:
    """Return one of `allowed`. Raises Refusal for any other word."""
    value = text(params, name) or default
    if value not in allowed:
        raise invalid(name, f"Invalid {name}: must be one of {', '.join(allowed[:-1])}, or {allowed[-1]}")
    return value


def mapping(params: Params, name: str) -> Params:
    """Return a nested hash, empty when absent. Raises Refusal (parameter_invalid_hash)."""
    value = params.get(name) or {}
    if not isinstance(value, dict):
        raise invalid(name, f"Invalid hash: {value}", code="parameter_invalid_hash")
    return value


def sequence(params: Params, name: str) -> list[Any]:
    """Return a list, empty when absent. Raises Refusal for anything else."""
    value = params.get(name) or []
    if not isinstance(value, list):
        raise invalid(name, f"Invalid array: {value}")
    return value


def merged_metadata(current: dict[str, str], params: Params) -> dict[str, str]:
    """Return metadata after an update: keys are merged, an emptied key goes, an empty value clears all."""
    if "metadata" not in params:
        return current
    if params["metadata"] in (None, ""):
        return {}
    given = mapping(params, "metadata")
    if len(given) > 50 or any(len(str(key)) > 40 or len(str(value)) > 500 for key, value in given.items()):
        raise invalid("metadata", "Metadata holds at most 50 keys of 40 characters with values of 500 characters.")
    joined = {**current, **{str(key): str(value) for key, value in given.items()}}
    return {key: value for key, value in joined.items() if value != ""}


def _segments(name: str) -> list[str]:
    head, _, rest = name.partition("[")
    parts = [head, *(part.removesuffix("]") for part in rest.split("["))] if rest else [head]
    if len(parts) > _MAX_DEPTH or not head:
        raise Refusal(400, f"Invalid parameter name: {name}")
    return parts


def _insert(node: Params, parts: list[str], value: str) -> None:
    for part in parts[:-1]:
        child = node.setdefault(part or str(len(node)), {})
        if not isinstance(child, dict):
            raise Refusal(400, f"Invalid parameter: {part} is both a value and a hash")
        node = child
    node[parts[-1] or str(len(node))] = value


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_with_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _with_lists(child) for key, child in value.items()}


@cache
def _declarations() -> dict[str, Params]:
    loaded: dict[str, Params] = json.loads(_DECLARED.read_text())
    return loaded


def _without_older(given: Any) -> Any:
    if isinstance(given, list):
        return [_without_older(child) for child in given]
    if not isinstance(given, dict):
        return given
    return {name: _without_older(child) for name, child in given.items() if name not in _OLDER}


def _check(allowed: Params, given: Any, prefix: str) -> None:
    if isinstance(given, list):
        for index, child in enumerate(given):
            _check(allowed, child, f"{prefix}[{index}]")
    if not isinstance(given, dict):
        return
    for name, value in given.items():
        full = f"{prefix}[{name}]" if prefix else name
        if name not in allowed:
            raise unknown_parameter(full)
        if allowed[name] is not None:
            _check(allowed[name], value, full)
