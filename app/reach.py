"""Asks an address of our own from outside: one request, bounded in time and size."""

from __future__ import annotations

import aiohttp

from membership.errors import Retry

_SECONDS = 8.0
_LARGEST = 4096


async def answer_of(url: str) -> tuple[int, str]:
    """Return the status and the beginning of the body. Raises Retry when nobody answers."""
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(url, allow_redirects=False) as response,
        ):
            return response.status, (await response.content.read(_LARGEST)).decode(errors="replace")
    except (aiohttp.ClientError, TimeoutError) as silence:
        raise Retry(f"{url} does not answer ({type(silence).__name__})") from silence
