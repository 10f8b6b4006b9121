"""How customers come in: by a code, by a link, with Discord; what strangers learn, and how long they can guess."""

from __future__ import annotations

import re

from membership import codes, mail_sign_in
from membership.browsing import Person
from membership.sign_in_mail import Secrets, secrets_at
from tests.pages.stage import PageStage, Shown, Visitor
from tests.usecases.world import CHARLIE, VIP, World

MAIL = "charlie@example.com"


async def bought(world: World) -> None:
    """Let Charlie have bought something a while ago."""
    await world.plan("vip", VIP)
    await world.buys("vip", by="charlie")
    await world.advance(hours=2)


async def asks(stage: PageStage, visitor: Visitor, email: str = MAIL) -> Secrets:
    """Ask for a mail on the page; return what it would carry."""
    await visitor.press(await visitor.get("/sign-in"), "Mail me a way in", email=email)
    async with stage.world.services.store.read() as tx:
        now = stage.world.clock.now()
        jobs = await tx.jobs.claim(now, now, 10, [])
        places = [job.key for job in jobs if job.kind == mail_sign_in.KIND]
        secrets = await secrets_at(tx, places[-1], now)
    assert secrets is not None
    return secrets


async def is_signed_in(visitor: Visitor) -> bool:
    return (await visitor.get("/portal")).status == 200


async def test_the_code_from_the_mail_signs_the_browser_in_that_asked(stage: PageStage) -> None:
    await bought(stage.world)
    visitor = await stage.stranger()
    secrets = await asks(stage, visitor)

    shown = await visitor.press(await visitor.get("/sign-in/code"), "Sign in", code=secrets.code)

    assert "Your memberships" in shown.words
    assert "VIP" in shown.words


async def test_the_link_from_the_mail_works_in_another_browser_and_once(stage: PageStage) -> None:
    await bought(stage.world)
    secrets = await asks(stage, await stage.stranger())
    phone, thief = await stage.stranger(), await stage.stranger()

    door = await phone.get(f"/sign-in/{secrets.token}")
    assert not await is_signed_in(phone)
    await phone.press(door, "Sign in")
    again = await thief.post(f"/sign-in/{secrets.token}")

    assert await is_signed_in(phone)
    assert again.status == 404
    assert not await is_signed_in(thief)


async def test_opening_the_link_fifty_times_spends_nothing(stage: PageStage) -> None:
    await bought(stage.world)
    secrets = await asks(stage, await stage.stranger())
    scanner = await stage.stranger()

    answers = {(await scanner.get(f"/sign-in/{secrets.token}")).status for _ in range(50)}

    assert answers == {200}
    assert await mail_sign_in.use_link(stage.world.services, secrets.token) == MAIL


async def test_known_and_unknown_addresses_get_the_same_bytes(stage: PageStage) -> None:
    await bought(stage.world)
    pages = []
    for email in ("charlie@example.com", "nobody1@example.com"):
        visitor = await stage.stranger()
        answer = await visitor.post("/sign-in", {"email": email, "back": "/portal"})
        page = await visitor.get(answer.location)
        pages.append((answer.status, answer.location, page.status, page.text.replace(email, "…")))
    await stage.world.settle()

    assert pages[0] == pages[1]
    async with stage.world.database.read() as tx:
        rows = await tx.connection.exec_driver_sql("select count(*) from outbox_messages where template = 'signin'")
        assert rows.scalar_one() == 1


async def test_five_wrong_codes_end_the_code_and_say_so(stage: PageStage) -> None:
    await bought(stage.world)
    visitor = await stage.stranger()
    secrets = await asks(stage, visitor)
    wrong = "111111" if secrets.code != "111111" else "222222"

    shown = [await visitor.post("/sign-in/code", {"code": wrong}) for _ in range(5)]
    late = await visitor.post("/sign-in/code", {"code": secrets.code})

    assert [page.status for page in shown] == [422] * 5
    assert "4 tries are left" in shown[0].words
    assert "One try is left" in shown[3].words
    assert "Ask for a new mail" in shown[4].words
    assert late.status == 422
    assert not await is_signed_in(visitor)


async def test_somebody_who_goes_on_guessing_is_shut_out(stage: PageStage) -> None:
    visitor = await stage.stranger()

    statuses = [(await visitor.post("/sign-in/code", {"code": f"{number:06d}"})).status for number in range(35)]

    assert statuses[0] == 422
    assert statuses[-1] == 429


async def test_nobody_can_ask_for_mails_without_end(stage: PageStage) -> None:
    visitor = await stage.stranger()

    statuses = [
        (await visitor.post("/sign-in", {"email": f"nobody{number}@example.com"})).status for number in range(25)
    ]

    assert statuses[0] == 303
    assert statuses[-1] == 429


