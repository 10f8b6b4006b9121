"""Walks over many members: page by page, and nobody waits for the end."""

from __future__ import annotations

from membership import crowd_walk
from membership.crowds import People
from membership.ledgers import Transaction
from membership.model import UserId
from tests.usecases.world import World


async def test_others_write_between_the_pages_and_nobody_is_named_twice(world: World) -> None:
    async def ask(_tx: Transaction, after: int) -> People:
        users = (UserId(1), UserId(after + 1), UserId(after + 1))
        return People(user_ids=users, next_after=after + 1 if after < 2 else None)

    seen = []
    async for page in crowd_walk.pages(world.services, ask):
        async with world.services.store.write() as tx:
            await tx.cursors.put("walk", str(page[0]))
        seen.append(list(page))
    assert seen == [[1], [2], [3]]
