"""What stands in the shop window: every price of a plan that is for sale, and nothing of a server nobody set up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from membership import shop
from membership.errors import Gone
from membership.ports import Price
from tests.usecases.world import GUILD, VIP, World

MONTHLY = Price(
    external_id="price_month", product_id="prod_vip", product_name="VIP", amount=900, currency="eur", interval="month"
)
YEARLY = replace(MONTHLY, external_id="price_year", amount=9000, interval="year")


async def stocked(world: World, *prices: Price) -> None:
    """Sell a plan at these prices."""
    await world.plan("vip", VIP)
    async with world.services.store.write() as tx:
        await tx.accounts.record_prices(world.account_id, prices)


async def test_a_plan_shows_all_its_prices_the_cheapest_first(world: World) -> None:
    await stocked(world, YEARLY, MONTHLY)
    [ware] = await shop.wares(world.services)
    assert [offer.price.external_id for offer in ware.offers] == ["price_month", "price_year"]


async def test_the_chosen_price_is_what_the_checkout_is_for(world: World) -> None:
    await stocked(world, MONTHLY, YEARLY)
    await shop.start_checkout(world.services, "vip", price_id="price_year")
    assert [order.price_id for order in world.provider.orders] == ["price_year"]


async def test_a_price_of_another_plan_is_not_sold_under_this_name(world: World) -> None:
    foreign = replace(MONTHLY, external_id="price_gold", product_id="prod_gold")
    await stocked(world, MONTHLY, foreign)
    with pytest.raises(Gone):
        await shop.start_checkout(world.services, "vip", price_id="price_gold")
    assert world.provider.orders == []


async def test_whoever_turns_back_from_paying_comes_to_the_plan(world: World) -> None:
    await stocked(world, MONTHLY)
    await shop.start_checkout(world.services, "vip")
    assert world.provider.orders[0].cancel_url == "https://door.example/plans/vip"


async def test_an_archived_plan_is_shown_and_not_sold(world: World) -> None:
    await stocked(world, MONTHLY)
    async with world.services.store.write() as tx:
        plan = await tx.plans.by_slug("vip")
        assert plan is not None
        await tx.plans.replace(replace(plan, is_archived=True))
    assert await shop.wares(world.services) == []
    ware = await shop.ware(world.services, "vip")
    assert ware is not None
    assert ware.offers == ()
    with pytest.raises(Gone):
        await shop.start_checkout(world.services, "vip")


async def test_nothing_is_sold_for_a_server_that_nobody_set_up(world: World) -> None:
    await stocked(world, MONTHLY)
    async with world.services.store.write() as tx:
        guild = await tx.guilds.get(GUILD)
        assert guild is not None
        await tx.guilds.replace(replace(guild, is_active=False))
    assert await shop.wares(world.services) == []
    assert await shop.ware(world.services, "vip") is None
    with pytest.raises(Gone):
        await shop.start_checkout(world.services, "vip")
