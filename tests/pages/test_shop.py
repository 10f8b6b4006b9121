"""The shop: what is for sale, one plan with everything it says, the way to the checkout, and servers' pictures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from membership.errors import Audience, Blocked, Reason, Retry
from membership.model import GuildId, OnEnd, PlanId, RoleId
from membership.ports import Icon, Price
from membership.records import Guild
from tests.pages.stage import PageStage
from tests.usecases.fake_discord import FakeGuild
from tests.usecases.world import GUILD, VIP, World

MONTHLY = Price(
    external_id="price_month", product_id="prod_vip", product_name="VIP", amount=900, currency="eur", interval="month"
)
YEARLY = replace(MONTHLY, external_id="price_year", amount=9000, interval="year")
ONCE = replace(MONTHLY, external_id="price_once", amount=19900, interval="")
PICTURE = Icon(key="abc", content=b"\x89PNG\r\n\x1a\npicture", content_type="image/png")


async def sells(world: World, *prices: Price, **rules: Any) -> None:
    """Put a plan into the shop window at these prices."""
    await world.plan("vip", VIP, **rules)
    async with world.services.store.write() as tx:
        await tx.accounts.record_prices(world.account_id, prices)


async def changes_server(world: World, **settings: Any) -> None:
    async with world.services.store.write() as tx:
        guild = await tx.guilds.get(GUILD)
        assert guild is not None
        await tx.guilds.replace(replace(guild, **settings))


# --- what is for sale ---------------------------------------------------------------------------------------------


async def test_an_empty_shop_says_so_and_shows_staff_where_to_begin(stage: PageStage) -> None:
    shown = await (await stage.stranger()).get("/")
    assert shown.status == 200
    assert "Nothing is for sale yet." in shown.words
    assert "/admin" in shown.links


async def test_the_shop_shows_the_server_its_size_and_plans_with_prices(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY, YEARLY)
    stage.world.discord.guilds[GUILD].size = 1412
    shown = await (await stage.stranger()).get("/")
    for words in ("Ada's server", "1,412 members on Discord", "9.00 € per month", "90.00 € per year"):
        assert words in shown.words
    for path in ("/plans/vip", "/sign-in", "/portal"):
        assert path in shown.links


async def test_plans_of_several_servers_stand_under_their_server(stage: PageStage) -> None:
    world = stage.world
    await sells(world, MONTHLY)
    other = GuildId(200)
    world.discord.guilds[other] = FakeGuild(name="Book club")
    async with world.services.store.write() as tx:
        await tx.guilds.ensure(other, "Book club")
        await tx.guilds.replace(Guild(id=other, name="Book club", is_active=True))
        plan = await tx.plans.by_slug("vip")
        assert plan is not None
        await tx.plans.create(replace(plan, id=PlanId(0), guild_id=other, name="Reader", slug="reader", roles=()))
    shown = await (await stage.stranger()).get("/")
    assert shown.words.index("Ada's server") < shown.words.index("VIP") < shown.words.index("Book club")
    assert shown.words.index("Book club") < shown.words.index("Reader")


async def test_the_shop_speaks_the_visitors_language(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY)
    shown = await (await stage.stranger()).get("/", **{"Accept-Language": "it"})
    assert 'lang="it"' in shown.text
    assert "9,00 €" in shown.words


# --- one plan -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prices", "rules", "words"),
    [
        ((MONTHLY,), {}, "you keep everything until the end of what you paid for"),
        ((MONTHLY,), {"on_end": OnEnd.NOTHING}, "What you got stays with you"),
        ((MONTHLY,), {"on_end": OnEnd.KICK}, "your place on the server ends with it"),
        ((ONCE,), {}, "it does not run out"),
        ((ONCE,), {"duration_days": 30}, "Buying again adds to the time you have"),
        ((MONTHLY,), {}, "A full refund ends it"),
        ((MONTHLY,), {}, "The role role 11 on Ada's server"),
    ],
)
async def test_a_plan_says_what_its_rules_mean_for_the_buyer(
    stage: PageStage, prices: tuple[Price, ...], rules: dict[str, object], words: str
) -> None:
    await sells(stage.world, *prices, **rules)
    shown = await (await stage.stranger()).get("/plans/vip")
    assert shown.status == 200
    assert words in shown.words


async def test_a_plan_names_the_channels_that_its_roles_open(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY)
    stage.world.discord.guilds[GUILD].opened = {
        "#vip-lounge": frozenset({VIP}),
        "#staff": frozenset({RoleId(99)}),
        "Stage": frozenset({VIP}),
    }
    shown = await (await stage.stranger()).get("/plans/vip")
    assert "Channels that not everybody sees: #vip-lounge and Stage" in shown.words
    assert "#staff" not in shown.words


async def test_a_plan_that_opens_very_many_channels_names_the_first(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY)
    stage.world.discord.guilds[GUILD].opened = {f"#room-{number}": frozenset({VIP}) for number in range(21)}
    shown = await (await stage.stranger()).get("/plans/vip")
    assert "#room-18, #room-19 and more" in shown.words
    assert "#room-20" not in shown.words


async def test_a_plan_that_opens_no_channel_speaks_of_none(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY)
    assert "Channels" not in (await (await stage.stranger()).get("/plans/vip")).words


async def test_free_days_are_said_before_the_price_and_what_follows_them(stage: PageStage) -> None:
    await sells(stage.world, replace(MONTHLY, trial_days=7))
    visitor = await stage.stranger()
    shown = await visitor.get("/plans/vip")
    assert "7 days free, then 9.00 € per month" in shown.words
    assert "charged for the first time when the free days are over" in shown.words
    assert "7 days free, then 9.00 € per month" in (await visitor.get("/")).words


async def test_a_price_without_a_trial_promises_nothing_free(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY)
    assert "free" not in (await (await stage.stranger()).get("/plans/vip")).words


async def test_a_refund_that_changes_nothing_is_not_announced(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY, on_refund=OnEnd.NOTHING)
    assert "refund" not in (await (await stage.stranger()).get("/plans/vip")).words


async def test_an_archived_plan_is_no_longer_sold_and_kept_by_its_members(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY, is_archived=True)
    visitor = await stage.stranger()
    shown = await visitor.get("/plans/vip")
    assert shown.status == 200
    assert "no longer sold. Whoever has it keeps it." in shown.words
    assert not [form for form in shown.forms if form.action.startswith("/buy")]
    assert (await visitor.post("/buy/vip")).status == 410
    assert stage.world.provider.orders == []


async def test_an_unknown_plan_is_not_found(stage: PageStage) -> None:
    visitor = await stage.stranger()
    assert (await visitor.get("/plans/gold")).status == 404
    assert (await visitor.get("/buy/gold")).status == 404
    assert (await visitor.post("/buy/gold")).status == 404


async def test_a_page_stands_in_the_name_of_its_server(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY)
    stage.world.discord.guilds[GUILD].icon = PICTURE
    await changes_server(stage.world, accent="0f766e", support_address="help@ada.example", imprint="Ada Ltd, London")
    shown = await (await stage.stranger()).get("/plans/vip")
    for part in (f"/icons/{GUILD}.png?v=abc", "accent=0f766e", "mailto:help@ada.example", "Ada Ltd, London"):
        assert part in shown.text
    assert "Doorlist" not in shown.words


# --- buying -------------------------------------------------------------------------------------------------------


async def test_the_chosen_price_is_bought(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY, YEARLY)
    visitor = await stage.stranger()
    answer = await visitor.press(await visitor.get("/plans/vip"), "Continue to payment", price="price_year")
    assert answer.status == 200, "this provider is not among the origins that a form may lead to"
    assert "https://pay.example/cs_1" in answer.links
    assert [order.price_id for order in stage.world.provider.orders] == ["price_year"]


async def test_looking_at_a_plan_begins_no_checkout(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY)
    visitor = await stage.stranger()
    for path in ("/", "/plans/vip", "/buy/vip"):
        await visitor.get(path)
    assert stage.world.provider.orders == []


async def test_a_price_that_is_gone_charges_nothing_and_leads_back(stage: PageStage) -> None:
    await sells(stage.world, MONTHLY)
    answer = await (await stage.stranger()).post("/buy/vip", {"price": "price_of_old"})
    assert answer.status == 410
    assert "Nothing was charged." in answer.words
    assert "/plans/vip" in answer.links


@pytest.mark.parametrize(
    "trouble", [Retry("connection reset"), Blocked(Reason.CREDENTIALS_REFUSED, audience=Audience.OPERATOR, detail="x")]
)
async def test_a_silent_provider_closes_the_shop_for_a_moment(stage: PageStage, trouble: Exception) -> None:
    await sells(stage.world, MONTHLY, YEARLY)
    stage.world.provider.faults.fails("checkout", trouble)
    visitor = await stage.stranger()
    with capture_logs() as lines:
        answer = await visitor.post("/buy/vip", {"price": "price_year"})
    assert answer.status == 503
    assert "The shop is closed for a moment" in answer.words
    assert "Nothing was charged." in answer.words
    [line] = [line for line in lines if line["event"] == "shop_closed"]
    assert line["reference"] in answer.words
    await visitor.press(answer, "Try again")
    assert [order.price_id for order in stage.world.provider.orders] == ["price_year"]


# --- pictures -----------------------------------------------------------------------------------------------------


async def test_the_servers_picture_comes_from_us_and_is_kept_by_browsers(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].icon = PICTURE
    visitor = await stage.stranger()
    async with visitor.session.get(f"{stage.base}/icons/{GUILD}.png?v=abc") as answer:
        assert answer.status == 200
        assert await answer.read() == PICTURE.content
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "immutable" in answer.headers["Cache-Control"]


async def test_a_picture_is_read_once_from_discord(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].icon = PICTURE
    visitor = await stage.stranger()
    for _ in range(3):
        async with visitor.session.get(f"{stage.base}/icons/{GUILD}.png?v=abc") as answer:
            assert answer.status == 200
    assert len(stage.world.discord.faults.of("icon")) == 1


@pytest.mark.parametrize(
    "path", [f"/icons/{GUILD}.png", f"/icons/{GUILD}.png?v=old", "/icons/77.png?v=abc", "/icons/x.png"]
)
async def test_another_picture_is_not_found_and_never_kept(stage: PageStage, path: str) -> None:
    stage.world.discord.guilds[GUILD].icon = PICTURE
    shown = await (await stage.stranger()).get(path)
    assert shown.status == 404
    assert shown.headers["Cache-Control"] == "no-store"


async def test_a_server_that_nobody_set_up_shows_no_picture(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].icon = PICTURE
    await changes_server(stage.world, is_active=False)
    assert (await (await stage.stranger()).get(f"/icons/{GUILD}.png?v=abc")).status == 404


async def test_a_picture_that_discord_does_not_give_is_not_found(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].icon = PICTURE
    stage.world.discord.faults.fails("icon", Retry("down"))
    assert (await (await stage.stranger()).get(f"/icons/{GUILD}.png?v=abc")).status == 404


async def test_what_is_no_picture_is_never_served(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].icon = replace(PICTURE, content_type="image/svg+xml")
    assert (await (await stage.stranger()).get(f"/icons/{GUILD}.png?v=abc")).status == 404
