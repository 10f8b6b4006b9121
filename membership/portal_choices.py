"""What customers choose for themselves: language and time zone, which mails, and direct messages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from zoneinfo import available_timezones

from membership import reach
from membership.browsing import CustomerSettings, SignIn
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.reach import Reached
from membership.records import AuditEntry
from membership.services import Services


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What somebody chose. `has_mail` False: no payer's mail is theirs; `dms` None: no Discord account is proven."""

    language: str = ""
    time_zone: str = ""
    reminders: bool = True
    delivered: bool = True
    has_mail: bool = False
    dms: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """A language and a time zone, "" where somebody never chose."""

    language: str = ""
    time_zone: str = ""


async def read(services: Services, sign_in: SignIn) -> Choices:
    """Return what somebody chose, the defaults where they never did."""
    async with services.store.read() as tx:
        payers = await _payers(tx, sign_in)
        chosen = Choices()
        if payers:
            first = await tx.customer_settings.get(payers[0].customer.id)
            chosen = Choices(
                language=first.language,
                time_zone=first.time_zone,
                reminders=first.reminders,
                delivered=first.delivered,
                has_mail=True,
            )
        if sign_in.user_id is not None:
            member = await tx.member_settings.get(sign_in.user_id)
            chosen = replace(chosen, dms=member.dms, language=chosen.language or member.language)
    return chosen


async def tongue(services: Services, sign_in: SignIn) -> Tongue:
    """Return in which language and time zone somebody reads; asked for every page, so by one query, rarely two."""
    async with services.store.read() as tx:
        near = await tx.customer_settings.near(sign_in.user_id, sign_in.email, reach.MOST_CUSTOMERS)
        mine = [each.settings for each in near if reach.has_chosen(sign_in, each)]
        language = next((each.language for each in mine if each.language), "")
        if not language and sign_in.user_id is not None:
            language = (await tx.member_settings.get(sign_in.user_id)).language
    return Tongue(language=language, time_zone=next((each.time_zone for each in mine if each.time_zone), ""))


async def save(services: Services, sign_in: SignIn, choices: Choices) -> None:
    """Keep what somebody chose, for every payer of theirs and for their own Discord account. Raises UserError.

    `has_mail` and a `dms` of None do not matter here: what is not theirs is left alone.
    """
    if choices.time_zone and choices.time_zone not in time_zones():
        raise UserError("There is no such time zone. Write one like Europe/Rome, or leave it empty.")
    async with services.store.write() as tx:
        payers = await _payers(tx, sign_in)
        for each in payers:
            settings = CustomerSettings(
                customer_id=each.customer.id,
                language=choices.language,
                time_zone=choices.time_zone,
                reminders=choices.reminders,
                delivered=choices.delivered,
            )
            await tx.customer_settings.put(settings)
            await _note(tx, services, sign_in, each)
        if sign_in.user_id is not None:
            member = await tx.member_settings.get(sign_in.user_id)
            dms = member.dms if choices.dms is None else choices.dms
            await tx.member_settings.put(replace(member, language=choices.language, dms=dms))


@cache
def time_zones() -> frozenset[str]:
    """Return the names of all time zones. Kept: to look for them is to walk hundreds of files."""
    return frozenset(available_timezones())


async def _payers(tx: Transaction, sign_in: SignIn) -> list[Reached]:
    return [each for each in await reach.customers(tx, sign_in) if each.is_payer and each.is_paid]


async def _note(tx: Transaction, services: Services, sign_in: SignIn, each: Reached) -> None:
    entry = AuditEntry(
        event="customer.preferences",
        actor=reach.actor_of(sign_in, each),
        user_id=sign_in.user_id,
        customer_id=each.customer.id,
    )
    await tx.audit.add(entry, services.clock.now())
