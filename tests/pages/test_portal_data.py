"""Customers choose for themselves, take their data along, are forgotten, and end sign-ins; their own alone."""

from __future__ import annotations

import json

import pytest

from membership import codes
from membership.browsing import Person
from membership.model import Proof
from tests.pages.stage import PageStage, Visitor
from tests.usecases.world import BOB, CHARLIE, VIP, World

MAIL = f"user{CHARLIE}@example.com"


@pytest.fixture
async def vip(stage: PageStage) -> str:
    """Let Charlie be a delivered member; return the purchase."""
    await stage.world.plan("vip", VIP)
    return await stage.world.member("vip")


async def settings_of(world: World, external_id: str) -> tuple[str, str, bool, bool]:
    purchase = await world.purchase(external_id)
    async with world.services.store.read() as tx:
        kept = await tx.customer_settings.get(purchase.customer_id)
    return kept.language, kept.time_zone, kept.reminders, kept.delivered


async def test_choices_are_kept_for_the_payer_and_for_the_discord_account(stage: PageStage, vip: str) -> None:
    visitor = await stage.customer(user_id=CHARLIE)
    page = await visitor.get("/portal/preferences")

    fields = {"language": "it", "time_zone": "Europe/Rome", "delivered": "on"}
    done = await visitor.follow((await visitor.post("/portal/preferences", fields)).location)

    assert ("dms", "on") in page.form("Save").fields
    assert "Saved." in done.words
    assert await settings_of(stage.world, vip) == ("it", "Europe/Rome", False, True)
    async with stage.world.services.store.read() as tx:
        member = await tx.member_settings.get(CHARLIE)
    assert (member.language, member.dms) == ("it", False)


async def test_a_mail_sign_in_leaves_direct_messages_alone(stage: PageStage, vip: str) -> None:
    visitor = await stage.customer(email=MAIL)

    page = await visitor.get("/portal/preferences")
    await visitor.post("/portal/preferences", {})

    assert "direct messages" not in page.words
    async with stage.world.services.store.read() as tx:
        assert (await tx.member_settings.get(CHARLIE)).dms


async def test_an_unknown_time_zone_comes_back_with_what_was_typed(stage: PageStage, vip: str) -> None:
    visitor = await stage.customer(email=MAIL)

    shown = await visitor.post("/portal/preferences", {"time_zone": "Mars/Olympus"})

    assert shown.status == 422
    assert ("time_zone", "Mars/Olympus") in shown.form("Save").fields
    assert (await settings_of(stage.world, vip))[1] == ""


