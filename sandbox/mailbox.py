"""An SMTP catcher on the running event loop: keeps the last messages, parsed, and can refuse or stay silent on demand.

It listens on loopback only, offers no TLS and no login, and never sends anything on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Literal

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.clock import MovableClock

Fault = Literal["refuse", "defer", "hang"]

_KEPT = 5000
_LONGEST_HANG_SECONDS = 300.0
_MAX_BYTES = 5 * 1024**2
_ANSWERS = {"refuse": "550 5.1.1 No such user here", "defer": "451 4.3.0 Try again later"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message as it came over the wire. `to` are the envelope's recipients, `at` is sandbox time."""

    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]
    raw: bytes
    at: datetime


class Mailbox:
    """Catches every message that anybody sends to its port."""

    def __init__(self, clock: MovableClock, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Prepare to listen; port 0 takes a free one, see `port` after `start`."""
        self.mails: deque[Mail] = deque(maxlen=_KEPT)
        self.port = port
        self._host = host
        self._clock = clock
        self._server: asyncio.Server | None = None
        self._arrived = asyncio.Condition()
        self._faults: deque[Fault] = deque()
        self._standing_fault: Fault | None = None
        self._closing = asyncio.Event()

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(_Catcher(self), data_size_limit=_MAX_BYTES, hostname="mailbox.sandbox", loop=loop),
            self._host,
            self.port,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and let hanging senders go."""
        self._closing.set()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def fail_next(self, fault: Fault, *, times: int = 1) -> None:
        """Refuse (550), defer (451) or ignore the next messages, then accept again."""
        self._faults.extend([fault] * times)

    @property
    def faults_left(self) -> int:
        """Return how many of the next messages will still fail."""
        return len(self._faults)

    def fail_always(self, fault: Fault | None) -> None:
        """Refuse, defer or ignore every message until this is called with None."""
        self._standing_fault = fault

    def messages_to(self, address: str) -> list[Mail]:
        """Return what came for an address, oldest first; upper and lower case are the same."""
        wanted = address.casefold()
        return [mail for mail in self.mails if wanted in (one.casefold() for one in mail.to)]

    async def wait_for(self, address: str, count: int = 1, timeout: float = 5.0) -> list[Mail]:  # noqa: ASYNC109
        """Return the messages to an address once there are `count`. Raises TimeoutError after `timeout` seconds."""
        async with asyncio.timeout(timeout), self._arrived:
            await self._arrived.wait_for(lambda: len(self.messages_to(address)) >= count)
        return self.messages_to(address)

    def clear(self) -> None:
        """Forget all messages."""
        self.mails.clear()

    async def accept(self, envelope: Envelope) -> str:
        """Keep a message, or do what a fault says; return the SMTP answer."""
        fault = self._faults.popleft() if self._faults else self._standing_fault
        if fault == "hang":
            await self._hang()
            return "421 4.3.2 Shutting down"
        if fault is not None:
            return _ANSWERS[fault]
        async with self._arrived:
            self.mails.append(_parse(envelope, at=self._clock.now()))
            self._arrived.notify_all()
        return "250 2.0.0 OK: kept in the sandbox"

    async def _hang(self) -> None:
        try:
            async with asyncio.timeout(_LONGEST_HANG_SECONDS):
                await self._closing.wait()
        except TimeoutError:
            return


class _Catcher:
    """The hook by which aiosmtpd hands a message over."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Answer the DATA command; the name is aiosmtpd's."""
        return await self._mailbox.accept(envelope)


def _parse(envelope: Envelope, *, at: datetime) -> Mail:
    content = envelope.content or b""
    raw = content.encode() if isinstance(content, str) else bytes(content)
    message = message_from_bytes(raw, EmailMessage, policy=policy.default)
    return Mail(
        sender=envelope.mail_from or "",
        to=tuple(envelope.rcpt_tos),
        subject=str(message.get("Subject", "")),
        text=_part(message, "plain"),
        html=_part(message, "html"),
        headers=tuple((name, str(value)) for name, value in message.items()),
        raw=raw,
        at=at,
    )


def _part(message: EmailMessage, kind: Literal["plain", "html"]) -> str:
    body = message.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body is not None else ""
