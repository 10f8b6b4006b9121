"""Every setting as one flat list, read from the settings classes: what they are called, mean and default to."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting; `key` is its dotted name, `about` one line for people, "" when the name says it all."""

    key: str
    default: Any
    about: str
    is_secret: bool
    is_list: bool

    @property
    def section(self) -> str:
        """Return the dotted name without its last part, "" at the top."""
        return self.key.rpartition(".")[0]

    @property
    def name(self) -> str:
        """Return the last part of the dotted name."""
        return self.key.rpartition(".")[2]

    @property
    def secret_file(self) -> str:
        """Return the name of the file in secrets/ that may hold the value."""
        return self.key.replace(".", "__")


def catalogue(model: type[BaseModel]) -> dict[str, Setting]:
    """Return the settings of `model` and its sections by key, in the order of the classes."""
    return {setting.key: setting for setting in _of_model(model, "")}


def _of_model(model: type[BaseModel], prefix: str) -> Iterator[Setting]:
    for name, field in model.model_fields.items():
        key, section = prefix + name, field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from _of_model(section, f"{key}.")
        elif isinstance(section, type) and dataclasses.is_dataclass(section):
            yield from _of_dataclass(section, f"{key}.")
        else:
            yield _of_field(key, field)


def _of_field(key: str, field: FieldInfo) -> Setting:
    return Setting(
        key=key,
        default=field.default,
        about=field.description or "",
        is_secret=field.annotation is SecretStr,
        is_list=get_origin(field.annotation) is tuple,
    )


def _of_dataclass(section: type, prefix: str) -> Iterator[Setting]:
    about = _attribute_docstrings(section)
    for field in dataclasses.fields(section):
        is_list = isinstance(field.default, tuple)
        yield Setting(
            key=prefix + field.name, default=field.default, about=about[field.name], is_secret=False, is_list=is_list
        )


def _attribute_docstrings(section: type) -> dict[str, str]:
    """Return the string under each field; Python keeps those in the source only."""
    body = ast.parse(textwrap.dedent(inspect.getsource(section))).body[0].body  # type: ignore[attr-defined]
    found: dict[str, str] = {}
    for statement, following in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            is_text = isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)
            found[statement.target.id] = following.value.value.rstrip(".") if is_text else ""
    return found
