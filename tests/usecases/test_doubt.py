"""Unknown is not ended (law 3): whatever cannot be read takes nothing from anybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from membership import resync
from membership.errors import Audience, Blocked, DoorlistError, Gone, Reason, Retry
from membership.model import MemberKey, PurchaseKind, PurchaseStatus, Refund, UserId
from membership.presence import guild_appeared, guild_left, member_came_or_went
from tests.usecases.world import CHARLIE, GUILD, START, VIP, World

TROUBLES = [Retry("429"), Retry("500"), Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR)]
USERS = [UserId(number) for number in (21, 22, 23)]


async def three_members(world: World) -> list[str]:
    await world.plan("vip", VIP)
    return [await world.member("vip", user) for user in USERS]


def holders(world: World) -> list[UserId]:
    return [user for user in USERS if VIP in world.roles(user)]


async def test_an_unknown_status_changes_nothing(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.UNKNOWN, raw_status="frozen_in_time")
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["held status_unknown"]
    assert [event for event, _ in world.discord.posts].count("grant.held") == 1
    await world.changes(bought, status=PurchaseStatus.ACTIVE)
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_read_without_items_changes_nothing(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, items=())
    assert world.roles(CHARLIE) == {VIP}


@pytest.mark.parametrize("trouble", TROUBLES, ids=["429", "500", "401"])
async def test_nobody_loses_anything_while_the_provider_cannot_confirm_an_end(
    world: World, trouble: DoorlistError
) -> None:
    await world.plan("vip", VIP, grace_days=3)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    world.now_reads(bought, status=PurchaseStatus.ACTIVE)
    world.provider.faults.fails_always("fetch", trouble)
    for _ in range(4):
        await world.advance(days=1)
    assert world.roles(CHARLIE) == {VIP}
    assert world.discord.faults.of("remove_role") == []
    world.provider.faults.mend()
    await world.advance(minutes=10)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_confirmed_end_goes_through_once_the_provider_is_back(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, ends_at=world.clock.now() + timedelta(days=1))
    world.provider.faults.fails_always("fetch", Retry("unreachable"))
    for _ in range(4):
        await world.advance(days=1)
    assert world.roles(CHARLIE) == {VIP}
    world.provider.faults.mend()
    await world.advance(minutes=10)
    assert world.roles(CHARLIE) == set()


async def test_the_word_behind_a_removal_is_at_most_thirty_seconds_old(world: World) -> None:
    await world.plan("vip", VIP, grace_days=1)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    await world.advance(days=1)
    assert world.roles(CHARLIE) == set()
    assert world.provider.faults.of("fetch") == [("fetch", bought)]
    assert (await world.purchase(bought)).read_at == START + timedelta(days=1)


async def test_a_purchase_that_the_provider_no_longer_knows_stays_as_it_was(world: World) -> None:
    (bought, *_) = await three_members(world)
    del world.provider.bought[bought]
    await world.advance(days=1)
    await resync.list_everything(world.services, "stripe")
    await world.settle()
    assert holders(world) == USERS


async def test_a_full_listing_confirms_everybody_without_a_discord_call(world: World) -> None:
    await three_members(world)
    before = len(world.discord.calls)
    await world.advance(days=1)
    await resync.list_everything(world.services, "stripe")
    await world.settle()
    assert holders(world) == USERS
    assert len(world.discord.calls) == before
    assert world.provider.faults.of("fetch") == []


@pytest.mark.parametrize("shown", [0, 1], ids=["empty", "half"])
async def test_who_is_missing_from_a_listing_is_read_one_by_one_and_keeps_everything(world: World, shown: int) -> None:
    purchases = await three_members(world)
    await world.advance(days=1)
    world.provider.listed = purchases[:shown]
    await resync.list_everything(world.services, "stripe")
    await world.settle()
    assert holders(world) == USERS
    assert [external_id for _, external_id in world.provider.faults.of("fetch")] == purchases[shown:]


async def test_purchases_that_are_gone_keep_no_other_from_being_asked_for(world: World) -> None:
    first, second, third = await three_members(world)
    await world.advance(minutes=1)
    del world.provider.bought[first], world.provider.bought[second]
    world.now_reads(third, status=PurchaseStatus.ENDED)
    world.provider.listed = []
    for _ in range(2):
        await resync.list_everything(world.services, "stripe", portion=2)
        await world.settle()
    assert holders(world) == USERS[:2]
    assert await world.standing(first) == ["delivered paid"]
    asked = len(world.provider.faults.of("fetch"))
    await resync.list_everything(world.services, "stripe", portion=2)
    assert world.provider.faults.of("fetch")[asked:] == [("fetch", first), ("fetch", second)]


async def test_a_listing_finds_an_end_that_no_event_told(world: World) -> None:
    purchases = await three_members(world)
    await world.advance(days=1)
    world.now_reads(purchases[1], status=PurchaseStatus.ENDED)
    await resync.list_everything(world.services, "stripe")
    await world.settle()
    assert holders(world) == [USERS[0], USERS[2]]


@pytest.mark.parametrize("trouble", TROUBLES, ids=["429", "500", "401"])
async def test_a_listing_that_breaks_in_the_middle_moves_no_cursor_and_takes_nothing(
    world: World, trouble: DoorlistError
) -> None:
    await three_members(world)
    await world.advance(days=1)
    world.provider.faults.fails("list", trouble)
    with pytest.raises(type(trouble)):
        await resync.list_everything(world.services, "stripe")
    await world.settle()
    assert holders(world) == USERS
    assert await cursor(world) is None


async def test_an_end_during_a_frozen_server_waits_for_the_thaw(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    world.discord.guilds[GUILD].is_available = False
    await guild_left(world.services, GUILD)
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.five_minutes()
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]
    world.discord.guilds[GUILD].is_available = True
    await guild_appeared(world.services, GUILD, "Ada's server")
    await world.advance(minutes=2)
    assert world.roles(CHARLIE) == set()


async def test_a_purchase_during_a_frozen_server_arrives_after_it(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    world.discord.guilds[GUILD].is_available = False
    bought = await world.buys("vip")
    await world.links(bought, CHARLIE)
    assert world.discord.calls == []
    world.discord.guilds[GUILD].is_available = True
    await world.advance(minutes=2)
    assert world.roles(CHARLIE) == {VIP}


# --------------------------------------------------------------------------------------------------- poll cursor


async def cursor(world: World) -> str | None:
    async with world.services.store.read() as tx:
        return await tx.cursors.get(f"events:{world.account_id}")


async def test_the_first_poll_lists_everything_and_starts_at_the_event_before_it(world: World) -> None:
    await three_members(world)
    newest = world.provider.events[-1].external_id
    await resync.poll_events(world.services, "stripe")
    assert await cursor(world) == newest


async def test_a_shop_without_events_is_listed_once_and_then_only_asked(world: World) -> None:
    await three_members(world)
    world.provider.events.clear()
    await resync.poll_events(world.services, "stripe")
    listed = len(world.provider.faults.of("list"))
    await resync.poll_events(world.services, "stripe")
    assert listed == len(world.provider.faults.of("list")) > 0


async def test_a_poll_takes_in_what_no_webhook_brought(world: World) -> None:
    purchases = await three_members(world)
    await resync.poll_events(world.services, "stripe")
    world.now_reads(purchases[0], status=PurchaseStatus.ENDED)
    missed = world.provider.events[-1]
    world.provider.events.append(
        type(missed)(external_id="evt_missed", type="x", body=purchases[0].encode(), is_live=True)
    )
    assert await resync.poll_events(world.services, "stripe") == 1
    await world.settle()
    assert holders(world) == USERS[1:]
    assert await cursor(world) == "evt_missed"


async def test_a_webhook_never_moves_the_cursor(world: World) -> None:
    (bought, *_) = await three_members(world)
    await resync.poll_events(world.services, "stripe")
    before = await cursor(world)
    await world.webhook(bought)
    await world.settle()
    assert await cursor(world) == before


async def test_a_poll_that_breaks_stores_nothing_of_its_page_and_starts_over(world: World) -> None:
    (bought, *_) = await three_members(world)
    await resync.poll_events(world.services, "stripe")
    before = await cursor(world)
    await world.webhook(bought)
    world.provider.faults.fails("events", Retry("reset"))
    with pytest.raises(Retry):
        await resync.poll_events(world.services, "stripe")
    assert await cursor(world) == before
    assert await resync.poll_events(world.services, "stripe") == 0
    assert await cursor(world) == world.provider.events[-1].external_id


async def test_a_cursor_that_is_too_old_leads_to_a_full_listing(world: World) -> None:
    purchases = await three_members(world)
    await resync.poll_events(world.services, "stripe")
    world.now_reads(purchases[2], status=PurchaseStatus.ENDED)
    await world.webhook(purchases[0])
    world.provider.oldest_event = len(world.provider.events) - 1
    await resync.poll_events(world.services, "stripe")
    await world.settle()
    assert holders(world) == USERS[:2]
    assert await cursor(world) == world.provider.events[-1].external_id


async def test_a_member_nobody_sold_anything_to_is_left_alone(world: World) -> None:
    world.joins(CHARLIE, VIP)
    await world.plan("vip", VIP)
    await world.mark("member", str(MemberKey(GUILD, CHARLIE)))
    await world.five_minutes()
    assert world.roles(CHARLIE) == {VIP}
    assert world.discord.calls == []


@pytest.mark.parametrize(
    "late",
    [{"status": PurchaseStatus.PAST_DUE}, {"kind": PurchaseKind.ONE_TIME, "period_ends_at": None}],
    ids=["grace", "pass"],
)
async def test_our_own_clock_ends_nothing_that_the_provider_no_longer_knows(world: World, late: dict[str, Any]) -> None:
    await world.plan("vip", VIP, grace_days=3, duration_days=3)
    bought = await world.member("vip", **late)
    await world.advance(hours=1)
    world.provider.faults.fails_always("fetch", Gone("purchase"))
    await world.advance(days=3)
    for _ in range(12):
        await world.five_minutes()
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["held status_unknown"]
    assert [event for event, _ in world.discord.posts].count("grant.held") == 1
    assert len(await world.audit("grant.held")) == 1
    assert len(world.provider.faults.of("fetch")) <= 3
    world.provider.faults.mend()
    await world.advance(hours=6)
    assert world.roles(CHARLIE) == set()


async def test_a_purchase_that_was_stored_as_ended_needs_no_provider_that_still_knows_it(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    world.discord.faults.fails("remove_role", Retry("503"))
    await world.changes(bought, status=PurchaseStatus.ENDED)
    world.provider.faults.fails_always("fetch", Gone("purchase"))
    await world.advance(minutes=5)
    assert world.roles(CHARLIE) == set()


async def test_a_settled_end_is_confirmed_again_before_a_role_that_came_back_goes(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await leaves(world)
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.advance(hours=1)
    world.now_reads(bought, status=PurchaseStatus.ACTIVE)
    world.joins(CHARLIE, VIP)
    await member_came_or_went(world.services, MemberKey(GUILD, CHARLIE))
    await world.settle()
    assert world.roles(CHARLIE) == {VIP}
    assert world.discord.faults.of("remove_role") == []


async def test_a_read_by_id_that_cannot_tell_of_the_money_is_not_repeated_at_once(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, refund=Refund.PARTIAL)
    await world.changes(bought, refund=None)
    assert len(world.provider.faults.of("fetch")) == 1
    assert (await world.purchase(bought)).refund is Refund.PARTIAL


async def leaves(world: World) -> None:
    del world.discord.guilds[GUILD].members[CHARLIE]
    await member_came_or_went(world.services, MemberKey(GUILD, CHARLIE))
    await world.settle()
