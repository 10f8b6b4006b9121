"""Staff look at every mail, word some of them themselves, and send themselves a sample."""

from __future__ import annotations

from dataclasses import replace

import pytest

from locales.catalogue import locales
from membership.mail_desk import CHANGEABLE
from tests.pages.stage import MANAGER, STAFF, PageStage, Visitor
from tests.usecases.world import VIP
from web.mail_words import TEMPLATES

EVIL = "<script>alert(1)</script> & more"


async def manager(stage: PageStage, **changes: object) -> Visitor:
    guild = await stage.world.guild()
    async with stage.world.services.store.write() as tx:
        await tx.guilds.replace(replace(guild, support_address="help@ada.example", **changes))  # type: ignore[arg-type]
    return await stage.staff_member(MANAGER)


async def test_every_mail_is_listed_and_has_a_page(stage: PageStage) -> None:
    visitor = await manager(stage)
    listed = await visitor.get(stage.at("/mail"))
    for template in TEMPLATES:
        assert stage.at(f"/mail/{template}") in listed.links
        shown = await visitor.get(stage.at(f"/mail/{template}"))
        assert shown.status == 200
        assert ("Save" in shown.text) is (template in CHANGEABLE)


@pytest.mark.parametrize("language", sorted(locales()))
async def test_every_mail_can_be_looked_at(stage: PageStage, language: str) -> None:
    visitor = await manager(stage)
    for template in TEMPLATES:
        for part in ("light", "dark", "text"):
            shown = await visitor.get(stage.at(f"/mail/{template}/look?language={language}&part={part}"))
            assert shown.status == 200
            assert shown.headers["Content-Type"].startswith("text/plain" if part == "text" else "text/html")


async def test_a_look_at_a_mail_may_style_itself_and_nothing_else(stage: PageStage) -> None:
    visitor = await manager(stage)
    shown = await visitor.get(stage.at("/mail/connect/look"))
    policy = shown.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert policy.endswith("sandbox")
    page = await visitor.get(stage.at("/mail/connect"))
    assert "unsafe" not in page.headers["Content-Security-Policy"]


async def test_own_words_are_saved_shown_sent_and_taken_back(stage: PageStage) -> None:
    visitor = await manager(stage)
    shown = await visitor.get(stage.at("/mail/connect?language=en"))
    shown = await visitor.press(shown, "Save", subject="Come in to {plan}", intro=EVIL)
    assert "Saved." in shown.words
    looked = await visitor.get(stage.at("/mail/connect/look?language=en"))
    assert "&lt;script&gt;" in looked.text
    assert "<script>" not in looked.text
    await stage.world.plan("vip", VIP)
    await stage.world.buys("vip")
    assert stage.world.mailer.sent[-1].facts["own_words"] == {"en": {"subject": "Come in to {plan}", "intro": EVIL}}
    shown = await visitor.press(shown, "Undo")
    assert "Taken back" in shown.words
    async with stage.world.services.store.read() as tx:
        assert await tx.mail_texts.of_guild((await tx.guilds.all())[0].id) == {}


async def test_too_long_words_are_refused_and_nothing_typed_is_lost(stage: PageStage) -> None:
    visitor = await manager(stage)
    shown = await visitor.get(stage.at("/mail/connect?language=en"))
    refused = await visitor.press(shown, "Save", subject="x" * 61, intro="Glad to have you.")
    assert refused.status == 422
    assert "x" * 61 in refused.text
    assert "Glad to have you." in refused.text


async def test_a_sample_goes_to_the_servers_support_once_a_minute(stage: PageStage) -> None:
    visitor = await manager(stage)
    shown = await visitor.get(stage.at("/mail/past_due"))
    for _ in range(2):
        shown = await visitor.press(shown, "Send a sample to help@ada.example")
        assert "help@ada.example" in shown.words
    await stage.world.settle()
    assert [(mail.to, mail.template) for mail in stage.world.mailer.sent] == [("help@ada.example", "past_due")]


async def test_the_test_mail_is_sent_from_the_list(stage: PageStage) -> None:
    visitor = await manager(stage)
    shown = await visitor.press(await visitor.get(stage.at("/mail")), "Send a test mail")
    assert "A sample is on its way" in shown.words
    await stage.world.settle()
    assert stage.world.mailer.templates() == ["test"]


async def test_without_a_mail_server_the_page_says_what_works_all_the_same(stage: PageStage) -> None:
    stage.world.mailer.is_configured = False
    visitor = await manager(stage)
    shown = await visitor.get(stage.at("/mail"))
    assert "Without it everything else works" in shown.words
    assert (await visitor.post(stage.at("/mail/test/sample"))).status == 400


async def test_a_mail_that_there_is_not_is_not_found(stage: PageStage) -> None:
    visitor = await manager(stage)
    assert (await visitor.get(stage.at("/mail/winback"))).status == 404
    assert (await visitor.post(stage.at("/mail/signin"), {"subject": "x"})).status == 422


async def test_support_staff_do_not_word_mails(stage: PageStage) -> None:
    visitor = await stage.staff_member(STAFF)
    assert (await visitor.get(stage.at("/mail"))).status == 403


async def test_it_says_why_no_sample_can_be_sent(stage: PageStage) -> None:
    visitor = await stage.staff_member(MANAGER)
    shown = await visitor.get(stage.at("/mail/past_due"))
    assert "nobody reads it" in shown.words
    assert shown.links.count(stage.at("/settings")) == 2  # the menu's and this one
    stage.world.mailer.is_configured = False
    assert "no mail server is set up" in (await visitor.get(stage.at("/mail/past_due"))).words
