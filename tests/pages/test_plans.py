"""Whoever manages a server maps products to roles by clicking, sees whom that touches, and applies exactly that."""

from __future__ import annotations

import asyncio

import pytest

from membership.model import AccountId, GuildId, Plan, PlanId, PlanProduct, PurchaseStatus
from membership.ports import Price
from tests.pages.stage import MANAGER, OWNER, STAFF, PageStage, Shown, Visitor
from tests.usecases.world import ADMIN, CHARLIE, DORA, GOLD, GUILD, VIP, World
from web.admin.plans import COUNTING

ELSEWHERE = GuildId(200)
MONTH = Price(
    external_id="price_m", product_id="prod_vip", product_name="VIP", amount=900, currency="eur", interval="month"
)
YEAR = Price(
    external_id="price_y", product_id="prod_vip", product_name="VIP", amount=9000, currency="eur", interval="year"
)


@pytest.fixture
async def boss(stage: PageStage) -> Visitor:
    """Sign in somebody with Manage Server, in a server that sells a product at two prices."""
    async with stage.world.services.store.write() as tx:
        await tx.accounts.record_prices(stage.world.account_id, [MONTH, YEAR])
        await tx.guilds.allow_account(GUILD, stage.world.account_id)
    return await stage.staff_member(MANAGER)


async def plans_of(world: World) -> dict[str, Plan]:
    async with world.services.store.read() as tx:
        return {plan.name: plan for plan in await tx.plans.all(GUILD)}


def key(world: World, price: str = "") -> str:
    return f"{world.account_id}/prod_vip/{price}"


async def sent(visitor: Visitor, path: str, *fields: tuple[str, str]) -> Shown:
    """Fill a form of one field per choice, and go where it leads."""
    answer = await visitor.post(path, fields)
    return await visitor.follow(answer.location) if answer.location else answer


async def test_two_roles_are_mapped_to_one_price_by_clicking(stage: PageStage, boss: Visitor) -> None:
    listed = await boss.get(stage.at("/products"))
    assert "9.00 € a month" in listed.words
    link = next(link for link in listed.links if "price_y" in link)
    form = await boss.get(link)
    fields = [("product", key(stage.world, "price_y")), ("roles", str(VIP)), ("roles", str(GOLD))]
    assert f'value="{VIP}"' in form.text
    seen = await sent(boss, stage.at("/products/roles"), *fields)
    assert "Create the plan" in seen.words
    done = await boss.press(seen, "Create the plan")
    assert "is saved" in done.words
    (plan,) = (await plans_of(stage.world)).values()
    assert plan.roles == (VIP, GOLD)
    assert plan.products == (PlanProduct(account_id=stage.world.account_id, product_id="prod_vip", price_id="price_y"),)
    again = await boss.get(stage.at("/products"))
    assert "@role 11" in again.words
    assert "Change roles" in again.words


async def test_a_price_shows_what_every_price_gives(stage: PageStage, boss: Visitor) -> None:
    plan = await stage.world.plan("vip", VIP)
    listed = await boss.get(stage.at("/products"))
    assert listed.words.count("by VIP") == 2
    assert listed.links.count(stage.at(f"/plans/{plan.id}")) == 2


async def test_a_changed_plan_shows_whom_it_touches_and_does_exactly_that(stage: PageStage, boss: Visitor) -> None:
    plan = await stage.world.plan("vip", VIP)
    await stage.world.member("vip", CHARLIE)
    form = await boss.get(stage.at(f"/plans/{plan.id}"))
    seen = await boss.press(form, "Preview changes", roles=str(GOLD))
    assert "get one thing and lose another" in seen.words
    assert "@role 12" in seen.words
    assert stage.world.roles(CHARLIE) == {VIP}
    done = await boss.press(seen, "Apply exactly this · 1 person")
    assert "1 member is being changed now" in done.words
    await stage.world.settle()
    assert stage.world.roles(CHARLIE) == {GOLD}
    taken_back = await boss.press(done, "Undo")
    assert "Taken back: Plan VIP: changed" in taken_back.words
    await stage.world.settle()
    assert VIP in stage.world.roles(CHARLIE)


async def test_changed_facts_are_shown_and_asked_about_again(stage: PageStage, boss: Visitor) -> None:
    plan = await stage.world.plan("vip", VIP)
    await stage.world.member("vip", CHARLIE)
    form = await boss.get(stage.at(f"/plans/{plan.id}"))
    seen = await boss.press(form, "Preview changes", roles=str(GOLD))
    await stage.world.member("vip", DORA)
    asked = await boss.press(seen, "Apply exactly this · 1 person")
    assert asked.status == 409
    assert "The facts have changed since you looked" in asked.words
    assert stage.world.roles(CHARLIE) == {VIP}
    await boss.press(asked, "Apply exactly this · 2 people")
    await stage.world.settle()
    assert stage.world.roles(DORA) == {GOLD}


