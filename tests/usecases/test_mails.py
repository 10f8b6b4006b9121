"""Mails go out once, within limits, and never stand in the way of access."""

from __future__ import annotations

import pytest

from membership.errors import Audience, Blocked, Reason, Retry, Unanswered
from membership.model import CustomerSnapshot, PurchaseStatus
from tests.usecases.conftest import Builder
from tests.usecases.world import CHARLIE, VIP, World

BOUNCE = Blocked(Reason.MAIL_REFUSED, audience=Audience.MEMBER, detail="550 no such user")


async def test_reminders_come_after_an_hour_a_day_three_days_and_a_week(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip")
    moments = []
    for hour in range(1, 24 * 14):
        before = len(world.mailer.sent)
        await world.advance(hours=1)
        moments += [hour] * (len(world.mailer.sent) - before)
    assert moments == [1, 24, 72, 168]
    assert world.mailer.templates() == ["connect", *["connect_reminder"] * 4]


async def test_every_reminder_has_a_code_that_works(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    await world.buys("vip")
    await world.advance(hours=1)
    first, second = (str(mail.facts["code"]) for mail in world.mailer.sent)
    assert first != second
    await world.claims(CHARLIE, second)
    assert world.roles(CHARLIE) == {VIP}


async def test_who_connects_is_not_reminded(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    bought = await world.buys("vip")
    await world.links(bought, CHARLIE)
    await world.advance(days=8)
    assert "connect_reminder" not in world.mailer.templates()


async def test_whose_purchase_ended_is_not_reminded(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.advance(days=8)
    assert "connect_reminder" not in world.mailer.templates()


async def test_after_a_long_outage_only_the_latest_reminder_is_sent(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip")
    await world.advance(days=4)
    assert world.mailer.templates() == ["connect", "connect_reminder"]
    await world.advance(days=4)
    assert world.mailer.templates() == ["connect", "connect_reminder", "connect_reminder"]


async def test_one_address_gets_at_most_three_mails_an_hour_and_the_rest_later(world: World) -> None:
    await world.plan("vip", VIP)
    for _ in range(5):
        await world.buys("vip")
    for _ in range(5):
        await world.advance(minutes=11)
    assert len(world.mailer.sent) == 3
    for _ in range(6):
        await world.advance(minutes=20)
    connects = [mail for mail in world.mailer.sent if mail.template == "connect"]
    assert len(connects) == 5


async def test_the_same_mail_goes_to_one_buyer_once_in_ten_minutes(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip")
    await world.buys("vip")
    assert world.mailer.templates() == ["connect"]
    await world.advance(minutes=11)
    assert world.mailer.templates() == ["connect", "connect"]


async def test_accounts_that_share_an_address_share_its_limit(new_world: Builder) -> None:
    world = await new_world(reminder_hours=())
    await world.plan("vip", VIP)
    for number in range(5):
        address = "ONE@example.com" if number % 2 else "one@example.com"
        await world.buys("vip", customer=CustomerSnapshot(external_id=f"cus_{number}", email=address))
    assert len(world.mailer.sent) == 3


async def test_one_address_gets_at_most_ten_mails_a_day(new_world: Builder) -> None:
    world = await new_world(reminder_hours=())
    await world.plan("vip", VIP)
    for _ in range(12):
        await world.buys("vip")
    for _ in range(23):
        await world.advance(hours=1)
    assert len(world.mailer.sent) == 10


async def test_a_mail_server_in_trouble_gets_the_mail_later_and_once(world: World) -> None:
    await world.plan("vip", VIP)
    world.mailer.faults.fails("send", Retry("451 greylisted"), Retry("timeout"))
    await world.buys("vip")
    assert world.mailer.sent == []
    await world.advance(minutes=1)
    await world.advance(minutes=1)
    assert world.mailer.templates() == ["connect"]


async def test_a_mail_that_may_have_arrived_is_tried_three_times_and_then_dropped(world: World) -> None:
    await world.plan("vip", VIP)
    world.mailer.faults.fails("send", *[Unanswered("timeout")] * 100, late=True)
    await world.buys("vip")
    for _ in range(11):
        await world.advance(minutes=5)
    assert world.mailer.templates() == ["connect"] * 3
    assert len({mail.message_id for mail in world.mailer.sent}) == 1
    (dropped,) = await world.audit("message.dropped")
    assert dropped.detail == {"kind": "mail", "template": "connect", "why": "timeout"}


async def test_every_try_of_a_mail_tells_the_same_code_and_link_also_after_a_restart(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    world.mailer.faults.fails("send", Unanswered("timeout"), late=True)
    await world.buys("vip")
    await world.restart()
    await world.advance(minutes=20)
    first, second = world.mailer.sent
    assert first == second
    assert (await world.claims(CHARLIE, str(first.facts["code"]))).plan_names == ("VIP",)


async def test_a_try_that_may_have_arrived_counts_in_the_limits(new_world: Builder) -> None:
    world = await new_world(reminder_hours=())
    await world.plan("vip", VIP)
    world.mailer.faults.fails("send", Unanswered("timeout"), late=True)
    for number in range(4):
        await world.buys("vip", customer=CustomerSnapshot(external_id=f"cus_{number}", email="one@example.com"))
    assert len(world.mailer.sent) == 3


async def test_a_mail_that_the_server_never_takes_is_dropped_after_a_week(new_world: Builder) -> None:
    world = await new_world(reminder_hours=())
    await world.plan("vip", VIP)
    world.mailer.faults.fails_always("send", Retry("451 not now"))
    await world.buys("vip")
    for _ in range(10):
        await world.advance(days=1)
    assert len(world.mailer.faults.of("send")) == 8
    assert [entry.detail for entry in await world.audit("message.dropped")] == [
        {"kind": "mail", "template": "connect", "why": "451 not now"}
    ]


async def test_an_address_that_bounces_gets_no_more_mail(world: World) -> None:
    await world.plan("vip", VIP)
    world.mailer.faults.fails("send", BOUNCE)
    await world.buys("vip")
    await world.advance(days=8)
    assert world.mailer.sent == []
    assert len(world.mailer.faults.of("send")) == 1


async def test_a_bounce_does_not_stand_in_the_way_of_the_role(world: World) -> None:
    await world.plan("vip", VIP)
    world.mailer.faults.fails("send", BOUNCE)
    await world.member("vip")
    assert world.roles(CHARLIE) == {VIP}


async def test_without_a_mail_server_everything_else_works(world: World) -> None:
    world.mailer.is_configured = False
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    assert world.roles(CHARLIE) == set()
    assert world.mailer.faults.calls == []
    assert (await world.jobs())["parked"] == 0


async def test_a_mail_server_set_up_later_finds_no_refused_addresses(world: World) -> None:
    world.mailer.is_configured = False
    await world.plan("vip", VIP)
    await world.buys("vip")
    world.mailer.is_configured = True
    await world.advance(hours=1)
    assert world.mailer.templates() == ["connect_reminder"]


@pytest.mark.parametrize("trouble", [Retry("down"), Blocked(Reason.MISSING_ACCESS, audience=Audience.OWNER)])
async def test_an_event_log_that_cannot_be_written_holds_nothing_up(world: World, trouble: Exception) -> None:
    await world.plan("vip", VIP)
    world.discord.faults.fails_always("post", trouble)
    bought = await world.member("vip")
    assert await world.standing(bought) == ["delivered paid"]
