"""Which mail tells of what: once for each thing that happens, to whom it matters, and only while it is true."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from membership import binding, mail_links, mail_sign_in, presence, resync
from membership.browsing import CustomerSettings, MailText
from membership.errors import Audience, Blocked, Reason, Retry
from membership.model import Dispute, MemberKey, Proof, PurchaseKind, PurchaseStatus, Refund
from membership.ports import Mail
from membership.worker import Worker
from tests.usecases.conftest import Builder
from tests.usecases.world import BOB, CHARLIE, GUILD, START, VIP, World
from web.mail_words import MailWords, Rendered

DAY = timedelta(days=1)
OPERATOR = "operator@example.com"


def count(world: World, template: str) -> int:
    return world.mailer.templates().count(template)


def last(world: World, template: str) -> Mail:
    return [mail for mail in world.mailer.sent if mail.template == template][-1]


def read(mail: Mail) -> Rendered:
    """Return a mail as its reader sees it: the facts that delivery made have to be all that its words need."""
    return MailWords("!claim").render(mail.template, mail.facts)


async def choose(world: World, bought: str, **changes: object) -> None:
    customer_id = (await world.purchase(bought)).customer_id
    async with world.services.store.write() as tx:
        settings = await tx.customer_settings.get(customer_id)
        await tx.customer_settings.put(replace(settings, **changes))  # type: ignore[arg-type]


async def settings(world: World, **changes: object) -> None:
    """Change the server's settings."""
    guild = await world.guild()
    async with world.services.store.write() as tx:
        await tx.guilds.replace(replace(guild, **changes))  # type: ignore[arg-type]


def alerted(world: World) -> None:
    """Name an operator who is mailed."""
    world.services = replace(world.services, alerts_to=OPERATOR)
    world.worker = Worker(world.services)


