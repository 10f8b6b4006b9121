"""What the terminal shows: one line per fact, in columns for people or as JSON for machines."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Literal

import structlog

Format = Literal["auto", "pretty", "json"]
Event = MutableMapping[str, object]

_DIM, _RED, _YELLOW, _PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
_COLOURS = {"error": _RED, "critical": _RED, "warning": _YELLOW}
_AREA_WIDTH, _FACT_WIDTH = 10, 14
_LONGEST_ID = 12
_NAMED = ("plan", "type", "template", "kind", "what", "route")
_LEFT_OUT = ("guild_id", "role_ids", "message_id", "key", "purchases")
_FAILED = 500


def configure_log(chosen: Format = "auto", *, level: int = logging.INFO) -> None:
    """Set up every line of output of this process; `auto` is pretty on a terminal and JSON elsewhere."""
    is_pretty = chosen == "pretty" or (chosen == "auto" and sys.stdout.isatty())
    renderer = pretty if is_pretty else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            *([_only_failed_pages] if is_pretty and level > logging.DEBUG else []),
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if is_pretty else "iso", utc=not is_pretty, key="ts"),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    # The libraries' own lines: only what an operator has to act on.
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s  %(name)s  %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    logging.getLogger("discord").setLevel(logging.ERROR)


def pretty(_: object, __: str, event: Event) -> str:
    """Write a fact as people read it: time, area, what happened, then whom and why."""
    moment, level, fact = str(event.pop("ts", "")), str(event.pop("level", "info")), str(event.pop("event", ""))
    trace = event.pop("exception", "")
    area, _, happened = fact.partition("_")
    words = f"{area:<{_AREA_WIDTH}} {happened.replace('_', ' '):<{_FACT_WIDTH}}"
    told = _told(event)
    line = f"{moment}  {words}  {told}".rstrip()
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        colour = _COLOURS.get(level, "")
        line = f"{_DIM}{moment}{_PLAIN}  {colour}{words}{_PLAIN if colour else ''}  {told}".rstrip()
    return f"{line}\n{trace}" if trace else line


def _told(event: Event) -> str:
    """Return the fields in words: names alone, whom, because of what, and the rest by its name."""
    given = {name: value for name, value in event.items() if value not in (None, "", [], False)}
    named = "  ".join(str(given.pop(name)) for name in _NAMED if name in given)
    user_id, cause = given.pop("user_id", None), given.pop("reason", None) or given.pop("why", None)
    parts = [
        f"{named} → {_short(user_id)}".strip() if user_id else named,
        f"because {str(cause).replace('_', ' ')}" if cause else "",
        *(f"{name}={_short(value)}" for name, value in given.items() if name not in _LEFT_OUT),
    ]
    return "  ".join(filter(None, parts))


def _short(value: object) -> str:
    """Leave of a long number its end, by which lines about the same one are told apart."""
    text = str(value)
    return f"…{text[-4:]}" if text.isdigit() and len(text) > _LONGEST_ID else text


def _only_failed_pages(_: object, __: str, event: Event) -> Event:
    """Leave out pages that were served as they should be. Raises structlog.DropEvent."""
    status = event.get("status")
    if event.get("event") == "page_served" and isinstance(status, int) and status < _FAILED:
        raise structlog.DropEvent
    return event
