"""From a payment to a role: the ways in, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from membership import codes, shop
from membership.errors import Audience, Blocked, Reason, Retry
from membership.linking import Verdict
from membership.model import MemberKey, PurchaseStatus
from membership.ports import Price
from membership.presence import member_came_or_went
from tests.usecases.world import CHARLIE, GOLD, GUILD, VIP, World


async def test_a_purchase_becomes_a_role_with_one_look_and_one_role_call(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    bought = await world.buys("vip")
    assert world.roles(CHARLIE) == set()
    assert await world.connects(bought, CHARLIE) is Verdict.CONNECTED
    assert world.roles(CHARLIE) == {VIP}
    assert world.discord.faults.of("observe", "add_role") == [("observe", CHARLIE), ("add_role", CHARLIE, VIP)]
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_buyer_gets_exactly_one_connect_mail(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    await world.webhook(bought)
    await world.settle()
    assert world.mailer.templates() == ["connect"]
    facts = world.mailer.sent[0].facts
    assert str(facts["link"]).startswith("https://door.example/connect/")
    assert facts["server"] == "Ada's server"


async def test_a_buyer_of_two_plans_gets_every_role_by_one_call_each(world: World) -> None:
    await world.plan("vip", VIP)
    await world.plan("gold", GOLD)
    world.joins(CHARLIE)
    bought = await world.buys("vip", "gold")
    await world.links(bought, CHARLIE)
    assert world.discord.faults.of("observe", "add_role") == [
        ("observe", CHARLIE),
        ("add_role", CHARLIE, VIP),
        ("add_role", CHARLIE, GOLD),
    ]


async def test_somebody_outside_is_added_with_their_roles_at_once(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    await world.connects(bought, CHARLIE, may_join=True)
    assert world.roles(CHARLIE) == {VIP}
    assert world.discord.faults.of("join", "add_role") == [("join", CHARLIE, VIP)]
    assert await world.holdings(CHARLIE) == {VIP: "held"}


async def test_somebody_already_in_the_server_gets_the_role_without_being_added(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    bought = await world.buys("vip")
    await world.connects(bought, CHARLIE, may_join=True)
    assert world.roles(CHARLIE) == {VIP}
    assert world.discord.faults.of("join") == []


async def test_who_links_before_joining_gets_an_invite_and_the_role_when_they_join(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    await world.connects(bought, CHARLIE)
    assert await world.standing(bought) == ["pending not_in_server"]
    assert len(world.discord.faults.of("invite")) == 1
    world.joins(CHARLIE)
    await member_came_or_went(world.services, MemberKey(GUILD, CHARLIE))
    await world.settle()
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


@pytest.mark.parametrize("reason", [Reason.SERVER_LIMIT, Reason.JOIN_LIMITED, Reason.TOKEN_EXPIRED])
async def test_who_cannot_be_added_gets_an_invite_instead(world: World, reason: Reason) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    world.discord.faults.fails("join", Blocked(reason, audience=Audience.MEMBER))
    await world.connects(bought, CHARLIE, may_join=True)
    assert await world.standing(bought) == [f"failed {reason}"]
    assert len(world.discord.faults.of("invite")) == 1


async def test_a_join_whose_answer_was_lost_is_looked_at_again(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("vip")
    world.discord.faults.fails("join", Retry("connection reset"), late=True)
    world.services.permits.keep(CHARLIE, "oauth-token", world.clock.now())
    await world.links(bought, CHARLIE)
    await world.advance(seconds=5)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]
    assert await world.holdings(CHARLIE) == {VIP: "held"}


async def test_leaving_waits_and_coming_back_gives_the_roles_again(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.member("vip")
    del world.discord.guilds[GUILD].members[CHARLIE]
    await member_came_or_went(world.services, MemberKey(GUILD, CHARLIE))
    await world.settle()
    assert await world.standing(bought) == ["pending not_in_server"]
    assert await world.holdings(CHARLIE) == {VIP: "adding"}
    world.joins(CHARLIE)
    await member_came_or_went(world.services, MemberKey(GUILD, CHARLIE))
    await world.settle()
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_stranger_who_joins_costs_no_call_at_discord(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    await member_came_or_went(world.services, MemberKey(GUILD, CHARLIE))
    await world.settle()
    assert world.discord.calls == []


async def test_a_plan_without_roles_is_membership_alone(world: World) -> None:
    await world.plan("club")
    bought = await world.buys("club")
    await world.connects(bought, CHARLIE, may_join=True)
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["delivered paid"]


async def sells_vip(world: World) -> None:
    """Put the VIP plan up for sale."""
    await world.plan("vip", VIP)
    price = Price(external_id="price_vip", product_id="prod_vip", product_name="VIP", amount=1000, currency="eur")
    async with world.services.store.write() as tx:
        await tx.accounts.record_prices(world.account_id, [price])


async def test_a_checkout_that_a_discord_user_started_links_them_when_it_is_paid(world: World) -> None:
    await sells_vip(world)
    world.joins(CHARLIE)
    await shop.start_checkout(world.services, "vip", user_id=CHARLIE)
    await world.buys("vip", link_token=world.provider.orders[0].link_token, checkout_id="cs_1")
    assert world.roles(CHARLIE) == {VIP}
    assert world.mailer.sent == []


@pytest.mark.parametrize("checkout_id", ["cs_of_a_payment_link", ""])
async def test_a_token_that_a_buyer_wrote_into_another_checkout_is_ignored(world: World, checkout_id: str) -> None:
    await sells_vip(world)
    world.joins(CHARLIE)
    await shop.start_checkout(world.services, "vip", user_id=CHARLIE)
    bought = await world.buys("vip", by="dora", link_token=world.provider.orders[0].link_token, checkout_id=checkout_id)
    assert world.roles(CHARLIE) == set()
    assert await world.standing(bought) == ["pending not_linked"]
    await world.buys("vip", link_token=world.provider.orders[0].link_token, checkout_id="cs_1")
    assert world.roles(CHARLIE) == {VIP}


async def test_a_token_whose_checkout_is_not_known_is_ignored(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    async with world.services.store.write() as tx:
        tomorrow = world.clock.now() + timedelta(days=1)
        await tx.links.issue_token(codes.digest("a-token"), None, CHARLIE, tomorrow)
    await world.buys("vip", link_token="a-token", checkout_id="cs_1")
    assert world.roles(CHARLIE) == set()


async def test_only_the_key_in_the_way_back_from_payment_shows_who_paid(world: World) -> None:
    await sells_vip(world)
    url = await shop.start_checkout(world.services, "vip")
    await shop.start_checkout(world.services, "vip")
    first, second = (parse_qs(urlsplit(order.success_url).query)["key"][0] for order in world.provider.orders)
    assert first not in url
    assert await shop.is_payer(world.services, "cs_1", codes.digest(first))
    assert not await shop.is_payer(world.services, "cs_1", codes.digest(second))
    assert not await shop.is_payer(world.services, "cs_1", codes.digest(world.provider.orders[0].link_token))
    assert not await shop.is_payer(world.services, "cs_1", codes.digest(""))


async def test_the_way_back_from_payment_serves_for_thirty_days(world: World) -> None:
    await sells_vip(world)
    await shop.start_checkout(world.services, "vip")
    [key] = parse_qs(urlsplit(world.provider.orders[0].success_url).query)["key"]
    world.clock.move(timedelta(days=30, seconds=-1))
    assert await shop.is_payer(world.services, "cs_1", codes.digest(key))
    world.clock.move(timedelta(seconds=2))
    assert not await shop.is_payer(world.services, "cs_1", codes.digest(key))


async def test_the_welcome_page_finds_the_purchase_before_its_webhook(world: World) -> None:
    await world.plan("vip", VIP)
    bought = world.pays("vip", checkout_id="cs_9")
    assert await shop.purchase_of_checkout(world.services, "cs_9", ask=False) is None
    found = await shop.purchase_of_checkout(world.services, "cs_9", ask=True)
    assert found == (await world.purchase(bought)).id


async def test_a_plan_made_after_the_purchases_reaches_them(world: World) -> None:
    bought = await world.member("vip")
    assert await world.standing(bought) == []
    await world.plan("vip", VIP)
    assert world.roles(CHARLIE) == {VIP}
    assert await world.standing(bought) == ["delivered paid"]


async def test_a_plan_made_after_an_unlinked_purchase_invites_its_buyer(world: World) -> None:
    await world.buys("vip")
    assert world.mailer.sent == []
    await world.plan("vip", VIP)
    assert world.mailer.templates() == ["connect"]


async def test_an_added_role_reaches_members_who_have_the_plan(world: World) -> None:
    plan = await world.plan("vip", VIP)
    await world.member("vip")
    await world.plan("vip", VIP, GOLD, products=plan.products)
    assert world.roles(CHARLIE) == {VIP, GOLD}


async def test_something_that_unlocks_nothing_opens_nothing(world: World) -> None:
    await world.plan("vip", VIP)
    bought = await world.buys("mug")
    assert await world.standing(bought) == []
    assert world.mailer.sent == []


async def test_an_unpaid_checkout_is_pending_until_it_is_paid(world: World) -> None:
    await world.plan("vip", VIP)
    world.joins(CHARLIE)
    bought = await world.buys("vip", status=PurchaseStatus.PENDING)
    assert await world.standing(bought) == ["pending waiting_for_payment"]
    assert world.mailer.sent == []
    await world.changes(bought, status=PurchaseStatus.ACTIVE)
    assert world.mailer.templates() == ["connect"]
    assert await world.standing(bought) == ["pending not_linked"]
