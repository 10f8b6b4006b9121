"""The door for providers: what is let in, what is refused and how quietly, and what broken HTTP does to us: nothing."""

from __future__ import annotations

import asyncio
import gzip
import io
import logging
import time
import zlib
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.web.stage import BUSY, Stage, a_stage
from web.server import IDLE_SECONDS

MIB = 1024 * 1024


async def post(stage: Stage, body: bytes, *, path: str = "/webhooks/shop", **headers: str) -> int:
    """Send a signed body; return the status."""
    signed = {"Shop-Signature": stage.provider.sign(body), **headers}
    async with stage.browser.session.post(stage.base + path, data=io.BytesIO(body), headers=signed) as answer:
        assert await answer.read() == b"" or not path.startswith("/webhooks/")
        return answer.status


async def test_a_signed_event_is_stored_before_it_is_acknowledged(stage: Stage) -> None:
    assert await post(stage, b"evt_1") == 200
    assert await stage.stored_events() == 1


async def test_the_same_event_many_times_at_once_is_stored_once(stage: Stage) -> None:
    assert set(await asyncio.gather(*(post(stage, b"evt_1") for _ in range(20)))) == {200}
    assert await stage.stored_events() == 1


@pytest.mark.parametrize("signature", ["", "wrong", "0" * 64, "x" * 4000, "é", "Ã©"])
async def test_a_wrong_signature_is_refused_and_nothing_stored(stage: Stage, signature: str) -> None:
    assert await post(stage, b"evt_1", **{"Shop-Signature": signature}) == 401
    assert await stage.stored_events() == 0


async def test_a_changed_body_is_refused(stage: Stage) -> None:
    signature = stage.provider.sign(b"evt_1")
    for place in range(5):
        body = bytearray(b"evt_1")
        body[place] ^= 1
        assert await post(stage, bytes(body), **{"Shop-Signature": signature}) == 401


async def test_a_signed_body_that_says_nothing_is_a_bad_request(stage: Stage) -> None:
    assert await post(stage, b"\xff\xfe\x00not an event") == 400


async def test_a_provider_without_a_secret_has_no_address(stage: Stage) -> None:
    stage.provider.can_receive = False
    assert await post(stage, b"evt_1") == 404


@pytest.mark.parametrize("path", ["/webhooks/nobody", "/webhooks/", "/webhooks/shop/", "/webhooks/shop/x", "/webhooks"])
async def test_an_unknown_address_is_not_found(stage: Stage, path: str) -> None:
    assert await post(stage, b"evt_1", path=path, **{"Sec-Fetch-Site": "same-origin"}) in (404, 415)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_only_post_is_answered(stage: Stage, method: str) -> None:
    async with stage.browser.session.request(method, stage.base + "/webhooks/shop") as answer:
        assert answer.status == 405


async def test_trouble_in_the_database_asks_the_provider_to_come_back(stage: Stage) -> None:
    stage.intake.trouble = BUSY
    async with stage.browser.session.post(
        stage.base + "/webhooks/shop", data=b"evt_1", headers={"Shop-Signature": stage.provider.sign(b"evt_1")}
    ) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert await answer.read() == b""


async def test_a_bug_while_storing_is_no_acknowledgement(stage: Stage) -> None:
    stage.intake.trouble = ZeroDivisionError()
    assert await post(stage, b"evt_1") == 500
    stage.intake.trouble = None


@pytest.mark.parametrize(("size", "status"), [(MIB - 1, 400), (MIB, 400), (MIB + 1, 413)])
async def test_a_body_may_be_one_mebibyte(stage: Stage, size: int, status: int) -> None:
    assert await post(stage, b"x" * size) == status


async def test_an_announced_giant_is_refused_before_it_is_sent(stage: Stage) -> None:
    answer = await talk(stage, b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413")


async def test_a_body_without_a_length_is_cut_off_at_one_mebibyte(stage: Stage) -> None:
    async def pieces() -> object:
        for _ in range(40):
            yield b"x" * 65536

    try:
        async with stage.browser.session.post(stage.base + "/webhooks/shop", data=pieces()) as answer:
            assert answer.status == 413
    except OSError:
        pass  # the connection may be closed on us while we are still sending


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "identity, gzip", "nonsense"])
async def test_a_packed_body_is_refused_unopened(stage: Stage, encoding: str) -> None:
    bomb = gzip.compress(b"\0" * 20 * MIB) if "gzip" in encoding else zlib.compress(b"\0" * 20 * MIB)
    assert await post(stage, bomb, **{"Content-Encoding": encoding}) == 415


