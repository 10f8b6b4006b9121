"""Send one outbox message: gather its facts, hand it over, record the try.

What a mail says is gathered in mail_facts.py, its secrets in mail_secrets.py; how posts are sent is posting.py's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from membership import alert_mail, alerts, mail_facts, mail_limits, mail_preferences, mail_secrets, posting
from membership.errors import Audience, Blocked, Gone, Reason, Retry, Unanswered
from membership.ledgers import Transaction
from membership.model import CustomerId, GuildId, UserId
from membership.ports import Mail
from membership.records import AuditEntry, Message
from membership.services import Services

OPERATOR_PATIENCE = timedelta(minutes=5)
UNANSWERED_PATIENCE = timedelta(minutes=15)
MOST_UNANSWERED = 3
LONGEST_TRYING = timedelta(days=7)

FIRST_MAIL_PAUSE = timedelta(minutes=1)
LONGEST_MAIL_PAUSE = timedelta(hours=6)


async def deliver(services: Services, message_id: int) -> None:
    """Send a message that still waits. Raises Retry to be called again; a refusal for good is recorded and done.

    Dropped after three tries that may have arrived, and a week after the first try.
    """
    async with services.store.read() as tx:
        message = await tx.outbox.get(message_id)
        whom = None if message is None else await _whom(tx, message)
    if message is None:
        return
    # One at a time to each target: the limits count what was sent, and one post may tell what others wait to tell.
    async with services.turns.of(f"{message.kind}:{whom}"):
        async with services.store.read() as tx:
            message = await tx.outbox.get(message_id)
        if message is not None:
            await _deliver(services, message)


async def _whom(tx: Transaction, message: Message) -> str:
    """Name who gets a message: payers who share an address share its limits."""
    if message.kind != "mail":
        return message.target
    return (await tx.customers.get(CustomerId(int(message.target)))).email.casefold()


async def _deliver(services: Services, message: Message) -> None:
    try:
        is_sent = await _send(services, message)
    except Retry as failure:
        await _put_off(services, message, failure)
    except (Blocked, Gone) as refusal:
        if isinstance(refusal, Blocked) and refusal.audience is Audience.OPERATOR:
            # The operator can put this right, and the person is still waiting for the message.
            await _put_off(services, message, Retry(str(refusal), after=OPERATOR_PATIENCE))
        else:
            await _give_up(services, message, refusal)
    else:
        if is_sent:
            await _settle(services, message)


async def _send(services: Services, message: Message) -> bool:
    """Hand a message over; False when it was put off without a failure."""
    match message.kind:
        case "mail" | alerts.KIND:
            await _send_mail(services, message)
        case "dm":
            facts = _with_guild_name(services, message.facts)
            await services.discord.direct_message(
                UserId(int(message.target)), message.template, facts, nonce=str(message.id)
            )
        case "post":
            return await posting.send(services, message)
        case posting.OWNER:
            await posting.tell_owner(services, message)
        case _:
            raise AssertionError(f"unknown kind of message: {message.kind}")
    return True


async def _send_mail(services: Services, message: Message) -> None:
    if not services.mailer.is_configured:
        raise Gone("mail server")
    async with services.store.write() as tx:
        if message.kind == alerts.KIND:
            mail = await alert_mail.compose(services, tx, message)
        else:
            mail = await _compose(services, tx, message)
    if "user_id" in mail.facts:
        account = await services.discord.handle(UserId(int(str(mail.facts["user_id"])))) or "another account"
        mail = replace(mail, facts={**mail.facts, "account": account})
    await services.mailer.send(mail)


async def _compose(services: Services, tx: Transaction, message: Message) -> Mail:
    """Make a mail to a payer. Raises Gone where nobody takes it or it is no longer true, Retry over the limits."""
    subject = await mail_facts.about(tx, message)
    if subject is None or not subject.customer.email or subject.customer.is_mail_refused:
        raise Gone("address")
    if not await mail_facts.is_timely(tx, message, subject):
        raise Gone("reason to write")
    await mail_limits.respect(services, tx, message, subject.customer)
    secrets = await mail_secrets.facts(services, tx, message, subject)
    if secrets is None:
        raise Gone("sign-in")
    facts = await mail_facts.facts(services, tx, replace(message, facts={**message.facts, **secrets}), subject)
    message_id = f"{message.id}.{int(message.created_at.timestamp())}"
    return Mail(to=subject.customer.email, template=message.template, facts=facts, message_id=message_id)


def _with_guild_name(services: Services, facts: Mapping[str, object]) -> Mapping[str, object]:
    return {**facts, "server": services.discord.guild_name(GuildId(int(str(facts["guild_id"]))))}


async def _put_off(services: Services, message: Message, failure: Retry) -> None:
    """Record a try and raise Retry for the next, or give up where one more would be one too many."""
    now, is_answered = services.clock.now(), not isinstance(failure, Unanswered)
    async with services.store.write() as tx:
        tries = await tx.outbox.record_try(message.id, failure.why, now, is_answered=is_answered)
    if tries.unanswered >= MOST_UNANSWERED or now - tries.first_at >= LONGEST_TRYING:
        await _give_up(services, message, failure)
        return
    patience = failure.after or _patience(message, now - tries.first_at)
    raise Retry(failure.why, after=patience if is_answered else UNANSWERED_PATIENCE) from failure


def _patience(message: Message, tried_for: timedelta) -> timedelta | None:
    """Ask a mail server again after as long as it has been failing: a minute at first, six hours at most."""
    is_mail = message.kind in ("mail", alerts.KIND)
    return min(max(tried_for, FIRST_MAIL_PAUSE), LONGEST_MAIL_PAUSE) if is_mail else None


async def _give_up(services: Services, message: Message, refusal: Blocked | Gone | Retry) -> None:
    now = services.clock.now()
    async with services.store.write() as tx:
        await tx.outbox.settle(message.id, "dropped", str(refusal), now)
        await mail_secrets.forget(tx, message, now)
        if message.kind == "mail" and isinstance(refusal, Blocked) and refusal.reason is Reason.MAIL_REFUSED:
            for customer in await mail_preferences.sharing(tx, await tx.customers.get(CustomerId(int(message.target)))):
                await tx.customers.refuse_mail(customer.id)
        if message.kind == "post" and not isinstance(refusal, Retry):
            await posting.fall_back(tx, message, refusal, now)
        await tx.audit.add(_dropped(message, refusal), now)


def _dropped(message: Message, refusal: Blocked | Gone | Retry) -> AuditEntry:
    """Write down whom a direct message did not reach: what matters is mailed anyway, so nothing takes its place."""
    is_direct = message.kind == "dm"
    guild_id = int(str(message.facts.get("guild_id") or 0)) if is_direct else 0
    return AuditEntry(
        event="message.dropped",
        actor="doorlist",
        guild_id=GuildId(guild_id) if guild_id else None,
        user_id=UserId(int(message.target)) if is_direct else None,
        detail={"kind": message.kind, "template": message.template, "why": str(refusal)},
    )


async def _settle(services: Services, message: Message) -> None:
    now = services.clock.now()
    async with services.store.write() as tx:
        await tx.outbox.settle(message.id, "sent", "", now)
        await mail_secrets.forget(tx, message, now)
