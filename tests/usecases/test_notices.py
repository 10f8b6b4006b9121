"""What servers are told: by their rules, together in crowds, edited when solved, and not lost with a channel."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from membership import invariants, notices, notifying, presence, resync
from membership.actors import Actor
from membership.desk import NotifyMode
from membership.errors import Audience, Blocked, Gone, Reason, UserError
from membership.model import ChannelId, Dispute, GuildId, MemberKey, PurchaseStatus, RoleId, UserId
from membership.notifying import Wish
from membership.ports import IncomingEvent, Price
from tests.usecases.world import ALICE, CHARLIE, EVENT_CHANNEL, FRIEND, GUILD, VIP, World

MONEY = ChannelId(902)
OWNER = Actor(guild_id=GUILD, user_id=ALICE, name="alice", can_staff=True, can_manage=True)


async def tell(world: World, event: str = "link.moved", guild_id: GuildId | None = GUILD, **about: Any) -> None:
    facts = {"plan": "VIP", "name": "ada"} | about.pop("facts", {})
    async with world.services.store.write() as tx:
        await notices.tell(tx, event, guild_id, facts, world.clock.now(), **about)


async def wishes(world: World, name: str, mode: NotifyMode, **own: Any) -> None:
    await notifying.choose(world.services, OWNER, Wish(name=name, mode=mode, **own))
    await world.settle()
    world.discord.posts.clear()
    world.discord.calls.clear()


def posted(world: World) -> list[str]:
    return [event for event, _ in world.discord.posts]


async def test_an_event_in_the_digest_is_written_down_and_not_posted(world: World) -> None:
    await tell(world, "link.created")
    await world.settle()
    assert posted(world) == []
    assert len(await world.audit("link.created")) == 1


async def test_a_server_chooses_channel_and_ping_for_a_group(world: World) -> None:
    await wishes(world, "payment", NotifyMode.EVERY, channel_id=MONEY, ping_role_id=VIP)
    await world.plan("vip", VIP)
    await world.buys("vip")
    assert ("post", MONEY, "payment.succeeded") in world.discord.calls
    ((_, facts),) = [post for post in world.discord.posts if post[0] == "payment.succeeded"]
    assert (facts["ping_role_id"], facts["is_loud"], facts["plan"]) == (str(VIP), True, "VIP")


async def test_a_trial_is_posted_as_given_and_not_as_paid(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip", status=PurchaseStatus.TRIALING)
    ((_, facts),) = [post for post in world.discord.posts if post[0] == "grant.delivered"]
    assert facts["amount"] == 0


async def test_a_post_of_a_payment_says_how_often_and_when_next(world: World) -> None:
    await wishes(world, "payment.succeeded", NotifyMode.OFF)
    price = Price(
        external_id="price_vip",
        product_id="prod_vip",
        product_name="VIP",
        amount=1000,
        currency="eur",
        interval="month",
    )
    async with world.services.store.write() as tx:
        await tx.accounts.record_prices(world.account_id, [price])
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    ((_, facts),) = [post for post in world.discord.posts if post[0] == "grant.delivered"]
    ends_at = (await world.purchase(bought)).period_ends_at
    assert ends_at is not None
    assert (facts["interval"], facts["next_at"]) == ("month", ends_at.isoformat())
    (entry,) = await world.audit("payment.succeeded")
    assert "interval" not in (entry.detail or {}), "the prices are read for posts alone"


async def test_an_event_that_is_off_is_not_posted(world: World) -> None:
    await wishes(world, "grant.delivered", NotifyMode.OFF)
    await world.plan("vip", VIP)
    await world.member("vip")
    assert "grant.delivered" not in posted(world)


async def test_a_server_that_is_not_set_up_hears_nothing(world: World) -> None:
    inactive = replace(await world.guild(), is_active=False)
    async with world.services.store.write() as tx:
        await tx.guilds.replace(inactive)
    await tell(world)
    await world.settle()
    assert posted(world) == []


async def test_up_to_five_of_a_kind_are_posted_at_once_one_by_one(world: World) -> None:
    for _ in range(5):
        await tell(world)
    await world.settle()
    assert posted(world) == ["link.moved"] * 5


async def test_a_crowd_becomes_one_message_with_a_list_after_half_a_minute(world: World) -> None:
    for number in range(23):
        await tell(world, user_id=UserId(1000 + number))
    await world.settle()
    assert posted(world) == []
    await world.advance(seconds=30)
    ((event, facts),) = world.discord.posts
    assert (event, facts["count"], facts["plan"]) == ("link.moved", 23, "VIP")
    listed = facts["listed"]
    assert isinstance(listed, list)
    assert {each["user_id"] for each in listed} == {str(1000 + number) for number in range(23)}


async def test_a_crowd_is_posted_once_though_the_answer_was_lost(world: World) -> None:
    for _ in range(6):
        await tell(world)
    await world.settle()
    world.discord.faults.fails("post", Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR), late=True)
    await world.advance(seconds=30)
    await tell(world)
    await world.advance(minutes=6)
    assert [facts.get("count", 1) for _, facts in world.discord.posts] == [6, 1]


async def test_a_solved_problem_is_edited_and_not_followed_by_another_post(world: World) -> None:
    await world.plan("vip", VIP)
    world.discord.guilds[GUILD].roles[VIP] = 90
    await world.member("vip")
    assert posted(world) == ["grant.failed"]
    world.discord.guilds[GUILD].roles[VIP] = 10
    async with world.services.store.write() as tx:
        await tx.jobs.mark("member", str(MemberKey(GUILD, CHARLIE)), lane=0, run_at=world.clock.now())  # type: ignore[arg-type]
    await world.settle()
    assert VIP in world.roles(CHARLIE)
    assert posted(world) == ["grant.failed"]
    ((_, channel, _, event),) = world.discord.faults.of("edit_post")
    assert (channel, event) == (EVENT_CHANNEL, "solved")


async def test_a_problem_that_was_solved_before_it_was_posted_says_so_at_once(world: World) -> None:
    await tell(world, "grant.failed", problem="grant:1")
    await tell(world, "grant.delivered", problem="grant:1")
    await world.settle()
    assert posted(world) == ["grant.failed", "grant.delivered"]
    assert len(world.discord.faults.of("edit_post")) == 1


async def test_a_problem_that_stays_is_told_in_the_same_post(world: World) -> None:
    await tell(world, "grant.failed", problem="grant:1")
    await world.settle()
    await tell(world, "grant.failed", problem="grant:1", facts={"reason": "banned"})
    await world.settle()
    assert posted(world) == ["grant.failed"]
    assert [call[-1] for call in world.discord.faults.of("edit_post")] == ["grant.failed"]


@pytest.mark.parametrize("trouble", [Gone("channel"), Blocked(Reason.MISSING_ACCESS, audience=Audience.OWNER)])
async def test_a_channel_that_takes_no_posts_is_told_to_the_owner_once(world: World, trouble: Exception) -> None:
    world.discord.faults.fails_always("post", trouble)
    await tell(world)
    await tell(world)
    await tell(world, "pause.on")
    await world.settle()
    told = [str(call[-1]) for call in world.discord.faults.of("tell_owner")]
    assert sorted(told) == ["channel.trouble", "pause.on"]
    rows = await notifying.matrix(world.services, GUILD)
    assert all(row.trouble for row in rows)
    assert await notifying.troubled_channels(world.services, await world.guild()) == {EVENT_CHANNEL}


async def test_a_channel_that_takes_posts_again_is_no_trouble_any_more(world: World) -> None:
    world.discord.faults.fails("post", Gone("channel"))
    await tell(world)
    await world.settle()
    await tell(world)
    await world.settle()
    assert not any(row.trouble for row in await notifying.matrix(world.services, GUILD))


async def test_who_gives_to_themselves_is_told_to_the_owner(world: World) -> None:
    await tell(world, "staff.action", actor=f"staff:{ALICE}", user_id=ALICE)
    await tell(world, "staff.action", actor=f"staff:{ALICE}", user_id=CHARLIE)
    await world.settle()
    assert [facts["is_to_self"] for _, facts in world.discord.posts] == [True, False]
    assert [facts["is_loud"] for _, facts in world.discord.posts] == [True, False]


async def test_money_and_the_end_of_a_subscription_are_told(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, ends_at=world.clock.now().replace(day=20))
    await world.changes(bought, dispute=Dispute.OPEN)
    await world.changes(bought, dispute=Dispute.NONE)
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    events = ("payment.succeeded", "grant.created", "grant.ending", "payment.disputed", "payment.dispute_closed")
    told = [entry.event for entry in await world.audit(*events, "payment.failed")]
    assert told == ["payment.succeeded", "grant.created", *events[2:], "payment.failed"]


async def test_an_old_purchase_that_is_seen_for_the_first_time_is_no_news(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip", started_at=world.clock.now().replace(year=2025))
    assert await world.audit("payment.succeeded", "grant.created") == []


async def test_everyone_and_roles_of_elsewhere_are_never_pinged(world: World) -> None:
    for role in (RoleId(int(GUILD)), RoleId(424242)):
        with pytest.raises(UserError):
            await notifying.choose(
                world.services, OWNER, Wish(name="payment", mode=NotifyMode.EVERY, ping_role_id=role)
            )


async def test_a_test_reaches_every_row_of_the_group_that_is_posted_at_once(world: World) -> None:
    sent = await notifying.send_tests(world.services, OWNER, "grant.failed")
    assert await notifying.send_tests(world.services, OWNER, "grant.failed") == 0
    await world.settle()
    assert len(posted(world)) == sent > 3
    assert not any(facts.get("is_loud") for _, facts in world.discord.posts)


async def test_who_gave_a_sold_role_by_hand_is_named_once(world: World) -> None:
    await world.plan("vip", VIP)
    change = presence.HandChange(by=ALICE, given=(VIP, FRIEND), taken=(), entry_id="77")
    for _ in range(2):
        await presence.roles_changed_by_hand(world.services, MemberKey(GUILD, CHARLIE), change)
    await world.settle()
    ((event, facts),) = world.discord.posts
    assert (event, facts["actor"], facts["role_ids"]) == ("role.manual_change", f"staff:{ALICE}", [str(VIP)])


async def test_webhooks_that_do_not_arrive_are_told_at_the_second_poll_and_solved_when_they_do(world: World) -> None:
    await world.webhook("sub_1")
    await resync.poll_events(world.services, "stripe")
    for poll in range(2):
        for number in range(5):
            world.provider.events.append(
                IncomingEvent(external_id=f"evt_{poll}_{number}", type="x", body=b"", is_live=True)
            )
        await resync.poll_events(world.services, "stripe")
        await world.settle()
        assert posted(world) == ["webhook.failing"] * poll
    await resync.poll_events(world.services, "stripe")
    await world.settle()
    assert [call[-1] for call in world.discord.faults.of("edit_post")] == ["solved"]


async def test_forgotten_work_is_told_once_and_its_end_in_the_same_post(world: World) -> None:
    async with world.services.store.write() as tx:
        (event_id,) = [
            await tx.inbox.add(
                "stripe", [IncomingEvent(external_id="evt_1", type="x", body=b"", is_live=True)], world.clock.now()
            )
        ]
        await tx.jobs.cancel("intake", str(event_id))
    for _ in range(2):
        await invariants.check(world.services)
        await world.settle()
    assert posted(world) == ["health.degraded"]
    assert [call[-1] for call in world.discord.faults.of("edit_post")] == ["solved"]