async def test_a_preview_downloads_as_a_table_and_serves_once(stage: PageStage, boss: Visitor) -> None:
    plan = await stage.world.plan("vip", VIP)
    await stage.world.member("vip", CHARLIE)
    form = await boss.get(stage.at(f"/plans/{plan.id}"))
    seen = await boss.press(form, "Preview changes", roles=str(GOLD))
    table = await boss.get(f"{_preview_url(seen)}/people.csv")
    assert table.headers["Content-Type"].startswith("text/csv")
    assert f"{CHARLIE},move" in table.text
    await boss.press(seen, "Apply exactly this · 1 person")
    assert (await boss.get(_preview_url(seen))).status == 404


def _preview_url(seen: Shown) -> str:
    return next(form.action for form in seen.forms if "/preview/" in form.action)


async def test_what_is_wrong_is_said_and_what_was_typed_stays(stage: PageStage, boss: Visitor) -> None:
    form = await boss.get(stage.at("/plans/new"))
    shown = await boss.press(form, "Preview changes", name="Gold & more", grace_days="soon", slug="Not This")
    assert shown.status == 422
    assert "Write a number from 0 to 365." in shown.words
    assert "such as not-this" in shown.words
    fields = dict(shown.form("Preview changes").fields)
    assert (fields["name"], fields["grace_days"], fields["slug"]) == ("Gold & more", "soon", "Not This")
    assert await plans_of(stage.world) == {}


async def test_a_role_above_the_bot_is_shown_and_cannot_be_chosen(stage: PageStage, boss: Visitor) -> None:
    form = await boss.get(stage.at("/plans/new"))
    assert "it is above the bot's own role" in form.words
    shown = await boss.press(form, "Preview changes", name="Chiefs", roles=str(ADMIN))
    assert shown.status == 422
    assert "drag my role above it" in shown.words


async def test_a_role_above_who_maps_it_is_refused_and_the_owner_is_above_all(stage: PageStage, boss: Visitor) -> None:
    stage.world.discord.guilds[GUILD].roles[VIP] = 40
    form = await boss.get(stage.at("/plans/new"))
    refused = await boss.press(form, "Preview changes", name="Chiefs", roles=str(VIP))
    assert (refused.status, "above your own highest role" in refused.words) == (422, True)
    owner = await stage.staff_member(OWNER)
    seen = await owner.press(await owner.get(stage.at("/plans/new")), "Preview changes", name="Chiefs", roles=str(VIP))
    assert "is saved" in (await owner.press(seen, "Create the plan")).words


async def test_a_preview_of_the_owner_is_not_applied_by_who_stands_below(stage: PageStage, boss: Visitor) -> None:
    stage.world.discord.guilds[GUILD].roles[VIP] = 40
    owner = await stage.staff_member(OWNER)
    seen = await owner.press(await owner.get(stage.at("/plans/new")), "Preview changes", name="Chiefs", roles=str(VIP))
    refused = await boss.press(await boss.get(seen.url), "Create the plan")
    assert "above your own highest role" in refused.words
    assert await plans_of(stage.world) == {}


async def test_power_over_others_wants_a_word(stage: PageStage) -> None:
    stage.world.discord.guilds[GUILD].dangers[VIP] = ("Ban Members",)
    owner = await stage.staff_member(OWNER)
    seen = await owner.press(await owner.get(stage.at("/plans/new")), "Preview changes", name="Helpers", roles=str(VIP))
    assert "whoever buys the plan gets that power" in seen.words
    asked = await owner.press(seen, "Create the plan")
    assert (asked.status, "Say first that you mean it." in asked.words) == (422, True)
    assert "is saved" in (await owner.press(asked, "Create the plan", confirm="on")).words


async def test_a_plan_can_make_a_role_of_its_own(stage: PageStage, boss: Visitor) -> None:
    seen = await boss.press(await boss.get(stage.at("/plans/new")), "Preview changes", name="Patrons")
    assert "@Patrons (new)" in seen.words or "Create the plan" in seen.words
    await boss.press(seen, "Create the plan")
    (plan,) = (await plans_of(stage.world)).values()
    assert plan.roles[0] in stage.world.discord.guilds[GUILD].roles


async def test_the_meaning_is_said_of_what_was_typed_without_saving_it(stage: PageStage, boss: Visitor) -> None:
    form = await boss.get(stage.at("/plans/new"))
    shown = await boss.press(form, "Show what this means", name="Patrons", on_end="kick")
    assert shown.status == 200
    assert "kicked a day later" in shown.words
    assert "Today this touches 0 people" in shown.words
    assert await plans_of(stage.world) == {}


