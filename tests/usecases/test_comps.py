"""What staff give and take by hand, and that it can be taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from membership import comps, house
from membership.actors import Actor
from membership.comps import Done, RevokeWhen, Terms
from membership.errors import UserError
from membership.model import CustomerSnapshot, GuildId, Lane, Plan, PlanId, Proof, PurchaseKind, UserId
from membership.recording import Occasion, settle_unlinked
from tests.usecases.conftest import Builder
from tests.usecases.world import ALICE, BOB, CHARLIE, DORA, GUILD, VIP, World

DAY = timedelta(days=1)
OWNER = Actor(guild_id=GUILD, user_id=ALICE, name="alice", can_staff=True, can_manage=True, can_data=True)
STAFF = Actor(guild_id=GUILD, user_id=BOB, name="bob", can_staff=True)
STRANGER = Actor(guild_id=GuildId(999), user_id=DORA, name="dora", can_staff=True, can_manage=True)


def days(world: World, number: float) -> Terms:
    """Name terms of the only plan of a new world."""
    return Terms(plan_id=PlanId(1), until=world.clock.now() + number * DAY, reason="a raffle")


FOR_EVER = Terms(plan_id=PlanId(1), until=None)


async def gives(world: World, terms: Terms, user: UserId = CHARLIE, by: Actor = OWNER) -> Done:
    world.discord.guilds[GUILD].members.setdefault(user, set())
    done = await comps.grant(world.services, by, user, terms)
    await world.settle()
    return done


async def standing(world: World, done: Done) -> str:
    async with world.services.store.read() as tx:
        found = await tx.purchases.grant_in_guild(done.grant.id, GUILD)
    assert found is not None
    return f"{found.state} {found.reason}"


async def undoes(world: World, done: Done) -> None:
    """Take a change back as `/doorlist undo` does."""
    occasion = Occasion(now=world.clock.now(), lane=Lane.PERSON, policy=world.services.policy)
    async with world.services.store.write() as tx:
        change = await tx.changes.get(done.change_id, GUILD)
        assert change is not None
        if change.kind == "comp":
            await comps.set_gift(tx, done.grant.purchase_id, change.before, occasion)
        else:
            await comps.set_revocation(tx, done.grant, None, occasion)
    await world.settle()


@pytest.fixture
async def vip(world: World) -> Plan:
    return await world.plan("vip", VIP)


async def test_a_plan_given_by_staff_gives_its_roles_until_its_end(world: World, vip: Plan) -> None:
    done = await gives(world, days(world, 7))
    assert world.roles(CHARLIE) == {VIP}
    assert await standing(world, done) == "delivered comp"
    await world.advance(days=6, hours=23)
    assert world.roles(CHARLIE) == {VIP}
    await world.advance(hours=2)
    assert world.roles(CHARLIE) == set()
    assert await standing(world, done) == "revoked expired"


async def test_no_provider_is_asked_about_what_we_gave(world: World, vip: Plan) -> None:
    await gives(world, days(world, 1))
    world.provider.faults.calls.clear()
    await world.advance(days=2)
    assert world.roles(CHARLIE) == set()
    assert world.provider.faults.of("fetch") == []


async def test_a_gift_without_an_end_stays(world: World, vip: Plan) -> None:
    await gives(world, FOR_EVER)
    await world.advance(days=900)
    assert world.roles(CHARLIE) == {VIP}


async def test_a_gift_outlives_the_purchase_beside_it(world: World, vip: Plan) -> None:
    bought = await world.member("vip")
    await gives(world, days(world, 60))
    await world.changes(bought, status="ended")
    assert world.roles(CHARLIE) == {VIP}


async def test_staff_may_give_a_month_and_no_more(world: World, vip: Plan) -> None:
    for terms in (days(world, 32), FOR_EVER):
        with pytest.raises(UserError, match="31 days at most, and all free time"):
            await gives(world, terms, by=STAFF)
    await gives(world, days(world, 31), by=STAFF)
    assert world.roles(CHARLIE) == {VIP}


async def test_staff_do_not_get_past_the_month_by_extending(world: World, vip: Plan) -> None:
    done = await gives(world, days(world, 30), by=STAFF)
    with pytest.raises(UserError, match="31 days at most, and all free time"):
        await comps.extend(world.services, STAFF, done.grant.id, 5)


async def test_staff_do_not_get_past_the_month_by_extending_what_was_paid_twice(world: World, vip: Plan) -> None:
    (paid,) = await world.grants(await world.member("vip"))
    await comps.extend(world.services, STAFF, paid.id, 20)
    with pytest.raises(UserError, match="31 days at most, and all free time"):
        await comps.extend(world.services, STAFF, paid.id, 20)
    await comps.extend(world.services, OWNER, paid.id, 20)


async def test_a_moment_that_has_passed_is_no_end(world: World, vip: Plan) -> None:
    with pytest.raises(UserError, match="has passed"):
        await gives(world, days(world, -1))


async def test_what_staff_give_themselves_is_marked_for_the_owner(world: World, vip: Plan) -> None:
    await gives(world, days(world, 1), user=BOB, by=STAFF)
    await gives(world, days(world, 1), user=CHARLIE, by=STAFF)
    own, other = await world.audit("staff.action")
    assert own.detail is not None
    assert other.detail is not None
    assert (own.actor, own.detail["is_self"], own.detail["reason"]) == (f"staff:{BOB}", True, "a raffle")
    assert other.detail["is_self"] is False


async def test_a_plan_is_not_given_twice_at_a_time(world: World, vip: Plan) -> None:
    await gives(world, days(world, 1))
    with pytest.raises(UserError, match="Extend that instead"):
        await gives(world, days(world, 9))


async def test_another_servers_staff_find_neither_the_plan_nor_the_grant(world: World, vip: Plan) -> None:
    done = await gives(world, days(world, 1))
    with pytest.raises(UserError, match="no such plan"):
        await gives(world, days(world, 1), user=DORA, by=STRANGER)
    for act in (
        comps.extend(world.services, STRANGER, done.grant.id, 1),
        comps.revoke(world.services, STRANGER, done.grant.id, when=RevokeWhen.NOW),
    ):
        with pytest.raises(UserError, match="no such grant"):
            await act
    assert await standing(world, done) == "delivered comp"


async def test_a_gift_that_is_undone_goes_at_once(world: World, vip: Plan) -> None:
    done = await gives(world, days(world, 7))
    await undoes(world, done)
    assert world.roles(CHARLIE) == set()
    assert await standing(world, done) == "revoked revoked"


async def test_an_extended_gift_lasts_longer_and_can_be_shortened_again(world: World, vip: Plan) -> None:
    done = await gives(world, days(world, 2))
    extended = await comps.extend(world.services, OWNER, done.grant.id, 3)
    assert extended.until == world.clock.now() + 5 * DAY
    assert extended.grant.id == done.grant.id
    await undoes(world, extended)
    await world.advance(days=2, minutes=1)
    assert world.roles(CHARLIE) == set()


async def test_free_days_follow_what_was_paid(world: World, vip: Plan) -> None:
    bought = await world.member("vip")
    (paid,) = await world.grants(bought)
    period_ends_at = (await world.purchase(bought)).period_ends_at
    assert period_ends_at is not None
    first = await comps.extend(world.services, OWNER, paid.id, 10)
    second = await comps.extend(world.services, OWNER, paid.id, 10)
    assert (first.until, second.until) == (period_ends_at + 10 * DAY, period_ends_at + 20 * DAY)
    assert first.grant.id == second.grant.id != paid.id
    world.now_reads(bought, ends_at=period_ends_at)
    await world.advance(days=45)
    assert world.roles(CHARLIE) == {VIP}
    await world.advance(days=10)
    assert world.roles(CHARLIE) == set()


async def test_what_has_no_end_is_not_extended(world: World, vip: Plan) -> None:
    done = await gives(world, FOR_EVER)
    with pytest.raises(UserError, match="no end"):
        await comps.extend(world.services, OWNER, done.grant.id, 1)


async def test_a_paid_grant_is_revoked_without_a_word_to_the_provider(world: World, vip: Plan) -> None:
    bought = await world.member("vip")
    (paid,) = await world.grants(bought)
    await world.advance(hours=1)
    world.provider.faults.calls.clear()
    await comps.revoke(world.services, STAFF, paid.id, when=RevokeWhen.NOW, reason="spam")
    await world.settle()
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["revoked revoked"]
    assert world.provider.faults.calls == []


async def test_a_revoked_grant_stays_revoked_when_it_is_paid_again(world: World, vip: Plan) -> None:
    bought = await world.member("vip")
    (paid,) = await world.grants(bought)
    await comps.revoke(world.services, STAFF, paid.id, when=RevokeWhen.NOW)
    await world.settle()
    period_ends_at = (await world.purchase(bought)).period_ends_at
    assert period_ends_at is not None
    await world.changes(bought, period_ends_at=period_ends_at + 31 * DAY)
    assert world.roles(CHARLIE) == set()


async def test_a_revocation_at_the_end_of_the_period_waits_for_it(world: World, vip: Plan) -> None:
    bought = await world.member("vip")
    (paid,) = await world.grants(bought)
    done = await comps.revoke(world.services, STAFF, paid.id, when=RevokeWhen.PERIOD_END)
    await world.settle()
    assert done.until == (await world.purchase(bought)).period_ends_at
    assert world.roles(CHARLIE) == {VIP}
    await world.advance(days=32)
    assert world.roles(CHARLIE) == set()


async def test_a_revocation_that_is_undone_gives_the_roles_back(world: World, vip: Plan) -> None:
    bought = await world.member("vip")
    (paid,) = await world.grants(bought)
    done = await comps.revoke(world.services, STAFF, paid.id, when=RevokeWhen.NOW)
    await world.settle()
    await undoes(world, done)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


async def test_what_has_ended_is_not_revoked(world: World, vip: Plan) -> None:
    done = await gives(world, days(world, 1))
    await world.advance(days=2)
    with pytest.raises(UserError, match="ended already"):
        await comps.revoke(world.services, OWNER, done.grant.id, when=RevokeWhen.NOW)


async def test_a_purchase_that_nobody_connected_is_revoked_too(world: World, vip: Plan) -> None:
    bought = await world.buys("vip")
    (paid,) = await world.grants(bought)
    await comps.revoke(world.services, OWNER, paid.id, when=RevokeWhen.NOW)
    await world.settle()
    assert await world.standing(bought) == ["revoked revoked"]


async def test_a_gift_that_nobody_connected_ends_too(world: World, vip: Plan) -> None:
    now = world.clock.now()
    gift = house.Gift(external_id="import:1", plan=vip, until=now + DAY, started_at=now)
    payer = CustomerSnapshot(external_id="mail:ada@example.com", email="ada@example.com")
    async with world.services.store.write() as tx:
        purchase, _ = await house.record(tx, gift, payer, now)
        occasion = Occasion(now=now, lane=Lane.EVENT, policy=world.services.policy)
        await settle_unlinked(tx, purchase, {}, occasion)
    await world.settle()
    assert "connect" in world.mailer.templates()
    await world.advance(days=2)
    async with world.services.store.read() as tx:
        (ended,) = await tx.purchases.grants(purchase.id)
    assert f"{ended.state} {ended.reason}" == "revoked expired"


async def test_a_new_gift_leaves_those_that_were_moved_where_they_are(world: World, vip: Plan) -> None:
    first = await gives(world, days(world, 1))
    async with world.services.store.write() as tx:
        purchase = await tx.purchases.get(first.grant.purchase_id)
        await tx.links.bind(purchase.customer_id, DORA, Proof.STAFF, world.clock.now())
        assert purchase.kind is PurchaseKind.COMP
    second = await gives(world, days(world, 9))
    assert second.grant.purchase_id != first.grant.purchase_id
    async with world.services.store.read() as tx:
        assert len(await tx.links.customers_of(DORA)) == 1
        assert len(await tx.links.customers_of(CHARLIE)) == 1


async def test_an_end_by_our_word_still_meets_the_brake(new_world: Builder) -> None:
    world = await new_world(brake_removals=0, brake_removal_percent=0)
    await world.plan("vip", VIP)
    await gives(world, days(world, 1))
    await world.advance(days=2)
    assert world.roles(CHARLIE) == {VIP}


async def test_nobody_gives_power_that_stands_above_them(world: World) -> None:
    plan = await world.plan("vip", VIP)
    world.joins(CHARLIE)
    world.discord.guilds[GUILD].dangers[VIP] = ("Ban Members",)
    terms = Terms(plan_id=plan.id, until=None)
    with pytest.raises(UserError, match="not yours to give"):
        await comps.grant(world.services, replace(OWNER, top_position=10), CHARLIE, terms)
    await comps.grant(world.services, replace(OWNER, top_position=11), CHARLIE, terms)
