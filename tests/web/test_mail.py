"""Mail: what it looks like, who gets it, how it is sent. Sent over real SMTP to a server in this process."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from hypothesis import given
from hypothesis import strategies as st

from membership.errors import Audience, Blocked, Reason, Retry, Unanswered
from membership.ports import Mail
from tests.web.stage import HandClock, free_port
from web.config import MailSettings
from web.mail import TEMPLATES, SmtpMailer, one_address

UNTIL = "2026-12-21T00:00:00+00:00"
FACTS: dict[str, object] = {
    "server": "Ada's Trading Room",
    "plan": "VIP",
    "name": "Ada",
    "link": "https://gate.example.com/connect/0hK",
    "link_until": UNTIL,
    "code": "K7QF-2M9X-4TRW-8HNB",
    "reason": "cancelled",
    "ended_at": UNTIL,
    "until": UNTIL,
    "account": "@ada_new",
    "moved_at": UNTIL,
}


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
    assert message["List-Unsubscribe"] is None


async def test_only_a_reminder_can_be_unsubscribed_from() -> None:
    mailer = a_mailer(25)
    url = "https://gate.example.com/mail/unsubscribe/x"
    assert mailer.compose(a_mail("connect_reminder", unsubscribe_url=url))["List-Unsubscribe"] == f"<{url}>"
    assert mailer.compose(a_mail("connect", unsubscribe_url=url))["List-Unsubscribe"] is None
    assert mailer.compose(a_mail("connect_reminder"))["List-Unsubscribe"] is None


@pytest.mark.parametrize("template", ["connect", "connect_reminder"])
async def test_a_mailed_code_names_the_command_that_the_settings_make(template: str) -> None:
    message = a_mailer(25, claim_command="/claim").compose(a_mail(template))
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        assert "/claim K7QF-2M9X-4TRW-8HNB" in body.get_content()
        assert "!claim" not in body.get_content()


async def test_the_connect_mail_says_all_in_its_text_part() -> None:
    message = a_mailer(25).compose(
        a_mail(amount=900, currency="eur", interval="month", claim_channel="get-access", invite_url="https://d.gg/a")
    )
    text = message.get_body(("plain",))
    assert text is not None
    words = text.get_content()
    assert message["Subject"] == "You're in — connect Discord to unlock VIP"
    for part in (
        "Hi Ada",
        "VIP (9.00 EUR per month) on Ada's Trading Room",
        "https://gate.example.com/connect/0hK",
        "works until 21 December 2026",
        "join https://d.gg/a, go to #get-access",
        "!claim K7QF-2M9X-4TRW-8HNB",
    ):
        assert part in words


@pytest.mark.parametrize("template", ["connect", "past_due"])
def test_an_unknown_amount_is_not_named(template: str) -> None:
    assert "EUR" not in a_mailer(25).compose(a_mail(template, amount=0, currency="eur")).as_string()


def test_a_failed_payment_without_a_known_end_names_none() -> None:
    message = a_mailer(25).compose(a_mail("past_due", until=""))
    assert message["Subject"] == "Your payment for VIP failed"
    assert "You keep" not in message.as_string()


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_mail_needs_no_more_than_its_required_facts(template: str) -> None:
    message = a_mailer(25).compose(a_mail(template, name=""))
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        assert "VIP" in body.get_content()
        assert "None" not in body.get_content()


@pytest.mark.parametrize("template", TEMPLATES)
def test_subjects_are_short(template: str) -> None:
    assert len(str(a_mailer(25).compose(a_mail(template))["Subject"])) <= 50
    long = a_mailer(25).compose(a_mail(template, plan="The Very Long Name Of A Plan " * 4))
    assert len(str(long["Subject"])) <= 75


def test_the_past_due_mail_names_amount_and_end() -> None:
    message = a_mailer(25).compose(
        a_mail("past_due", amount=900, currency="eur", repair_url="https://pay.example.com/1", retry_at=UNTIL)
    )
    body = message.get_body(("plain",))
    assert body is not None
    for part in ("refused 9.00 EUR", "until 21 December 2026", "https://pay.example.com/1", "next try is on"):
        assert part in body.get_content()


@pytest.mark.parametrize("reason", Reason)
def test_the_ended_mail_has_words_for_every_reason(reason: Reason) -> None:
    body = a_mailer(25).compose(a_mail("ended", reason=reason.value)).get_body(("plain",))
    assert body is not None
    assert re.search(r"^Why: (It|The|You) [A-Za-z ]+\.$", body.get_content(), re.MULTILINE)


class _Inventory(HTMLParser):
    """Lists the tags and attributes of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_html_loads_nothing_and_escapes_names(template: str) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>"
    html = a_mailer(25).compose(a_mail(template, server=evil, plan=evil, name=evil, account=evil)).get_body(("html",))
    assert html is not None
    found = _Inventory()
    found.feed(html.get_content())
    assert not {"script", "img", "iframe", "link", "object", "form"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("src", "background")]
    assert "color-scheme" in html.get_content()


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_name_with_line_breaks_adds_no_header_and_no_paragraph(template: str) -> None:
    evil = "VIP\r\nBcc: evil@example.com\r\n\r\nClick https://evil.example\u2028now\u202e"
    message = a_mailer(25).compose(a_mail(template, plan=evil, server=evil, name=evil, account=evil))
    assert message["Bcc"] is None
    body = message.get_body(("plain",))
    assert body is not None
    assert not [line for line in body.get_content().splitlines() if line.startswith(("Bcc", "Click"))]
    assert "\u202e" not in body.get_content()


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
