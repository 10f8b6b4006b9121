"""What a mail to a payer is told: whom and what it is about, in which language, and whether it is still true.

Secrets of a mail are mail_secrets.py's, and made before these facts are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from membership import mail_preferences
from membership.browsing import CustomerSettings
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import CustomerId, Grant, GrantState, Plan, Purchase, PurchaseId, PurchaseKind, PurchaseStatus
from membership.records import Customer, Guild, Message
from membership.services import Services

WITH_INVITATION = ("connect", "connect_reminder")
WITH_LINK = (*WITH_INVITATION, "link_again", "moved")
WITH_BILLING = ("past_due", "grace_last_day", "trial_ending", "billing")
WITH_INVITE = (*WITH_INVITATION, "failed")
"""Mails that say how to get into the server."""

_OUTSIDE = (Reason.NOT_IN_SERVER, Reason.SERVER_LIMIT, Reason.JOIN_LIMITED, Reason.TOKEN_EXPIRED, Reason.SCOPE_MISSING)
_HAD = (GrantState.DELIVERED, GrantState.PAST_DUE)
_NOT_THERE = (GrantState.FAILED, GrantState.PENDING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a mail about a purchase speaks of."""

    customer: Customer
    settings: CustomerSettings
    purchase: Purchase
    grants: tuple[Grant, ...]
    plans: tuple[Plan, ...]
    guilds: tuple[Guild, ...]
    is_linked: bool
    interval: str

    @property
    def is_price_known(self) -> bool:
        """Say whether the price can be named in full: without its interval it would read as a price paid once."""
        return bool(self.interval) or self.purchase.kind is PurchaseKind.ONE_TIME


async def about(tx: Transaction, message: Message) -> Subject | None:
    """Look up what a mail is about; a mail about a customer alone speaks of their newest purchase, None for none."""
    customer = await tx.customers.get(CustomerId(int(message.target)))
    if "purchase_id" in message.facts:
        purchase = await tx.purchases.get(PurchaseId(int(str(message.facts["purchase_id"]))))
    else:
        purchases = await tx.purchases.of_customer(customer.id)
        if not purchases:
            return None
        purchase = purchases[0]
    named = _named(message.facts)
    grants = [each for each in await tx.purchases.grants(purchase.id) if not named or int(each.id) in named]
    guilds = [await tx.guilds.get(guild_id) for guild_id in sorted({grant.guild_id for grant in grants})]
    return Subject(
        customer=customer,
        settings=await tx.customer_settings.get(customer.id),
        purchase=purchase,
        grants=tuple(grants),
        plans=tuple([await tx.plans.get(grant.plan_id) for grant in grants]),
        guilds=tuple(guild for guild in guilds if guild is not None),
        is_linked=await tx.links.active(customer.id) is not None,
        interval=await _interval(tx, purchase),
    )


async def is_timely(tx: Transaction, message: Message, subject: Subject) -> bool:
    """Say whether a mail is still true and wanted: it may have waited for the mail server or for its turn."""
    if message.template == "connect_reminder" and not await mail_preferences.wants_reminders(tx, subject.customer):
        return False
    ask = _STILL.get(message.template)
    return ask is None or ask(subject)


async def facts(services: Services, tx: Transaction, message: Message, subject: Subject) -> dict[str, object]:
    """Gather what the words of a mail need, besides its secrets."""
    first = subject.guilds[0] if subject.guilds else None
    slugs = [plan.slug for plan in subject.plans if not plan.is_archived]
    known: dict[str, object] = {
        "name": subject.customer.name,
        "plan": ", ".join(dict.fromkeys(plan.name for plan in subject.plans)),
        "server": ", ".join(guild.name for guild in subject.guilds) or "Doorlist",
        "amount": subject.purchase.amount if subject.is_price_known else 0,
        "currency": subject.purchase.currency,
        "interval": subject.interval,
        "manage_url": f"{services.public_url}/portal",
        "return_url": f"{services.public_url}/plans/{slugs[0]}" if len(slugs) == 1 else f"{services.public_url}/",
        "languages": _languages(message, subject),
        "time_zone": subject.settings.time_zone,
    }
    if first is not None:
        known |= _of_guild(services, message, first, subject)
        known["own_words"] = await own_words(tx, first, message.template)
    return known | _own_facts(services, message, first)


