"""What mails say: in their text part and in HTML, in every language, whatever the names in them are."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from locales.catalogue import locales
from membership.errors import Reason
from tests.web.letters import FACTS, UNTIL
from web.mail_words import LINE_LENGTH, LONGEST_SUBJECT, TEMPLATES, MailWords, Rendered

LANGUAGES = sorted(locales())
WITHOUT_PLAN = ("signin", "staff_alert", "test")


def rendered(template: str, *, claim_command: str = "!claim", **facts: object) -> Rendered:
    return MailWords(claim_command).render(template, {**FACTS, **facts})


def test_an_unknown_template_is_a_bug() -> None:
    with pytest.raises(KeyError):
        rendered("winback")


@pytest.mark.parametrize("template", ["connect", "connect_reminder"])
def test_a_mailed_code_names_the_command_that_the_settings_make(template: str) -> None:
    mail = rendered(template, claim_command="/claim")
    for body in (mail.text, mail.html):
        assert "/claim K7QF-2M9X-4TRW-8HNB" in body
        assert "!claim" not in body


def test_the_connect_mail_says_all_in_its_text_part() -> None:
    mail = rendered(
        "connect", amount=900, currency="eur", interval="month", claim_channel="get-access", invite_url="https://d.gg/a"
    )
    assert mail.subject == "You're in — connect Discord to unlock VIP"
    text = " ".join(mail.text.split())
    for part in (
        "Hi Ada",
        "VIP (9.00 EUR per month) on Ada's Trading Room",
        "https://gate.example.com/connect/0hK",
        "works until 21 December 2026",
        "Join it here: https://d.gg/a",
        "#get-access",
        "!claim K7QF-2M9X-4TRW-8HNB",
    ):
        assert part in text


@pytest.mark.parametrize("template", ["connect", "past_due", "refunded", "trial_ending"])
def test_an_unknown_amount_is_not_named(template: str) -> None:
    mail = rendered(template, amount=0, currency="eur")
    assert "EUR" not in mail.subject + mail.text + mail.html


def test_a_failed_payment_without_a_known_end_names_none() -> None:
    mail = rendered("past_due", until="")
    assert mail.subject == "Your payment for VIP failed"
    assert "You keep" not in mail.text + mail.html


def test_the_past_due_mail_names_amount_and_end() -> None:
    mail = rendered(
        "past_due", amount=900, currency="eur", repair_url="https://gate.example.com/billing/1", retry_at=UNTIL
    )
    for part in ("refused 9.00 EUR", "until 21 December 2026", "https://gate.example.com/billing/1", "next try is on"):
        assert part in mail.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_mail_needs_no_more_than_its_required_facts(template: str, language: str) -> None:
    mail = rendered(template, name="", languages=[language])
    assert mail.language == language
    assert f'<html lang="{language}">' in mail.html
    for body in (mail.text, mail.html):
        assert "VIP" in body or template in WITHOUT_PLAN
        assert not [odd for odd in ("None", "Macro", "Undefined", "{", "()") if odd in body.partition("</style>")[2]]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("template", TEMPLATES)
def test_subjects_are_short_however_long_the_names_are(template: str, language: str) -> None:
    long = "The Very Long Name Of A Thing " * 4
    mail = rendered(template, plan=long, server=long, account=long, amount=900, currency="eur", languages=[language])
    assert len(mail.subject) <= LONGEST_SUBJECT
    assert len(rendered(template, languages=[language]).subject) <= LONGEST_SUBJECT


@pytest.mark.parametrize("template", TEMPLATES)
def test_paragraphs_of_the_text_part_are_wrapped(template: str) -> None:
    for line in rendered(template).text.splitlines():
        assert len(line) <= LINE_LENGTH or "https://" in line


@pytest.mark.parametrize("template", TEMPLATES)
def test_there_is_one_button_at_most_and_its_bare_link_below(template: str) -> None:
    buttons = rendered(template, repair_url="https://gate.example.com/billing/1").html.count('class="label"')
    assert buttons == (0 if template in ("test", "delivered", "ended", "failed", "cancelled", "refunded") else 1)


@pytest.mark.parametrize(
    ("template", "url"),
    [("delivered", "open_url"), ("failed", "invite_url"), ("ended", "return_url"), ("cancelled", "manage_url")],
)
def test_a_way_on_is_shown_where_there_is_one(template: str, url: str) -> None:
    mail = rendered(template, **{url: "https://gate.example.com/on"})
    assert mail.text.count("https://gate.example.com/on") >= 1
    assert 'class="label" href="https://gate.example.com/on"' in mail.html


@pytest.mark.parametrize("trouble", ["brake", "key", "bot_removed", "webhooks"])
def test_an_alert_says_what_happens_if_nobody_does_anything(trouble: str) -> None:
    mail = rendered("staff_alert", trouble=trouble, number=38, platform="Stripe")
    assert mail.subject.startswith("[doorlist]")
    assert "If nobody does anything" in mail.text
    assert "https://gate.example.com/admin/1/brake" in mail.text


@pytest.mark.parametrize("reason", Reason)
def test_an_end_and_a_failure_have_a_sentence_for_every_reason(reason: Reason) -> None:
    ended = " ".join(rendered("ended", reason=reason.value).text.split())
    assert re.search(r"21 December 2026\. (It|The|You) [A-Za-z ]+\.", ended)
    failed = " ".join(rendered("failed", reason=reason.value).text.split())
    assert re.search(r"to you yet\. (The|You|Something|Discord) [A-Za-z' ]+\.", failed)


def test_a_mail_speaks_the_first_wanted_language_that_there_is() -> None:
    assert rendered("connect", languages=["", "de-AT", "it-IT", "en"]).language == "it"
    assert rendered("connect", languages=["de"]).language == "en"


def test_a_day_is_that_of_the_readers_time_zone() -> None:
    mail = rendered("cancelled", until="2026-12-20T23:30:00+00:00", time_zone="Europe/Rome")
    assert "until 21 December 2026" in mail.text


def test_a_servers_own_words_stand_in_their_language_alone() -> None:
    own = {"en": {"subject": "Come in, {plan} awaits on {server}", "intro": "Glad to have <you>."}}
    mail = rendered("connect", own_words=own)
    assert mail.subject == "Come in, VIP awaits on Ada's Trading Room"
    assert "Glad to have <you>." in mail.text
    assert "Glad to have &lt;you&gt;." in mail.html
    assert "Glad to have" not in rendered("connect", own_words=own, languages=["it"]).text


def test_the_accent_of_a_server_colours_the_button_unless_it_cannot_be_read() -> None:
    assert 'bgcolor="#0b5d2e"' in rendered("connect", accent="0b5d2e").html
    assert 'bgcolor="#3b46c4"' in rendered("connect", accent="ffff00").html


def test_the_foot_names_imprint_and_support() -> None:
    mail = rendered("connect", imprint="Ada GmbH, Street 1, Wien", support_address="help@ada.example")
    for body in (mail.text, mail.html):
        assert "Ada GmbH, Street 1, Wien" in body
        assert "help@ada.example" in body


@pytest.mark.parametrize("name", ["https://evil.example", "a@b.c", "see www.evil.example", "x" * 41, "Ada/Eve"])
def test_nobody_is_called_by_what_reads_like_an_address(name: str) -> None:
    assert rendered("connect", name=name).text.startswith("Hello,\n")


class _Inventory(HTMLParser):
    """Lists the tags and attributes of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_html_loads_nothing_and_escapes_names(template: str) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>"
    own = {"en": {"intro": evil}}
    facts = dict.fromkeys(
        ("server", "plan", "account", "imprint", "support_address", "claim_channel", "platform"), evil
    )
    found = _Inventory()
    found.feed(rendered(template, **facts, name="<b>", roles=[evil], own_words=own).html)
    assert not {"script", "img", "iframe", "link", "object", "form", "b"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("src", "background")]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_name_with_line_breaks_adds_no_line_to_the_subject_and_no_paragraph(template: str) -> None:
    evil = "VIP\r\nBcc: evil@example.com\r\n\r\nClick https://evil.example\u2028now\u202e"
    mail = rendered(template, plan=evil, server=evil, name=evil, account=evil, imprint=evil)
    assert len(mail.subject.splitlines()) == 1
    assert not [part for part in mail.text.split("\n\n") if part.lstrip().startswith(("Bcc", "Click"))]
    assert "\u202e" not in mail.text + mail.html


@pytest.mark.parametrize(("scheme", "is_dark"), [("dark", True), ("light", False)])
def test_a_preview_is_dark_or_light_whatever_the_browser_likes(scheme: str, is_dark: bool) -> None:
    html = rendered("connect", scheme=scheme).html
    assert ("@media all" in html) is is_dark
    assert "prefers-color-scheme" not in html
