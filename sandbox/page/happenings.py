"""WHAT JUST HAPPENED: the staff's event log, Stripe's deliveries and the mails, in one list, newest first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice

from markupsafe import Markup, escape

from sandbox.page.discord_text import to_html
from sandbox.page.messages import embed_tone
from sandbox.parts import Outside
from sandbox.stripe.deliveries import Attempt

SHOWN = 14
ATTEMPTS_READ = 200
KINDS_SHOWN = 3


# The sign before a title repeats the colour, which is here on the source.
_ICON = re.compile(r"^[^\w@#]+\s")


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
                tone=embed_tone(given),
                text=to_html(_ICON.sub("", given.get("title") or ""), world.discord.world, server.guild),
                detail=to_html(lines, world.discord.world, server.guild),
            )


def _deliveries(world: Outside) -> Iterator[Happening]:
    """Return one line for webhooks that came one after the other and were answered alike: a purchase sends a dozen."""
    newest = islice(reversed(world.stripe.deliveries.log), ATTEMPTS_READ)
    for (answer, _), group in groupby(newest, key=lambda each: (_answer(each), each.at.replace(microsecond=0))):
        attempts = list(group)
        kinds = list(dict.fromkeys(attempt.event_type for attempt in reversed(attempts)))
        count = f"{len(attempts)} webhooks" if len(attempts) > 1 else "webhook"
        yield Happening(
            at=attempts[0].at,
            source="Stripe",
            tone="off" if answer == "taken" else "bad",
            text=escape(f"{count} {answer}"),
            detail=Markup(", ").join(Markup("<code>{}</code>").format(kind) for kind in kinds[:KINDS_SHOWN])
            + (f" and {len(kinds) - KINDS_SHOWN} more" if len(kinds) > KINDS_SHOWN else ""),
        )


def _answer(attempt: Attempt) -> str:
    if attempt.status is None:
        return "got no answer"
    return "taken" if attempt.status < 300 else f"answered {attempt.status}"


def _mails(world: Outside) -> Iterator[Happening]:
    for mail in reversed(world.mailbox.mails):
        yield Happening(
            at=mail.at,
            source="Mail",
            tone="ok",
            text=Markup("“{}”").format(mail.subject),
            detail=escape(f"to {', '.join(mail.to)}"),
        )
