"""Counts how often somebody asked for something lately, so that nobody hammers a button. For people who wait alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from membership import codes
from membership.ledgers import Transaction

_KIND = "tries"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many tries there are in a rolling time."""

    tries: int
    window: timedelta


async def count(tx: Transaction, what: str, limit: Limit, now: datetime) -> datetime | None:
    """Count a try; return until when one has to wait where there were too many, which counts no further.

    `what` names who tries what; only its digest is kept.
    """
    digest = codes.digest(f"{_KIND}:{what}")
    kept = await tx.sessions.get(digest, _KIND, now) or {"at": ""}
    recent = [at for at in map(datetime.fromisoformat, kept["at"].split()) if at > now - limit.window]
    if len(recent) >= limit.tries:
        return recent[0] + limit.window
    moments = " ".join(moment.isoformat() for moment in [*recent, now])
    await tx.sessions.put(digest, _KIND, {"at": moments}, now + limit.window)
    return None
