"""Reminders stop with one press, from a mail program's machine as from a page, and nothing else does."""

from __future__ import annotations

import aiohttp
import pytest

from membership.model import CustomerSnapshot
from tests.pages.stage import PageStage
from tests.usecases.world import VIP

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def reminded(stage: PageStage) -> str:
    """Let a buyer get a reminder; return the path of the link below it."""
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip")
    await stage.world.advance(hours=1)
    mail = stage.world.mailer.sent[-1]
    assert mail.template == "connect_reminder"
    return str(mail.facts["unsubscribe_url"]).removeprefix(stage.world.services.public_url)


async def test_opening_the_link_changes_nothing(stage: PageStage) -> None:
    path = await reminded(stage)
    visitor = await stage.stranger()
    for _ in range(3):
        shown = await visitor.get(path)
        assert (shown.status, "No more reminders" in shown.words) == (200, True)
    await stage.world.advance(days=1)
    assert stage.world.mailer.templates().count("connect_reminder") == 2


async def test_the_button_stops_them_and_another_one_brings_them_back(stage: PageStage) -> None:
    path = await reminded(stage)
    visitor = await stage.stranger()
    shown = await visitor.press(await visitor.get(path), "No more reminders")
    assert "Reminders are off" in shown.words
    await stage.world.advance(days=1)
    assert stage.world.mailer.templates().count("connect_reminder") == 1
    shown = await visitor.press(shown, "Switch reminders on again")
    assert "Reminders are on again." in shown.words
    await stage.world.advance(days=2)
    assert stage.world.mailer.templates().count("connect_reminder") == 2


@pytest.mark.parametrize("kind", ["multipart", "urlencoded", "empty"])
async def test_a_mail_program_stops_them_with_one_bare_post(stage: PageStage, kind: str) -> None:
    path = await reminded(stage)
    async with aiohttp.ClientSession() as machine:
        multipart = aiohttp.FormData(default_to_multipart=True)
        multipart.add_field("List-Unsubscribe", "One-Click")
        body = {"multipart": multipart, "urlencoded": ONE_CLICK, "empty": None}[kind]
        async with machine.post(stage.base + path, data=body, allow_redirects=False) as answer:
            assert answer.status == 200
    await stage.world.advance(days=7)
    assert stage.world.mailer.templates().count("connect_reminder") == 1


async def test_no_other_page_takes_a_form_from_nowhere(stage: PageStage) -> None:
    path = await reminded(stage)
    async with aiohttp.ClientSession() as machine:
        for other in (path.replace("unsubscribe", "resubscribe"), "/language"):
            async with machine.post(stage.base + other, data=ONE_CLICK, allow_redirects=False) as answer:
                assert answer.status == 403


async def test_a_link_that_nobody_made_is_answered_like_any_page_that_is_not_there(stage: PageStage) -> None:
    visitor = await stage.stranger()
    for path in ("/mail/unsubscribe/made-up", "/mail/resubscribe/made-up"):
        assert (await visitor.post(path)).status == 404
    assert (await visitor.get("/mail/unsubscribe/made-up")).status == 404


async def test_it_holds_for_everybody_who_gets_mail_at_the_address(stage: PageStage) -> None:
    path = await reminded(stage)
    await (await stage.stranger()).post(path)
    await stage.world.buys("vip", customer=CustomerSnapshot(external_id="cus_2", email="CHARLIE@example.com"))
    await stage.world.advance(days=8)
    assert stage.world.mailer.templates().count("connect_reminder") == 1


async def test_the_link_names_nobody_and_is_kept_as_a_digest_alone(stage: PageStage) -> None:
    path = await reminded(stage)
    token = path.rpartition("/")[2]
    assert "charlie" not in path
    async with stage.world.services.store.read() as tx:
        assert await tx.sessions.get(token, "unsubscribe", stage.world.clock.now()) is None
