"""What staff tie by hand: link a customer to a Discord account, move a membership, take a link away (EXPERIENCE 2.2).

The limits of moves bind customers, not staff. Each act writes an audit entry `staff.action` and, for each customer, a
change of kind LINK: {"customer_id", "user_id"} on both sides, user_id null for "not linked". Undo calls `tie` for a
user, and `untie` for null.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from membership import binding, notices, recording, switching
from membership.actors import Actor
from membership.change_kinds import ChangeKind
from membership.errors import Reason, UserError
from membership.ledgers import Transaction
from membership.model import ChangeId, CustomerId, Lane, MemberKey, Proof, UserId
from membership.recording import Occasion
from membership.records import AuditEntry, Customer, Link
from membership.services import Services
from membership.staff_acts import StaffAct, write_down


@dataclass(frozen=True, slots=True, kw_only=True)
class Tied:
    """What became of one customer's link. `moves`: how often it moved in 30 days, this time included.

    `before` and `after` are the Discord users, None for nobody; `keys` are the members whose jobs to wait for.
    """

    customer: Customer
    before: UserId | None
    after: UserId | None
    change_id: ChangeId
    keys: tuple[MemberKey, ...]
    moves: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deed:
    """Who acts, why, and when."""

    actor: Actor
    reason: str
    now: datetime


async def link(services: Services, actor: Actor, user_id: UserId, customer_id: CustomerId, reason: str = "") -> Tied:
    """Connect a customer to a Discord account; whoever had it loses it in the same pass. Raises UserError."""
    async with services.store.write() as tx:
        customer = await tx.customers.in_guild(customer_id, actor.guild_id)
        if customer is None:
            raise UserError("There is no such customer in this server. Choose one from the list, or type their e-mail.")
        deed = _Deed(actor=actor, reason=reason, now=services.clock.now())
        tied = await _tie(tx, deed, customer, user_id)
    services.wake()
    return tied


async def unlink(services: Services, actor: Actor, user_id: UserId, reason: str = "") -> Sequence[Tied]:
    """Disconnect a member from every customer with something in this server. Raises UserError."""
    now = services.clock.now()
    occasion = Occasion(now=now, lane=Lane.PERSON, policy=services.policy)
    async with services.store.write() as tx:
        tied = []
        for customer in await _customers(tx, actor, user_id):
            summary = f"<@{user_id}> disconnected from their purchases"
            keys = await untie(tx, customer.id, str(actor), occasion)
            act = _act(customer, user_id, None, summary=summary, reason=reason)
            change_id = await write_down(tx, actor, act, now)
            tied.append(Tied(customer=customer, before=user_id, after=None, change_id=change_id, keys=tuple(keys)))
    services.wake()
    return tied


async def move(
    services: Services, actor: Actor, from_user: UserId, to_user: UserId, reason: str = ""
) -> Sequence[Tied]:
    """Move everything of a member in this server to another Discord account. Raises UserError."""
    if from_user == to_user:
        raise UserError("That is the same account twice: there is nothing to move.")
    async with services.store.write() as tx:
        customers = await _customers(tx, actor, from_user)
        deed = _Deed(actor=actor, reason=reason, now=services.clock.now())
        tied = [await _tie(tx, deed, customer, to_user) for customer in customers]
    services.wake()
    return tied


async def tie(tx: Transaction, made: Link, actor: str) -> list[MemberKey]:
    """Make a link by hand and mark whom it touches; whoever had the customer hears of it in their history."""
    known = await tx.links.active(made.customer_id)
    keys = await binding.bind_as(tx, made, actor=actor)
    if known is not None:
        entry = AuditEntry(
            event="link.removed",
            actor=actor,
            user_id=known.user_id,
            customer_id=made.customer_id,
            detail={"to_user_id": str(made.user_id)},
        )
        await tx.audit.add(entry, made.created_at)
    return keys


async def untie(tx: Transaction, customer_id: CustomerId, actor: str, occasion: Occasion) -> list[MemberKey]:
    """End a customer's link: what they bought waits for an account again. Return who was marked."""
    ended = await tx.links.end(customer_id, Reason.REVOKED, occasion.now)
    for purchase in await tx.purchases.of_customer(customer_id):
        await recording.settle_unlinked(tx, purchase, {}, occasion)
    keys = await binding.mark_members(tx, customer_id, Lane.PERSON, occasion.now)
    if ended is not None:
        # The act itself is posted, with who did it and a way back: one post is enough.
        about: notices.About = {
            "actor": actor,
            "user_id": ended.user_id,
            "customer_id": customer_id,
            "is_silent": True,
        }
        await binding.tell_of_link(tx, "link.removed", keys, {}, occasion.now, **about)
    return keys


async def refuse_elsewhere(tx: Transaction, actor: Actor, customer_id: CustomerId) -> None:
    """Refuse where a link reaches into another server: staff here have no say there (only the operator has in all).

    Raises UserError.
    """
    if actor.is_operator:
        return
    for purchase in await tx.purchases.of_customer(customer_id):
        for grant in await tx.purchases.grants(purchase.id):
            if grant.guild_id != actor.guild_id and grant.ended_at is None:
                raise UserError(
                    "What this customer bought is valid in another server, too, so it is not connected by hand here. "
                    "They can do it with the link in their mail (/member resend), or whoever runs Doorlist does."
                )


async def _tie(tx: Transaction, deed: _Deed, customer: Customer, user_id: UserId) -> Tied:
    actor, now = deed.actor, deed.now
    await refuse_elsewhere(tx, actor, customer.id)
    known = await tx.links.active(customer.id)
    before = None if known is None else known.user_id
    if before == user_id:
        raise UserError(f"<@{user_id}> is connected to this customer already.")
    made = Link(customer_id=customer.id, user_id=user_id, proof=Proof.STAFF, created_at=now)
    keys = await tie(tx, made, str(actor))
    origin = "" if before is None else f", which <@{before}> had"
    summary = f"<@{user_id}> connected by hand to purchases{origin}"
    change_id = await write_down(tx, actor, _act(customer, before, user_id, summary=summary, reason=deed.reason), now)
    moves = len(await switching.recent(tx, customer.id, now))
    return Tied(customer=customer, before=before, after=user_id, change_id=change_id, keys=tuple(keys), moves=moves)


def _act(customer: Customer, before: UserId | None, after: UserId | None, *, summary: str, reason: str) -> StaffAct:
    return StaffAct(
        kind=ChangeKind.LINK,
        summary=summary,
        before={"customer_id": int(customer.id), "user_id": before},
        after={"customer_id": int(customer.id), "user_id": after},
        user_id=after if after is not None else before,
        reason=reason,
    )


async def _customers(tx: Transaction, actor: Actor, user_id: UserId) -> Sequence[Customer]:
    customers = await tx.customers.of_member(MemberKey(actor.guild_id, user_id))
    if not customers:
        raise UserError(f"<@{user_id}> is not connected to any customer of this server.")
    for customer in customers:
        await refuse_elsewhere(tx, actor, customer.id)
    return customers
