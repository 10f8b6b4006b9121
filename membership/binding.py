"""Tie a customer to a Discord user, and mark whoever has to be looked at. Shared by the use-cases."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Unpack

from membership import crowd_walk, direct_messages, mail_notices, notices
from membership.ledgers import Transaction
from membership.mail_notices import Letter
from membership.model import CustomerId, GrantState, GuildId, Lane, MemberKey, Plan, Proof, PurchaseId, UserId
from membership.records import Link
from membership.services import Services

PAGE = 1000
PAGES = 1000
_UNSERVED = (GrantState.PENDING, GrantState.FAILED)


async def bind(
    tx: Transaction, customer_id: CustomerId, user_id: UserId, proof: Proof, now: datetime
) -> list[MemberKey]:
    """Link a customer to a user and mark every member this touches, the previous holder included; return their keys."""
    link = Link(customer_id=customer_id, user_id=user_id, proof=proof, created_at=now)
    return await bind_as(tx, link, actor=f"user:{user_id}")


async def bind_as(tx: Transaction, link: Link, *, actor: str) -> list[MemberKey]:
    """Make a link as `bind` does; `actor` is who did it, as the audit names them."""
    customer_id, user_id, now = link.customer_id, link.user_id, link.created_at
    previous = await tx.links.bind(customer_id, user_id, link.proof, now)
    await _close_invitations(tx, customer_id)
    event = "link.created" if previous is None else "link.moved"
    detail = {"proof": link.proof.value} | ({} if previous is None else {"from_user_id": str(previous.user_id)})
    keys = await mark_members(tx, customer_id, Lane.PERSON, now)
    about: notices.About = {"actor": actor, "user_id": user_id, "customer_id": customer_id}
    if actor.startswith("staff:"):
        # Staff's acts are posted by themselves, with who did it and a way back: one post is enough.
        about["is_silent"] = True
    number = await tell_of_link(tx, event, keys, detail, now, **about)
    if previous is not None:
        facts = {"user_id": str(user_id), "moved_at": now.isoformat()}
        letter = Letter(template="moved", dedupe_key=f"moved:{number}", facts=facts)
        await mail_notices.write(tx, customer_id, letter, now)
        purchases = await tx.purchases.of_customer(customer_id)
        for key in keys:
            if key.user_id == previous.user_id:
                await direct_messages.tell_of_move(tx, key, purchases, number, now)
    return keys


async def tell_of_link(
    tx: Transaction,
    event: str,
    keys: Collection[MemberKey],
    facts: Mapping[str, object],
    now: datetime,
    **about: Unpack[notices.About],
) -> int:
    """Tell each server of these members what became of a link; return the number of the first audit entry."""
    guilds: list[GuildId | None] = [*sorted({key.guild_id for key in keys})] or [None]
    numbers = [await notices.tell(tx, event, guild_id, facts, now, **about) for guild_id in guilds]
    return numbers[0]


async def mark_members(tx: Transaction, customer_id: CustomerId, lane: Lane, now: datetime) -> list[MemberKey]:
    """Mark every member that a customer's grants bear on, through live and ended links."""
    keys = list(await tx.members.keys_of_customer(customer_id))
    await mark(tx, keys, lane, now)
    return keys


async def mark(tx: Transaction, keys: list[MemberKey], lane: Lane, run_at: datetime) -> None:
    """Mark members for reconciliation; jobs of one guild share its scope."""
    await tx.jobs.mark_many("member", [(str(key), str(key.guild_id)) for key in keys], lane=lane, run_at=run_at)


async def mark_everybody(services: Services, guild_id: GuildId, lane: Lane) -> None:
    """Mark every member of a guild whom a grant or a holding bears on: it was set up, or goes on after a pause."""
    after = UserId(0)
    for _ in range(PAGES):
        async with services.store.write() as tx:
            keys = list(await tx.members.keys_of_guild(guild_id, after, PAGE))
            await mark(tx, keys, lane, services.clock.now())
        if len(keys) < PAGE:
            break
        after = keys[-1].user_id
    services.wake()


async def mark_plan(services: Services, plan: Plan, lane: Lane) -> None:
    """Mark every linked member with a grant on a plan, a page at a time; the caller wakes."""
    async for users in crowd_walk.pages(services, lambda tx, after: tx.crowds.linked(plan.id, after)):
        async with services.store.write() as tx:
            await mark(tx, [MemberKey(plan.guild_id, user) for user in users], lane, services.clock.now())


async def mark_sweep(tx: Transaction, guild_id: GuildId, now: datetime) -> None:
    """Ask for a sweep. It has a scope of its own: it must not take a place from the guild's members."""
    await tx.jobs.mark("sweep", str(guild_id), lane=Lane.BULK, run_at=now, scope=f"sweep:{guild_id}")


async def let_go_of_permit(services: Services, user_id: UserId) -> None:
    """Throw away a member's permit to be added to servers once nothing they bought waits for it.

    Until then a retry needs it, perhaps for another server; it ends by itself after its ten minutes.
    """
    permit = services.permits.of(user_id, services.clock.now())
    if permit is None:
        return
    async with services.store.read() as tx:
        for customer_id in await tx.links.customers_of(user_id):
            for purchase in await tx.purchases.of_customer(customer_id):
                if any(grant.state in _UNSERVED for grant in await tx.purchases.grants(purchase.id)):
                    return
    if services.permits.of(user_id, services.clock.now()) == permit:
        services.permits.forget(user_id)


async def _close_invitations(tx: Transaction, customer_id: CustomerId) -> None:
    for purchase in await tx.purchases.of_customer(customer_id):
        await tx.links.spend_tokens(purchase.id)
        await tx.jobs.cancel("invitation", invitation_key(purchase.id))


def invitation_key(purchase_id: PurchaseId) -> str:
    """Name the invitation job of a purchase."""
    return str(purchase_id)
