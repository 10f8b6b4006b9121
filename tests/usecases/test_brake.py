"""The brake: waves of removals wait for a person, who decides about exactly what they saw (law 6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from membership import holds, recording
from membership.errors import Reason, UserError
from membership.model import GrantState, HoldingState, Lane, MemberKey, OnEnd, Proof, PurchaseStatus, UserId
from membership.records import Batch
from tests.usecases.conftest import Builder
from tests.usecases.world import CHARLIE, GOLD, GUILD, VIP, World


async def a_crowd(world: World, size: int) -> list[UserId]:
    """Make members whose roles were delivered long ago, all in one transaction."""
    plan = await world.plan("vip", VIP)
    users = [UserId(1000 + number) for number in range(size)]
    now = world.clock.now()
    async with world.services.store.write() as tx:
        for user in users:
            world.joins(user, VIP)
            snapshot = world.provider.bought[world.pays("vip", by=f"user{user}")]
            customer_id = await tx.customers.record(world.account_id, snapshot.customer)
            await tx.links.bind(customer_id, user, Proof.OAUTH, now)
            _, purchase = await tx.purchases.record(world.account_id, customer_id, snapshot)
            grant = await tx.purchases.open_grant(purchase, plan, now)
            await tx.purchases.set_grant(replace(grant, state=GrantState.DELIVERED, reason=Reason.PAID))
            await tx.members.own(MemberKey(GUILD, user), VIP, HoldingState.HELD, now)
    return users


async def all_end(world: World) -> None:
    """End every purchase at once."""
    world.discord.calls.clear()
    async with world.services.store.write() as tx:
        for external_id in world.provider.bought:
            world.now_reads(external_id, status=PurchaseStatus.ENDED)
            await recording.record(tx, world.account_id, world.provider.bought[external_id], occasion(world))
    await world.settle()


def occasion(world: World) -> recording.Occasion:
    return recording.Occasion(now=world.clock.now(), lane=Lane.BULK, policy=world.policy)


async def batches(world: World) -> list[Batch]:
    async with world.services.store.read() as tx:
        return list(await tx.removals.open_batches(GUILD))


def holders(world: World, users: list[UserId]) -> int:
    return sum(VIP in world.roles(user) for user in users)


async def test_of_a_hundred_and_fifty_ends_at_once_a_tenth_goes_and_the_rest_wait(world: World) -> None:
    users = await a_crowd(world, 150)
    world.mailer.is_configured = False
    silent = replace(await world.guild(), event_channel_id=None)
    async with world.services.store.write() as tx:
        await tx.guilds.replace(silent)
    await all_end(world)
    assert len(world.discord.faults.of("remove_role")) == 15
    (batch,) = await batches(world)
    assert (batch.cause, len(batch.removals)) == ("too_many_removals", 135)
    assert holders(world, users) == 135
    assert len(await world.audit("brake.held")) == 135


async def test_of_twelve_ends_at_once_ten_go_and_two_wait(world: World) -> None:
    users = await a_crowd(world, 12)
    await all_end(world)
    assert holders(world, users) == 2
    assert len(await world.audit("brake.held")) == 2
    assert [event for event, _ in world.discord.posts].count("brake.held") == 1


async def test_what_is_held_no_longer_is_said_to_be_solved_and_what_is_held_next_is_told_anew(world: World) -> None:
    users = await a_crowd(world, 12)
    await all_end(world)
    (first,) = await batches(world)
    for removal in first.removals:
        bought = f"sub_{users.index(removal.key.user_id) + 1}"
        await world.changes(bought, status=PurchaseStatus.ACTIVE)
    assert await batches(world) == []
    assert [event for _, _, _, event in world.discord.faults.of("edit_post")] == ["solved"]
    await all_end(world)
    (second,) = await batches(world)
    assert second.removals == first.removals
    assert [event for event, _ in world.discord.posts].count("brake.held") == 2


async def test_a_release_applies_exactly_the_set_that_was_shown(world: World) -> None:
    users = await a_crowd(world, 14)
    await all_end(world)
    (batch,) = await batches(world)
    assert len(batch.removals) == 4
    world.discord.calls.clear()
    await holds.release(world.services, batch.id, batch.set_hash, "user:1")
    await world.settle()
    removed = {(user, role) for _, user, role in world.discord.faults.of("remove_role")}
    assert removed == {(removal.key.user_id, removal.role_id) for removal in batch.removals}
    assert holders(world, users) == 0
    assert await world.standing("sub_1") == ["revoked cancelled"]


async def test_a_set_that_changed_since_it_was_shown_is_refused(world: World) -> None:
    users = await a_crowd(world, 13)
    late = await world.member("vip")
    await all_end(world)
    (batch,) = await batches(world)
    async with world.services.store.write() as tx:
        await tx.removals.drop(batch.removals[0].key, [VIP])
    with pytest.raises(UserError):
        await holds.release(world.services, batch.id, batch.set_hash, "user:1")
    await world.settle()
    assert holders(world, [*users, CHARLIE]) == 4
    assert (await world.purchase(late)).status is PurchaseStatus.ENDED


async def test_discarding_lets_everybody_in_the_set_keep_their_role_for_good(world: World) -> None:
    users = await a_crowd(world, 13)
    await all_end(world)
    (batch,) = await batches(world)
    await holds.discard(world.services, batch.id, batch.set_hash, "user:1")
    await world.settle()
    await world.five_minutes()
    await world.advance(days=2)
    assert holders(world, users) == 3
    assert await batches(world) == []
    kept = next(removal.key.user_id for removal in batch.removals)
    assert await world.holdings(kept) == {}


async def test_a_release_expires_after_half_an_hour(world: World) -> None:
    await a_crowd(world, 12)
    await all_end(world)
    (batch,) = await batches(world)
    world.discord.guilds[GUILD].is_available = False
    await holds.release(world.services, batch.id, batch.set_hash, "user:1")
    await world.settle()
    world.discord.guilds[GUILD].is_available = True
    await world.advance(minutes=31)
    assert world.discord.faults.of("remove_role")[10:] == []
    assert len(await batches(world)) == 1


async def test_the_brake_looks_at_a_whole_day(world: World) -> None:
    users = await a_crowd(world, 15)
    await all_end(world)
    assert holders(world, users) == 5
    await world.advance(hours=23)
    await world.five_minutes()
    assert holders(world, users) == 5
    await world.advance(hours=1)
    await world.five_minutes()
    assert holders(world, users) == 0


async def test_grants_never_wait_for_the_brake(world: World) -> None:
    await a_crowd(world, 12)
    await all_end(world)
    await world.plan("gold", GOLD)
    await world.member("gold")
    assert world.roles(CHARLIE) == {GOLD}


async def test_who_pays_again_leaves_the_held_set(world: World) -> None:
    users = await a_crowd(world, 12)
    await all_end(world)
    (batch,) = await batches(world)
    lucky = batch.removals[0].key.user_id
    await world.changes(f"sub_{users.index(lucky) + 1}", status=PurchaseStatus.ACTIVE)
    (batch,) = await batches(world)
    assert lucky not in {removal.key.user_id for removal in batch.removals}
    assert await world.standing(f"sub_{users.index(lucky) + 1}") == ["delivered paid"]


async def test_a_deleted_mapping_waits_for_a_person_whatever_its_size(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.plan("vip", VIP, products=())
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["held brake"]
    (batch,) = await batches(world)
    assert batch.cause == "unevidenced"
    await holds.release(world.services, batch.id, batch.set_hash, "user:1")
    await world.settle()
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["revoked plan_unmapped"]


async def test_a_role_taken_out_of_a_plan_waits_for_a_person(world: World) -> None:
    plan = await world.plan("vip", VIP, GOLD)
    await world.member("vip")
    await world.plan("vip", VIP, products=plan.products)
    assert world.roles(CHARLIE) == {VIP, GOLD}
    assert [batch.cause for batch in await batches(world)] == ["unevidenced"]


async def test_mapping_the_product_again_clears_the_held_set(world: World) -> None:
    plan = await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.plan("vip", VIP, products=())
    await world.plan("vip", VIP, products=plan.products)
    assert await batches(world) == []
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_role_that_somebody_was_let_keep_and_buys_again_ends_with_the_new_purchase(new_world: Builder) -> None:
    world = await new_world(brake_removals=0, brake_removal_percent=0)
    await world.plan("vip", VIP)
    await world.changes(await world.member("vip"), status=PurchaseStatus.ENDED)
    (batch,) = await batches(world)
    await holds.discard(world.services, batch.id, batch.set_hash, "user:1")
    await world.settle()
    world.roles(CHARLIE).clear()
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    (batch,) = await batches(world)
    assert await world.standing(bought) == ["held brake"]
    await holds.release(world.services, batch.id, batch.set_hash, "user:1")
    await world.settle()
    assert world.roles(CHARLIE) == set()


async def test_who_was_let_stay_and_pays_again_is_asked_about_at_the_next_end(new_world: Builder) -> None:
    world = await new_world(brake_kicks=0)
    await world.plan("vip", VIP, on_end=OnEnd.KICK)
    await world.changes(await world.member("vip"), status=PurchaseStatus.ENDED)
    await world.advance(days=1)
    (batch,) = await batches(world)
    await holds.discard(world.services, batch.id, batch.set_hash, "user:1")
    await world.settle()
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.advance(days=1)
    assert [removal.role_id for batch in await batches(world) for removal in batch.removals] == [None]
    await world.member("vip")
    assert await batches(world) == []
