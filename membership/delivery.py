"""Send one outbox message: gather its facts, hand it over, record the try.

A claim code and a connect link are made here, at the first try, and sealed until the message is settled: every try
tells the same ones, and no secret can be read in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from membership import codes, posting
from membership.errors import Audience, Blocked, Gone, Reason, Retry, Unanswered
from membership.ledgers import Transaction
from membership.model import CustomerId, GuildId, Purchase, PurchaseId, PurchaseKind, UserId
from membership.ports import Mail
from membership.records import AuditEntry, Customer, Guild, Message
from membership.services import Services

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

OPERATOR_PATIENCE = timedelta(minutes=5)
UNANSWERED_PATIENCE = timedelta(minutes=15)
MOST_UNANSWERED = 3
LONGEST_TRYING = timedelta(days=7)

_WITH_INVITATION = ("connect", "connect_reminder")
_WITH_LINK = (*_WITH_INVITATION, "link_again", "moved")
_WITH_BILLING = ("past_due", "billing")
_SECRETS = "message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a mail about a purchase speaks of."""

    customer: Customer
    purchase: Purchase
    plans: tuple[str, ...]
    guilds: tuple[Guild, ...]
    is_linked: bool
    interval: str

    @property
    def is_price_known(self) -> bool:
        """Say whether the price can be named in full."""
        return bool(self.interval) or self.purchase.kind is PurchaseKind.ONE_TIME


async def deliver(services: Services, message_id: int) -> None:
    """Send a message that still waits. Raises Retry to be called again; a refusal for good is recorded and done.

    Dropped after three tries that may have arrived, and a week after the first try.
    """
    async with services.store.read() as tx:
        message = await tx.outbox.get(message_id)
    if message is None:
        return
    # One at a time to each target: the limits count what was sent, and one post may tell what others wait to tell.
    async with services.turns.of(f"{message.kind}:{message.target}"):
        async with services.store.read() as tx:
            message = await tx.outbox.get(message_id)
        if message is not None:
            await _deliver(services, message)


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
        case "mail":
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
        subject = await _subject(tx, message)
        if subject is None or not subject.customer.email or subject.customer.is_mail_refused:
            raise Gone("address")
        if message.template in _WITH_INVITATION and subject.is_linked:
            raise Gone("reason to write")
        await _respect_limits(services, tx, subject.customer)
        facts = _facts(services, subject) | dict(message.facts)
        if message.template in _WITH_LINK:
            facts |= await _invitation(services, tx, message, subject.purchase)
        if message.template in _WITH_BILLING:
            secrets = await _secrets(services, tx, message, subject.purchase)
            facts["repair_url"] = f"{services.public_url}/billing/{secrets['token']}"
    if "user_id" in facts:
        facts["account"] = await services.discord.handle(UserId(int(str(facts["user_id"])))) or "another account"
    message_id = f"{message.id}.{int(message.created_at.timestamp())}"
    mail = Mail(to=subject.customer.email, template=message.template, facts=facts, message_id=message_id)
    await services.mailer.send(mail)


async def _respect_limits(services: Services, tx: Transaction, customer: Customer) -> None:
    """Bound the mails to one payer (threats T13); what is over the limit waits, it is not lost."""
    now, policy = services.clock.now(), services.policy
    for window, limit in ((HOUR, policy.mails_per_hour), (DAY, policy.mails_per_day)):
        if await tx.outbox.sent_to("mail", str(customer.id), now - window) >= limit:
            raise Retry("this address has had enough mail for now", after=window / limit)


async def _invitation(services: Services, tx: Transaction, message: Message, purchase: Purchase) -> dict[str, object]:
    secrets = await _secrets(services, tx, message, purchase)
    return {
        "link": f"{services.public_url}/connect/{secrets['token']}",
        "link_until": secrets["until"],
        "code": codes.grouped(secrets["code"]),
    }


async def _secrets(services: Services, tx: Transaction, message: Message, purchase: Purchase) -> Mapping[str, str]:
    """Return the message's link token and, where it invites, its claim code; made at the first try.

    To be looked up, only their digests are kept.
    """
    now = services.clock.now()
    made = await tx.sessions.get(str(message.id), _SECRETS, now)
    if made is not None:
        return made
    expires_at = now + timedelta(days=services.policy.code_days)
    secrets = {"token": services.randomness.token(), "until": expires_at.isoformat()}
    await tx.links.issue_token(codes.digest(secrets["token"]), purchase.id, None, expires_at)
    if message.template in _WITH_LINK:
        secrets["code"] = services.randomness.code()
        await tx.codes.issue(codes.digest(secrets["code"]), purchase.id, expires_at)
    await tx.sessions.put(str(message.id), _SECRETS, secrets, expires_at)
    return secrets


async def _subject(tx: Transaction, message: Message) -> Subject | None:
    """Look up what the mail is about; a mail about a customer alone speaks of their newest purchase."""
    customer = await tx.customers.get(CustomerId(int(message.target)))
    if "purchase_id" in message.facts:
        purchase = await tx.purchases.get(PurchaseId(int(str(message.facts["purchase_id"]))))
    else:
        purchases = await tx.purchases.of_customer(customer.id)
        if not purchases:
            return None
        purchase = purchases[0]
    grants = await tx.purchases.grants(purchase.id)
    if "grant_id" in message.facts:
        grants = [grant for grant in grants if int(grant.id) == message.facts["grant_id"]]
    plans = [await tx.plans.get(grant.plan_id) for grant in grants]
    guilds = [await tx.guilds.get(guild_id) for guild_id in sorted({grant.guild_id for grant in grants})]
    return Subject(
        customer=customer,
        purchase=purchase,
        plans=tuple(plan.name for plan in plans),
        guilds=tuple(guild for guild in guilds if guild is not None),
        is_linked=await tx.links.active(customer.id) is not None,
        interval=await _interval(tx, purchase),
    )


async def _interval(tx: Transaction, purchase: Purchase) -> str:
    """Return "month", "year" ... of what was bought, "" for a single payment or a price we do not know."""
    bought = {item.price_id for item in purchase.items}
    prices = await tx.accounts.prices(purchase.account_id)
    return next((price.interval for price in prices if price.external_id in bought), "")


def _facts(services: Services, subject: Subject) -> dict[str, object]:
    first = subject.guilds[0] if subject.guilds else None
    channel = services.discord.channel_name(first.claim_channel_id) if first and first.claim_channel_id else ""
    return {
        "name": subject.customer.name,
        "plan": ", ".join(subject.plans),
        "server": ", ".join(guild.name for guild in subject.guilds),
        # Without its interval an amount would read as a price paid once.
        "amount": subject.purchase.amount if subject.is_price_known else 0,
        "currency": subject.purchase.currency,
        "interval": subject.interval,
        "claim_channel": channel,
        "invite_url": first.invite_url if first else "",
        "return_url": f"{services.public_url}/",
    }


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
    raise Retry(failure.why, after=failure.after if is_answered else UNANSWERED_PATIENCE) from failure


async def _give_up(services: Services, message: Message, refusal: Blocked | Gone | Retry) -> None:
    now = services.clock.now()
    async with services.store.write() as tx:
        await tx.outbox.settle(message.id, "dropped", str(refusal), now)
        await tx.sessions.take(str(message.id), _SECRETS, now)
        if isinstance(refusal, Blocked) and refusal.reason is Reason.MAIL_REFUSED:
            await tx.customers.refuse_mail(CustomerId(int(message.target)))
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
        await tx.sessions.take(str(message.id), _SECRETS, now)
