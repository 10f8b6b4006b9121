"""Mail: what it looks like, who gets it, how it is sent. Sent over real SMTP to a server in this process."""

from __future__ import annotations

import email
import email.policy
from collections.abc import AsyncIterator
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import given
from hypothesis import strategies as st

from membership.errors import Audience, Blocked, Reason, Retry, Unanswered
from membership.ports import Mail
from tests.web.letters import FACTS
from tests.web.stage import HandClock, free_port
from web.config import MailSettings
from web.mail import SmtpMailer, one_address


class Catcher:
    """A mail server that keeps what it gets, or answers what it is told."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.answer = "250 OK"
        self.recipient_answer = ""
        self.was_encrypted = False
        self.hangs_up = False

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.recipient_answer:
            return self.recipient_answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.was_encrypted = session.ssl is not None
        if self.hangs_up:
            assert server.transport is not None
            server.transport.close()
        if self.answer.startswith("250"):
            self.envelopes.append(envelope)
        return self.answer

    def message(self) -> EmailMessage:
        [envelope] = self.envelopes
        assert isinstance(envelope.content, bytes)
        return email.message_from_bytes(envelope.content, policy=email.policy.default)


@pytest.fixture
def catcher() -> Catcher:
    return Catcher()


@pytest.fixture
async def port(catcher: Catcher) -> AsyncIterator[int]:
    controller = Controller(catcher, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port
    controller.stop()


def a_mailer(port: int, *, claim_command: str = "!claim", **smtp: object) -> SmtpMailer:
    settings = {
        "transport": "smtp",
        "from_address": "Doorlist <gate@example.com>",
        "reply_to": "staff@example.com",
        "smtp": {"host": "127.0.0.1", "port": port, "tls": "none", **smtp},
    }
    return SmtpMailer(MailSettings.model_validate(settings), HandClock(), claim_command=claim_command)


def a_mail(template: str = "connect", *, to: str = "ada@example.com", **facts: object) -> Mail:
    return Mail(to=to, template=template, facts={**FACTS, **facts}, message_id="outbox-7")


async def test_a_mail_arrives_with_text_first_and_html_second(port: int, catcher: Catcher) -> None:
    await a_mailer(port).send(a_mail())
    message = catcher.message()
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert catcher.envelopes[0].rcpt_tos == ["ada@example.com"]
    assert catcher.envelopes[0].mail_from == "gate@example.com"


async def test_a_connection_that_is_lost_after_the_message_leaves_its_fate_open(port: int, catcher: Catcher) -> None:
    catcher.hangs_up = True
    with pytest.raises(Unanswered):
        await a_mailer(port).send(a_mail())
    assert len(catcher.envelopes) == 1


async def test_the_headers_are_those_of_a_machine_that_means_well(port: int, catcher: Catcher) -> None:
    await a_mailer(port).send(a_mail())
    message = catcher.message()
    assert message["From"] == "Ada's Trading Room <gate@example.com>"
    assert message["Reply-To"] == "staff@example.com"
    assert message["Message-ID"] == "<outbox-7@example.com>"
    assert message["X-Entity-Ref-ID"] == "outbox-7"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"] == "Sat, 21 Nov 2026 14:02:00 +0000"
    assert message["Content-Language"] == "en"
    assert message["List-Unsubscribe"] is None


async def test_answers_go_to_the_servers_own_support_where_there_is_one() -> None:
    message = a_mailer(25).compose(a_mail(support_address="help@ada.example"))
    assert message["Reply-To"] == "help@ada.example"
    assert a_mailer(25).compose(a_mail(support_address="help@ada.example, x@y.z"))["Reply-To"] == "staff@example.com"


async def test_only_a_reminder_can_be_unsubscribed_from() -> None:
    mailer = a_mailer(25)
    url = "https://gate.example.com/mail/unsubscribe/x"
    reminder = mailer.compose(a_mail("connect_reminder", unsubscribe_url=url))
    assert reminder["List-Unsubscribe"] == f"<{url}>"
    assert reminder["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mailer.compose(a_mail("connect", unsubscribe_url=url))["List-Unsubscribe"] is None
    assert mailer.compose(a_mail("connect_reminder"))["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    "to",
    ["", "a", "@", "a@", "@b.c", "a@b.c, evil@x.y", "a@b.c,evil@x.y", "a@b.c;d@e.f", "A <a@b.c>", "a@b.c\r\nBcc: x@y.z",
     "a@b@c.d", '"a, b"@c.d', "a b@c.d", "a@b.c\n", "group:a@b.c;", "a@[127.0.0.1]",
     "a\u2028@b.c", "(x)a@b.c", "a@-..b"],
)  # fmt: skip
def test_whatever_is_not_exactly_one_address_gets_no_mail(to: str) -> None:
    with pytest.raises(Blocked) as refused:
        a_mailer(25).compose(a_mail(to=to))
    assert refused.value.reason is Reason.MAIL_REFUSED


@given(st.text(max_size=40) | st.from_regex(r"[a-z,;<>\s\"@.]{1,30}", fullmatch=True))
def test_an_address_is_one_recipient_or_none(text: str) -> None:
    try:
        address = one_address(text)
    except ValueError:
        return
    message = EmailMessage()
    message["To"] = address
    assert len(message["To"].addresses) == 1


def test_a_domain_in_another_script_is_written_for_mail_servers() -> None:
    assert one_address("ada@bücher.example").addr_spec == "ada@xn--bcher-kva.example"


@pytest.mark.parametrize("code", [421, 450, 451, 452])
async def test_a_temporary_refusal_is_tried_again(port: int, catcher: Catcher, code: int) -> None:
    catcher.answer = f"{code} not now"
    with pytest.raises(Retry):
        await a_mailer(port).send(a_mail())


async def test_a_permanent_refusal_of_the_mail_is_for_the_operator(port: int, catcher: Catcher) -> None:
    catcher.answer = "554 never ada@example.com"
    with pytest.raises(Blocked) as refused:
        await a_mailer(port).send(a_mail())
    assert (refused.value.reason, refused.value.audience) == (Reason.MAIL_REFUSED, Audience.OPERATOR)
    assert "ada@" not in refused.value.detail


async def test_a_permanent_refusal_of_the_recipient_is_about_the_member(port: int, catcher: Catcher) -> None:
    catcher.recipient_answer = "550 no such user"
    with pytest.raises(Blocked) as refused:
        await a_mailer(port).send(a_mail())
    assert (refused.value.reason, refused.value.audience) == (Reason.MAIL_REFUSED, Audience.MEMBER)


async def test_a_greylisted_recipient_is_tried_again(port: int, catcher: Catcher) -> None:
    catcher.recipient_answer = "450 greylisted"
    with pytest.raises(Retry):
        await a_mailer(port).send(a_mail())


async def test_a_mail_server_that_is_not_there_is_tried_again() -> None:
    with pytest.raises(Retry):
        await a_mailer(free_port()).send(a_mail())


async def test_a_mail_server_without_encryption_gets_nothing_when_encryption_is_asked_for(
    port: int, catcher: Catcher
) -> None:
    with pytest.raises((Retry, Blocked)):
        await a_mailer(port, tls="starttls").send(a_mail())
    assert catcher.envelopes == []


async def test_without_a_mail_server_nothing_is_configured() -> None:
    mailer = SmtpMailer(MailSettings(), HandClock(), claim_command="!claim")
    assert not mailer.is_configured
    with pytest.raises(Blocked):
        await mailer.send(a_mail())


async def test_an_unknown_template_is_a_bug() -> None:
    with pytest.raises(KeyError):
        a_mailer(25).compose(a_mail("winback"))
