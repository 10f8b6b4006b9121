"""The sending end of `ingest`: signed requests built beforehand, sent over open connections with next to no work."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

HOST = "127.0.0.1"
_END_OF_HEAD = b"\r\n\r\n"
_OK = b"HTTP/1.1 200 "


@dataclass(slots=True, kw_only=True)
class Round:
    """What one round of requests came to."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Return the requests answered in a second."""
        return len(self.latencies) / self.seconds


def requests_for(secret: str, *, name: str, count: int, body_bytes: int) -> list[bytes]:
    """Build `count` signed requests with different events of about `body_bytes`."""
    timestamp = int(time.time())
    return [_request(secret, f"evt_{name}_{number}", timestamp, body_bytes) for number in range(count)]


async def send_all(port: int, requests: Sequence[bytes], *, connections: int) -> Round:
    """Send the requests over so many connections, each as soon as the one before is answered."""
    loop = asyncio.get_running_loop()
    waiting = iter(requests)
    seen = Round()
    opened = [await loop.create_connection(lambda: _Sender(seen), HOST, port) for _ in range(connections)]
    senders = [sender for _, sender in opened]
    started = time.perf_counter()
    for sender in senders:
        sender.begin(waiting)
    await asyncio.gather(*(sender.done for sender in senders))
    seen.seconds = time.perf_counter() - started
    return seen


class _Sender(asyncio.Protocol):
    """One connection. Answers of this server come without a body, so the end of the head is the end."""

    def __init__(self, seen: Round) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._seen = seen
        self._requests: Iterator[bytes] = iter(())
        self._received = b""
        self._sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def begin(self, requests: Iterator[bytes]) -> None:
        """Send from here on."""
        self._requests = requests
        self._send_next()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received.endswith(_END_OF_HEAD):
            return
        if not self._received.startswith(_OK):
            self.done.set_exception(RuntimeError(f"refused: {self._received[:80]!r}"))
            return
        self._received = b""
        self._seen.latencies.append(time.perf_counter() - self._sent_at)
        self._send_next()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server hung up"))

    def _send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)


def _request(secret: str, event_id: str, timestamp: int, body_bytes: int) -> bytes:
    text = "0123456789"
    # Like a subscription, many short fields: one long text would be too easy to parse.
    fields = {f"field_{number:04}": text for number in range((body_bytes - 220) // 28)}
    event = {
        "id": event_id,
        "object": "event",
        "type": "customer.subscription.updated",
        "livemode": False,
        "created": timestamp,
        "data": {"object": {"id": "sub_bench", "object": "subscription", "metadata": fields}},
    }
    body = json.dumps(event).encode()
    signature = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    head = (
        f"POST /webhooks/stripe HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json; charset=utf-8\r\n"
        f"Stripe-Signature: t={timestamp},v1={signature}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
