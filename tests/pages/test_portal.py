"""The customer's pages: each membership with its state and next step, and what can be done about it; nobody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from membership import comps, mine
from membership.actors import Actor
from membership.errors import Retry
from membership.model import Dispute, Grant, GuildId, Lane, MemberKey, Proof, PurchaseKind, PurchaseStatus, UserId
from membership.records import Guild
from tests.pages.stage import PageStage, Shown
from tests.usecases.fake_discord import FakeGuild
from tests.usecases.world import ALICE, BOB, CHARLIE, GUILD, LATE, VIP, World

MAIL = f"user{CHARLIE}@example.com"
"""Who `world.member` lets pay for Charlie."""


@pytest.fixture
async def vip(stage: PageStage) -> str:
    """Let Charlie be a delivered member; return the purchase."""
    await stage.world.plan("vip", VIP)
    return await stage.world.member("vip")


async def portal_of(stage: PageStage, email: str = MAIL, user_id: UserId | None = None) -> Shown:
    return await (await stage.customer(email=email, user_id=user_id)).get("/portal")


async def grant_of(world: World, external_id: str) -> Grant:
    return (await world.grants(external_id))[0]


async def test_an_active_membership_shows_roles_price_and_next_payment(stage: PageStage, vip: str) -> None:
    shown = await portal_of(stage)

    assert "Active, renews" in shown.words
    assert "The next payment is 10.00 €." in shown.words
    assert f"role {VIP} ✓" in shown.words
    assert "in the server" in shown.words


@pytest.mark.parametrize("path", ["/portal", "/portal/discord", "/portal/billing", "/portal/preferences"])
async def test_pages_are_in_the_name_of_the_server_that_the_customer_knows(
    stage: PageStage, vip: str, path: str
) -> None:
    other = GuildId(200)
    stage.world.discord.guilds[other] = FakeGuild(name="Book club")
    async with stage.world.services.store.write() as tx:
        await tx.guilds.ensure(other, "Book club")
        await tx.guilds.replace(Guild(id=other, name="Book club", is_active=True))
    shown = await (await stage.customer(email=MAIL)).get(path)
    assert "Ada's server" in shown.words
    assert "Book club" not in shown.words
    assert "Doorlist" not in shown.words


async def test_a_purchase_that_nobody_has_asks_for_discord(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip", by="charlie")

    shown = await portal_of(stage, "charlie@example.com")

    assert "Waiting for Discord" in shown.words
    assert shown.form("Connect Discord VIP").action == "/portal/discord/connect"


async def test_a_failed_payment_offers_the_card_at_once(stage: PageStage, vip: str) -> None:
    await stage.world.changes(vip, status=PurchaseStatus.PAST_DUE, raw_status="past_due")
    visitor = await stage.customer(email=MAIL)

    shown = await visitor.get("/portal")
    leaving = await visitor.press(shown, "Update card VIP")

    assert "Payment failed, access until" in shown.words
    assert leaving.status == 200
    assert any(link.endswith("#card") for link in leaving.links)


async def test_a_cancelled_membership_offers_to_keep_it(stage: PageStage, vip: str) -> None:
    purchase = await stage.world.purchase(vip)
    await stage.world.changes(vip, ends_at=purchase.period_ends_at)

    shown = await portal_of(stage)

    assert "Ends" in shown.words
    assert "Keep my membership VIP" in shown.words


async def test_an_ended_membership_says_why_and_offers_it_again(stage: PageStage, vip: str) -> None:
    await stage.world.changes(vip, status=PurchaseStatus.ENDED, raw_status="canceled", ends_at=stage.world.clock.now())

    shown = await portal_of(stage)

    assert "the subscription was cancelled" in shown.words
    assert "/plans/vip" in shown.links
    assert "Cancel membership" not in shown.words


async def test_a_dispute_says_why_access_is_off(stage: PageStage, vip: str) -> None:
    await stage.world.changes(vip, dispute=Dispute.OPEN)

    assert "access is off until the bank has decided" in (await portal_of(stage)).words


async def test_what_staff_take_by_hand_is_told(stage: PageStage, vip: str) -> None:
    for _ in range(4):
        stage.world.roles(CHARLIE).clear()
        await stage.world.five_minutes()

    assert "The role was taken by hand" in (await portal_of(stage)).words


async def test_what_discord_refuses_is_told_with_what_to_do(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].roles[VIP] = 99
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip")

    shown = await portal_of(stage)

    assert "Not delivered: the bot is not allowed to, staff have been told" in shown.words
    assert "You have not lost anything." in shown.words


async def test_a_trial_and_a_pause_are_told(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    ends = stage.world.clock.now() + timedelta(days=5)
    external_id = await stage.world.member("vip", status=PurchaseStatus.TRIALING, trial_ends_at=ends)
    assert "Trial until 6 March 2026" in (await portal_of(stage)).words

    await stage.world.changes(external_id, status=PurchaseStatus.PAUSED)
    assert "the subscription is paused" in (await portal_of(stage)).words


async def test_a_payment_that_is_awaited_is_told(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip", by="charlie", status=PurchaseStatus.PENDING)

    assert "Waiting for the payment" in (await portal_of(stage, "charlie@example.com")).words


async def test_whoever_is_outside_gets_a_way_in_on_asking(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    external_id = await stage.world.buys("vip", by="charlie")
    await stage.world.links(external_id, CHARLIE)
    visitor = await stage.customer(user_id=CHARLIE)

    before = await visitor.get("/portal")
    assert stage.world.discord.faults.of("invite") == []
    after = await visitor.press(before, "Get an invite VIP")

    assert "Waiting to join" in before.words
    assert "https://discord.example/invite/1" in after.links


async def test_nothing_is_said_of_a_purchase_with_another_address(stage: PageStage, vip: str) -> None:
    shown = await portal_of(stage, "bob@example.com")

    assert "No purchases for b••@example.com" in shown.words
    assert "/sign-in" in shown.links
    assert "VIP" not in shown.words


async def test_who_holds_what_somebody_else_pays_sees_it_and_may_have_billing_mailed(stage: PageStage) -> None:
    await given_to(stage, BOB)
    visitor = await stage.customer(user_id=BOB)

    shown = await visitor.get("/portal")
    after = await visitor.press(shown, "Mail billing to whoever pays VIP")
    await stage.world.settle()

    assert "Active" in shown.words
    assert "Cancel membership" not in shown.words
    assert "A mail is on its way" in after.words
    assert stage.world.mailer.sent[-1].template == "billing"


async def given_to(stage: PageStage, user: UserId) -> str:
    """Let somebody hold what Charlie's address paid for: they began the checkout."""
    await stage.world.plan("vip", VIP)
    stage.world.joins(user)
    external_id = await stage.world.buys("vip", by="charlie")
    purchase = await stage.world.purchase(external_id)
    async with stage.world.services.store.write() as tx:
        await tx.links.bind(purchase.customer_id, user, Proof.CHECKOUT, stage.world.clock.now())
    await stage.world.mark("member", str(MemberKey(GUILD, user)), scope=str(GUILD), lane=Lane.PERSON)
    await stage.world.settle()
    return external_id


