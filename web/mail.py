"""Makes messages of mails and sends them: addresses and headers. The words are mail_words.py's, the wire is smtp.py's.

When to mail, and what a mail is told, is decided before (membership/delivery.py).
"""

from __future__ import annotations

from datetime import UTC
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

import structlog

from membership.errors import Audience, Blocked, Reason
from membership.ports import Clock, Mail
from web import smtp, wording
from web.config import MailSettings
from web.mail_words import MailWords

log = structlog.stdlib.get_logger()

REMINDERS = frozenset({"connect_reminder"})
"""The mails that nobody needs, and that everybody may stop (RFC 8058)."""


class SmtpMailer:
    """Sends through the configured mail server; says so when there is none."""

    def __init__(self, settings: MailSettings, clock: Clock, *, claim_command: str) -> None:
        """Take the [mail] section and what people type before a code. Raises ValueError for a bad from_address."""
        self.is_configured = settings.transport == "smtp"
        self._settings = settings
        self._clock = clock
        self._words = MailWords(claim_command)
        self._from = one_address(parseaddr(settings.from_address)[1]) if self.is_configured else None

    async def send(self, mail: Mail) -> None:
        """Send one mail; returns once the server took it.

        Raises Retry, Unanswered when the server may have taken it, or Blocked(MAIL_REFUSED) for good.
        """
        message = self.compose(mail)
        await smtp.submit(self._settings.smtp, message, message["To"].addresses[0].addr_spec)
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
        letter = self._words.render(mail.template, mail.facts)
        shown = wording.single_line(str(mail.facts["server"])) or parseaddr(self._settings.from_address)[0]
        message = EmailMessage(policy=SMTP)
        message["From"] = Address(display_name=shown, addr_spec=self._from.addr_spec)
        message["To"] = recipient
        answers_to = self._answers_to(mail)
        if answers_to is not None:
            message["Reply-To"] = answers_to
        message["Subject"] = letter.subject
        message["Date"] = format_datetime(self._clock.now().astimezone(UTC))
        message["Message-ID"] = f"<{mail.message_id}@{self._from.domain}>"
        message["X-Entity-Ref-ID"] = mail.message_id
        message["Auto-Submitted"] = "auto-generated"
        unsubscribe_url = str(mail.facts.get("unsubscribe_url", ""))
        if mail.template in REMINDERS and unsubscribe_url:
            message["List-Unsubscribe"] = f"<{wording.single_line(unsubscribe_url)}>"
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(letter.text)
        message.add_alternative(letter.html, subtype="html")
        # Added last: with a second part, headers about content would move into the first.
        message["Content-Language"] = letter.language
        return message

    def _answers_to(self, mail: Mail) -> Address | None:
        """Return who reads answers: the server's own support, else the configured address; None: whoever sends."""
        for text in (str(mail.facts.get("support_address", "")), parseaddr(self._settings.reply_to)[1]):
            try:
                return one_address(text)
            except ValueError:
                continue
        return None


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
