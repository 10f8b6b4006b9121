"""The secrets that a mail carries, made at its first try and sealed until it is settled: every try tells the same.

To be looked up when they come back, only their digests are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from membership import codes, mail_preferences, sign_in_mail
from membership.ledgers import Transaction
from membership.mail_facts import WITH_BILLING, WITH_LINK, Subject
from membership.records import Message
from membership.services import Services

UNSUBSCRIBE_LIFE = timedelta(days=400)
"""How long the link under a reminder stops reminders. Mails lie in mailboxes for long."""

_KIND = "message"
_REMINDERS = ("connect_reminder",)


async def facts(services: Services, tx: Transaction, message: Message, subject: Subject) -> dict[str, object] | None:
    """Return what a mail's words need of its secrets, None where the mail would come too late."""
    if message.template == sign_in_mail.TEMPLATE:
        return await sign_in_mail.mail_facts(tx, message.facts, services.public_url, services.clock.now())
    secrets = await _secrets(services, tx, message, subject)
    known: dict[str, object] = {}
    if message.template in WITH_LINK:
        known |= {
            "link": f"{services.public_url}/connect/{secrets['token']}",
            "link_until": secrets["until"],
            "code": codes.grouped(secrets["code"]),
        }
    if message.template in WITH_BILLING:
        known["repair_url"] = f"{services.public_url}/billing/{secrets['token']}"
    if message.template in _REMINDERS:
        known["unsubscribe_url"] = f"{services.public_url}/mail/unsubscribe/{secrets['unsubscribe']}"
    return known


async def forget(tx: Transaction, message: Message, now: datetime) -> None:
    """Throw away what was kept for the next try."""
    await tx.sessions.take(str(message.id), _KIND, now)
    place = message.facts.get(sign_in_mail.PLACE)
    if message.template == sign_in_mail.TEMPLATE and place:
        await sign_in_mail.forget(tx, str(place), now)


async def _secrets(services: Services, tx: Transaction, message: Message, subject: Subject) -> Mapping[str, str]:
    now = services.clock.now()
    made = await tx.sessions.get(str(message.id), _KIND, now)
    if made is not None or message.template not in (*WITH_LINK, *WITH_BILLING):
        return made or {}
    expires_at = now + timedelta(days=services.policy.code_days)
    secrets = {"token": services.randomness.token(), "until": expires_at.isoformat()}
    await tx.links.issue_token(codes.digest(secrets["token"]), subject.purchase.id, None, expires_at)
    if message.template in WITH_LINK:
        secrets["code"] = services.randomness.code()
        await tx.codes.issue(codes.digest(secrets["code"]), subject.purchase.id, expires_at)
    if message.template in _REMINDERS:
        secrets["unsubscribe"] = services.randomness.token()
        content = {"customer_id": str(subject.customer.id)}
        digest = codes.digest(secrets["unsubscribe"])
        await tx.sessions.put(digest, mail_preferences.KIND, content, now + UNSUBSCRIBE_LIFE)
    await tx.sessions.put(str(message.id), _KIND, secrets, expires_at)
    return secrets
