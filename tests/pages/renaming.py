"""Gives everybody and everything in a furnished world another name, wherever a name is stored or told by Discord.

Written past Doorlist, straight into its tables: what a check would refuse may have come in before there was the check.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.pages.cast import NAMES, TYPED
from tests.pages.named_discord import NamedDiscord
from tests.pages.rich_stage import RichStage

Spell = Callable[[str], str]
_MORE = ("Golden Plan", "Course for all", "Lounge only", "Founders of old", "Regular Plan", "User3", "User4", "Dora")
_KEPT = frozenset({"sessions", "sign_ins", "alembic_version", "settings", "cursors"})
_NO_NAMES = frozenset({"digest", "slug", "external_id", "email", "time_zone", "language", "template"})


def known_names() -> frozenset[str]:
    """Return every name that people chose in the furnished world."""
    return frozenset((*NAMES.values(), *TYPED.values(), *_MORE))


def rename(rich: RichStage, spell: Spell) -> None:
    """Put the world back to what it was, then let every name read as `spell` says."""
    rich.restore()
    names = {name: spell(name) for name in known_names()}
    _rename_stored(rich.path, names)
    world = rich.stage.world
    assert isinstance(world.discord, NamedDiscord)
    world.discord.spell = lambda name: names.get(name, name)
    for bills in world.provider.bills.values():
        bills[:] = [replace(bill, number=spell("ADA-0001")) for bill in bills]


def _rename_stored(path: Path, names: Mapping[str, str]) -> None:
    with closing(sqlite3.connect(path, timeout=5)) as database:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in sorted(set(tables) - _KEPT):
            columns = [row[1] for row in database.execute(f'PRAGMA table_info("{table}")')]
            for column in sorted(set(columns) - _NO_NAMES):
                _rename_column(database, table, column, names)
        database.commit()


def _rename_column(database: sqlite3.Connection, table: str, column: str, names: Mapping[str, str]) -> None:
    for row_id, value in database.execute(f'SELECT rowid, "{column}" FROM "{table}"').fetchall():
        renamed = _renamed(value, names) if isinstance(value, str) else value
        if renamed != value:
            database.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (renamed, row_id))


def _renamed(text: str, names: Mapping[str, str]) -> str:
    if text.startswith(("{", "[")):
        try:
            return json.dumps(inside(json.loads(text), names))
        except ValueError:
            return text
    return names.get(text, text)


def inside(value: Any, names: Mapping[str, str]) -> Any:
    """Return what was read from JSON, with every name in it as it reads now."""
    match value:
        case str():
            return names.get(value, value)
        case list():
            return [inside(each, names) for each in value]
        case dict():
            return {key: inside(each, names) for key, each in value.items()}
        case _:
            return value
