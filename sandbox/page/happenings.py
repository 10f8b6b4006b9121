"""WHAT JUST HAPPENED: the staff's event log, Stripe's deliveries and the mails, in one list, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from markupsafe import Markup, escape

from sandbox.page.discord_text import to_html
from sandbox.parts import Outside

SHOWN = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One line. `source` says who speaks: Doorlist, Stripe, Mail."""

    at: datetime
    source: str
    tone: str
    text: Markup
    detail: Markup


def happenings(world: Outside) -> list[Happening]:
    """Return the newest lines of all three sources."""
    found = [*islice(_events(world), SHOWN), *islice(_deliveries(world), SHOWN), *islice(_mails(world), SHOWN)]
    return sorted(found, key=lambda each: each.at, reverse=True)[:SHOWN]


def _events(world: Outside) -> Iterator[Happening]:
    server = world.seed.server
    for message in server.log.newest_first():
        if not message.author.is_bot:
            continue
        for given in message.embeds or [{"title": message.content}]:
            lines = " · ".join((given.get("description") or "").splitlines())
            yield Happening(
                at=message.timestamp,
                source="Doorlist",
                tone="info",
                text=to_html(given.get("title") or "", world.discord.world, server.guild),
                detail=to_html(lines, world.discord.world, server.guild),
            )


def _deliveries(world: Outside) -> Iterator[Happening]:
    for attempt in reversed(world.stripe.deliveries.log):
        is_taken = attempt.status is not None and attempt.status < 300
        again = f", try {attempt.number}" if attempt.number > 1 else ""
        yield Happening(
            at=attempt.at,
            source="Stripe",
            tone="off" if is_taken else "bad",
            text=Markup("webhook <code>{}</code>").format(attempt.event_type),
            detail=escape(f"answered {attempt.status}{again}" if attempt.status else f"no answer{again}"),
        )


def _mails(world: Outside) -> Iterator[Happening]:
    for mail in reversed(world.mailbox.mails):
        yield Happening(
            at=mail.at,
            source="Mail",
            tone="ok",
            text=Markup("“{}”").format(mail.subject),
            detail=escape(f"to {', '.join(mail.to)}"),
        )
