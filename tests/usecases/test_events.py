"""Events are hints: any order and any number of them end in one state (law 2)."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from membership.errors import Audience, Blocked, Gone, Reason, Retry
from membership.model import CustomerSnapshot, PurchaseStatus, UserId
from membership.ports import Price, Reading
from tests.usecases.world import CHARLIE, VIP, World


async def test_the_same_event_three_times_does_everything_once(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    bought = world.pays("vip")
    for _ in range(3):
        await world.webhook(bought, event_id="evt_same")
        await world.settle()
    await world.links(bought, CHARLIE)
    assert world.provider.faults.of("read") == [("read", "evt_same")]
    assert world.mailer.templates() == ["connect", "delivered"]
    assert len(world.discord.faults.of("add_role")) == 1


async def test_an_event_of_nobody_s_business_is_put_aside(world: World) -> None:
    world.provider.readings["evt_1"] = Reading(is_ignored=True, notice="not sold here")
    await world.webhook("sub_unknown")
    await world.settle()
    assert await world.jobs() == {"due": 0, "waiting": 0, "leased": 0, "parked": 0}


@pytest.mark.parametrize(
    "envelope", [{"is_live": False}, {"account": "acct_other"}], ids=["test mode", "other account"]
)
async def test_an_event_of_another_mode_or_account_is_quarantined(world: World, envelope: dict[str, Any]) -> None:
    await world.plan("vip", VIP)
    bought = world.pays("vip")
    await world.webhook(bought, **envelope)
    await world.settle()
    assert world.provider.faults.of("read") == []
    async with world.services.store.read() as tx:
        assert (await tx.inbox.get(1)).state == "quarantined"
        assert await tx.purchases.find(world.account_id, bought) is None


async def test_every_order_of_a_story_s_events_ends_in_the_same_state(world: World) -> None:
    await world.plan("vip", VIP)
    for number, order in enumerate(permutations(("paid", "renewed", "ended")), start=10):
        user = UserId(number)
        bought = await world.member("vip", user)
        world.now_reads(bought, status=PurchaseStatus.ENDED, ends_at=world.clock.now())
        for name in order:
            await world.webhook(bought, event_id=f"evt_{number}_{name}")
            await world.settle()
        assert await world.standing(bought) == ["revoked cancelled"], order
        assert world.roles(user) == set(), order
        mails = [mail.template for mail in world.mailer.sent if mail.to == f"user{user}@example.com"]
        assert mails == ["connect", "delivered", "ended"], order


async def test_an_older_snapshot_never_overwrites_a_newer_one(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    old = world.provider.bought[bought]
    await world.advance(minutes=1)
    await world.changes(bought, status=PurchaseStatus.ENDED)
    world.provider.readings["evt_late"] = Reading(purchases=(old,))
    await world.webhook(bought, event_id="evt_late")
    await world.settle()
    assert (await world.purchase(bought)).status is PurchaseStatus.ENDED
    assert world.roles(CHARLIE) == set()


async def test_an_event_that_the_provider_cannot_explain_yet_waits(world: World) -> None:
    await world.plan("vip", VIP)
    world.provider.faults.fails("read", Retry("503"), Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR))
    bought = await world.buys("vip")
    assert (await world.jobs())["waiting"] == 1
    await world.advance(seconds=2)
    await world.advance(minutes=6)
    assert await world.standing(bought) == ["pending not_linked"]


async def test_a_new_price_is_known_after_its_event_with_one_listing_for_many(world: World) -> None:
    new = Price(external_id="price_new", product_id="prod_new", product_name="New", amount=900, currency="eur")
    world.provider.catalogue = [new]
    for number in range(3):
        world.provider.readings[f"evt_{number}"] = Reading(is_catalogue=True)
        await world.webhook("price_new", event_id=f"evt_{number}", type="price.created")
    await world.settle()
    async with world.services.store.read() as tx:
        assert list(await tx.accounts.prices(world.account_id)) == [new]
    assert len(world.provider.faults.of("prices")) == 1


async def test_an_event_whose_object_is_gone_is_put_aside_for_good(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    world.provider.faults.fails_always("read", Gone("purchase"))
    await world.webhook(bought, event_id="evt_gone")
    await world.settle()
    for _ in range(5):
        await world.five_minutes()
    assert world.provider.faults.of("read")[1:] == [("read", "evt_gone")]
    async with world.services.store.read() as tx:
        assert (await tx.inbox.get(2)).state == "ignored"
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_renewal_that_changes_nothing_for_the_member_costs_no_discord_call(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    before = len(world.discord.calls)
    await world.webhook(bought)
    await world.settle()
    assert len(world.discord.calls) == before


async def test_a_guest_keeps_being_one_customer(world: World) -> None:
    await world.plan("vip", VIP)
    guest = CustomerSnapshot(external_id="", email="guest@example.com")
    bought = await world.buys("vip", customer=guest)
    first = (await world.purchase(bought)).customer_id
    await world.changes(bought, customer=guest)
    assert (await world.purchase(bought)).customer_id == first
