"""Listens, with the limits that keep slow and broken clients from costing anything (threats 0.5, W20, W32)."""

from __future__ import annotations

import logging
from datetime import timedelta

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from web.config import WebSettings

IDLE_SECONDS = 9.0
"""How long a connection may say nothing between requests, or take for a request's head (aiohttp's default: an hour)."""
_LONGEST_LINE = 8190
_MOST_HEADERS = 100
_LINES_PER_MINUTE = 20


class _OneLine(logging.Filter):
    """Makes one short line of what aiohttp logs about broken requests (ten lines of traceback each), a few a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._minute = 0
        self._lines = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Count the line and drop its traceback where the request, not our code, was broken."""
        minute = int(record.created // timedelta(minutes=1).total_seconds())
        if minute != self._minute:
            self._minute, self._lines = minute, 0
        self._lines += 1
        if record.exc_info and isinstance(record.exc_info[1], HttpProcessingError):
            record.msg, record.args = "request_refused: %s", (type(record.exc_info[1]).__name__,)
            record.exc_info = None
        return self._lines <= _LINES_PER_MINUTE


async def start_server(
    app: web.Application, settings: WebSettings, *, idle_seconds: float = IDLE_SECONDS
) -> web.AppRunner:
    """Start listening and return the runner; `runner.addresses` has the port, `runner.cleanup()` stops it.

    Raises OSError when the port is taken.
    """
    logger = logging.getLogger("doorlist.http")
    if not logger.filters:
        logger.addFilter(_OneLine())
    runner = web.AppRunner(
        app,
        access_log=None,  # ours is web.middleware.observe: no query strings, no tokens
        logger=logger,
        keepalive_timeout=idle_seconds,
        lingering_time=2.0,
        max_line_size=_LONGEST_LINE,
        max_field_size=_LONGEST_LINE,
        max_headers=_MOST_HEADERS,
        auto_decompress=False,  # a compressed body is refused, so nothing may unpack it before
    )
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.host, settings.port, backlog=1024).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner
