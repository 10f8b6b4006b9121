"""How much mail one address gets (threats T13, I17). What is over a limit waits; it is not lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from membership import mail_preferences, sign_in_mail
from membership.errors import Retry
from membership.ledgers import Transaction
from membership.records import Customer, Message
from membership.services import Services

ALIKE_PAUSE = timedelta(minutes=10)
"""One payer gets the same mail once in this time."""

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

UNLIMITED = (sign_in_mail.TEMPLATE,)
"""Somebody waits for these, and they are limited where they are asked for. They count for the others."""


async def respect(services: Services, tx: Transaction, message: Message, customer: Customer) -> None:
    """Let a mail to a payer wait whose address has had enough, by all payers who share it. Raises Retry."""
    if message.template in UNLIMITED:
        return
    if await tx.outbox.sent_alike(message, services.clock.now() - ALIKE_PAUSE):
        raise Retry("the same mail went out minutes ago", after=ALIKE_PAUSE)
    targets = [str(each.id) for each in await mail_preferences.sharing(tx, customer)]
    await respect_targets(services, tx, message.kind, targets)


async def respect_targets(services: Services, tx: Transaction, kind: str, targets: Sequence[str]) -> None:
    """Let a message wait when its targets, all of one address, have had enough. Raises Retry."""
    now, policy = services.clock.now(), services.policy
    for window, limit in ((HOUR, policy.mails_per_hour), (DAY, policy.mails_per_day)):
        sent = [await tx.outbox.sent_to(kind, target, now - window) for target in targets]
        if sum(sent) >= limit:
            raise Retry("this address has had enough mail for now", after=window / limit if limit else DAY)
