"""The documents and the code say the same: settings, commands, version, exempt variables."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click

from app.catalogue import catalogue
from app.cli import doorlist
from app.config_text import example
from app.settings import Settings
from app.sources import NOT_SETTINGS
from tests.meta.source import ROOT, production_files


def _commands(group: click.Group, prefix: str) -> Iterator[str]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _commands(command, f"{prefix}{name} ")
        else:
            yield prefix + name


def test_the_example_is_what_the_settings_are() -> None:
    assert (ROOT / "config.example.toml").read_text("utf-8") == example()


def test_the_example_sets_every_setting_to_its_default() -> None:
    assert Settings.model_validate(tomllib.loads(example())) == Settings()


def test_every_setting_that_is_not_plain_is_explained() -> None:
    plain = {"reply_to", "host", "port", "username", "password", "api_url", "gateway_url"}
    assert not [key for key, setting in catalogue(Settings).items() if not setting.about and setting.name not in plain]


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    assert not [command for command in _commands(doorlist, "") if f"`{command}" not in readme]


def test_the_changelog_has_the_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    assert f"## {version}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_every_variable_in_the_code_is_a_setting_or_named_as_none() -> None:
    known = {f"DOORLIST_{key.upper().replace('.', '__')}" for key in catalogue(Settings)} | NOT_SETTINGS
    named = {name for path in production_files() for name in _variables(path)}
    assert {name.removesuffix("_FILE") for name in named} <= known


def _variables(path: Path) -> list[str]:
    """Return the variables of the environment that the file spells out, without examples such as DOORLIST_<SECTION>."""
    return re.findall(r"\b(DOORLIST_(?!SECTION)[A-Z_]*[A-Z])\b", path.read_text("utf-8"))
