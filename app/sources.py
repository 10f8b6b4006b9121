"""Where settings come from: config.toml, secret files, the environment, the command line. Reads, judges nothing.

Each source gives findings: a dotted key, a value, and the place to name when the value is wrong.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PREFIX = "DOORLIST_"
NOT_SETTINGS = {"DOORLIST_NO_BOOTSTRAP", "DOORLIST_REQUIRE_ALL_TESTS"}


class SettingsError(Exception):
    """The configuration is wrong; each line of `problems` names one place, what is wrong there and what to do."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the problems in the order in which they were found."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Finding:
    """One value that somebody set, and where."""

    key: str
    value: Any = field(repr=False)
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything that settings are read from. `assignments` are the command line's section.key=value."""

    config_file: Path
    own_secrets: Path
    shared_secrets: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    assignments: Sequence[str] = ()


def from_toml(path: Path) -> list[Finding]:
    """Return the findings of a TOML file, none if it does not exist. Raises SettingsError if it is not TOML."""
    if not path.exists():
        return []
    try:
        text = path.read_text("utf-8")
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise SettingsError([f"{path.name} cannot be read: {error}."]) from error
    lines = _toml_lines(text)
    return [
        Finding(key, value, f"{path.name} line {lines[key]}" if key in lines else path.name)
        for key, value in _flat(tables, "")
    ]


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _toml_lines(text: str) -> dict[str, int]:
    """Return the line of each plainly written key; tomllib keeps no positions."""
    lines: dict[str, int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", line):
            section = f"{header[1]}."
        elif assignment := re.match(r"\s*([\w.-]+)\s*=", line):
            lines.setdefault(section + assignment[1], number)
    return lines


def from_secret_files(folder: Path, *, sections: set[str] | None = None) -> list[Finding]:
    """Return the findings of a folder of files named section__key; with `sections`, only files that start with one.

    A folder shared with other programs (/run/secrets) holds files that are none of our business.
    """
    if not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    ours = [name for name in names if sections is None or name.partition("__")[0] in sections]
    return [Finding(name.replace("__", "."), _read_secret(folder / name), f"{folder.name}/{name}") for name in ours]


def from_secret_names(environment: Mapping[str, str], known: set[str]) -> list[Finding]:
    """Return the findings of variables that name a file: DOORLIST_DISCORD__TOKEN_FILE=/path."""
    return [
        Finding(_file_key(key), _read_secret(Path(value)), name)
        for name, key, value in _own_variables(environment)
        if key not in known and _file_key(key) in known
    ]


def from_environment(environment: Mapping[str, str], known: set[str]) -> list[Finding]:
    """Return the findings of DOORLIST_SECTION__KEY, without those that name a file."""
    return [
        Finding(key, value, name)
        for name, key, value in _own_variables(environment)
        if key in known or _file_key(key) not in known
    ]


def from_assignments(assignments: Sequence[str]) -> list[Finding]:
    """Return the findings of the command line. Raises SettingsError for one without "="."""
    if wrong := [text for text in assignments if "=" not in text]:
        raise SettingsError([f"--set {text}: write section.key=value." for text in wrong])
    pairs = (text.partition("=") for text in assignments)
    return [Finding(key.strip(), value, f"--set {key.strip()}") for key, _, value in pairs]


def _own_variables(environment: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    for name, value in sorted(environment.items()):
        if name.startswith(PREFIX) and name not in NOT_SETTINGS:
            yield name, name.removeprefix(PREFIX).lower().replace("__", "."), value


def _file_key(key: str) -> str:
    return key.removesuffix("_file") if key.endswith("_file") else ""


def _read_secret(path: Path) -> str:
    try:
        return path.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path} cannot be read: {error}."]) from error
