"""Find somebody's purchases by the address that Discord calls verified: tickets of the button, and what comes of them.

A ticket says which Discord user pressed the button, so that nobody else can finish what they began. A typed address
proves nothing, and a purchase that somebody has is never taken (DESIGN 8).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum

from membership import binding, codes, invites, switching
from membership.ledgers import Transaction
from membership.model import CustomerId, GuildId, Lane, MemberKey, Proof, PurchaseId, UserId
from membership.records import Guild
from membership.services import Services
from membership.switching import Refused

TICKET_LIFE = timedelta(minutes=10)
PATIENCE = timedelta(seconds=6)
JOIN_SCOPE = "guilds.join"
MOST_CUSTOMERS = 20

_KIND = "verify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """Who pressed the button ("@ada"), and in which server (0 and "" in direct messages)."""

    user_id: UserId
    handle: str
    server_name: str
    guild_id: GuildId


class Found(StrEnum):
    """What a sign-in came to."""

    CONNECTED = "connected"
    NOTHING = "nothing"
    UNVERIFIED = "unverified"
    SOMEBODY_ELSES = "somebody_elses"
    MOVED_TOO_OFTEN = "moved_too_often"
    SWITCHED_OFF = "switched_off"
    OTHER_ACCOUNT = "other_account"
    TICKET_OLD = "ticket_old"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who came back from Discord. `email` is "" unless Discord calls it verified."""

    user_id: UserId
    email: str
    access_token: str
    scopes: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a sign-in came to, with the purchases that are now on this account; `ticket` None when it was too old.

    `refused`: until when, where the account was switched as often as possible.
    """

    found: Found
    purchases: tuple[PurchaseId, ...] = ()
    ticket: Ticket | None = None
    refused: Refused | None = None


async def issue(services: Services, user_id: UserId, handle: str, guild_id: GuildId) -> str:
    """Return a personal address where this Discord user can sign in, good for ten minutes and one success."""
    token = services.randomness.token()
    server = services.discord.guild_name(guild_id) if guild_id else ""
    content = {"user_id": str(user_id), "handle": handle, "server": server, "guild_id": str(guild_id or 0)}
    async with services.store.write() as tx:
        await tx.sessions.put(codes.digest(token), _KIND, content, services.clock.now() + TICKET_LIFE)
    return f"{services.public_url}/verify/{token}"


async def look(services: Services, ticket_digest: str) -> Ticket | None:
    """Return what a ticket stands for, None when it is old or unknown. Changes nothing."""
    async with services.store.read() as tx:
        return await _ticket(services, tx, ticket_digest)


async def verify(services: Services, ticket_digest: str, signed_in: SignedIn) -> Verified:
    """Link what the verified address bought, join and give the roles, and wait a few seconds for them.

    The ticket is spent once the right person came back; whoever else signs in spends nothing and gets nothing.
    """
    now, started = services.clock.now(), services.signals.tick()
    async with services.store.write() as tx:
        ticket = await _ticket(services, tx, ticket_digest)
        if ticket is None:
            return Verified(found=Found.TICKET_OLD)
        if ticket.user_id != signed_in.user_id:
            return Verified(found=Found.OTHER_ACCOUNT, ticket=ticket)
        await tx.sessions.take(ticket_digest, _KIND, now)
        linked = await _link(services, tx, signed_in)
        purchases, keys = await _everything(tx, signed_in.user_id)
        await binding.mark(tx, keys, Lane.PERSON, now)
        if keys and JOIN_SCOPE in signed_in.scopes:
            services.permits.keep(signed_in.user_id, signed_in.access_token, now)
    services.wake()
    if not purchases:
        return replace(linked, ticket=ticket)
    await services.signals.wait([str(key) for key in keys], since=started, patience=PATIENCE)
    await _invite_those_outside(services, purchases, signed_in.user_id)
    return Verified(found=Found.CONNECTED, purchases=purchases, ticket=ticket)


async def _ticket(services: Services, tx: Transaction, digest: str) -> Ticket | None:
    kept = await tx.sessions.get(digest, _KIND, services.clock.now())
    if kept is None:
        return None
    return Ticket(
        user_id=UserId(int(kept["user_id"])),
        handle=kept["handle"],
        server_name=kept["server"],
        guild_id=GuildId(int(kept["guild_id"])),
    )


async def _link(services: Services, tx: Transaction, signed_in: SignedIn) -> Verified:
    """Link every payer with the verified address who has something alive and nobody; say what stood in the way."""
    if not services.policy.link_by_verified_email:
        return Verified(found=Found.SWITCHED_OFF)
    if not signed_in.email:
        return Verified(found=Found.UNVERIFIED)
    now, came = services.clock.now(), Verified(found=Found.NOTHING)
    for customer in await tx.customers.with_email(signed_in.email, MOST_CUSTOMERS):
        if not await _alive(tx, customer.id):
            continue
        link = await tx.links.active(customer.id)
        if link is not None:
            came = came if link.user_id == signed_in.user_id else Verified(found=Found.SOMEBODY_ELSES)
            continue
        refused = await switching.refusal(tx, customer.id, signed_in.user_id, policy=services.policy, now=now)
        if refused is None:
            await binding.bind(tx, customer.id, signed_in.user_id, Proof.EMAIL, now)
        else:
            came = Verified(found=Found.MOVED_TOO_OFTEN, refused=refused)
    return came


async def _everything(tx: Transaction, user_id: UserId) -> tuple[tuple[PurchaseId, ...], list[MemberKey]]:
    """Return the living purchases that a person has by now, and where they bear on them."""
    purchases: list[PurchaseId] = []
    keys: set[MemberKey] = set()
    for customer_id in await tx.links.customers_of(user_id):
        alive = await _alive(tx, customer_id)
        purchases += alive
        if alive:
            keys |= {key for key in await tx.members.keys_of_customer(customer_id) if key.user_id == user_id}
    return tuple(purchases), sorted(keys)


async def _alive(tx: Transaction, customer_id: CustomerId) -> list[PurchaseId]:
    found = []
    for purchase in await tx.purchases.of_customer(customer_id):
        grants = await tx.purchases.grants(purchase.id)
        if any(not grant.is_over for grant in grants):
            found.append(purchase.id)
    return found


async def _invite_those_outside(services: Services, purchases: Collection[PurchaseId], user_id: UserId) -> None:
    async with services.store.read() as tx:
        grants = [grant for purchase_id in purchases for grant in await tx.purchases.grants(purchase_id)]
        guilds = {grant.guild_id: await tx.guilds.get(grant.guild_id) for grant in grants}
        outside = [grant for grant in grants if await invites.needs_way_in(tx, grant, user_id)]
    for grant in outside:
        guild = guilds[grant.guild_id] or Guild(id=grant.guild_id, name="")
        await invites.offer(services, grant, guild, user_id)
