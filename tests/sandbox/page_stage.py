"""The sandbox's page over the local Discord and Stripe, with nobody at Doorlist's address: for the page's own tests."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage

import aiohttp
from aiosmtpd.smtp import Envelope

from sandbox.clock import MovableClock
from sandbox.outside import outside
from sandbox.parts import Outside
from sandbox.visitor import Page, Visitor

HOST = "127.0.0.1"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(kw_only=True)
class PageStage:
    world: Outside
    http: aiohttp.ClientSession
    browser: Visitor

    async def open(self, query: str = "") -> Page:
        return await self.browser.open(f"{self.world.url}/sandbox{query}")

    async def html(self, query: str = "") -> str:
        return (await self.open(query)).html

    async def press(self, button: str, **fields: str) -> str:
        """Press a button as the page's own form does and return the page that it leads to."""
        headers = {"Sec-Fetch-Site": "same-origin"}
        url = f"{self.world.url}/sandbox/do/{button}"
        async with self.http.post(url, data=fields, headers=headers) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.text()

    async def receive(self, html: str, *, subject: str = "Hello", to: str = "ada@example.com") -> None:
        """Let a mail arrive."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "shop@example.com", to, subject
        mail.set_content("The text part")
        mail.add_alternative(html, subtype="html")
        envelope = Envelope()
        envelope.mail_from, envelope.rcpt_tos, envelope.content = "shop@example.com", [to], mail.as_bytes()
        await self.world.mailbox.accept(envelope)


@asynccontextmanager
async def page_stage() -> AsyncIterator[PageStage]:
    port = free_port()
    # At the beginning of a minute: the page shows minutes, and is another page when one ends.
    clock = MovableClock(datetime.now(UTC).replace(second=0))
    async with (
        outside(clock, host=HOST, port=port, doorlist_url=f"http://{HOST}:{free_port()}") as world,
        aiohttp.ClientSession() as http,
        Visitor(world.url, email="ada@example.com", name="Ada") as browser,
    ):
        yield PageStage(world=world, http=http, browser=browser)
