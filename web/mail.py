"""Renders and sends mail. The words are in templates/mail/<name>.{subject,txt,html}; when to mail is decided before."""

# Facts every template needs: server (its name), plan (names as a sentence). Optional everywhere: name (the buyer's),
# manage_url, imprint (one line), receipt_by ("Stripe"). Moments are aware datetimes or their isoformat; amounts are
# minor units with a currency. Beside those, by template (* is optional):
#
# connect             link, link_until, code (grouped), amount*, currency*, interval*, claim_channel* (without #),
#                     invite_url*
# connect_reminder    link, link_until, code, claim_channel*, invite_url*, unsubscribe_url*
# ended               reason (a value of errors.Reason), ended_at, roles* (names), is_still_member*, return_url*
# past_due            until*, amount*, currency*, failed_at*, repair_url*, retry_at*
# link_again          link, link_until
# billing             repair_url
# moved               account (the new handle), moved_at, link* (to take it back)

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import UTC
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any

import aiosmtplib
import jinja2
import structlog

from membership.errors import Audience, Blocked, Reason, Retry, Unanswered
from membership.ports import Clock, Mail
from web import wording
from web.config import LOOPBACK_HOSTS, MailSettings, SmtpSettings

log = structlog.stdlib.get_logger()

TEMPLATES = ("connect", "connect_reminder", "link_again", "ended", "past_due", "moved", "billing")
_REMINDERS = frozenset({"connect_reminder"})
_FOLDER = Path(__file__).parent / "templates" / "mail"
_TIMEOUT_SECONDS = 15.0
_LONGEST_PLAN_IN_SUBJECT = 24
_OPTIONAL: Mapping[str, object] = {
    "name": "",
    "manage_url": "",
    "imprint": "",
    "receipt_by": "",
    "amount": 0,
    "currency": "",
    "interval": "",
    "claim_channel": "",
    "invite_url": "",
    "unsubscribe_url": "",
    "roles": (),
    "is_still_member": False,
    "return_url": "",
    "failed_at": "",
    "repair_url": "",
    "retry_at": "",
    "until": "",
    "link": "",
}
_ENDED_BECAUSE = {
    Reason.CANCELLED: "It was cancelled",
    Reason.EXPIRED: "The time you paid for is over",
    Reason.UNPAID: "The last payment did not go through",
    Reason.PAYMENT_FAILED: "The last payment did not go through",
    Reason.REFUNDED: "The payment was refunded",
    Reason.DISPUTED: "The payment is disputed at your bank",
    Reason.DISPUTE_LOST: "The payment was taken back by your bank",
    Reason.PAUSED: "It is paused",
    Reason.PLAN_CHANGED: "You changed to another membership",
    Reason.MOVED: "It was moved to another Discord account",
    Reason.DISCONNECTED: "The Discord account was disconnected",
}


class SmtpMailer:
    """Sends through the configured mail server; says so when there is none."""

    def __init__(self, settings: MailSettings, clock: Clock, *, claim_command: str) -> None:
        """Take the [mail] section and what people type before a code. Raises ValueError for a bad from_address."""
        self.is_configured = settings.transport == "smtp"
        self._settings = settings
        self._clock = clock
        self._words = Words(claim_command)
        self._from = one_address(parseaddr(settings.from_address)[1]) if self.is_configured else None

    async def send(self, mail: Mail) -> None:
        """Send one mail; returns once the server took it.

        Raises Retry, Unanswered when the server may have taken it, or Blocked(MAIL_REFUSED) for good.
        """
        message = self.compose(mail)
        recipient = message["To"].addresses[0].addr_spec
        try:
            await self._submit(message, recipient)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            raise _judged(refused.recipients[0].code, Audience.MEMBER) from refused
        except aiosmtplib.SMTPAuthenticationError as refused:
            raise _judged(refused.code, Audience.OPERATOR) from refused
        except aiosmtplib.SMTPResponseException as refused:
            # The server's words may repeat the address, and stay out of what we keep.
            raise _judged(refused.code, Audience.OPERATOR) from refused
        except aiosmtplib.SMTPNotSupported as refused:
            raise Blocked(
                Reason.MAIL_REFUSED, audience=Audience.OPERATOR, detail="the mail server lacks what this mail needs"
            ) from refused
        except (aiosmtplib.SMTPException, OSError) as trouble:
            raise Retry(f"the mail server did not answer: {type(trouble).__name__}") from trouble
        log.info("mail_sent", template=mail.template, message_id=mail.message_id)

    def compose(self, mail: Mail) -> EmailMessage:
        """Make the message: text first, HTML second.

        Raises Blocked(MAIL_REFUSED) for what is not one address, and where mail is not set up.
        """
        if self._from is None:
            raise Blocked(Reason.MAIL_REFUSED, audience=Audience.OPERATOR, detail="mail is not set up")
        try:
            recipient = one_address(mail.to)
        except ValueError as flaw:
            raise Blocked(Reason.MAIL_REFUSED, audience=Audience.MEMBER, detail="not a mail address") from flaw
        subject, text, html = self._words.render(mail.template, mail.facts)
        shown = wording.single_line(str(mail.facts["server"])) or parseaddr(self._settings.from_address)[0]
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(display_name=shown, addr_spec=self._from.addr_spec)
        message["To"] = recipient
        if self._settings.reply_to:
            message["Reply-To"] = one_address(parseaddr(self._settings.reply_to)[1])
        message["Subject"] = subject
        message["Date"] = format_datetime(self._clock.now().astimezone(UTC))
        message["Message-ID"] = f"<{mail.message_id}@{self._from.domain}>"
        message["X-Entity-Ref-ID"] = mail.message_id
        message["Auto-Submitted"] = "auto-generated"
        unsubscribe_url = str(mail.facts.get("unsubscribe_url", ""))
        if mail.template in _REMINDERS and unsubscribe_url:
            message["List-Unsubscribe"] = f"<{wording.single_line(unsubscribe_url)}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(text)
        message.add_alternative(html, subtype="html")
        return message

    async def _submit(self, message: EmailMessage, recipient: str) -> None:
        connection = _connection(self._settings.smtp)
        async with connection:
            try:
                await connection.send_message(
                    message, sender=message["From"].addresses[0].addr_spec, recipients=[recipient]
                )
            except (ConnectionError, TimeoutError) as silence:
                if not connection.was_handed_over:
                    raise
                raise Unanswered("the mail server did not say whether it took the mail") from silence


