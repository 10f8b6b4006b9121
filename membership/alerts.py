"""Mails to whoever runs a server or this Doorlist when something needs them (EXPERIENCE 4.2): queued here, once each.

They say what is wrong and what happens if nobody acts, and lead to a page; no link in them does anything by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from membership.ledgers import Transaction
from membership.mail_notices import JOB
from membership.model import BatchId, GuildId, Lane
from membership.records import Draft

KIND = "alert"
"""The kind of message whose target is a server's id, or EVERYBODY: who reads it is looked up when it is sent."""

EVERYBODY = GuildId(0)
GATHERING = timedelta(minutes=2)
"""How long the brake gathers before it is told: a wave comes one member at a time."""


class Trouble(StrEnum):
    """What is wrong."""

    BRAKE = "brake"
    KEY = "key"
    BOT_REMOVED = "bot_removed"
    WEBHOOKS = "webhooks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What to tell. `key` names what happened, so that it is told once; `guild_id` EVERYBODY: the whole of Doorlist."""

    trouble: Trouble
    key: str
    guild_id: GuildId = EVERYBODY
    facts: Mapping[str, object] = field(default_factory=dict)


async def put(tx: Transaction, alert: Alert, now: datetime) -> None:
    """Queue an alert."""
    draft = Draft(
        dedupe_key=f"{KIND}:{alert.trouble}:{alert.key}",
        kind=KIND,
        target=str(alert.guild_id),
        template="staff_alert",
        facts={"trouble": alert.trouble.value, **alert.facts},
    )
    await tx.outbox.put(draft, now)


async def watch_brake(tx: Transaction, guild_id: GuildId, batch_id: BatchId, now: datetime) -> None:
    """Tell of what the brake holds once the wave is over."""
    await tx.jobs.mark(JOB, brake_key(guild_id, batch_id), lane=Lane.BULK, run_at=now + GATHERING)


def brake_key(guild_id: GuildId, batch_id: BatchId) -> str:
    """Name the job that tells of a batch."""
    return f"brake:{guild_id}:{batch_id}"
