"""The card of `/doorlist about`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cogs.cards import Button, Buttons, Card, Text, Tone

_STEPS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """How this Doorlist is. `latency_seconds` None: the gateway has not said. `jobs` are counts by state."""

    version: str
    started_at: datetime
    latency_seconds: float | None
    database_kind: str
    database_bytes: int
    last_run_at: datetime | None
    members: int
    jobs: Mapping[str, int] = field(default_factory=dict)
    newest_event_at: Mapping[str, datetime] = field(default_factory=dict)
    pages_url: str = ""


def about_card(about: About, now: datetime) -> Card:
    """Say in a few lines how it is."""
    gateway = "not measured yet" if about.latency_seconds is None else f"{about.latency_seconds * 1000:.0f} ms"
    database = f"database {about.database_kind} {about.database_bytes / 1_000_000:.1f} MB"
    run = "none yet" if about.last_run_at is None else f"{span(now - about.last_run_at)} ago"
    queue = f"queue {about.jobs.get('due', 0)} due, {about.jobs.get('waiting', 0)} later"
    parked = about.jobs.get("parked", 0)
    trouble = f" · **{parked} gave up**: `/doorlist doctor`" if parked else ""
    events = [
        f"newest event of {name.title()} {span(now - at)} ago" for name, at in sorted(about.newest_event_at.items())
    ]
    return Card(
        title=f"Doorlist {about.version}",
        lines=(
            Text(
                f"up {span(now - about.started_at)} · gateway {gateway} · {database}\n"
                f"Last run: {run} · {about.members:,} members here · {queue}{trouble}"
            ),
            Text(" · ".join(events) or "No payment provider has sent an event yet."),
            Buttons(
                (
                    Button(label="Doctor", action="doctor"),
                    *((Button(label="Pages", url=about.pages_url),) if about.pages_url.startswith("https://") else ()),
                )
            ),
        ),
        tone=Tone.WARN if parked else Tone.NEWS,
    )


def span(duration: timedelta) -> str:
    """Say a duration in its largest unit: 12 days."""
    for step, name in _STEPS:
        count = duration // step
        if count:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return f"{max(0, round(duration.total_seconds()))} s"
