"""Who is signed in with which browser: how long it lasts, and whose list it stands on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from membership import sign_ins
from membership.browsing import Person, SignIn
from membership.errors import Gone
from membership.sign_ins import LIVES, Proven
from tests.usecases.world import ALICE, BOB, VIP, World

MAIL = "alice@example.com"


async def signed_in(world: World, proven: Proven, person: Person = Person.CUSTOMER) -> tuple[str, SignIn]:
    key = await sign_ins.begin(world.services, person, proven, "Firefox on Linux")
    found = await sign_ins.recognise(world.services, person, key)
    assert found is not None
    return key, found


@pytest.mark.parametrize("person", Person)
async def test_it_ends_when_it_is_not_used(world: World, person: Person) -> None:
    key, _ = await signed_in(world, Proven(user_id=ALICE), person)
    world.clock.move(LIVES[person].idle)
    assert await sign_ins.recognise(world.services, person, key) is None


@pytest.mark.parametrize("person", Person)
async def test_it_ends_at_its_longest_however_much_it_is_used(world: World, person: Person) -> None:
    key, _ = await signed_in(world, Proven(user_id=ALICE), person)
    step, left = LIVES[person].idle / 2, LIVES[person].longest
    while left > timedelta():
        assert await sign_ins.recognise(world.services, person, key) is not None
        world.clock.move(step)
        left -= step
    assert await sign_ins.recognise(world.services, person, key) is None


async def test_a_customers_key_opens_no_page_of_staff(world: World) -> None:
    key, _ = await signed_in(world, Proven(user_id=ALICE))
    assert await sign_ins.recognise(world.services, Person.STAFF, key) is None


async def test_who_proved_an_address_sees_every_browser_that_names_it(world: World) -> None:
    _, by_mail = await signed_in(world, Proven(email=MAIL))
    await signed_in(world, Proven(user_id=ALICE, email=MAIL))
    assert len(await sign_ins.listed(world.services, by_mail)) == 2


async def test_an_address_that_discord_names_shows_nobodys_browsers(world: World) -> None:
    _, by_mail = await signed_in(world, Proven(email=MAIL))
    _, by_discord = await signed_in(world, Proven(user_id=BOB, email=MAIL))
    assert [each.id for each in await sign_ins.listed(world.services, by_discord)] == [by_discord.id]
    with pytest.raises(Gone):
        await sign_ins.end(world.services, by_discord, by_mail.id)


async def test_ending_the_others_leaves_this_one(world: World) -> None:
    key, mine = await signed_in(world, Proven(user_id=ALICE))
    other, _ = await signed_in(world, Proven(user_id=ALICE))
    assert await sign_ins.end_others(world.services, mine) == 1
    assert await sign_ins.recognise(world.services, Person.CUSTOMER, other) is None
    assert await sign_ins.recognise(world.services, Person.CUSTOMER, key) is not None


async def test_more_browsers_than_are_listed_end_as_well(world: World) -> None:
    _, first = await signed_in(world, Proven(email=MAIL))
    world.clock.move(timedelta(minutes=2))
    for _ in range(sign_ins.MOST_LISTED + 1):
        await signed_in(world, Proven(email=MAIL))
    _, last = await signed_in(world, Proven(email=MAIL))
    await sign_ins.end(world.services, first, first.id)
    assert await sign_ins.end_others(world.services, last) == sign_ins.MOST_LISTED + 1
    assert [each.id for each in await sign_ins.listed(world.services, last)] == [last.id]


async def test_the_audit_names_the_payer_of_a_proven_address(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip")
    async with world.services.store.read() as tx:
        (payer,) = await tx.customers.with_email("charlie@example.com", 2)
    await signed_in(world, Proven(email="charlie@example.com"))
    await signed_in(world, Proven(user_id=ALICE))
    await signed_in(world, Proven(email="nobody@example.com"))
    entries = [(entry.actor, entry.customer_id) for entry in await world.audit("signed_in")]
    assert entries == [(f"customer:{payer.id}", payer.id), (f"user:{ALICE}", None), ("customer", None)]