@pytest.mark.parametrize(
    "path",
    [
        "/portal/grants/{grant}/mail",
        "/portal/grants/{grant}/billing",
        "/portal/cancel/{grant}",
        "/portal/cancel/{grant}/resume",
    ],
)
async def test_who_only_holds_it_cannot_do_what_is_the_payers(stage: PageStage, path: str) -> None:
    external_id = await given_to(stage, BOB)
    grant = await grant_of(stage.world, external_id)
    before = await state_of(stage.world, external_id)
    visitor = await stage.customer(user_id=BOB)

    assert (await visitor.post(path.format(grant=grant.id))).status == 404
    assert await state_of(stage.world, external_id) == before


@pytest.mark.parametrize("action", ["again", "join", "mail", "mail-billing", "billing"])
async def test_another_customer_cannot_touch_a_grant(stage: PageStage, vip: str, action: str) -> None:
    grant = await grant_of(stage.world, vip)
    before = await state_of(stage.world, vip)

    for visitor in (await stage.customer(email="eve@example.com"), await stage.customer(user_id=BOB)):
        assert (await visitor.post(f"/portal/grants/{grant.id}/{action}")).status == 404
        assert (await visitor.get(f"/portal/grants/{grant.id}")).status == 404
        assert (await visitor.get(f"/portal/cancel/{grant.id}")).status == 404
        assert (await visitor.post(f"/portal/cancel/{grant.id}")).status == 404
    assert await state_of(stage.world, vip) == before


async def state_of(world: World, external_id: str) -> tuple[object, ...]:
    """Return what somebody else must not change: the grants, the provider's books, the mails."""
    async with world.database.read() as tx:
        rows = await tx.connection.exec_driver_sql("select count(*) from outbox_messages")
        mails = rows.scalar_one()
    return await world.grants(external_id), dict(world.provider.bought), mails


async def test_what_happened_is_told_without_what_staff_wrote(stage: PageStage, vip: str) -> None:
    grant = await grant_of(stage.world, vip)
    visitor = await stage.customer(email=MAIL)

    shown = await visitor.get(f"/portal/grants/{grant.id}")

    assert "Everything was given to you" in shown.words
    assert "A role was given" in shown.words
    assert "Paid 10.00 €" in shown.words
    assert "The Discord account was connected" in shown.words


