"""Files sent portion by portion: what happens when they cannot be sent to their end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from tests.web.stage import free_port
from web.config import WebSettings
from web.downloads import streamed
from web.server import start_server

PATIENCE = 5.0
Portions = Callable[[], AsyncGenerator[bytes]]


@asynccontextmanager
async def served(portions: Portions) -> AsyncIterator[str]:
    """Serve a file at the address that is given."""
    app = web.Application()
    port = free_port()

    async def serve(request: web.Request) -> web.StreamResponse:
        return await streamed(request, portions(), "list.csv")

    app.router.add_get("/list", serve)
    runner = await start_server(app, WebSettings.model_validate({"host": "127.0.0.1", "port": port}))
    try:
        yield f"http://127.0.0.1:{port}/list"
    finally:
        await runner.cleanup()


async def test_it_sends_every_portion() -> None:
    async def portions() -> AsyncGenerator[bytes]:
        yield b"a\n"
        yield b"b\n"

    async with served(portions) as url, aiohttp.ClientSession() as browser, browser.get(url) as answer:
        assert await answer.read() == b"a\nb\n"
        assert answer.headers["Content-Disposition"] == 'attachment; filename="list.csv"'


async def test_a_file_that_breaks_off_is_no_whole_file_to_the_browser() -> None:
    async def portions() -> AsyncGenerator[bytes]:
        yield b"a\n"
        raise ZeroDivisionError

    async with served(portions) as url, aiohttp.ClientSession() as browser:
        with pytest.raises(aiohttp.ClientError):
            async with asyncio.timeout(PATIENCE), browser.get(url) as answer:
                await answer.read()


async def test_a_browser_that_leaves_ends_the_work_and_is_no_fault() -> None:
    has_ended = asyncio.Event()

    async def portions() -> AsyncGenerator[bytes]:
        try:
            while True:
                yield bytes(200_000)
        finally:
            has_ended.set()

    with capture_logs() as lines:
        async with served(portions) as url, aiohttp.ClientSession() as browser:
            answer = await browser.get(url)
            answer.close()
            async with asyncio.timeout(PATIENCE):
                await has_ended.wait()
    assert [line["event"] for line in lines] == ["download_left"]
