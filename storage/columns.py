"""Column types that both databases store and compare alike: moments, role sets, words and facts. No tables here."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = EPOCH
"""What a column that has to sort first holds for "not yet"."""
_MICROSECOND = timedelta(microseconds=1)

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""Our own numbers. SQLite counts up by itself only in a column that is spelled INTEGER (64 bits all the same)."""


SearchKey = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Lower-case text to be found by its beginning: compared byte by byte in both databases, so that the index serves."""


class Moment(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite keeps microseconds since 1970 as an integer, so that comparing is exact."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column for a database."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write a moment. Raises ValueError for a naive one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        return (value - EPOCH) // _MICROSECOND if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read a moment back, in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return EPOCH + timedelta(microseconds=value)
        moment: datetime = value
        return moment.astimezone(UTC)


class RoleSet(TypeDecorator[frozenset[int]]):
    """A set of role ids in its one canonical spelling, so that "differs" is a comparison of two columns."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[int] | None, dialect: Dialect) -> str | None:
        """Write the ids sorted and joined by commas."""
        return None if value is None else ",".join(str(role) for role in sorted(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[int] | None:
        """Read the ids back."""
        if value is None:
            return None
        return frozenset(int(role) for role in value.split(",")) if value else frozenset()


class Word(TypeDecorator[StrEnum]):
    """A member of a closed set, kept as its text."""

    impl = Text
    cache_ok = True

    def __init__(self, words: Callable[[str], StrEnum]) -> None:
        """Take the enum that the text belongs to."""
        super().__init__()
        self.words = words

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:
        """Write the word."""
        return None if value is None else str(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:
        """Read the word back. Raises ValueError for one that the enum does not know."""
        return None if value is None else self.words(value)


class Facts(TypeDecorator[Mapping[str, object]]):
    """A small JSON object. Moments go in as ISO 8601 text and come back as that text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Mapping[str, object] | None, dialect: Dialect) -> str | None:
        """Write the object. Raises TypeError for what JSON cannot say."""
        return None if value is None else json.dumps(dict(value), default=_spell, ensure_ascii=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Mapping[str, object] | None:
        """Read the object back."""
        if value is None:
            return None
        facts: dict[str, object] = json.loads(value)
        return facts


def _spell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be stored as JSON")
