"""Who is signed in with which browser, and who was made an operator."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from membership.browsing import Person, SignIn
from membership.codes import digest as digest_of
from membership.model import UserId
from storage.secrets import Seal
from storage.statements import insert_into
from storage.web_tables import operators, sign_ins


class SignIns:
    """Sessions of people. The address, the name and the device are sealed; an address is found by its digest."""

    def __init__(self, connection: AsyncConnection, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal

    async def add(self, sign_in: SignIn) -> None:
        """Keep a new one."""
        content = {"email": sign_in.email, "name": sign_in.name, "device": sign_in.device}
        await self._connection.execute(
            insert(sign_ins).values(
                digest=sign_in.digest,
                kind=sign_in.person,
                user_id=sign_in.user_id,
                mail_digest=mail_digest(sign_in.email),
                content=self._seal.close(json.dumps(content), row=_row_name(sign_in.digest)),
                began_at=sign_in.began_at,
                seen_at=sign_in.seen_at,
                proved_at=sign_in.proved_at,
                expires_at=sign_in.expires_at,
            )
        )

    async def get(self, digest: str, person: Person, now: datetime) -> SignIn | None:
        """Return a live one by its key's digest."""
        found = await self._connection.execute(
            select(sign_ins).where(sign_ins.c.digest == digest, sign_ins.c.kind == person, sign_ins.c.expires_at > now)
        )
        row = found.one_or_none()
        return None if row is None else self._read(row)

    async def touch(self, digest: str, seen_at: datetime, expires_at: datetime) -> None:
        """Note that it was used."""
        await self._connection.execute(
            update(sign_ins).where(sign_ins.c.digest == digest).values(seen_at=seen_at, expires_at=expires_at)
        )

    async def end(self, digest: str) -> None:
        """End one."""
        await self._connection.execute(delete(sign_ins).where(sign_ins.c.digest == digest))

    async def of_person(
        self, person: Person, user_id: UserId | None, email: str, now: datetime, limit: int
    ) -> Sequence[SignIn]:
        """Return the live ones of whoever proved this Discord account or this address."""
        proofs = []
        if user_id is not None:
            proofs.append(sign_ins.c.user_id == user_id)
        if email:
            proofs.append(sign_ins.c.mail_digest == mail_digest(email))
        if not proofs:
            return []
        found = await self._connection.execute(
            select(sign_ins)
            .where(sign_ins.c.kind == person, sign_ins.c.expires_at > now, or_(*proofs))
            .order_by(sign_ins.c.seen_at.desc(), sign_ins.c.id.desc())
            .limit(limit)
        )
        return [self._read(row) for row in found]

    async def prune(self, now: datetime) -> None:
        """Delete what has expired."""
        await self._connection.execute(delete(sign_ins).where(sign_ins.c.expires_at <= now))

    def _read(self, row: Row[Any]) -> SignIn:
        content = json.loads(self._seal.open(row.content, row=_row_name(row.digest)))
        return SignIn(
            id=row.id,
            digest=row.digest,
            person=row.kind,
            user_id=None if row.user_id is None else UserId(row.user_id),
            began_at=row.began_at,
            seen_at=row.seen_at,
            proved_at=row.proved_at,
            expires_at=row.expires_at,
            **content,
        )


class Operators:
    """Who was made an operator by the one-time link."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> Sequence[UserId]:
        """Return them."""
        found = await self._connection.execute(select(operators.c.user_id).order_by(operators.c.added_at))
        return [UserId(user_id) for user_id in found.scalars()]

    async def add(self, user_id: UserId, now: datetime) -> None:
        """Add one; again is no harm."""
        await self._connection.execute(
            insert_into(self._connection, operators)
            .values(user_id=user_id, added_at=now)
            .on_conflict_do_nothing(index_elements=[operators.c.user_id])
        )


def mail_digest(email: str) -> str:
    """Return what an address is found by without keeping it, "" for none."""
    return digest_of(email.casefold()) if email else ""


def _row_name(digest: str) -> str:
    return f"sign_ins:{digest}"
