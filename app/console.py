"""What the terminal shows: one line per fact, in columns for people or as JSON for machines."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import MutableMapping
from typing import Literal

import structlog

Format = Literal["auto", "pretty", "json"]

_DIM, _RED, _YELLOW, _PLAIN = "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
_COLOURS = {"error": _RED, "critical": _RED, "warning": _YELLOW}
_EVENT_WIDTH = 24


def configure_log(chosen: Format = "auto", *, level: int = logging.INFO) -> None:
    """Set up every line of output of this process; `auto` is pretty on a terminal and JSON elsewhere."""
    is_pretty = chosen == "pretty" or (chosen == "auto" and sys.stdout.isatty())
    renderer = _pretty if is_pretty else structlog.processors.JSONRenderer(ensure_ascii=False)
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
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


def _pretty(_: object, __: str, event: MutableMapping[str, object]) -> str:
    """Write time, fact and fields in columns."""
    moment, level, fact = event.pop("ts", ""), str(event.pop("level", "info")), str(event.pop("event", ""))
    trace = event.pop("exception", "")
    fields = "  ".join(f"{name}={value}" for name, value in event.items() if value not in (None, ""))
    words = f"{fact.replace('_', ' '):<{_EVENT_WIDTH}}"
    line = f"{moment}  {words}  {fields}".rstrip()
    if sys.stdout.isatty() and "NO_COLOR" not in os.environ:
        colour = _COLOURS.get(level, "")
        line = f"{_DIM}{moment}{_PLAIN}  {colour}{words}{_PLAIN}  {fields}".rstrip()
    return f"{line}\n{trace}" if trace else line