async def test_who_does_not_pay_changes_nothing_of_the_payers(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    external_id = await stage.world.buys("vip", by="charlie")
    purchase = await stage.world.purchase(external_id)
    async with stage.world.services.store.write() as tx:
        await tx.links.bind(purchase.customer_id, BOB, Proof.CHECKOUT, stage.world.clock.now())
    visitor = await stage.customer(user_id=BOB)

    await visitor.post("/portal/preferences", {"language": "it"})

    assert await settings_of(stage.world, external_id) == ("", "", True, True)


async def test_the_download_holds_what_is_ones_own_and_nothing_else(stage: PageStage, vip: str) -> None:
    await stage.world.buys("vip", by="somebodyelse")
    visitor = await stage.customer(email=MAIL, user_id=CHARLIE)

    answer = await visitor.press(await visitor.get("/portal/privacy"), "Download my data (JSON)")
    held = json.loads(answer.text)

    assert answer.headers["Content-Disposition"] == 'attachment; filename="my-data.json"'
    tables = held["servers"][0]["held"]
    assert {"customers", "purchases", "grants", "links", "members"} <= set(tables)
    assert MAIL in answer.text
    assert "somebodyelse" not in answer.text
    assert await stage.world.audit("privacy.exported")


async def test_the_download_by_mail_has_nothing_of_the_friend_who_got_the_code(stage: PageStage, vip: str) -> None:
    visitor = await stage.customer(email=MAIL)

    page = await visitor.get("/portal/privacy")
    answer = await visitor.press(page, "Download my data (JSON)")

    tables = json.loads(answer.text)["servers"][0]["held"]
    assert "purchases" in tables
    assert not {"members", "holdings"} & set(tables)
    assert "sign in with Discord" in page.words


async def test_the_download_of_who_only_holds_it_does_not_name_the_payer(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    external_id = await stage.world.buys("vip", by="charlie")
    purchase = await stage.world.purchase(external_id)
    async with stage.world.services.store.write() as tx:
        await tx.links.bind(purchase.customer_id, BOB, Proof.CHECKOUT, stage.world.clock.now())

    answer = await (await stage.customer(user_id=BOB)).post("/portal/privacy/export")

    assert answer.status == 200
    assert "charlie" not in answer.text


async def test_while_it_goes_on_costing_money_nothing_is_erased(stage: PageStage, vip: str) -> None:
    visitor = await stage.customer(email=MAIL)

    page = await visitor.get("/portal/privacy")
    forced = await visitor.post("/portal/privacy/erase", {"sure": "on"})

    assert "Still being paid for: VIP. Cancel that first" in page.words
    assert forced.status == 422
    assert stage.world.roles(CHARLIE) == {VIP}


async def test_erasing_asks_once_more_then_forgets_takes_the_roles_and_signs_out(stage: PageStage, vip: str) -> None:
    purchase = await stage.world.purchase(vip)
    await stage.world.changes(vip, ends_at=purchase.period_ends_at)
    visitor, other = await stage.customer(email=MAIL), await stage.customer(email=MAIL)

    page = await visitor.get("/portal/privacy/erase")
    unsure = await visitor.post("/portal/privacy/erase")
    done = await visitor.press(page, "Erase my data", sure="on")
    await stage.world.settle()

    assert "You still have VIP" in page.words
    assert unsure.status == 422
    assert "Your data is erased" in done.words
    assert stage.world.roles(CHARLIE) == set()
    assert MAIL not in await customers_of(stage.world)
    assert (await visitor.get("/portal")).status == 303
    assert (await other.get("/portal")).status == 303
    assert await stage.world.audit("privacy.erased")


async def customers_of(world: World) -> str:
    async with world.database.read() as tx:
        rows = await tx.connection.exec_driver_sql("select * from customers")
        return "\n".join(str(tuple(row)) for row in rows)


async def test_a_stranger_has_nothing_to_erase(stage: PageStage, vip: str) -> None:
    visitor = await stage.customer(email="eve@example.com")

    page = await visitor.get("/portal/privacy")
    forced = await visitor.post("/portal/privacy/erase", {"sure": "on"})

    assert "no address and no name to erase" in page.words
    assert forced.status == 422
    assert MAIL in await customers_of(stage.world)


async def numbers_of(visitor: Visitor) -> list[str]:
    """Return the numbers of the sign-ins on the page."""
    shown = await visitor.get("/portal/sessions")
    return [form.action.split("/")[3] for form in shown.forms if form.action.endswith("/end")]


async def test_browsers_are_listed_and_one_is_ended(stage: PageStage) -> None:
    here, there = await stage.customer(email=MAIL), await stage.customer(email=MAIL)
    key = next(cookie.value for cookie in there.session.cookie_jar if cookie.key == "doorlist-portal")
    async with stage.world.services.store.read() as tx:
        other = await tx.sign_ins.get(codes.digest(key), Person.CUSTOMER, stage.world.clock.now())
    assert other is not None

    shown = await here.get("/portal/sessions")
    await here.post(f"/portal/sessions/{other.id}/end")

    assert shown.words.count("This one") == 1
    assert str(other.id) not in await numbers_of(here)
    assert (await there.get("/portal")).status == 303
    assert (await here.get("/portal")).status == 200


async def test_all_others_are_ended_and_this_one_goes_on(stage: PageStage) -> None:
    here, there = await stage.customer(email=MAIL), await stage.customer(email=MAIL)

    done = await here.press(await here.get("/portal/sessions"), "Sign out all others")

    assert "1 browser is signed out." in done.words
    assert (await there.get("/portal")).status == 303
    assert (await here.get("/portal")).status == 200


async def test_somebody_elses_sign_in_is_not_found(stage: PageStage) -> None:
    here, eve = await stage.customer(email=MAIL), await stage.customer(email="eve@example.com")
    (number,) = await numbers_of(here)

    assert (await eve.post(f"/portal/sessions/{number}/end")).status == 404
    assert (await here.get("/portal")).status == 200


async def test_the_sign_in_of_staff_is_none_of_the_portals(stage: PageStage) -> None:
    staff = await stage.staff_member(CHARLIE)
    customer = await stage.customer(user_id=CHARLIE)

    await customer.press(await customer.get("/portal/sessions"), "Sign out")

    assert (await staff.get("/admin")).status == 200
    assert (await customer.get("/portal")).status == 303


async def test_dates_are_told_in_the_chosen_time_zone(stage: PageStage, vip: str) -> None:
    visitor = await stage.customer(email=MAIL)
    (grant,) = await stage.world.grants(vip)

    before = await visitor.get(f"/portal/grants/{grant.id}")
    await visitor.post("/portal/preferences", {"time_zone": "Asia/Tokyo"})
    after = await visitor.get(f"/portal/grants/{grant.id}")

    assert "1 Mar 2026, 12:00" in before.words
    assert "1 Mar 2026, 21:00" in after.words


async def test_pages_speak_the_saved_language_unless_the_browser_chose(stage: PageStage, vip: str) -> None:
    visitor = await stage.customer(email=MAIL)
    await visitor.post("/portal/preferences", {"language": "it"})
    assert 'lang="it"' in (await visitor.get("/portal/discord")).text
    await visitor.post("/language", {"language": "en", "back": "/portal"})
    assert 'lang="en"' in (await visitor.get("/portal/discord")).text


async def test_nobody_reads_in_the_language_of_another_payer(stage: PageStage, vip: str) -> None:
    payer = await stage.customer(email=MAIL)
    await payer.post("/portal/preferences", {"language": "it"})
    other = await stage.customer(email="dora@example.com")
    assert 'lang="en"' in (await other.get("/portal/discord")).text