async def test_an_archived_plan_keeps_its_members_and_comes_back(stage: PageStage, boss: Visitor) -> None:
    plan = await stage.world.plan("vip", VIP)
    await stage.world.member("vip", CHARLIE)
    asked = await boss.get(stage.at(f"/plans/{plan.id}/archive"))
    assert "1 member has it now" in asked.words
    seen = await boss.press(asked, "Preview: keep")
    done = await boss.press(seen, "Archive VIP")
    await stage.world.settle()
    assert stage.world.roles(CHARLIE) == {VIP}
    assert (await plans_of(stage.world))["VIP"].is_archived
    await boss.press(await boss.press(done, "Sell it again"), "Sell VIP again")
    assert not (await plans_of(stage.world))["VIP"].is_archived


async def test_taking_a_plan_away_shows_who_loses_it_first(stage: PageStage, boss: Visitor) -> None:
    plan = await stage.world.plan("vip", VIP)
    await stage.world.member("vip", CHARLIE)
    seen = await boss.press(await boss.get(stage.at(f"/plans/{plan.id}/archive")), "Preview: take away")
    assert "lose something" in seen.words
    await boss.press(seen, "Archive VIP · 1 person")
    await stage.world.settle()
    assert stage.world.roles(CHARLIE) == set()


async def test_the_list_says_what_needs_attention(stage: PageStage, boss: Visitor) -> None:
    assert "Make your first plan: 30 seconds" in (await boss.get(stage.at("/plans"))).words
    await stage.world.plan("vip", VIP)
    await stage.world.plan("chief", ADMIN)
    shown = await boss.get(stage.at("/plans"))
    assert "Fine" in shown.words
    assert "Needs attention" in shown.words


async def test_plans_of_another_server_are_not_found(stage: PageStage, boss: Visitor) -> None:
    async with stage.world.services.store.write() as tx:
        await tx.guilds.ensure(ELSEWHERE, "Charlie's place")
        foreign = await tx.plans.create(Plan(id=PlanId(0), guild_id=ELSEWHERE, name="Secret", slug="secret"))
    for path in (f"/plans/{foreign.id}", f"/plans/{foreign.id}/archive", "/plans/99999", "/preview/abc"):
        shown = await boss.get(stage.at(path))
        assert shown.status == 404
        assert "Secret" not in shown.text
    for path in (
        f"/plans/{foreign.id}",
        f"/plans/{foreign.id}/archive",
        f"/plans/{foreign.id}/restore",
        "/preview/abc",
    ):
        assert (await boss.post(stage.at(path), {"name": "Mine"})).status == 404


async def test_a_product_of_a_strangers_account_is_not_found(stage: PageStage, boss: Visitor) -> None:
    foreign = f"{AccountId(stage.world.account_id + 1)}/prod_vip/"
    assert (await boss.get(stage.at(f"/products/roles?product={foreign}"))).status == 404
    form = await boss.get(stage.at("/plans/new"))
    seen = await boss.press(form, "Preview changes", name="Thief", products=foreign)
    assert "no product unlocks it" in seen.words


@pytest.mark.parametrize("path", ["/plans", "/plans/new", "/products", "/settings", "/move", "/disconnect"])
async def test_support_staff_do_not_manage(stage: PageStage, path: str) -> None:
    staff = await stage.staff_member(STAFF)
    assert (await staff.get(stage.at(path))).status == 403


async def test_names_from_outside_stay_text(stage: PageStage, boss: Visitor) -> None:
    hostile = "<script>alert(1)</script>"
    price = Price(external_id="price_x", product_id="prod_x", product_name=hostile, amount=1, currency="eur")
    async with stage.world.services.store.write() as tx:
        await tx.accounts.record_prices(stage.world.account_id, [price])
    for path in ("/products", "/plans/new", f"/products/roles?product={stage.world.account_id}/prod_x/"):
        shown = await boss.get(stage.at(path))
        assert shown.status == 200
        assert hostile not in shown.text


async def test_purchases_that_wait_for_discord_are_counted(stage: PageStage, boss: Visitor) -> None:
    await stage.world.buys("vip", status=PurchaseStatus.ACTIVE)
    fields = [("product", key(stage.world)), ("roles", str(VIP))]
    seen = await sent(boss, stage.at("/products/roles"), *fields)
    assert "waits for somebody to connect Discord" in seen.words


async def test_a_preview_that_takes_long_is_counted_beside_its_page(stage: PageStage) -> None:
    manager = await stage.staff_member(MANAGER)
    is_let_go = asyncio.Event()

    async def count() -> bool:
        return await is_let_go.wait()

    counting = stage.app[COUNTING]
    counting.begin((GUILD, "long"), count, stage.world.clock.now())
    waiting = await manager.get(stage.at("/preview/long"))
    assert waiting.status == 200
    assert 'http-equiv="refresh"' in waiting.text
    is_let_go.set()
    assert (await manager.get(stage.at("/preview/long"))).status == 404
