"""Customers decide which Discord account has their purchases: connect, switch within limits, take one off."""

from __future__ import annotations

import asyncio

from membership.model import GrantState, Proof, UserId
from tests.pages.stage import PageStage, Shown, Visitor
from tests.usecases.world import BOB, CHARLIE, DORA, GOLD, VIP

MAIL = "charlie@example.com"


async def buys(stage: PageStage, *, linked_to: UserId | None = None) -> str:
    """Let Charlie's address buy; connect it where asked for."""
    await stage.world.plan("vip", VIP)
    for user in (CHARLIE, BOB, DORA):
        stage.world.joins(user)
    external_id = await stage.world.buys("vip", by="charlie")
    if linked_to is not None:
        await stage.world.links(external_id, linked_to)
    return external_id


async def comes_back_as(stage: PageStage, visitor: Visitor, leaving: Shown, user: UserId) -> Shown:
    """Sign in at Discord as somebody; return the page that asks for the last yes."""
    stage.discord.me = {"id": str(user), "username": f"user{user}", "global_name": f"User {user}"}
    return await visitor.follow(stage.discord.agree(leaving.location))


async def confirms(stage: PageStage, visitor: Visitor, page: Shown, label: str) -> Shown:
    return await stage.world._while_working(visitor.press(page, label))


async def switches(stage: PageStage, visitor: Visitor, user: UserId) -> Shown:
    """Switch to another account, from the page to the last yes."""
    leaving = await visitor.press(await visitor.get("/portal/discord"), "Switch to another account")
    page = await comes_back_as(stage, visitor, leaving, user)
    return await confirms(stage, visitor, page, f"Move it to @user{user}")


async def test_connecting_names_the_account_before_anything_happens(stage: PageStage) -> None:
    await buys(stage)
    visitor = await stage.customer(email=MAIL)

    leaving = await visitor.press(await visitor.get("/portal/discord"), "Connect Discord")
    page = await comes_back_as(stage, visitor, leaving, CHARLIE)
    assert "guilds.join" in leaving.location
    assert "@user3" in page.words
    assert stage.world.roles(CHARLIE) == set()

    done = await confirms(stage, visitor, page, "Yes, connect @user3")
    assert "Connected as @user3." in done.words
    assert stage.world.roles(CHARLIE) == {VIP}


async def test_switching_takes_the_roles_from_the_old_account_at_once_and_says_so_first(stage: PageStage) -> None:
    await buys(stage, linked_to=CHARLIE)
    visitor = await stage.customer(email=MAIL)

    leaving = await visitor.press(await visitor.get("/portal/discord"), "Switch to another account")
    page = await comes_back_as(stage, visitor, leaving, BOB)
    assert f"@user3 loses this at once: role {VIP} in Ada's server" in page.words
    assert "2 switches are left" in page.words

    await confirms(stage, visitor, page, "Move it to @user2")
    assert stage.world.roles(CHARLIE) == set()
    assert stage.world.roles(BOB) == {VIP}
    moved = await stage.world.audit("link.moved")
    assert [entry.actor for entry in moved] == [f"user:{BOB}"]


async def test_who_came_by_the_old_account_goes_on_as_the_new_one(stage: PageStage) -> None:
    await buys(stage, linked_to=CHARLIE)
    visitor = await stage.customer(user_id=CHARLIE)

    done = await switches(stage, visitor, BOB)

    assert "Connected as @user2." in done.words
    assert "Active" in (await visitor.get("/portal")).words
    assert "Connected to @user2" in (await visitor.get("/portal/discord")).words


async def test_keeping_it_changes_nothing(stage: PageStage) -> None:
    await buys(stage, linked_to=CHARLIE)
    visitor = await stage.customer(email=MAIL)
    leaving = await visitor.press(await visitor.get("/portal/discord"), "Switch to another account")
    page = await comes_back_as(stage, visitor, leaving, BOB)

    shown = await visitor.press(page, "Keep it on @user3")
    late = await visitor.post("/portal/discord/confirm", {"choice": "connect"})

    assert "Nothing was changed." in shown.words
    assert "Please start again" in (await visitor.get(late.location)).words
    assert stage.world.roles(CHARLIE) == {VIP}


async def test_there_are_two_switches_in_thirty_days(stage: PageStage) -> None:
    await buys(stage, linked_to=CHARLIE)
    visitor = await stage.customer(email=MAIL)

    await switches(stage, visitor, BOB)
    await switches(stage, visitor, DORA)
    page = await visitor.get("/portal/discord")

    assert "switched as often as possible within 30 days, and can be again after" in page.words
    assert all("Switch to another account" not in form.buttons for form in page.forms)
    assert stage.world.roles(DORA) == {VIP}
    await stage.world.advance(days=31)
    returned = await stage.customer(email=MAIL)
    page = await returned.get("/portal/discord")
    assert page.form("Switch to another account").action == "/portal/discord/connect"


async def test_taking_an_account_off_first_is_no_way_around_the_limit(stage: PageStage) -> None:
    await buys(stage, linked_to=CHARLIE)
    visitor = await stage.customer(email=MAIL)
    await switches(stage, visitor, BOB)
    await switches(stage, visitor, DORA)

    await stage.world._while_working(visitor.post(f"/portal/discord/{DORA}/disconnect"))
    leaving = await visitor.press(await visitor.get("/portal/discord"), "Connect Discord")
    page = await comes_back_as(stage, visitor, leaving, CHARLIE)
    shown = await confirms(stage, visitor, page, "Yes, connect @user3")

    assert "as often as possible within 30 days, so nothing was changed. You can move it again after" in shown.words
    assert stage.world.roles(CHARLIE) == set()


