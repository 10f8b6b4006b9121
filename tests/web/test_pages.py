"""All pages together: the shop, hostile names, and the rules of accessible pages, checked by a parser."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from membership.codes import digest
from tests.web.stage import CHECKOUT, DELIVERED, KEY, PAID, PREVIEW, TOKEN, WELCOME, Page, Stage, a_stage
from web import wording
from web.parts import AccessState, Check, ConnectOutcome, ConnectResult, ConnectReview, LinkState

VOID = {"meta", "link", "input", "br", "img", "hr"}


class Document(HTMLParser):
    """A page, parsed: its tags with attributes, the text of headings, and whether everything is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.mistakes: list[str] = []
        self.texts: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.mistakes.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        if self.open:
            self.texts[self.open[-1]] = self.texts.get(self.open[-1], "") + data

    def named(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


async def every_page(stage: Stage) -> dict[str, Page]:
    """Walk through everything a person can see."""
    membership = stage.membership
    pages = {
        path: await stage.browser.get(path)
        for path in (
            "/",
            "/buy/vip",
            "/nowhere",
            f"/connect/{TOKEN}",
            "/connect/unknown",
            "/connect/done",
        )
    }
    for state in AccessState:
        each = replace(membership.progress_answer.access[0], state=state, invite_url="https://discord.gg/x")
        membership.checkouts[CHECKOUT] = replace(PAID, connected_as="@ada", access=(each,), buyer_name=each.plan_name)
        pages[f"welcome {state}"] = await stage.browser.get(WELCOME)
    membership.checkouts[CHECKOUT] = PAID
    pages["welcome"] = await stage.browser.get(WELCOME)
    pages["welcome, not paid"] = await stage.browser.get(f"/welcome?session_id=cs_unknown&key={KEY}")
    pages["welcome, not the payer"] = await stage.browser.get(f"/welcome?session_id={CHECKOUT}")
    pages["confirm"] = await stage.sign_in()
    pages["done"] = await stage.browser.get((await stage.browser.press("/connect/confirm", choice="connect")).location)
    for link in (LinkState.USED, LinkState.EXPIRED, LinkState.LINKED):
        preview = membership.previews[digest(TOKEN)]
        membership.previews[digest("other")] = replace(
            preview, state=link, linked_to=membership.review_answer.moves_from
        )
        pages[f"link {link}"] = await stage.browser.get("/connect/other")
    return pages


def set_names(stage: Stage, name: str) -> None:
    """Give everything that has a name this name."""
    membership = stage.membership
    preview = replace(PREVIEW, plan_names=(name,), server_names=(name,), masked_email=name, linked_to=name)
    access = replace(DELIVERED, plan_name=name, server_name=name)
    membership.previews[digest(TOKEN)] = replace(preview, linked_to="")
    membership.review_answer = ConnectReview(preview=preview, moves_from=name, also_holds=name)
    membership.outcome = ConnectOutcome(result=ConnectResult.CONNECTED, access=(access,))
    membership.progress_answer = replace(PAID, access=(access,))
    stage.discord.me |= {"username": name, "global_name": name}


EVIL = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "</title><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "<!--<base href=//evil>",
    "</main><form action=//evil>",
    "\u202e\u0000<iframe src=//evil>",
]


@pytest.mark.parametrize("evil", EVIL)
async def test_a_hostile_name_stays_text_on_every_page(stage: Stage, evil: str) -> None:
    plain = {name: Document(page.text).tags for name, page in (await every_page(stage)).items()}
    set_names(stage, evil)
    for name, page in (await every_page(stage)).items():
        document = Document(page.text)
        assert not document.named("script") + document.named("iframe") + document.named("img"), name
        assert not [key for _, attributes in document.tags for key in attributes if key.startswith("on")], name
        assert not [tag for tag, _ in document.tags if tag in ("svg", "base", "object")], name
        assert len(document.named("form")) <= max(1, len([tag for tag, _ in plain[name] if tag == "form"])), name
        assert "49" not in document.texts.get("h1", ""), name


async def test_every_page_follows_the_rules_of_accessible_pages(stage: Stage) -> None:
    for name, page in (await every_page(stage)).items():
        document = Document(page.text)
        assert document.mistakes == [], name
        assert document.open == [], name
        assert document.named("html") == [{"lang": "en"}], name
        assert len(document.named("h1")) == 1, name
        assert len(document.named("main")) == 1, name
        assert document.texts["title"].strip(), name
        assert {"class": "skip", "href": "#main"} in document.named("a"), name
        assert not [attributes for _, attributes in document.tags if "style" in attributes], name
        assert not document.named("script") + document.named("style"), name
        for field in document.named("input"):
            assert field["type"] == "hidden", name
        identifiers = [attributes["id"] for _, attributes in document.tags if "id" in attributes]
        assert len(identifiers) == len(set(identifiers)), name


@pytest.mark.parametrize(
    ("amount", "currency", "shown", "mailed"),
    [
        (900, "eur", "9.00 €", "9.00 EUR"),
        (123456, "usd", "1,234.56 $", "1,234.56 USD"),
        (500, "gbp", "5.00 £", "5.00 GBP"),
        (500, "jpy", "500 JPY", "500 JPY"),
        (1234, "kwd", "1.234 KWD", "1.234 KWD"),
    ],
)
def test_money_is_shown_with_its_sign_and_mailed_with_its_code(
    amount: int, currency: str, shown: str, mailed: str
) -> None:
    assert wording.money(amount, currency) == shown
    assert wording.money_with_code(amount, currency) == mailed


async def test_nothing_on_a_page_is_loaded_from_elsewhere(stage: Stage) -> None:
    for name, page in (await every_page(stage)).items():
        for link in Document(page.text).named("link"):
            assert link["href"].startswith(("/static/", "data:,")), name


async def test_the_sandbox_can_not_be_taken_for_the_real_one(tmp_path: Path) -> None:
    async with a_stage(tmp_path, is_sandbox=True) as stage:
        for name, page in (await every_page(stage)).items():
            assert Document(page.text).texts["title"].startswith("SANDBOX"), name
            assert "nothing here is real" in page.text, name


async def test_the_stylesheet_is_kept_by_browsers_until_it_changes(stage: Stage) -> None:
    [href] = [
        link["href"] for link in Document((await stage.browser.get("/")).text).named("link") if "css" in link["href"]
    ]
    sheet = await stage.browser.get(href)
    assert sheet.headers["Content-Type"] == "text/css; charset=utf-8"
    assert "immutable" in sheet.headers["Cache-Control"]
    assert "url(" not in sheet.text
    assert "@import" not in sheet.text


# --- health -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/health/ready", "/readiness"])
async def test_a_failing_part_is_named_and_the_process_not_ready(stage: Stage, path: str) -> None:
    since = stage.clock.now()
    stage.membership.checks["discord"] = Check(is_ok=False, text="gateway reconnecting", since=since)
    async with stage.browser.session.get(stage.base + path) as answer:
        assert answer.status == 503
        assert await answer.json() == {
            "status": "degraded",
            "checks": {"discord": {"ok": False, "since": since.isoformat(), "text": "gateway reconnecting"}},
        }


async def test_a_process_that_is_not_ready_still_lives(stage: Stage) -> None:
    stage.membership.checks["discord"] = Check(is_ok=False)
    assert (await stage.browser.get("/healthz")).text == '{"status": "ok"}'
