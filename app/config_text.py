"""The configuration as text: the example file, and the values in force with their origin."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from pydantic import SecretStr

from app.catalogue import Setting, catalogue
from app.settings import Loaded, Settings, without_password

INTRODUCTION = """\
# Every setting with its default. Copy the lines you change into config.toml, beside bot.py.
# Environment: DOORLIST_<SECTION>__<KEY>, for example DOORLIST_WEB__PORT=9000. Command line: --set web.port=9000
# Secrets: put them into secrets/<section>__<key> (mode 0600) or name a file in DOORLIST_<SECTION>__<KEY>_FILE.
# This text is printed by: python3 bot.py config example
"""


def example() -> str:
    """Return config.example.toml: every setting, commented, with its default; secrets only by name."""
    lines = [INTRODUCTION]
    for section, settings in groupby(catalogue(Settings).values(), key=lambda setting: setting.section):
        lines.extend([f"[{section}]"] if section else [])
        for setting in settings:
            lines.extend(_example_lines(setting))
        lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def _example_lines(setting: Setting) -> Iterator[str]:
    if setting.about:
        yield f"# {setting.about}"
    if setting.is_secret:
        yield f"# {setting.name}: in secrets/{setting.secret_file}"
    else:
        yield f"{setting.name} = {_toml(setting.default)}"


def _toml(value: Any) -> str:
    """Return a string, number, truth or list as TOML, which agrees with JSON on those."""
    return json.dumps(value, ensure_ascii=False)


def effective(loaded: Loaded) -> list[str]:
    """Return one line for each setting: its value and where it comes from. Secrets show only that they are set."""
    known = catalogue(Settings)
    width = max(map(len, known))
    return [
        f"{key:<{width}} = {_shown(_value(loaded.settings, key))}   {loaded.origins.get(key, 'default')}"
        for key in known
    ]


def _value(settings: Settings, key: str) -> Any:
    value: Any = settings
    for part in key.split("."):
        value = getattr(value, part)
    return value


def _shown(value: Any) -> str:
    if isinstance(value, SecretStr):
        return "(set, not shown)" if value.get_secret_value() else "(not set)"
    return without_password(json.dumps(value, ensure_ascii=False, default=str))