async def test_the_account_that_had_it_last_may_always_come_back(stage: PageStage) -> None:
    await buys(stage, linked_to=CHARLIE)
    visitor = await stage.customer(email=MAIL)
    await switches(stage, visitor, BOB)
    await switches(stage, visitor, DORA)

    await stage.world._while_working(visitor.post(f"/portal/discord/{DORA}/disconnect"))
    leaving = await visitor.press(await visitor.get("/portal/discord"), "Connect Discord")
    page = await comes_back_as(stage, visitor, leaving, DORA)
    await confirms(stage, visitor, page, "Yes, connect @user4")

    assert stage.world.roles(DORA) == {VIP}


async def test_disconnecting_names_the_roles_and_takes_them_in_the_same_pass(stage: PageStage) -> None:
    external_id = await buys(stage, linked_to=CHARLIE)
    visitor = await stage.customer(email=MAIL)

    page = await visitor.get(f"/portal/discord/{CHARLIE}/disconnect")
    assert f"role {VIP} in Ada's server" in page.words
    assert stage.world.roles(CHARLIE) == {VIP}

    done = await confirms(stage, visitor, page, "Disconnect @user3")
    assert "@user3 is disconnected" in done.words
    assert "Not connected yet" in done.words
    assert stage.world.roles(CHARLIE) == set()
    assert [grant.state for grant in await stage.world.grants(external_id)] == [GrantState.PENDING]
    (entry,) = await stage.world.audit("link.removed")
    assert entry.actor.startswith("customer:")


async def test_a_role_with_another_reason_is_not_named_and_stays(stage: PageStage) -> None:
    await buys(stage, linked_to=CHARLIE)
    await stage.world.plan("gold", VIP, GOLD)
    other = await stage.world.buys("gold", by="dora")
    await stage.world.links(other, CHARLIE)
    visitor = await stage.customer(email=MAIL)

    page = await visitor.get(f"/portal/discord/{CHARLIE}/disconnect")
    await confirms(stage, visitor, page, "Disconnect @user3")

    assert "No roles go" in page.words
    assert stage.world.roles(CHARLIE) == {VIP, GOLD}


async def test_who_holds_without_paying_may_only_take_themselves_off(stage: PageStage) -> None:
    external_id = await buys(stage)
    purchase = await stage.world.purchase(external_id)
    async with stage.world.services.store.write() as tx:
        await tx.links.bind(purchase.customer_id, BOB, Proof.CHECKOUT, stage.world.clock.now())
    visitor = await stage.customer(user_id=BOB)

    page = await visitor.get("/portal/discord")
    refused = await visitor.post("/portal/discord/connect", {"from": str(BOB)})
    done = await stage.world._while_working(visitor.post(f"/portal/discord/{BOB}/disconnect"))

    assert "Only whoever pays can switch" in page.words
    assert refused.status == 404
    assert done.status == 303
    assert await stage.world.audit("link.removed")


async def test_nobody_touches_somebody_elses_connection(stage: PageStage) -> None:
    await buys(stage, linked_to=CHARLIE)

    for visitor in (await stage.customer(email="eve@example.com"), await stage.customer(user_id=BOB)):
        assert (await visitor.get(f"/portal/discord/{CHARLIE}/disconnect")).status == 404
        assert (await visitor.post(f"/portal/discord/{CHARLIE}/disconnect")).status == 404
        assert (await visitor.post("/portal/discord/connect", {"from": str(CHARLIE)})).status == 404
        assert (await visitor.post("/portal/discord/connect", {"from": "1; drop"})).status == 404
    assert stage.world.roles(CHARLIE) == {VIP}


async def test_what_one_sign_in_began_another_cannot_confirm(stage: PageStage) -> None:
    await buys(stage)
    visitor = await stage.customer(email=MAIL)
    leaving = await visitor.press(await visitor.get("/portal/discord"), "Connect Discord")
    await comes_back_as(stage, visitor, leaving, CHARLIE)

    eve = await stage.customer(email="eve@example.com")
    for cookie in visitor.session.cookie_jar:
        if cookie.key == "doorlist-portal-connect":
            eve.session.cookie_jar.update_cookies({cookie.key: cookie.value})
    answer = await eve.post("/portal/discord/confirm", {"choice": "connect"})

    assert "Please start again" in (await eve.get(answer.location)).words
    assert stage.world.roles(CHARLIE) == set()


async def test_two_clicks_at_once_connect_once(stage: PageStage) -> None:
    await buys(stage)
    visitor = await stage.customer(email=MAIL)
    leaving = await visitor.press(await visitor.get("/portal/discord"), "Connect Discord")
    await comes_back_as(stage, visitor, leaving, CHARLIE)

    async def both() -> list[Shown]:
        clicks = (visitor.post("/portal/discord/confirm", {"choice": "connect"}) for _ in range(2))
        return list(await asyncio.gather(*clicks))

    answers = await stage.world._while_working(both())

    assert sorted(answer.location.split("?")[0] for answer in answers) == ["/portal", "/portal/discord"]
    assert len(await stage.world.audit("link.created")) == 1


async def test_pressing_cancel_at_discord_changes_nothing(stage: PageStage) -> None:
    await buys(stage, linked_to=CHARLIE)
    visitor = await stage.customer(email=MAIL)
    leaving = await visitor.press(await visitor.get("/portal/discord"), "Switch to another account")

    shown = await visitor.get(stage.discord.deny(leaving.location))

    assert "Cancel at Discord" in shown.words
    assert stage.world.roles(CHARLIE) == {VIP}


async def test_with_nothing_to_connect_the_page_says_so(stage: PageStage) -> None:
    shown = await (await stage.customer(email="eve@example.com")).get("/portal/discord")

    assert "Nothing to connect" in shown.words
