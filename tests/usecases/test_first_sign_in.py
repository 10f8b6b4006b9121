"""The one-time link with which staff sign in first: it serves once, in time, and only whom it is for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from membership import first_sign_in
from membership.codes import digest
from membership.errors import UserError
from tests.usecases.world import ALICE, BOB, World


async def operators(world: World) -> list[int]:
    async with world.services.store.read() as tx:
        return list(await tx.operators.all())


async def test_a_link_from_the_console_makes_whoever_brings_it_an_operator(world: World) -> None:
    token = await first_sign_in.issue(world.services, None, may_operate=True)
    await first_sign_in.take(world.services, digest(token), ALICE)
    assert await operators(world) == [ALICE]
    assert ALICE in world.services.operators.ids
    async with world.services.store.read() as tx:
        ((_, _, entry),) = await tx.audit.recent(5, events=(first_sign_in.OPERATOR_ADDED,))
    assert (entry.actor, entry.user_id) == ("console", ALICE)


async def test_a_link_from_discord_makes_nobody_an_operator(world: World) -> None:
    token = await first_sign_in.issue(world.services, BOB, may_operate=False)
    await first_sign_in.take(world.services, digest(token), BOB)
    assert await operators(world) == []
    assert BOB not in world.services.operators.ids


async def test_a_link_serves_once(world: World) -> None:
    token = await first_sign_in.issue(world.services, None, may_operate=True)
    await first_sign_in.take(world.services, digest(token), ALICE)
    with pytest.raises(UserError):
        await first_sign_in.take(world.services, digest(token), BOB)
    assert await operators(world) == [ALICE]


async def test_looking_at_a_link_uses_nothing_up(world: World) -> None:
    token = await first_sign_in.issue(world.services, BOB, may_operate=False)
    expected = first_sign_in.FirstLink(user_id=BOB, may_operate=False)
    assert await first_sign_in.look(world.services, digest(token)) == expected
    assert await first_sign_in.look(world.services, digest(token)) == expected


async def test_a_link_is_over_after_five_minutes(world: World) -> None:
    token = await first_sign_in.issue(world.services, None, may_operate=True)
    world.clock.move(timedelta(minutes=5))
    assert await first_sign_in.look(world.services, digest(token)) is None
    with pytest.raises(UserError):
        await first_sign_in.take(world.services, digest(token), ALICE)
    assert await operators(world) == []


async def test_a_link_for_somebody_else_does_nothing_and_stays_theirs(world: World) -> None:
    token = await first_sign_in.issue(world.services, BOB, may_operate=False)
    with pytest.raises(UserError):
        await first_sign_in.take(world.services, digest(token), ALICE)
    assert (await first_sign_in.take(world.services, digest(token), BOB)).user_id == BOB


async def test_an_invented_link_is_nobodys(world: World) -> None:
    assert await first_sign_in.look(world.services, digest("invented")) is None