class _Connection(aiosmtplib.SMTP):
    """Remembers whether the message itself was handed over: a silence after that tells nothing of its fate."""

    was_handed_over = False

    async def data(self, message: str | bytes, /, **options: Any) -> aiosmtplib.SMTPResponse:
        self.was_handed_over = True
        return await super().data(message, **options)


def _connection(smtp: SmtpSettings) -> _Connection:
    if smtp.tls == "none" and smtp.host not in LOOPBACK_HOSTS:
        raise Blocked(Reason.MAIL_REFUSED, audience=Audience.OPERATOR, detail="mail would leave unencrypted")
    return _Connection(
        hostname=smtp.host,
        port=smtp.port,
        username=smtp.username or None,
        password=smtp.password.get_secret_value() or None,
        use_tls=smtp.tls == "tls",
        start_tls=smtp.tls == "starttls",
        tls_context=None if smtp.tls == "none" else ssl.create_default_context(),
        timeout=_TIMEOUT_SECONDS,
    )


async def check_log_in(settings: MailSettings) -> None:
    """Connect and log in as for a mail, and send none. Raises Retry, or Blocked(MAIL_REFUSED) with what was refused."""
    try:
        async with _connection(settings.smtp):
            return
    except aiosmtplib.SMTPAuthenticationError as refused:
        detail = f"it does not accept the user name and password ({refused.code})"
        raise Blocked(Reason.MAIL_REFUSED, audience=Audience.OPERATOR, detail=detail) from refused
    except aiosmtplib.SMTPResponseException as refused:
        raise _judged(refused.code, Audience.OPERATOR) from refused
    except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPServerDisconnected, TimeoutError, OSError) as trouble:
        raise Retry(f"the mail server did not answer: {type(trouble).__name__}") from trouble
    except aiosmtplib.SMTPException as refused:
        # What is left of this class is a server without STARTTLS, or without a log-in.
        detail = f"it does not offer what is asked for (tls = {settings.smtp.tls}, a log-in)"
        raise Blocked(Reason.MAIL_REFUSED, audience=Audience.OPERATOR, detail=detail) from refused


class Words:
    """The mails' texts."""

    def __init__(self, claim_command: str) -> None:
        """Load the templates; `claim_command` is what people type before a code."""
        self._environment = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_FOLDER),
            autoescape=jinja2.select_autoescape(["html"], default=False),
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )
        self._environment.globals["claim_command"] = claim_command
        self._environment.filters.update(
            money=wording.money_with_code,
            price=wording.price_with_code,
            day=wording.day,
            short_day=wording.short_day,
            listed=wording.listed,
            because=_because,
        )

    def render(self, template: str, facts: Mapping[str, object]) -> tuple[str, str, str]:
        """Return subject, text and HTML. Raises KeyError for an unknown template, UndefinedError for a missing fact."""
        if template not in TEMPLATES:
            raise KeyError(template)
        # Names come from outside: on one line they can neither break a header nor fake a paragraph of ours.
        filled = {name: _tidy(value) for name, value in ({**_OPTIONAL, **facts}).items()}
        short = wording.shortened(str(filled["plan"]), _LONGEST_PLAN_IN_SUBJECT)
        subject = self._environment.get_template(f"{template}.subject").render({**filled, "plan": short})
        text = self._environment.get_template(f"{template}.txt").render(filled)
        html = self._environment.get_template(f"{template}.html").render({**filled, "title": subject.strip()})
        return wording.single_line(subject), text.strip() + "\n", html


def one_address(text: str) -> Address:
    """Read exactly one addr-spec (threats T12). Raises ValueError for anything else: a list, a name, a header break."""
    if text != wording.single_line(text) or any(letter in text for letter in ' ,;:<>()[]"\\'):
        raise ValueError("not one plain address")
    local, separator, domain = text.rpartition("@")
    if not (local and separator and domain) or "@" in local:
        raise ValueError("not one plain address")
    try:
        return Address(username=local, domain=domain.encode("idna").decode("ascii"))
    except (HeaderParseError, IndexError) as flaw:
        raise ValueError("not one plain address") from flaw


def _tidy(value: object) -> object:
    if isinstance(value, str):
        return wording.single_line(value)
    return tuple(_tidy(each) for each in value) if isinstance(value, list | tuple) else value


def _because(reason: str) -> str:
    return _ENDED_BECAUSE.get(Reason(reason), "It has ended")


def _judged(code: int, audience: Audience) -> Retry | Blocked:
    """Turn a mail server's code into a failure: 4xx passes, 5xx stays."""
    if 500 <= code < 600:
        return Blocked(Reason.MAIL_REFUSED, audience=audience, detail=f"the mail server answered {code}")
    return Retry(f"the mail server answered {code}")