async def test_many_bad_signatures_are_limited_and_good_ones_are_not(stage: Stage) -> None:
    answers = [await post(stage, b"evt_1", **{"Shop-Signature": "bad"}) for _ in range(60)]
    assert (answers.count(401), answers.count(429)) == (30, 30)
    assert await post(stage, b"evt_1") == 200


async def test_a_flood_of_bad_requests_does_not_flood_the_log(stage: Stage) -> None:
    with capture_logs() as lines:
        for _ in range(10):
            await asyncio.gather(*(post(stage, b"evt_1", **{"Shop-Signature": "bad"}) for _ in range(50)))
    assert len(lines) <= 60


# --- raw HTTP -----------------------------------------------------------------------------------------------------

BROKEN = {
    "two lengths": b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nevt_1",
    "length and chunks": b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked"
    b"\r\n\r\n0\r\n\r\n",
    "bare newlines": b"POST /webhooks/shop HTTP/1.1\nHost: x\nContent-Length: 5\n\nevt_1",
    "negative length": b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\nevt_1",
    "bad chunk": b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nevt\r\n0\r\n\r\n",
    "huge header": b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 65536 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: a\r\n" % n for n in range(400)) + b"\r\n",
    "huge path": b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "space in header name": b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
    "NUL in header": b"GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "unknown version": b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
}


async def talk(stage: Stage, request: bytes) -> bytes:
    """Send raw bytes and read until the server hangs up or has answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.parts.settings.port)
    try:
        writer.write(request)
        async with asyncio.timeout(5):
            return await reader.read(65536)
    finally:
        writer.close()


@pytest.mark.parametrize("name", BROKEN)
async def test_broken_http_is_a_bad_request_without_a_traceback(
    stage: Stage, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        answer = await talk(stage, BROKEN[name])
    assert answer == b"" or answer.split(b" ", 2)[1] in (b"400", b"431", b"505"), answer[:200]
    assert b"Traceback" not in answer
    assert not [record for record in caplog.records if record.exc_info]


async def test_a_flood_of_broken_http_does_not_flood_the_log(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        for _ in range(60):
            await talk(stage, BROKEN["two lengths"])
    assert len([record for record in caplog.records if record.name == "doorlist.http"]) <= 40


async def test_a_second_request_hidden_in_the_body_of_a_refused_one_is_not_served(stage: Stage) -> None:
    hidden = b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nevt_1"
    head = b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2000000\r\n\r\n"
    answer = await talk(stage, head + hidden)
    assert answer.count(b"HTTP/1.1") == 1
    assert answer.startswith(b"HTTP/1.1 415")


HEAD = b"POST /webhooks/shop HTTP/1.1\r\nHost: x\r\n"
SLOW = {
    "says nothing": (b"", b""),
    "half a request line": (b"GET / HT", b""),
    "headers in drops": (HEAD, b"X: y\r\n"),
    "a body that never comes": (HEAD + b"Content-Length: 100\r\n\r\n", b""),
    "a body in drops": (HEAD + b"Content-Length: 100000\r\n\r\n", b"x"),
    "chunks in drops": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "idle after an answer": (b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n", b""),
}


async def seconds_until_closed(stage: Stage, start: bytes, drop: bytes) -> float:
    """Play a slow client; return how long the server put up with it."""
    began = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.parts.settings.port)
    try:
        writer.write(start)
        while time.monotonic() - began < 20:
            try:
                if not await asyncio.wait_for(reader.read(65536), 0.25):
                    break
            except TimeoutError:
                writer.write(drop)
    except OSError:
        pass
    finally:
        writer.close()
    return time.monotonic() - began


async def test_every_slow_client_is_sent_away_within_ten_seconds(tmp_path: Path) -> None:
    # Nobody waits here for all of the silence that is allowed between requests.
    assert IDLE_SECONDS < 10.0
    async with a_stage(tmp_path, idle_seconds=1.0) as stage:
        waits = await asyncio.gather(*(seconds_until_closed(stage, *way) for way in SLOW.values()))
    slow = {name: round(wait, 1) for name, wait in zip(SLOW, waits, strict=True) if wait > 10.0}
    assert slow == {}
