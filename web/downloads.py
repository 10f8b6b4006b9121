"""CSV files to keep: whole from memory, or portion by portion for what is too long to hold. Rows are csv_text.py's."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import structlog
from aiohttp import hdrs, web

log = structlog.stdlib.get_logger()


def whole(content: bytes, file_name: str) -> web.Response:
    """Return a file that is complete. `file_name`: plain ASCII without quotes."""
    return web.Response(body=content, headers=_headers(file_name))


async def streamed(request: web.Request, portions: AsyncGenerator[bytes], file_name: str) -> web.StreamResponse:
    """Send a file portion by portion; what portions raise comes through.

    Then the connection is broken: a browser that waits for the rest, or takes half a file for the whole, is worse off.
    """
    response = web.StreamResponse(headers=_headers(file_name))
    await response.prepare(request)
    try:
        async with aclosing(portions):
            async for portion in portions:
                if not await _is_written(response, portion):
                    log.info("download_left", file=file_name)
                    return response
    except BaseException:
        if request.transport is not None:
            request.transport.abort()
        raise
    return response


async def _is_written(response: web.StreamResponse, portion: bytes) -> bool:
    """Write a portion; say whether anybody is still there to take it."""
    try:
        await response.write(portion)
    except ConnectionError:
        return False
    return True


def _headers(file_name: str) -> Mapping[str, str]:
    return {
        hdrs.CONTENT_TYPE: "text/csv; charset=utf-8",
        hdrs.CONTENT_DISPOSITION: f'attachment; filename="{file_name}"',
    }