async def test_payments_are_not_told_to_who_does_not_pay(stage: PageStage) -> None:
    grant = await grant_of(stage.world, await given_to(stage, BOB))

    shown = await (await stage.customer(user_id=BOB)).get(f"/portal/grants/{grant.id}")

    assert "Everything was given to you" in shown.words
    assert "Paid" not in shown.words


async def test_a_missing_role_is_given_again_on_asking(stage: PageStage, vip: str) -> None:
    stage.world.roles(CHARLIE).clear()
    visitor = await stage.customer(email=MAIL)

    shown = await visitor.get(f"/portal/grants/{(await grant_of(stage.world, vip)).id}")
    after = await stage.world._while_working(visitor.press(shown, "Give me my role again"))

    assert stage.world.roles(CHARLIE) == {VIP}
    assert "you have everything" in after.words


async def test_asking_again_and_again_has_to_wait(stage: PageStage, vip: str) -> None:
    grant = await grant_of(stage.world, vip)
    visitor = await stage.customer(email=MAIL)

    async def hammer() -> Shown:
        for _ in range(5):
            await visitor.post(f"/portal/grants/{grant.id}/again")
        return await visitor.post(f"/portal/grants/{grant.id}/again")

    answer = await stage.world._while_working(hammer())

    assert "Too many tries" in (await visitor.get(answer.location)).words


async def test_the_link_is_mailed_again_once_an_hour(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip", by="charlie")
    await stage.world.advance(hours=2)
    sent = len(stage.world.mailer.sent)
    visitor = await stage.customer(email="charlie@example.com")

    answers = [await visitor.press(await visitor.get("/portal"), "Mail me the link VIP") for _ in range(3)]
    await stage.world.settle()

    assert all("A mail is on its way" in shown.words for shown in answers)
    assert [mail.template for mail in stage.world.mailer.sent[sent:]] == ["connect"]


async def test_gifts_of_staff_are_shown_without_money(stage: PageStage) -> None:
    plan = await stage.world.plan("vip", VIP)
    stage.world.joins(BOB)
    actor = Actor(guild_id=GUILD, user_id=ALICE, name="alice", can_staff=True, can_manage=True)
    await comps.grant(stage.world.services, actor, BOB, comps.Terms(plan_id=plan.id, until=None))
    await stage.world.settle()

    shown = await portal_of(stage, "", BOB)

    assert "VIP" in shown.words
    assert "Cancel membership" not in shown.words
    assert "Mail billing" not in shown.words


async def test_the_card_in_discord_and_the_portal_tell_of_the_same_memberships(stage: PageStage, vip: str) -> None:
    await stage.world.plan("late", LATE)
    second = await stage.world.buys("late", by="dora", kind=PurchaseKind.ONE_TIME)
    await stage.world.links(second, CHARLIE)

    shown = await portal_of(stage, "", CHARLIE)
    card = await mine.read(stage.world.services, CHARLIE, None)

    assert {each.shown.plan.name for each in card.memberships} == {"VIP", "LATE"}
    assert all(each.shown.plan.name in shown.words for each in card.memberships)


async def test_names_are_shown_as_names(stage: PageStage) -> None:
    plan = await stage.world.plan("vip", VIP)
    hostile = "<script>alert(1)</script>"
    async with stage.world.services.store.write() as tx:
        await tx.plans.replace(replace(plan, name=hostile))
    await stage.world.member("vip")

    shown = await portal_of(stage)

    assert "<script" not in shown.text
    assert hostile in shown.words


async def test_a_role_that_was_seen_missing_is_offered_on_the_card(stage: PageStage, vip: str) -> None:
    stage.world.discord.faults.fails_always("add_role", Retry("Discord is down"))
    stage.world.roles(CHARLIE).clear()
    await stage.world.five_minutes()

    shown = await portal_of(stage)

    assert "(missing)" in shown.words
    assert shown.form("Give me my role again VIP").action.endswith("/again")


async def test_discords_word_for_an_address_takes_nothing_from_another_account(stage: PageStage, vip: str) -> None:
    grant = await grant_of(stage.world, vip)
    visitor = await stage.customer(email=MAIL, user_id=BOB)

    shown = await visitor.get("/portal")

    assert "connected to another Discord account. Sign in by mail to see it." in shown.words
    assert "VIP" not in shown.words
    assert (await visitor.post(f"/portal/cancel/{grant.id}")).status == 404
    assert (await visitor.post(f"/portal/discord/{CHARLIE}/disconnect")).status == 404
    assert stage.world.roles(CHARLIE) == {VIP}
