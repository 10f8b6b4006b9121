"""Walks many members in short transactions, a page each: where there is one database connection, nobody waits long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from membership.crowds import People
from membership.ledgers import Transaction
from membership.model import UserId
from membership.services import Services

MOST_PAGES = 10_000

Ask = Callable[[Transaction, int], Awaitable[People]]
"""A question of `tx.crowds`, asked again and again with where the page before ended."""


async def pages(services: Services, ask: Ask) -> AsyncIterator[Sequence[UserId]]:
    """Yield the users of one page after the other, each user once."""
    known: set[UserId] = set()
    after = 0
    for _ in range(MOST_PAGES):
        async with services.store.read() as tx:
            people = await ask(tx, after)
        users = [user for user in dict.fromkeys(people.user_ids) if user not in known]
        known.update(users)
        if users:
            yield users
        if people.next_after is None:
            return
        after = people.next_after


async def everybody(services: Services, ask: Ask) -> list[UserId]:
    """Return the users of all pages, each once, in the order of the pages."""
    return [user async for page in pages(services, ask) for user in page]