async def test_one_address_gets_three_mails_an_hour_and_the_page_says_until_when(stage: PageStage) -> None:
    await bought(stage.world)
    visitor = await stage.stranger()

    answers = [await visitor.post("/sign-in", {"email": MAIL}) for _ in range(4)]

    assert [answer.status for answer in answers] == [303, 303, 303, 429]
    assert "Too many mails" in answers[-1].words


async def test_what_is_no_address_comes_back_with_what_was_typed(stage: PageStage) -> None:
    shown = await (await stage.stranger()).post("/sign-in", {"email": "ada at example"})

    assert shown.status == 422
    assert "Write an e-mail address" in shown.words
    assert ("email", "ada at example") in shown.form("Mail me a way in").fields


async def test_without_a_mail_server_only_discord_is_offered(stage: PageStage) -> None:
    stage.world.mailer.is_configured = False
    visitor = await stage.stranger()

    shown = await visitor.get("/sign-in")

    assert "sends no mail" in shown.words
    assert [list(form.buttons) for form in shown.forms if "/sign-in" in form.action] == [["Continue with Discord"]]
    assert (await visitor.post("/sign-in", {"email": MAIL})).status == 422


async def test_discord_signs_in_and_shows_what_the_account_holds(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.member("vip")
    stage.discord.me = {"id": str(CHARLIE), "username": "charlie", "global_name": "Charlie"}
    visitor = await stage.stranger()

    leaving = await visitor.press(await visitor.get("/sign-in?back=/portal/discord"), "Continue with Discord")
    coming = await visitor.get(stage.discord.agree(leaving.location))

    assert "guilds.join" not in leaving.location
    assert coming.location == "/portal/discord"
    assert "VIP" in (await visitor.get("/portal")).words


async def test_an_address_that_discord_calls_verified_finds_its_purchases(stage: PageStage) -> None:
    await bought(stage.world)
    stage.discord.me = {"id": "77", "username": "c", "email": MAIL, "verified": True}

    assert "VIP" in (await signed_in_with_discord(stage)).words


async def test_an_address_that_discord_does_not_vouch_for_finds_nothing(stage: PageStage) -> None:
    await bought(stage.world)
    stage.discord.me = {"id": "77", "username": "c", "email": MAIL, "verified": False}

    assert "No purchases for @c" in (await signed_in_with_discord(stage)).words


async def signed_in_with_discord(stage: PageStage) -> Shown:
    visitor = await stage.stranger()
    leaving = await visitor.post("/sign-in/discord", {"back": "/portal"})
    await visitor.get(stage.discord.agree(leaving.location))
    return await visitor.get("/portal")


async def test_pressing_cancel_at_discord_signs_nobody_in(stage: PageStage) -> None:
    visitor = await stage.stranger()
    leaving = await visitor.post("/sign-in/discord", {"back": "/portal"})

    shown = await visitor.get(stage.discord.deny(leaving.location))

    assert "Cancel at Discord" in shown.words
    assert not await is_signed_in(visitor)


async def test_the_way_back_after_a_sign_in_stays_with_us(stage: PageStage) -> None:
    visitor = await stage.stranger()
    for hostile in ("//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"):
        door = await visitor.get(f"/sign-in?back={hostile}")
        assert ("back", "/portal") in door.form("Continue with Discord").fields


async def test_a_new_sign_in_ends_the_one_before_in_this_browser(stage: PageStage) -> None:
    await bought(stage.world)
    visitor = await stage.customer(email="somebody@example.com")
    old = next(cookie.value for cookie in visitor.session.cookie_jar if cookie.key == "doorlist-portal")
    secrets = await asks(stage, visitor)

    await visitor.press(await visitor.get(f"/sign-in/{secrets.token}"), "Sign in")

    async with stage.world.services.store.read() as tx:
        assert await tx.sign_ins.get(codes.digest(old), Person.CUSTOMER, stage.world.clock.now()) is None
    assert await is_signed_in(visitor)


async def test_signing_out_ends_it(stage: PageStage) -> None:
    visitor = await stage.customer(email=MAIL)

    shown = await visitor.press(await visitor.get("/portal"), "Sign out")

    assert "You are signed out." in shown.words
    assert not await is_signed_in(visitor)


async def test_a_page_for_customers_sends_strangers_to_the_door_and_back(stage: PageStage) -> None:
    shown = await (await stage.stranger()).get("/portal/billing")

    assert shown.status == 303
    assert re.fullmatch(r"/sign-in\?back=(%2F|/)portal(%2F|/)billing", shown.location)
