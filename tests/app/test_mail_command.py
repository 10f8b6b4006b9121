"""`python3 bot.py mail ...`: a mail to look at, and one that is really sent."""

from __future__ import annotations

import email
import email.policy
import socket
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from app.cli import main
from web.mail_words import TEMPLATES

SMTP_SETTINGS = ("mail.transport=smtp", "mail.from_address=Ada <gate@example.com>", "mail.smtp.host=127.0.0.1")


class Mailbox:
    def __init__(self) -> None:
        self.subjects: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        self.subjects.append(f"{message['To']}: {message['Subject']}")
        return "250 OK"


def run(*arguments: str, port: int = 9) -> int:
    chosen = [*SMTP_SETTINGS, "mail.smtp.tls=none", f"mail.smtp.port={port}"]
    return main([word for each in chosen for word in ("--set", each)] + ["mail", *arguments])


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_preview_is_written_and_printed(template: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("preview", template, "--lang", "it", "--folder", str(tmp_path)) == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == [f"{template}.it.html", f"{template}.it.txt"]
    assert capsys.readouterr().out.startswith("Subject: ")


@pytest.mark.parametrize("arguments", [("winback",), ("connect", "--lang", "xx")])
def test_what_there_is_not_is_named_with_what_there_is(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("preview", *arguments) == 2
    assert "There are: " in capsys.readouterr().err


def test_a_test_mail_arrives(capsys: pytest.CaptureFixture[str]) -> None:
    mailbox = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        assert run("test", "ada@example.com", port=port) == 0
    finally:
        controller.stop()
    assert mailbox.subjects == ["ada@example.com: [doorlist] Test mail"]
    assert "took a test mail" in capsys.readouterr().out


def test_a_mail_server_that_is_not_there_cannot_be_reached(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", "ada@example.com") == 3
    assert "did not go out" in capsys.readouterr().err


def test_what_is_no_address_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test", "a@b.c, d@e.f") == 2
    assert "not a mail address" in capsys.readouterr().err


def test_without_a_mail_server_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mail", "test", "ada@example.com"]) == 2
    assert "Mail is not set up" in capsys.readouterr().err
