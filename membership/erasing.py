"""Taking a payer's Discord account off, and forgetting who somebody is: what staff and the person do the same way."""

from __future__ import annotations

from collections.abc import Sequence

from membership import binding, notices, recording
from membership.errors import Reason
from membership.ledgers import Transaction
from membership.model import CustomerId, Lane, MemberKey
from membership.privacy_ledger import Person
from membership.recording import Occasion
from membership.services import Services

BODIES_AT_ONCE = 200


async def detach(
    tx: Transaction, customer_id: CustomerId, actor: str, occasion: Occasion, *, is_invited: bool = True
) -> list[MemberKey]:
    """End a payer's link, mark whom it touches and tell the servers; the roles go when the member is looked at.

    `is_invited` False: the payer is no longer asked to connect.
    """
    ended = await tx.links.end(customer_id, Reason.DISCONNECTED, occasion.now)
    for purchase in await tx.purchases.of_customer(customer_id):
        await recording.settle_unlinked(tx, purchase, {}, occasion)
        if not is_invited:
            await tx.jobs.cancel("invitation", binding.invitation_key(purchase.id))
    keys = await binding.mark_members(tx, customer_id, Lane.PERSON, occasion.now)
    if ended is not None:
        about: notices.About = {"actor": actor, "user_id": ended.user_id, "customer_id": customer_id}
        await binding.tell_of_link(tx, "link.removed", keys, {}, occasion.now, **about)
    return keys


async def forget(services: Services, persons: Sequence[Person], actor: str) -> None:
    """Forget who somebody is, as each server sees them; the first names every payer. The caller asks who may.

    Their links end, so that their roles go the usual way.
    """
    await _clear_bodies(services, persons[0])
    occasion = Occasion(now=services.clock.now(), lane=Lane.PERSON, policy=services.policy)
    async with services.store.write() as tx:
        for customer in persons[0].customers:
            await detach(tx, customer.id, actor, occasion, is_invited=False)
        for person in persons:
            await tx.privacy.erase(person, occasion.now)


async def _clear_bodies(services: Services, person: Person) -> None:
    """Take the person out of the raw events, a page at a time: there may be many."""
    after = 0
    while True:
        async with services.store.write() as tx:
            last = await tx.privacy.clear_bodies(person, after, BODIES_AT_ONCE)
        if last <= after:
            return
        after = last
