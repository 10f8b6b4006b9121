"""Checks exchanges with Discord's REST API against Discord's own OpenAPI description.

Reusable: give it anything with method, template, request, status and response. What discord.py is known to do
differently from the description is listed with its reason; everything else is a violation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DESCRIPTION = Path(__file__).parents[1] / "fixtures" / "discord" / "openapi.json"
ROOT = "urn:discord"


class Exchanged(Protocol):
    """One request and its answer; `template` is the path with its parameters in braces."""

    @property
    def method(self) -> str: ...
    @property
    def template(self) -> str: ...
    @property
    def request(self) -> Any: ...
    @property
    def status(self) -> int: ...
    @property
    def response(self) -> Any: ...


@dataclass(frozen=True, slots=True)
class Deviation:
    """A difference that is known and harmless: where it shows (regular expressions) and why it is there."""

    method: str
    template: str
    where: str
    reason: str

    def explains(self, exchange: Exchanged, where: str) -> bool:
        is_route = re.fullmatch(self.method, exchange.method) and re.fullmatch(self.template, exchange.template)
        return bool(is_route and re.search(self.where, where))


KNOWN_DEVIATIONS = (
    Deviation(
        ".*",
        ".*",
        r"^request(\.\w+)*\.(id|\w+_id|(roles|users)\.\d+): \d+ is not of type 'string'",
        "discord.py sends ids as JSON integers in these places; Discord takes both, the description only strings",
    ),
    Deviation(
        "PUT|DELETE",
        r"/guilds/\{guild_id\}/bans/\{user_id\}",
        r"^request: a body is required",
        "discord.py sends no body where every key of it is optional; Discord takes that for an empty one",
    ),
    Deviation(
        "PATCH",
        r".*/messages/(\{message_id\}|@original)",
        r"^request\.tts: unknown key",
        "discord.py builds edits like new messages and sends tts=false along; Discord ignores it",
    ),
    Deviation(
        "POST|PATCH",
        r"/guilds/\{guild_id\}/roles(/\{role_id\})?",
        r"^request\.permissions: '\d+' is not of type",
        "discord.py sends permissions as a string, as the documentation says; the description says integer",
    ),
    Deviation(
        "PUT",
        r"/channels/\{channel_id\}/permissions/\{overwrite_id\}",
        r"^request\.(allow|deny): '\d+' is not of type",
        "as above",
    ),
)


@dataclass(frozen=True, slots=True)
class Violation:
    """One difference between an exchange and the description."""

    exchange: str
    where: str

    def __str__(self) -> str:
        return f"{self.exchange}: {self.where}"


def check(exchanges: Iterable[Exchanged]) -> None:
    """Raise AssertionError with every violation in the exchanges."""
    found = [str(violation) for exchange in exchanges for violation in violations(exchange)]
    assert not found, "\n".join(dict.fromkeys(found))


def violations(exchange: Exchanged) -> list[Violation]:
    """Return what an exchange breaks, known deviations left out."""
    name = f"{exchange.method} {exchange.template} {exchange.status}"
    return [
        Violation(name, where)
        for where in _differences(exchange)
        if not any(each.explains(exchange, where) for each in KNOWN_DEVIATIONS)
    ]


def _differences(exchange: Exchanged) -> Iterator[str]:
    operation = _document()["paths"].get(exchange.template, {}).get(exchange.method.lower())
    if operation is None:
        yield "the description has no such operation"
        return
    if exchange.status < 400:
        # A request that was refused may be wrong on purpose.
        yield from _request_differences(exchange, operation)
    yield from _response_differences(exchange, operation)


def _request_differences(exchange: Exchanged, operation: Any) -> Iterator[str]:
    body = operation.get("requestBody")
    if body is None:
        if exchange.request not in (None, "", {}):
            yield "request: there is no body in the description"
        return
    if exchange.request is None:
        if body.get("required"):
            yield "request: a body is required"
        return
    pointer = _pointer("paths", exchange.template, exchange.method.lower(), "requestBody", "content")
    pointer += _pointer("application/json", "schema")
    yield from _schema_differences("request", pointer, exchange.request)
    if isinstance(exchange.request, dict):
        schema = body["content"]["application/json"]["schema"]
        for key in exchange.request.keys() - set(_keys(schema)):
            yield f"request.{key}: unknown key"


def _response_differences(exchange: Exchanged, operation: Any) -> Iterator[str]:
    responses = operation["responses"]
    status = str(exchange.status)
    key = status if status in responses else f"{status[0]}XX"
    if key not in responses:
        yield f"response: the description knows only {', '.join(responses)}"
        return
    pointer = _pointer("paths", exchange.template, exchange.method.lower(), "responses", key)
    if "$ref" in responses[key]:
        name = responses[key]["$ref"].rsplit("/", 1)[1]
        responses, key = _document()["components"]["responses"], name
        pointer = _pointer("components", "responses", name)
    content = responses[key].get("content")
    if content is None:
        if exchange.response is not None:
            yield "response: there is no body in the description"
        return
    pointer += _pointer("content", "application/json", "schema")
    yield from _schema_differences("response", pointer, exchange.response)


def _schema_differences(part: str, pointer: str, value: Any) -> Iterator[str]:
    for error in _validator(pointer).iter_errors(value):
        for cause in _deepest(error):
            place = ".".join([part, *(str(each) for each in cause.absolute_path)])
            yield f"{place}: {cause.message[:200]}"


def _deepest(error: Any) -> Iterator[Any]:
    """Of a failed oneOf or anyOf, return the causes in the branch that went furthest: the others are noise."""
    if not error.context:
        yield error
        return
    branches: dict[Any, list[Any]] = {}
    for each in error.context:
        branches.setdefault(each.schema_path[0], []).append(each)

    def closeness(causes: list[Any]) -> tuple[bool, int, int]:
        is_absent = any(each.validator_value == "null" for each in causes)
        return not is_absent, max(len(each.absolute_path) for each in causes), -len(causes)

    best = max(branches.values(), key=closeness)
    for each in best:
        yield from _deepest(each)


def _keys(schema: Any) -> Iterator[str]:
    if "$ref" in schema:
        yield from _keys(_document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    yield from schema.get("properties", ())
    for word in ("anyOf", "oneOf", "allOf"):
        for branch in schema.get(word, ()):
            yield from _keys(branch)


def _pointer(*parts: str) -> str:
    return "".join(
        "/" + part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D") for part in parts
    )


@cache
def _document() -> Any:
    return json.loads(DESCRIPTION.read_text(encoding="utf-8"))


@cache
def _registry() -> Registry[Any]:
    registry: Registry[Any] = Registry().with_resource(ROOT, DRAFT202012.create_resource(_document()))
    return registry


@cache
def _validator(pointer: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"{ROOT}#{pointer}"}, registry=_registry(), format_checker=_formats())


@cache
def _formats() -> FormatChecker:
    checker = FormatChecker(formats=())
    checker.checks("snowflake")(_is_snowflake)
    checker.checks("date-time", raises=ValueError)(_is_moment)
    return checker


def _is_snowflake(value: object) -> bool:
    return not isinstance(value, str) or (value.isdigit() and int(value) < 1 << 63)


def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None
