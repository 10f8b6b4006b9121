"""The SMTP catcher, spoken to by the same client that Doorlist uses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from email.message import EmailMessage

import aiosmtplib
import pytest

from sandbox.clock import MovableClock
from sandbox.mailbox import Mailbox


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    caught = Mailbox(MovableClock())
    await caught.start()
    yield caught
    await caught.close()


def a_mail(to: str = "ada@example.com") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@example.com", to, "You’re in: connect Discord"
    mail.set_content("Your code is K7QF-2M9X\n")
    mail.add_alternative("<p>Your code is <b>K7QF-2M9X</b></p>", subtype="html")
    return mail


async def send(mailbox: Mailbox, mail: EmailMessage, *, timeout_seconds: float = 5) -> None:
    await aiosmtplib.send(mail, hostname="127.0.0.1", port=mailbox.port, start_tls=False, timeout=timeout_seconds)


async def test_it_keeps_both_parts_and_the_headers(mailbox: Mailbox) -> None:
    await send(mailbox, a_mail())
    (mail,) = mailbox.messages_to("ada@example.com")
    assert mail.sender == "shop@example.com"
    assert mail.subject == "You’re in: connect Discord"
    assert mail.text.strip() == "Your code is K7QF-2M9X"
    assert "<b>K7QF-2M9X</b>" in mail.html
    assert ("To", "ada@example.com") in mail.headers
    assert b"multipart/alternative" in mail.raw


async def test_it_finds_messages_by_recipient_in_any_case(mailbox: Mailbox) -> None:
    await send(mailbox, a_mail("Ada@Example.com"))
    await send(mailbox, a_mail("ben@example.com"))
    assert len(mailbox.messages_to("ada@example.com")) == 1


async def test_waiting_returns_when_the_message_is_there(mailbox: Mailbox) -> None:
    waiting = asyncio.ensure_future(mailbox.wait_for("ada@example.com", 2))
    await send(mailbox, a_mail())
    await send(mailbox, a_mail())
    assert len(await waiting) == 2


async def test_waiting_for_a_message_that_never_comes_times_out(mailbox: Mailbox) -> None:
    with pytest.raises(TimeoutError):
        await mailbox.wait_for("ada@example.com", timeout=0.05)


@pytest.mark.parametrize(("fault", "code"), [("refuse", 550), ("defer", 451)])
async def test_a_fault_is_answered_once_and_nothing_is_kept(mailbox: Mailbox, fault: str, code: int) -> None:
    mailbox.fail_next("refuse" if fault == "refuse" else "defer")
    with pytest.raises(aiosmtplib.SMTPDataError) as refused:
        await send(mailbox, a_mail())
    assert refused.value.code == code
    await send(mailbox, a_mail())
    assert len(mailbox.mails) == 1


async def test_a_hanging_server_makes_the_client_time_out(mailbox: Mailbox) -> None:
    mailbox.fail_always("hang")
    with pytest.raises(aiosmtplib.SMTPTimeoutError):
        await send(mailbox, a_mail(), timeout_seconds=0.1)
    assert not mailbox.mails