def _languages(message: Message, subject: Subject) -> list[str]:
    """Return the languages that a mail may speak, the dearest first: chosen, seen in the browser, told by the shop."""
    seen, servers = str(message.facts.get("language", "")), [guild.language for guild in subject.guilds[:1]]
    return [subject.settings.language, seen, subject.customer.locale, *servers]


async def own_words(tx: Transaction, guild: Guild, template: str) -> dict[str, dict[str, str]]:
    """Return a server's own subject and intro for a template, by language."""
    texts = (await tx.mail_texts.of_guild(guild.id)).values()
    return {
        text.language: {"subject": text.subject, "intro": text.intro} for text in texts if text.template == template
    }


def brand(guild: Guild) -> dict[str, object]:
    """Return how a server's mails look and what stands at their foot."""
    return {"accent": guild.accent, "imprint": guild.imprint, "support_address": guild.support_address}


def _of_guild(services: Services, message: Message, guild: Guild, subject: Subject) -> dict[str, object]:
    known = brand(guild) | {"time_zone": subject.settings.time_zone or guild.time_zone}
    if guild.claim_channel_id:
        known["claim_channel"] = services.discord.channel_name(guild.claim_channel_id)
    is_outside = message.template != "failed" or message.facts.get("reason") in [reason.value for reason in _OUTSIDE]
    if message.template in WITH_INVITE and is_outside:
        known["invite_url"] = guild.invite_url
    return known


def _own_facts(services: Services, message: Message, guild: Guild | None) -> dict[str, object]:
    """Return the facts that the message was queued with; roles get the names that they have now."""
    known = dict(message.facts)
    wanted = known.pop("role_ids", [])
    if guild is not None and isinstance(wanted, list):
        names = {str(role_id): role.name for role_id, role in services.discord.roles(guild.id).items()}
        known["roles"] = [names[str(role)] for role in wanted if str(role) in names]
    return known


async def _interval(tx: Transaction, purchase: Purchase) -> str:
    """Return "month", "year" ... of what was bought, "" for a single payment or a price we do not know."""
    bought = {item.price_id for item in purchase.items}
    prices = await tx.accounts.prices(purchase.account_id)
    return next((price.interval for price in prices if price.external_id in bought), "")


def _named(known: Mapping[str, object]) -> frozenset[int]:
    """Return the grants that a message speaks of, empty for all of its purchase."""
    several = known.get("grant_ids", [])
    listed = several if isinstance(several, list) else []
    one = [known["grant_id"]] if "grant_id" in known else []
    return frozenset(int(str(each)) for each in (*listed, *one))


def _is_trial_running(subject: Subject) -> bool:
    return subject.purchase.status is PurchaseStatus.TRIALING and subject.purchase.ends_at is None


def _is_past_due(subject: Subject) -> bool:
    return subject.purchase.status is PurchaseStatus.PAST_DUE


def _is_unlinked(subject: Subject) -> bool:
    return not subject.is_linked


def _has_one(*states: GrantState) -> Callable[[Subject], bool]:
    return lambda subject: any(grant.state in states for grant in subject.grants)


_STILL: Mapping[str, Callable[[Subject], bool]] = {
    "connect": _is_unlinked,
    "connect_reminder": _is_unlinked,
    "delivered": _has_one(*_HAD),
    "failed": _has_one(*_NOT_THERE),
    "past_due": _is_past_due,
    "grace_last_day": _is_past_due,
    "trial_ending": _is_trial_running,
    "cancelled": lambda subject: subject.purchase.ends_at is not None,
    "ended": lambda subject: any(grant.is_over for grant in subject.grants),
}
"""What has to hold when a mail is sent; a mail that is not named here tells of something that happened."""
