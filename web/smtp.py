"""Hands one finished message to the mail server over SMTP, and judges its answers. What stands in it is mail.py's."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from typing import Any

import aiosmtplib

from membership.errors import Audience, Blocked, Reason, Retry, Unanswered
from web.config import LOOPBACK_HOSTS, MailSettings, SmtpSettings

_TIMEOUT_SECONDS = 15.0


async def submit(settings: SmtpSettings, message: EmailMessage, recipient: str) -> None:
    """Send one message to one address; returns once the server took it.

    Raises Retry, Unanswered when the server may have taken it, or Blocked(MAIL_REFUSED) for good.
    """
    try:
        await _hand_over(settings, message, recipient)
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


async def _hand_over(settings: SmtpSettings, message: EmailMessage, recipient: str) -> None:
    connection = _connection(settings)
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


def _judged(code: int, audience: Audience) -> Retry | Blocked:
    """Turn a mail server's code into a failure: 4xx passes, 5xx stays."""
    if 500 <= code < 600:
        return Blocked(Reason.MAIL_REFUSED, audience=audience, detail=f"the mail server answered {code}")
    return Retry(f"the mail server answered {code}")
