"""Customers sign in by mail: a link that works in any browser, and a code for the browser that asked (EXPERIENCE 3.1).

Whether an address has bought something shows neither in the answer nor in its time: asking does the same for every
address, and a job looks the address up. A link is spent by a button, never by opening it.
"""

from __future__ import annotations

import hmac
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from membership import codes, sign_in_mail, tries
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import Lane
from membership.records import Customer, Draft
from membership.services import Services
from membership.sign_in_mail import Secrets
from membership.tries import Limit

LIFE = timedelta(minutes=10)
CODE_TRIES = 5
KIND = "signin"
"""The job that looks an address up and queues its mail."""

LONGEST_ADDRESS = 254
MOST_CUSTOMERS = 20
_DIGITS = 6
_CODE, _LINK = "sign_in_code", "sign_in_link"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came of asking: a key for the browser to keep, or until when this address has to wait (key "")."""

    key: str = ""
    wait_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """What came of a code: the proven address, or "" with the tries that are left (0: ask for a new mail)."""

    email: str = ""
    tries_left: int = 0


async def ask(services: Services, email: str, *, language: str = "") -> Asked:
    """Let a sign-in mail be sent to an address if it belongs to a customer. Raises UserError for what is no address."""
    address, now = checked(email), services.clock.now()
    key, token, place = (services.randomness.token() for _ in range(3))
    code, until = _six_digits(services.randomness.token()), now + LIFE
    async with services.store.write() as tx:
        wait_until = await _count(services, tx, address, now)
        if wait_until is not None:
            return Asked(wait_until=wait_until)
        by_code, by_link = codes.digest(key), codes.digest(token)
        content = {
            "email": address,
            "code": _sealed(key, code),
            "left": str(CODE_TRIES),
            "until": until.isoformat(),
            "link": by_link,
        }
        await tx.sessions.put(by_code, _CODE, content, until)
        await tx.sessions.put(by_link, _LINK, {"email": address, "code": by_code}, until)
        secrets = Secrets(email=address, code=code, token=token, until=until, language=language)
        await sign_in_mail.keep(tx, place, secrets)
        await tx.jobs.mark(KIND, place, lane=Lane.PERSON, run_at=now)
    services.wake()
    return Asked(key=key)


async def send(services: Services, place: str) -> None:
    """Queue the mail of somebody who asked, if the address belongs to a customer (the job behind `ask`)."""
    now = services.clock.now()
    async with services.store.write() as tx:
        secrets = await sign_in_mail.secrets_at(tx, place, now)
        customer = None if secrets is None else await _customer(tx, secrets.email)
        if customer is None:
            await sign_in_mail.forget(tx, place, now)
            return
        draft = Draft(
            dedupe_key=f"{KIND}:{place}",
            kind="mail",
            target=str(customer.id),
            template=sign_in_mail.TEMPLATE,
            facts={sign_in_mail.PLACE: place},
        )
        await tx.outbox.put(draft, now)
    services.wake()


async def enter_code(services: Services, key: str, typed: str) -> Entered:
    """Try a code in the browser that asked for it; the fifth wrong one makes it void. A right one serves once."""
    now = services.clock.now()
    async with services.store.write() as tx:
        # Taken first, so that of many tries at once each one counts.
        kept = await tx.sessions.take(codes.digest(key), _CODE, now)
        if kept is None:
            return Entered()
        if hmac.compare_digest(kept["code"], _sealed(key, _plain_digits(typed))):
            await tx.sessions.take(kept["link"], _LINK, now)
            return Entered(email=kept["email"])
        left = int(kept["left"]) - 1
        if left:
            until = datetime.fromisoformat(kept["until"])
            await tx.sessions.put(codes.digest(key), _CODE, {**kept, "left": str(left)}, until)
    return Entered(tries_left=left)


async def awaited(services: Services, key: str) -> str:
    """Return the address that a browser waits for a code for, "" when it waits for none."""
    if not key:
        return ""
    async with services.store.read() as tx:
        kept = await tx.sessions.get(codes.digest(key), _CODE, services.clock.now())
    return "" if kept is None else kept["email"]


async def look_at_link(services: Services, token: str) -> str:
    """Return the address that a mailed link proves, "" for one that is old, used or unknown. Changes nothing."""
    async with services.store.read() as tx:
        kept = await tx.sessions.get(codes.digest(token), _LINK, services.clock.now())
    return "" if kept is None else kept["email"]


async def use_link(services: Services, token: str) -> str:
    """Spend a mailed link, and the code beside it; return the proven address, "" for a link that is no good."""
    now = services.clock.now()
    async with services.store.write() as tx:
        kept = await tx.sessions.take(codes.digest(token), _LINK, now)
        if kept is None:
            return ""
        await tx.sessions.take(kept["code"], _CODE, now)
    return kept["email"]


def checked(email: str) -> str:
    """Return what was typed if it may be an address. Raises UserError."""
    address = email.strip()
    name, at, domain = address.rpartition("@")
    is_plain = address.isprintable() and not any(sign.isspace() for sign in address)
    if not (name and at and "." in domain and is_plain and len(address) <= LONGEST_ADDRESS):
        raise UserError("Write an e-mail address, such as ada@example.com.")
    return address


async def _count(services: Services, tx: Transaction, address: str, now: datetime) -> datetime | None:
    """Bound the mails to one address, whether it is known or not (threats T13)."""
    policy = services.policy
    limits = (
        Limit(tries=policy.mails_per_hour, window=timedelta(hours=1)),
        Limit(tries=policy.mails_per_day, window=timedelta(days=1)),
    )
    for limit in limits:
        wait_until = await tries.count(tx, f"{KIND}:{limit.window}:{address.casefold()}", limit, now)
        if wait_until is not None:
            return wait_until
    return None


async def _customer(tx: Transaction, address: str) -> Customer | None:
    """Return a payer with this address who has bought something and whose mailbox takes mail."""
    for customer in await tx.customers.with_email(address, MOST_CUSTOMERS):
        if not customer.is_mail_refused and await tx.purchases.of_customer(customer.id):
            return customer
    return None


def _six_digits(secret: str) -> str:
    """Make a code of a random secret; with 60 bits of it no digit is likelier than another."""
    return f"{int(codes.digest(secret)[:15], 16) % 10**_DIGITS:0{_DIGITS}d}"


def _sealed(key: str, code: str) -> str:
    """Return what is stored in place of a code: without the browser's key, a million guesses find nothing."""
    return codes.digest(f"{key}:{code}")


def _plain_digits(typed: str) -> str:
    """Read a code however it was typed: "482 913", "482-913"."""
    return "".join(sign for sign in unicodedata.normalize("NFKC", typed[:64]) if sign in "0123456789")
