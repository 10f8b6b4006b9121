"""Every end of a connection that a person can meet (EXPERIENCE 3.5), over real use-cases: words, status, way on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from membership import verifying
from membership.errors import Audience, Blocked, Reason, Retry
from membership.model import MemberKey, UserId
from tests.pages.stage import PageStage, Shown, Visitor
from tests.usecases.world import CHARLIE, DORA, GUILD, VIP, World

YES = "Yes, connect @charlie"
INVITES = "https://discord.example/invite/"
T = TypeVar("T")


def mailed_link(world: World, mail: int = -1) -> str:
    """Return the path of the link in a mail."""
    return urlsplit(str(world.mailer.sent[mail].facts["link"])).path


async def while_working(world: World, act: Coroutine[Any, Any, T]) -> T:
    """Do something while the worker runs, as it does in a process."""
    working = asyncio.create_task(world.worker.run())
    try:
        return await act
    finally:
        world.worker.stop()
        await working


def is_at_discord(stage: PageStage, user_id: UserId = CHARLIE, name: str = "charlie") -> None:
    stage.discord.me = {"id": str(user_id), "username": name, "email": f"{name}@example.com", "verified": True}


async def bought(stage: PageStage) -> tuple[Visitor, str]:
    """Let Charlie buy VIP; return a browser and the path of the mailed link."""
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip")
    is_at_discord(stage)
    return await stage.stranger(), mailed_link(stage.world)


async def signs_in(stage: PageStage, visitor: Visitor, link: str, button: str = "Continue with Discord") -> Shown:
    """Walk from the link over Discord to the question."""
    leaving = await visitor.press(await visitor.get(link), button)
    return await visitor.follow(stage.discord.agree(leaving.location))


async def connects(stage: PageStage, visitor: Visitor, link: str) -> Shown:
    question = await signs_in(stage, visitor, link)
    return await while_working(stage.world, visitor.press(question, YES))


async def loses_patience(stage: PageStage, act: Coroutine[Any, Any, T]) -> T:
    """Do something that would wait for roles, and let it wait no longer than a try takes."""
    doing = asyncio.create_task(while_working(stage.world, act))
    while not doing.done():
        await asyncio.sleep(0.05)
        stage.world.services.signals.done(str(MemberKey(GUILD, CHARLIE)))
    await stage.world.settle()
    return await doing


async def changes_server(world: World, **settings: Any) -> None:
    async with world.services.store.write() as tx:
        guild = await tx.guilds.get(GUILD)
        assert guild is not None
        await tx.guilds.replace(replace(guild, **settings))


async def test_done(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    shown = await connects(stage, visitor, link)
    assert shown.status == 200
    assert "VIP is yours" in shown.words
    assert any(each.endswith(f"/channels/{GUILD}") for each in shown.links)
    assert stage.world.roles(CHARLIE) == {VIP}


async def test_cancelled_at_discord(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    leaving = await visitor.press(await visitor.get(link), "Continue with Discord")
    shown = await visitor.follow(stage.discord.deny(leaving.location))
    assert shown.status == 200
    assert "You pressed Cancel at Discord" in shown.words
    assert "Your purchase is safe" in shown.words
    assert link in shown.links
    assert "VIP is yours" in (await connects(stage, visitor, link)).words


async def test_a_state_that_nobody_knows(stage: PageStage) -> None:
    shown = await (await stage.stranger()).get("/oauth/discord/callback?code=x&state=invented")
    assert shown.status == 400
    assert "Please start again" in shown.words
    assert "/portal" in shown.links


async def test_a_sign_in_that_took_too_long(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    leaving = await visitor.press(await visitor.get(link), "Continue with Discord")
    await stage.world.advance(minutes=11)
    shown = await visitor.get(stage.discord.agree(leaving.location))
    assert shown.status == 400
    assert "took too long" in shown.words
    assert "VIP is yours" in (await connects(stage, visitor, link)).words


async def test_a_sign_in_that_came_back_in_another_browser(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    leaving = await visitor.press(await visitor.get(link), "Continue with Discord")
    shown = await (await stage.stranger()).get(stage.discord.agree(leaving.location))
    assert shown.status == 400
    assert "opened in another browser" in shown.words


async def test_another_account_than_the_buttons(stage: PageStage) -> None:
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip")
    address = await verifying.issue(stage.world.services, DORA, "@dora", GUILD)
    is_at_discord(stage)
    shown = await signs_in(stage, await stage.stranger(), urlsplit(address).path)
    assert shown.status == 409
    assert "You pressed the button as @dora but signed in as @charlie." in shown.words
    assert urlsplit(address).path in shown.links
    assert CHARLIE not in stage.world.discord.guilds[GUILD].members


async def came_as_charlie(stage: PageStage) -> tuple[Visitor, Shown]:
    """Let Charlie sign in where Dora pressed the button; return the browser and what it shows."""
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip")
    address = await verifying.issue(stage.world.services, DORA, "@dora", GUILD)
    is_at_discord(stage)
    visitor = await stage.stranger()
    return visitor, await signs_in(stage, visitor, urlsplit(address).path)


async def test_the_account_that_came_gets_what_its_own_address_bought(stage: PageStage) -> None:
    visitor, shown = await came_as_charlie(stage)
    leaving = await visitor.press(shown, "Use @charlie")
    done = await while_working(stage.world, visitor.follow(stage.discord.agree(leaving.location)))
    assert "VIP is yours" in done.words
    assert CHARLIE in stage.world.discord.guilds[GUILD].members
    assert DORA not in stage.world.discord.guilds[GUILD].members


async def test_who_goes_on_as_another_must_sign_in_as_that_one(stage: PageStage) -> None:
    visitor, shown = await came_as_charlie(stage)
    leaving = await visitor.press(shown, "Use @charlie")
    is_at_discord(stage, DORA, "dora")
    shown = await visitor.follow(stage.discord.agree(leaving.location))
    assert "You pressed the button as @charlie but signed in as @dora." in shown.words


async def test_going_on_as_another_is_offered_once_and_while_the_button_is_good(stage: PageStage) -> None:
    visitor, shown = await came_as_charlie(stage)
    await visitor.press(shown, "Use @charlie")
    assert (await visitor.press(shown, "Use @charlie")).status == 400
    assert (await (await stage.stranger()).post("/verify/use")).status == 400


async def test_the_account_holds_another_customers_purchase(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    await connects(stage, visitor, link)
    await stage.world.buys("vip", by="ben")
    question = await signs_in(stage, visitor, mailed_link(stage.world))
    assert "@charlie already holds another purchase (c••@example.com)" in question.words
    shown = await while_working(stage.world, visitor.press(question, "Yes, use both on @charlie"))
    assert "VIP is yours" in shown.words


async def test_the_purchase_is_on_another_account_and_moves(stage: PageStage) -> None:
    visitor, link = await on_dora(stage)
    question = await signs_in(stage, visitor, link, "Use another Discord account")
    assert "Move VIP to @charlie?" in question.words
    assert "loses it at once" in question.words
    shown = await while_working(stage.world, visitor.press(question, "Move it to @charlie"))
    assert "VIP is yours" in shown.words
    assert (stage.world.roles(CHARLIE), stage.world.roles(DORA)) == ({VIP}, set())


async def test_the_purchase_is_on_another_account_and_stays(stage: PageStage) -> None:
    visitor, link = await on_dora(stage)
    question = await signs_in(stage, visitor, link, "Use another Discord account")
    keep = next(label for form in question.forms for label in form.buttons if label.startswith("Keep it on"))
    shown = await visitor.press(question, keep)
    assert "Nothing was changed" in shown.words
    assert link in shown.links
    assert stage.world.roles(DORA) == {VIP}


async def on_dora(stage: PageStage) -> tuple[Visitor, str]:
    """Let Dora have what Charlie bought; return the link that moves it."""
    visitor, link = await bought(stage)
    stage.world.joins(DORA)
    purchase = next(iter(stage.world.provider.bought))
    await stage.world.connects(purchase, DORA)
    await visitor.press(await visitor.get(link), "Mail me a new link")
    await stage.world.settle()
    return visitor, mailed_link(stage.world)


async def test_moved_too_often(stage: PageStage) -> None:
    visitor, link = await on_dora(stage)
    purchase = next(iter(stage.world.provider.bought))
    for user in (CHARLIE, DORA):
        stage.world.joins(user)
        await stage.world.connects(purchase, user, may_move=True)
    await stage.world.advance(hours=2)
    await visitor.press(await visitor.get(link), "Mail me a new link")
    await stage.world.settle()
    link = mailed_link(stage.world)
    question = await signs_in(stage, visitor, link, "Use another Discord account")
    shown = await while_working(stage.world, visitor.press(question, "Move it to @charlie"))
    assert shown.status == 409
    assert "Moved too often" in shown.words
    assert stage.world.roles(DORA) == {VIP}


@pytest.mark.parametrize(
    ("reason", "title", "words"),
    [
        (Reason.BANNED, "@charlie is banned from Ada's server", "Your payment was not touched"),
        (Reason.SERVER_LIMIT, "One step is left", "You are in as many servers as Discord allows"),
        (Reason.JOIN_LIMITED, "One step is left", "Discord limits you from joining servers"),
        (Reason.MISSING_PERMISSION, "One step is left", "We could not add you ourselves"),
    ],
)
async def test_discord_did_not_let_us_add_them(stage: PageStage, reason: Reason, title: str, words: str) -> None:
    visitor, link = await bought(stage)
    stage.world.discord.faults.fails_always("join", Blocked(reason, audience=Audience.MEMBER))
    shown = await connects(stage, visitor, link)
    assert shown.status == 200
    assert title in shown.words
    assert words in shown.words
    has_way_in = any(each.startswith(INVITES) for each in shown.links)
    assert has_way_in is (reason is not Reason.BANNED)


async def test_the_role_follows_whoever_comes_in_by_the_invite(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    stage.world.discord.faults.fails_always("join", Blocked(Reason.SERVER_LIMIT, audience=Audience.MEMBER))
    await connects(stage, visitor, link)
    stage.world.joins(CHARLIE)
    await stage.world.five_minutes()
    assert stage.world.roles(CHARLIE) == {VIP}
    assert "VIP is yours" in (await visitor.get("/connect/done")).words


async def test_a_banned_buyer_is_shown_whom_to_write_to(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    await changes_server(stage.world, support_address="help@ada.example")
    stage.world.discord.faults.fails_always("join", Blocked(Reason.BANNED, audience=Audience.OWNER))
    assert "mailto:help@ada.example" in (await connects(stage, visitor, link)).links


async def test_they_did_not_let_us_add_them(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    stage.discord.scope = "identify email"
    shown = await connects(stage, visitor, link)
    assert "You did not let us add you" in shown.words
    assert any(each.startswith(INVITES) for each in shown.links)


async def test_discord_is_down_before_it_is_known_who_signs_in(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    stage.discord.token_answer = web.Response(status=502)
    shown = await signs_in(stage, visitor, link)
    assert shown.status == 503
    assert "Discord is not answering" in shown.words
    assert link in shown.links
    stage.discord.token_answer = None
    assert "VIP is yours" in (await connects(stage, visitor, link)).words


async def test_discord_is_down_after_the_yes_and_it_is_finished_without_the_person(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    stage.world.joins(CHARLIE)
    stage.world.discord.faults.fails_always("add_role", Retry("Discord answered 503"))
    question = await signs_in(stage, visitor, link)
    await loses_patience(stage, visitor.press(question, YES))
    shown = await visitor.get("/connect/done")
    assert "Giving you VIP" in shown.words
    assert "We go on by ourselves until it is there." in shown.words
    assert "http-equiv" in shown.text
    stage.world.discord.faults.mend()
    await stage.world.advance(minutes=10)
    assert stage.world.roles(CHARLIE) == {VIP}
    assert "VIP is yours" in (await visitor.get("/connect/done")).words


async def test_role_changes_are_paused_by_staff(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    await changes_server(stage.world, paused_at=stage.world.clock.now(), paused_by="user:1")
    question = await signs_in(stage, visitor, link)
    shown = await loses_patience(stage, visitor.press(question, YES))
    assert "The staff have paused role changes there." in shown.words
    await changes_server(stage.world, paused_at=None, paused_by="")
    await stage.world.advance(minutes=6)
    assert "VIP is yours" in (await visitor.get("/connect/done")).words


async def test_a_link_that_is_too_old(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    await stage.world.advance(days=stage.world.policy.code_days + 1)
    shown = await visitor.get(link)
    assert shown.status == 410
    assert "This link is too old" in shown.words
    answer = await visitor.press(shown, "Mail me a new link")
    assert "Look into your mail" in answer.words
    await stage.world.settle()
    assert "VIP is yours" in (await connects(stage, visitor, mailed_link(stage.world))).words


async def test_a_link_that_was_used(stage: PageStage) -> None:
    visitor, link = await bought(stage)
    await connects(stage, visitor, link)
    shown = await visitor.get(link)
    assert shown.status == 200
    assert "This link was used already" in shown.words
    assert "VIP is taken care of." in shown.words
    assert "/portal" in shown.links


async def test_a_link_that_nobody_knows(stage: PageStage) -> None:
    shown = await (await stage.stranger()).get("/connect/invented")
    assert shown.status == 404
    assert "We do not know this link" in shown.words
