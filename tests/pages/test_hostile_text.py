"""Names are hostile text: two hundred of them, everywhere a name can stand, change no bone of a page or mail."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
import pytest_asyncio
from aiohttp import hdrs
from yarl import URL

from membership.ports import Mail
from tests.pages.actors import Who
from tests.pages.anatomy import Anatomy
from tests.pages.cast import TYPED
from tests.pages.payloads import CANARY, payloads
from tests.pages.renaming import Spell, inside, known_names, rename
from tests.pages.rich_stage import RichStage
from tests.pages.tour import Stop, tour
from tests.web.stage import HandClock
from web.config import MailSettings
from web.mail import SmtpMailer

pytestmark = pytest.mark.asyncio(loop_scope="module")

AT_ONCE = 20
GROUPS = range(len(payloads()) // AT_ONCE)
QUERY = ("q", "state", "plan", "back", "before", "page", "group", "as_of", "event", "by", "days", "language", "since")
"""Parameters that some page reads."""
WAYS_OUT = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "https://evil.example/",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\r\nLocation: //evil.example",
    "http:evil.example",
    "%2f%2fevil.example",
    "/..//evil.example",
)
NO_PAGES = ("/admin/{guild}/mail/{template}/look",)
"""A mail as it is sent: styles stand in it, as mail programs want them."""
_CALCULATES = re.compile(r"[=+\-@\t\r＝]")
_NUMBER = re.compile(r"-?\d[\d.,]*")


async def bones(rich: RichStage) -> Mapping[str, Sequence[str]]:
    """Return the bones of one page of each kind."""
    stops = [stop async for stop in tour(rich, most=1) if stop.is_page]
    return {f"{stop.route} {number}": bones_of(stop) for number, stop in enumerate(stops)}


def bones_of(stop: Stop) -> Sequence[str]:
    anatomy = Anatomy(stop.shown.text)
    return [f"answer {stop.shown.status}", *anatomy.bones, *(fault for fault in anatomy.faults if "leads" in fault)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def harmless(rich: RichStage) -> Mapping[str, Sequence[str]]:
    rename(rich, lambda name: f"{name} harmless")
    return await bones(rich)


@pytest.mark.parametrize("group", GROUPS)
async def test_no_name_changes_the_build_of_a_page(
    rich: RichStage, harmless: Mapping[str, Sequence[str]], group: int
) -> None:
    chosen = payloads()[group * AT_ONCE : (group + 1) * AT_ONCE]

    def spell(name: str) -> str:
        turn = sum(map(ord, name)) % AT_ONCE
        return f"{name} {' '.join((*chosen[turn:], *chosen[:turn]))}"

    rename(rich, spell)
    found = await bones(rich)
    assert found.keys() == harmless.keys()
    changed = [f"{name}: {_difference(found[name], harmless[name])}" for name in found if found[name] != harmless[name]]
    assert not changed, "\n".join(changed)


def _difference(found: Sequence[str], expected: Sequence[str]) -> str:
    place = next((at for at, (one, other) in enumerate(zip(found, expected, strict=False)) if one != other), -1)
    return f"{found[place - 2 : place + 2]}, not {expected[place - 2 : place + 2]}"


@pytest.mark.parametrize("group", range(5))
async def test_nothing_that_is_asked_for_gets_into_a_page(rich: RichStage, group: int) -> None:
    rename(rich, lambda name: name)
    chosen = payloads()[group::5]
    wrong = []
    for number, route in enumerate(list(rich.routes(hdrs.METH_GET))[group::5]):
        visitor = await rich.visitor(Who.CUSTOMER if route.path.startswith("/portal") else Who.OWNER)
        query = {name: chosen[(number + turn) % len(chosen)][:300] for turn, name in enumerate(QUERY)}
        shown = await visitor.get(str(URL(rich.ours.of(route.path)[0]).update_query(query)))
        if shown.status >= 500:
            wrong.append(f"{route}: {shown.status} for {query}")
        elif route.path not in NO_PAGES and shown.headers.get(hdrs.CONTENT_TYPE, "").startswith("text/html"):
            wrong += [f"{route}: {fault}" for fault in _intruders(shown.text)]
    assert not wrong, "\n".join(wrong)


def _intruders(html: str) -> list[str]:
    anatomy = Anatomy(html)
    found = [bone for bone in anatomy.bones if CANARY in bone]
    return found + [fault for fault in anatomy.faults if "inside" in fault or "leads" in fault or "closes" in fault]


async def test_nothing_that_is_typed_gets_into_a_page(rich: RichStage) -> None:
    rename(rich, lambda name: name)
    texts, wrong = payloads(), []
    stops = [stop async for stop in tour(rich, most=1) if stop.is_page]
    forms = {form.action or stop.shown.url: (stop, form) for stop in stops for form in stop.shown.forms}
    for number, (action, (stop, form)) in enumerate(sorted(forms.items(), key=lambda each: each[0])):
        if form.method != "post" or "sign-out" in action or not form.fields:
            continue
        typed = [(name, texts[(number * 7 + turn) % len(texts)]) for turn, (name, _) in enumerate(form.fields)]
        shown = await (await rich.visitor(stop.who)).post(action, typed)
        wrong += [f"{action}: {shown.status}"] if shown.status >= 500 else []
        wrong += [f"{action}: {fault}" for fault in _intruders(shown.text)] if shown.status == 422 else []
    rich.restore()
    assert not wrong, "\n".join(wrong)


async def test_nobody_is_led_away_from_our_pages(rich: RichStage) -> None:
    rename(rich, lambda name: name)
    visitor, wrong = await rich.stage.stranger(), []
    for way in WAYS_OUT:
        shown = await visitor.post("/language", {"language": "it", "back": way})
        wrong += [] if URL(shown.location).path.startswith("/") and not URL(shown.location).host else [shown.location]
        for door in ("/sign-in", "/admin/sign-in"):
            page = await visitor.get(str(URL(door).with_query(back=way)))
            kept = [value for form in page.forms for name, value in form.fields if name == "back"]
            wrong += [f"{door}: {value!r}" for value in kept if not re.match(r"/(?![/\\])", value)]
    assert not wrong, "\n".join(wrong)


async def test_no_cell_of_a_list_is_a_formula(rich: RichStage) -> None:
    wrong, lists = [], set[str]()
    for formula in ("=1+1", "@SUM(A1)", "+1x", "-1x", "\t=1", "\r=1"):
        rename(rich, lambda name, formula=formula: f"{formula} {name}")  # type: ignore[misc]
        owner = await rich.visitor(Who.OWNER)
        got = [
            stop.shown
            async for stop in tour(rich, most=1)
            if "text/csv" in stop.shown.headers.get(hdrs.CONTENT_TYPE, "")
        ]
        got.append(await owner.post(rich.stage.at("/members/export")))
        for shown in got:
            lists.add(shown.url)
            cells = [cell for row in csv.reader(shown.text.removeprefix("\ufeff").splitlines()) for cell in row]
            bad = [cell for cell in cells if _CALCULATES.match(cell) and not _NUMBER.fullmatch(cell)]
            wrong += [f"{shown.url}: {cell!r}" for cell in bad]
    assert not wrong, "\n".join(wrong)
    assert len(lists) >= 3


async def test_no_name_changes_the_build_of_a_mail(rich: RichStage) -> None:
    settings = MailSettings.model_validate(
        {"transport": "smtp", "from_address": "Gate <gate@example.com>", "smtp": {"host": "x"}}
    )
    mailer = SmtpMailer(settings, HandClock(), claim_command="/claim")
    mails = {mail.template: mail for mail in rich.stage.world.mailer.sent}
    wrong = []
    for template, mail in mails.items():
        expected = mail_bones(mailer, mail, lambda _: "harmless")
        wrong += [
            f"{template}: {payload!r}"
            for payload in payloads()
            if mail_bones(mailer, mail, lambda _, payload=payload: f"harmless {payload}") != expected  # type: ignore[misc]
        ]
    assert not wrong, "\n".join(wrong)
    assert len(mails) >= 5


def mail_bones(mailer: SmtpMailer, mail: Mail, spell: Spell) -> Sequence[str]:
    """Return the tags and the headers of a mail in which the names read otherwise."""
    # The support address is left: it is checked when it is set, and a mail links it only where it looks like one.
    names = {name: spell(name) for name in known_names() - {TYPED["support"]}}
    message = mailer.compose(replace(mail, facts=inside(dict(mail.facts), names)))
    html = message.get_body(("html",))
    assert html is not None
    return [*Anatomy(html.get_content()).bones, *message]
