"""Direct messages to members: each once, at its moment, and none for whoever wants none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from membership import mine
from membership.errors import Audience, Blocked, Reason
from membership.model import MemberKey, PurchaseKind, PurchaseStatus
from membership.presence import member_came_or_went
from tests.usecases.fake_provider import MONTH
from tests.usecases.world import BOB, CHARLIE, DORA, GUILD, VIP, World


def messages(world: World) -> list[str]:
    """Return what Charlie was written."""
    return [template for user, template in world.discord.messages if user == CHARLIE]


async def test_whoever_just_connected_sees_it_and_whoever_joins_later_is_told(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip", DORA)
    bought = await world.buys("vip")
    await world.links(bought, CHARLIE)
    await world.advance(days=1)
    world.joins(CHARLIE)
    await member_came_or_went(world.services, MemberKey(GUILD, CHARLIE))
    await world.settle()
    await world.five_minutes()
    assert world.discord.messages == [(CHARLIE, "delivered")]


async def test_who_had_the_role_before_is_not_written_to(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    await world.links(bought, CHARLIE)
    await world.advance(days=1)
    world.joins(CHARLIE, VIP)
    await world.mark("member", str(MemberKey(GUILD, CHARLIE)), scope=str(GUILD))
    await world.settle()
    assert await world.standing(bought) == ["delivered paid"]
    assert messages(world) == []


async def test_a_failed_payment_and_the_end_are_told_once_each(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    await world.five_minutes()
    await world.webhook(bought)
    await world.settle()
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.five_minutes()
    assert messages(world) == ["past_due", "ended"]


async def test_a_cancelled_plan_is_told_three_days_before_its_end_also_over_a_restart(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    end = world.clock.now() + MONTH
    await world.changes(bought, ends_at=end)
    world.clock.move(end - timedelta(days=3, minutes=1) - world.clock.now())
    await world.settle()
    assert messages(world) == []
    await world.restart()
    await world.advance(minutes=1)
    assert messages(world) == ["ending"]
    await world.five_minutes()
    await world.advance(days=1)
    assert messages(world) == ["ending"]


async def test_a_pass_that_another_one_prolongs_is_not_said_to_end(world: World) -> None:
    await world.plan("vip", VIP, duration_days=10)
    world.joins(CHARLIE)
    for _ in range(2):
        await world.links(await world.buys("vip", kind=PurchaseKind.ONE_TIME), CHARLIE)
    await world.advance(days=8)
    assert messages(world) == []
    await world.advance(days=9, minutes=1)
    assert messages(world) == ["ending"]


async def test_the_account_that_lost_it_is_told_of_a_move(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    world.joins(BOB)
    await world.links(bought, BOB)
    assert world.discord.messages == [(CHARLIE, "moved")]


async def test_who_turned_them_off_gets_none_and_neither_does_a_server_that_sends_none(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await mine.set_dms(world.services, CHARLIE, is_on=False)
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    await mine.set_dms(world.services, CHARLIE, is_on=True)
    silent = replace(await world.guild(), dms=False)
    async with world.services.store.write() as tx:
        await tx.guilds.replace(silent)
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.advance(minutes=61)
    assert messages(world) == []
    assert {"past_due", "ended"} <= set(world.mailer.templates())


async def test_closed_messages_are_written_down_and_the_mail_went_anyway(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    world.discord.faults.fails_always("direct_message", Blocked(Reason.DMS_CLOSED, audience=Audience.MEMBER))
    await world.changes(bought, status=PurchaseStatus.ENDED)
    [dropped] = await world.audit("message.dropped")
    assert (dropped.user_id, dropped.guild_id) == (CHARLIE, GUILD)
    assert dropped.detail is not None
    assert dropped.detail["template"] == "ended"
    assert "ended" in world.mailer.templates()