async def test_a_delivery_is_told_once_with_the_names_of_the_roles(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.webhook(bought)
    await world.five_minutes()
    assert count(world, "delivered") == 1
    mail = read(last(world, "delivered"))
    assert mail.subject == "VIP is active on Ada's server"
    assert "Your role on Discord: role 11." in mail.text


@pytest.mark.parametrize("proof", [Proof.CHECKOUT, Proof.STAFF])
async def test_who_bought_in_discord_or_was_connected_by_staff_gets_no_mail_of_it(world: World, proof: Proof) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    bought = await world.buys("vip")
    customer_id = (await world.purchase(bought)).customer_id
    async with world.services.store.write() as tx:
        await binding.bind(tx, customer_id, CHARLIE, proof, world.clock.now())
    await world.settle()
    assert world.roles(CHARLIE) == {VIP}
    assert count(world, "delivered") == 0


async def test_who_wants_no_mail_of_a_delivery_gets_none(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    bought = await world.buys("vip")
    await choose(world, bought, delivered=False)
    await world.links(bought, CHARLIE)
    assert world.roles(CHARLIE) == {VIP}
    assert count(world, "delivered") == 0


async def test_a_role_that_cannot_be_given_is_told_after_ten_minutes(world: World) -> None:
    await world.plan("vip", VIP)
    world.discord.faults.fails_always("add_role", Blocked(Reason.ROLE_ABOVE_BOT, audience=Audience.OWNER))
    await world.member("vip")
    await world.advance(minutes=9)
    assert count(world, "failed") == 0
    await world.advance(minutes=1)
    assert count(world, "failed") == 1
    await world.advance(hours=5)
    assert count(world, "failed") == 1
    assert "It is not your doing." in " ".join(read(last(world, "failed")).text.split())


async def test_a_failure_that_passes_within_ten_minutes_is_not_told(world: World) -> None:
    await world.plan("vip", VIP)
    world.discord.faults.fails("add_role", Blocked(Reason.ROLE_ABOVE_BOT, audience=Audience.OWNER))
    bought = await world.member("vip")
    await presence.roles_changed(world.services, GUILD)
    await world.settle()
    assert await world.standing(bought) == ["delivered paid"]
    await world.advance(minutes=11)
    assert count(world, "failed") == 0


async def test_who_has_not_joined_is_told_how(world: World) -> None:
    await world.plan("vip", VIP)
    await settings(world, invite_url="https://discord.gg/abc")
    bought = await world.buys("vip")
    await world.links(bought, CHARLIE)
    await world.advance(minutes=10)
    mail = read(last(world, "failed"))
    assert "is not in the server yet" in " ".join(mail.text.split())
    assert "https://discord.gg/abc" in mail.text


async def test_who_leaves_the_server_is_not_told_that_something_failed(world: World) -> None:
    await world.plan("vip", VIP)
    await world.member("vip")
    del world.discord.guilds[GUILD].members[CHARLIE]
    await world.five_minutes()
    await world.advance(hours=1)
    assert count(world, "failed") == 0


async def test_the_last_day_of_a_grace_is_told_once(world: World) -> None:
    await world.plan("vip", VIP, grace_days=3)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    for _ in range(10):
        await world.advance(hours=6)
        await world.webhook(bought)
    assert count(world, "grace_last_day") == 1
    assert "ends on 4 Mar 2026, 12:00" in read(last(world, "grace_last_day")).text


async def test_a_payment_in_time_spares_the_last_day(world: World) -> None:
    await world.plan("vip", VIP, grace_days=3)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    await world.advance(days=1)
    await world.changes(bought, status=PurchaseStatus.ACTIVE)
    await world.advance(days=1, minutes=5)
    assert count(world, "grace_last_day") == 0


async def test_who_has_the_plan_by_another_purchase_is_told_of_no_end(world: World) -> None:
    await world.plan("vip", VIP, grace_days=3)
    failing = await world.member("vip")
    await world.member("vip")
    await world.changes(failing, status=PurchaseStatus.PAST_DUE)
    mail = last(world, "past_due")
    assert mail.facts["until"] == ""
    for _ in range(4):
        await world.advance(days=1)
    await world.changes(failing, status=PurchaseStatus.ENDED)
    assert count(world, "grace_last_day") == 0
    assert count(world, "ended") == 0


async def test_a_cancellation_is_told_once_and_again_when_it_was_taken_back(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    end = START + 20 * DAY
    await world.changes(bought, ends_at=end)
    await world.changes(bought, ends_at=end)
    assert count(world, "cancelled") == 1
    assert read(last(world, "cancelled")).subject == "VIP ends on 21 Mar"
    await world.advance(days=1)
    await world.changes(bought, ends_at=None)
    await world.advance(hours=1)
    await world.changes(bought, ends_at=end)
    assert count(world, "cancelled") == 2


async def test_a_cancellation_that_was_taken_back_while_its_mail_waited_is_not_told(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    world.mailer.faults.fails("send", Retry("451 not now"))
    await world.changes(bought, ends_at=START + 20 * DAY)
    await world.changes(bought, ends_at=None)
    await world.advance(minutes=5)
    assert count(world, "cancelled") == 0


async def test_the_end_of_what_another_purchase_carries_is_not_told_as_a_cancellation(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.member("vip")
    await world.changes(bought, ends_at=START + 20 * DAY)
    assert count(world, "cancelled") == 0


async def test_an_end_names_the_roles_that_went(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, status=PurchaseStatus.ENDED)
    mail = read(last(world, "ended"))
    assert "Removed on Discord: role 11. You are still in the server." in mail.text
    assert "https://door.example/plans/vip" in mail.text


async def test_a_refund_is_told_with_its_amount_and_once(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip", kind=PurchaseKind.ONE_TIME)
    await world.changes(bought, refund=Refund.FULL)
    await world.changes(bought, refund=Refund.FULL)
    assert count(world, "refunded") == 1
    assert read(last(world, "refunded")).subject == "Refund of 10.00 EUR for VIP"


async def test_a_part_of_the_money_is_told_without_an_amount(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip", kind=PurchaseKind.ONE_TIME)
    await world.changes(bought, refund=Refund.PARTIAL)
    assert read(last(world, "refunded")).subject == "Refund for VIP"


async def test_what_a_bank_took_back_is_no_refund(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    await world.changes(bought, dispute=Dispute.LOST)
    assert count(world, "refunded") == 0


async def test_the_end_of_a_trial_is_told_three_days_before_also_to_who_has_not_connected(new_world: Builder) -> None:
    world = await new_world(reminder_hours=())
    await world.plan("vip", VIP)
    await world.buys("vip", status=PurchaseStatus.TRIALING, trial_ends_at=START + 14 * DAY)
    await world.advance(days=10, hours=23)
    assert count(world, "trial_ending") == 0
    await world.advance(hours=1)
    assert count(world, "trial_ending") == 1
    await world.advance(days=2)
    assert count(world, "trial_ending") == 1
    assert "ends on 15 March 2026" in read(last(world, "trial_ending")).text


async def test_a_trial_that_was_cancelled_or_is_short_is_not_told_again(new_world: Builder) -> None:
    world = await new_world(reminder_hours=())
    await world.plan("vip", VIP)
    end = START + 14 * DAY
    await world.buys("vip", status=PurchaseStatus.TRIALING, trial_ends_at=end, ends_at=end)
    await world.buys("vip", by="dora", status=PurchaseStatus.TRIALING, trial_ends_at=START + 2 * DAY)
    await world.advance(days=1)
    await world.advance(days=11)
    assert count(world, "trial_ending") == 0


async def test_a_full_brake_is_mailed_once_with_how_many_wait(new_world: Builder) -> None:
    world = await new_world(brake_removals=0, brake_removal_percent=0)
    alerted(world)
    await world.plan("vip", VIP)
    for user in (BOB, CHARLIE):
        bought = await world.member("vip", user)
        await world.changes(bought, status=PurchaseStatus.ENDED)
    await world.advance(minutes=2)
    [alert] = [mail for mail in world.mailer.sent if mail.template == "staff_alert"]
    assert alert.to == OPERATOR
    assert read(alert).subject == "[doorlist] 2 removals held"
    assert f"https://door.example/admin/{GUILD}/brake" in read(alert).text


async def test_a_server_that_names_its_support_is_told_itself_and_one_without_anybody_is_not(world: World) -> None:
    await presence.guild_left(world.services, GUILD)
    await world.settle()
    assert world.mailer.sent == []
    await settings(world, support_address="help@ada.example")
    await presence.guild_left(world.services, GUILD)
    await world.settle()
    assert [(mail.to, mail.template) for mail in world.mailer.sent] == [("help@ada.example", "staff_alert")]


async def test_a_refused_key_is_mailed_when_it_begins(world: World) -> None:
    alerted(world)
    refused = Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR)
    for _ in range(2):
        world.provider.faults.fails("newest_event", refused)
        with pytest.raises(Blocked):
            await resync.poll_events(world.services, "stripe")
    await resync.poll_events(world.services, "stripe")
    await world.settle()
    [alert] = world.mailer.sent
    assert read(alert).subject == "[doorlist] Stripe refuses our key"


async def test_a_sign_in_mail_goes_out_when_the_address_has_had_enough_and_counts(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip")
    for _ in range(2):
        await mail_sign_in.ask(world.services, "charlie@example.com")
    await world.settle()
    assert count(world, "signin") == 2
    mail = read(last(world, "signin"))
    assert mail.subject[:3].isdigit()
    assert "/sign-in/" in mail.text
    await world.member("vip", CHARLIE)
    bought = await world.purchase("sub_1")
    async with world.services.store.write() as tx:
        await tx.links.bind(bought.customer_id, CHARLIE, Proof.OAUTH, world.clock.now())
    await world.five_minutes()
    charlies = [mail.template for mail in world.mailer.sent if mail.to == "charlie@example.com"]
    assert charlies == ["connect", "signin", "signin"]


async def test_a_sign_in_mail_that_would_come_too_late_is_not_sent(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip")
    world.mailer.faults.fails("send", Retry("451 not now"))
    await mail_sign_in.ask(world.services, "charlie@example.com")
    await world.settle()
    await world.advance(minutes=11)
    assert count(world, "signin") == 0


@pytest.mark.parametrize(
    ("chosen", "locale", "of_the_server", "spoken"),
    [("en", "it-IT", "it", "en"), ("", "it-IT", "en", "it"), ("", "", "it", "it"), ("", "de", "", "en")],
)
async def test_a_mail_speaks_as_chosen_then_as_the_buyer_then_as_the_server(
    world: World, chosen: str, locale: str, of_the_server: str, spoken: str
) -> None:
    await world.plan("vip", VIP)
    await settings(world, language=of_the_server)
    paid = world.pays("vip")
    snapshot = world.provider.bought[paid]
    world.now_reads(paid, customer=replace(snapshot.customer, locale=locale))
    world.mailer.faults.fails("send", Retry("451 not now"))
    await world.webhook(paid)
    await world.settle()
    customer_id = (await world.purchase(paid)).customer_id
    async with world.services.store.write() as tx:
        await tx.customer_settings.put(CustomerSettings(customer_id=customer_id, language=chosen))
    await world.advance(minutes=2)
    assert read(last(world, "connect")).language == spoken


async def test_a_servers_own_words_are_in_its_mails(world: World) -> None:
    await world.plan("vip", VIP)
    own = MailText(guild_id=GUILD, template="connect", language="en", subject="Come in", intro="Glad to have you.")
    async with world.services.store.write() as tx:
        await tx.mail_texts.put(own)
    await world.buys("vip")
    mail = read(last(world, "connect"))
    assert mail.subject == "Come in"
    assert "Glad to have you." in mail.text


async def test_a_bounce_stops_mail_to_everybody_at_the_address(world: World) -> None:
    await world.plan("vip", VIP)
    await world.buys("vip", by="charlie")
    snapshot = replace(world.provider.bought["sub_1"].customer, external_id="cus_other")
    world.mailer.faults.fails("send", Blocked(Reason.MAIL_REFUSED, audience=Audience.MEMBER))
    await world.buys("vip", customer=snapshot)
    await world.advance(days=8)
    assert world.mailer.templates() == ["connect"]


async def test_what_a_buyer_asks_for_and_what_they_are_reminded_of_can_be_read(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(BOB)
    bought = await world.buys("vip")
    await world.advance(hours=1)
    await world.links(bought, CHARLIE)
    grant = (await world.grants(bought))[0]
    for ask in (mail_links.to_billing, mail_links.to_move):
        await world.advance(hours=2)
        assert await ask(world.services, MemberKey(GUILD, CHARLIE), grant.id)
        await world.settle()
    await world.advance(hours=2)
    await world.links(bought, BOB)
    await world.changes(bought, status=PurchaseStatus.PAST_DUE)
    for template in ("connect_reminder", "billing", "link_again", "moved", "past_due"):
        for medium in (read(last(world, template)).text, read(last(world, template)).html):
            assert "VIP" in medium
            assert "https://door.example/" in medium
