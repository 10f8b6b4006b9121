"""A customer's own data: handed out whole, and erased. What staff do about somebody's is in privacy.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from membership import erasing, reach
from membership.browsing import SignIn
from membership.errors import UserError
from membership.ledgers import Transaction
from membership.model import GuildId, Proof, Purchase, PurchaseKind, PurchaseStatus, UserId
from membership.privacy_ledger import Person
from membership.reach import Reached
from membership.records import AuditEntry
from membership.services import Services

MOST_ROWS = 5000
_NOWHERE = GuildId(0)
_CHARGING = (PurchaseStatus.ACTIVE, PurchaseStatus.TRIALING, PurchaseStatus.PAST_DUE, PurchaseStatus.PAUSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What erasing would meet: plans that are still paid for (then it is refused), and those that would be lost.

    `can_erase` False with nothing `charging`: nothing here names the visitor as its payer.
    """

    charging: tuple[str, ...]
    losing: tuple[str, ...]
    has_payers: bool

    @property
    def can_erase(self) -> bool:
        """Say whether there is something to erase, and nothing that goes on costing money."""
        return self.has_payers and not self.charging


async def outlook(services: Services, sign_in: SignIn) -> Outlook:
    """Say what erasing would do. Changes nothing."""
    async with services.store.read() as tx:
        return await _outlook(tx, await _payers(tx, sign_in))


async def export(services: Services, sign_in: SignIn) -> Mapping[str, object]:
    """Gather everything held about somebody as plain JSON values, and write down that it was handed out."""
    async with services.store.write() as tx:
        persons = await _persons(tx, sign_in, await _payers(tx, sign_in))
        servers = []
        for person in persons:
            rows = await tx.privacy.held(person, MOST_ROWS)
            guild = await tx.guilds.get(person.guild_id)
            if rows:
                servers.append({"server": guild.name if guild else "", "id": str(person.guild_id), "held": rows})
        await _note(tx, services, sign_in, persons, "privacy.exported")
    return {
        "made_at": services.clock.now().isoformat(),
        "address": sign_in.email,
        "discord_user_id": "" if sign_in.user_id is None else str(sign_in.user_id),
        "servers": servers,
    }


async def erase(services: Services, sign_in: SignIn) -> None:
    """Forget who somebody is, everywhere. Raises UserError while something goes on costing money, or for nobody."""
    async with services.store.read() as tx:
        payers = await _payers(tx, sign_in)
        found = await _outlook(tx, payers)
        persons = await _persons(tx, sign_in, payers)
    if found.charging:
        raise UserError(
            "Something is still being paid for. Cancel it first: erasing what we know does not stop the payments."
        )
    if not payers:
        raise UserError("You have bought nothing here, so there is no address and no name to erase.")
    await erasing.forget(services, persons, reach.actor_of(sign_in, payers[0]))
    async with services.store.write() as tx:
        await _note(tx, services, sign_in, persons, "privacy.erased")
    services.wake()


async def _payers(tx: Transaction, sign_in: SignIn) -> list[Reached]:
    return [each for each in await reach.customers(tx, sign_in) if each.is_payer]


async def _outlook(tx: Transaction, payers: Sequence[Reached]) -> Outlook:
    charging: dict[str, None] = {}
    losing: dict[str, None] = {}
    for each in payers:
        for purchase in await tx.purchases.of_customer(each.customer.id):
            for grant in await tx.purchases.grants(purchase.id):
                name = (await tx.plans.get(grant.plan_id)).name
                if _is_charging(purchase):
                    charging[name] = None
                elif not grant.is_over:
                    losing[name] = None
    return Outlook(charging=tuple(charging), losing=tuple(losing), has_payers=bool(payers))


def _is_charging(purchase: Purchase) -> bool:
    """Say whether the next payment comes by itself."""
    is_running = purchase.kind is PurchaseKind.SUBSCRIPTION and purchase.status in _CHARGING
    return is_running and purchase.ends_at is None


async def _persons(tx: Transaction, sign_in: SignIn, payers: Sequence[Reached]) -> list[Person]:
    """Return somebody as each server sees them; the first names every payer of theirs."""
    user_id = _user_of(sign_in, payers)
    guilds = {
        grant.guild_id
        for each in payers
        for purchase in await tx.purchases.of_customer(each.customer.id)
        for grant in await tx.purchases.grants(purchase.id)
    }
    if user_id is not None:
        for customer_id in await tx.links.customers_of(user_id):
            guilds |= {key.guild_id for key in await tx.members.keys_of_customer(customer_id)}
    customers = tuple(each.customer for each in payers)
    return [
        Person(guild_id=guild_id, customers=customers, user_id=user_id) for guild_id in sorted(guilds or {_NOWHERE})
    ]


def _user_of(sign_in: SignIn, payers: Sequence[Reached]) -> UserId | None:
    """Return the Discord account that is surely theirs: proven now, or one that Discord itself gives this address.

    A mailed link or code may have been passed on: its user is then a friend, whose data is not the payer's to have.
    """
    if sign_in.user_id is not None:
        return sign_in.user_id
    links = [each.link for each in payers if each.link is not None and each.link.proof is Proof.EMAIL]
    return links[0].user_id if links else None


async def _note(tx: Transaction, services: Services, sign_in: SignIn, persons: Sequence[Person], event: str) -> None:
    """Write down that it was done, for each payer in each server."""
    for person in persons:
        for customer in person.customers:
            actor = f"customer:{customer.id}" if sign_in.user_id is None else f"user:{sign_in.user_id}"
            entry = AuditEntry(
                event=event,
                actor=actor,
                guild_id=person.guild_id or None,
                user_id=person.user_id,
                customer_id=customer.id,
            )
            await tx.audit.add(entry, services.clock.now())
