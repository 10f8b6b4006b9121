"""Server-side browser state. Its content is sealed; its id is known only as a digest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.ledgers import sessions
from storage.secrets import Seal
from storage.statements import insert_into


class Sessions:
    """Sessions of every kind (sign-in, OAuth state, ...)."""

    def __init__(self, connection: AsyncConnection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal

    async def put(self, digest: str, kind: str, content: Mapping[str, str], expires_at: datetime) -> None:
        """Store or replace a session."""
        changing = {
            "content": self._seal.close(json.dumps(dict(content)), row=_row_name(digest, kind)),
            "expires_at": expires_at,
        }
        await self._connection.execute(
            insert_into(self._connection, sessions)
            .values(digest=digest, kind=kind, **changing)
            .on_conflict_do_update(index_elements=[sessions.c.digest, sessions.c.kind], set_=changing)
        )

    async def get(self, digest: str, kind: str, now: datetime) -> Mapping[str, str] | None:
        """Return a live session's content."""
        found = await self._connection.execute(
            select(sessions.c.content).where(*_is_this(digest, kind), sessions.c.expires_at > now)
        )
        return self._open(found.scalar_one_or_none(), digest, kind)

    async def take(self, digest: str, kind: str, now: datetime) -> Mapping[str, str] | None:
        """Return and delete it in one step, so that it serves once."""
        taken = await self._connection.execute(
            delete(sessions).where(*_is_this(digest, kind), sessions.c.expires_at > now).returning(sessions.c.content)
        )
        return self._open(taken.scalar_one_or_none(), digest, kind)

    async def prune(self, now: datetime) -> None:
        """Delete what has expired."""
        await self._connection.execute(delete(sessions).where(sessions.c.expires_at <= now))

    def _open(self, content: str | None, digest: str, kind: str) -> Mapping[str, str] | None:
        if content is None:
            return None
        opened: dict[str, str] = json.loads(self._seal.open(content, row=_row_name(digest, kind)))
        return opened


def _is_this(digest: str, kind: str) -> tuple[Any, ...]:
    return sessions.c.digest == digest, sessions.c.kind == kind


def _row_name(digest: str, kind: str) -> str:
    return f"sessions:{kind}:{digest}"
