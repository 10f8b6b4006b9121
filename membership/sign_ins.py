"""Who is signed in with which browser: begin, recognise, list and end. How somebody proves who they are is elsewhere.

A customer's sign-in lasts 30 days without use and 90 at most; staff's eight hours and a week (EXPERIENCE 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from membership import codes, reach
from membership.browsing import Person, SignIn
from membership.errors import Gone
from membership.ledgers import Transaction
from membership.model import UserId
from membership.records import AuditEntry
from membership.services import Services

MOST_LISTED = 50
MOST_PORTIONS = 200
"""Lists of a person's browsers that are ended, one after the other."""
SEEN_EVERY = timedelta(minutes=1)
FRESH = timedelta(minutes=15)
"""How old a proof may be when staff change something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """How long a sign-in lives: without use, and at most."""

    idle: timedelta
    longest: timedelta


LIVES = {
    Person.CUSTOMER: Life(idle=timedelta(days=30), longest=timedelta(days=90)),
    Person.STAFF: Life(idle=timedelta(hours=8), longest=timedelta(days=7)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """What somebody has proven of themselves: a Discord account, an address, or both. `name` is for people."""

    user_id: UserId | None = None
    email: str = ""
    name: str = ""


async def begin(services: Services, person: Person, proven: Proven, device: str) -> str:
    """Sign a browser in and return its new key, which only the browser keeps."""
    now, key = services.clock.now(), services.randomness.token()
    sign_in = SignIn(
        digest=codes.digest(key),
        person=person,
        user_id=proven.user_id,
        email=proven.email,
        name=proven.name,
        device=device,
        began_at=now,
        seen_at=now,
        proved_at=now,
        expires_at=now + LIVES[person].idle,
    )
    async with services.store.write() as tx:
        await tx.sign_ins.add(sign_in)
        await tx.audit.add(await _entry(tx, sign_in), now)
    return key


async def _entry(tx: Transaction, sign_in: SignIn) -> AuditEntry:
    """Write down who signed in: the Discord account where one is proven, else the payer whose address it is."""
    detail = {"as": sign_in.person.value}
    if sign_in.user_id is not None:
        return AuditEntry(event="signed_in", actor=f"user:{sign_in.user_id}", user_id=sign_in.user_id, detail=detail)
    for reached in await reach.customers(tx, sign_in):
        actor = reach.actor_of(sign_in, reached)
        return AuditEntry(event="signed_in", actor=actor, customer_id=reached.customer.id, detail=detail)
    # Whoever had this address was erased between the mail and the click.
    return AuditEntry(event="signed_in", actor="customer", detail=detail)


async def recognise(services: Services, person: Person, key: str) -> SignIn | None:
    """Return whose browser this is, None for nobody's; using it keeps it alive, within its longest life."""
    if not key:
        return None
    now = services.clock.now()
    async with services.store.read() as tx:
        found = await tx.sign_ins.get(codes.digest(key), person, now)
    if found is None or found.seen_at > now - SEEN_EVERY:
        return found
    life = LIVES[person]
    expires_at = min(now + life.idle, found.began_at + life.longest)
    async with services.store.write() as tx:
        await tx.sign_ins.touch(found.digest, now, expires_at)
    return replace(found, seen_at=now, expires_at=expires_at)


async def listed(services: Services, mine: SignIn) -> Sequence[SignIn]:
    """Return every browser of the same person, the last used first.

    Whoever proved a Discord account sees what was proved by it: the address that Discord names beside it may be old.
    """
    email = mine.email if mine.user_id is None else ""
    async with services.store.read() as tx:
        return await tx.sign_ins.of_person(mine.person, mine.user_id, email, services.clock.now(), MOST_LISTED)


async def end(services: Services, mine: SignIn, sign_in_id: int) -> None:
    """End one of a person's own sign-ins. Raises Gone("sign-in") for one that is not theirs."""
    # One's own first: the list may be too long to have it.
    for each in (mine, *await listed(services, mine)):
        if each.id == sign_in_id:
            async with services.store.write() as tx:
                await tx.sign_ins.end(each.digest)
            return
    raise Gone("sign-in")


async def end_others(services: Services, mine: SignIn) -> int:
    """End every other sign-in of the same person; return how many there were."""
    ended = 0
    for _ in range(MOST_PORTIONS):
        others = [each for each in await listed(services, mine) if each.digest != mine.digest]
        if not others:
            break
        async with services.store.write() as tx:
            for each in others:
                await tx.sign_ins.end(each.digest)
        ended += len(others)
    return ended
