"""Every page is small, well built and free of code, and nothing of our insides is read on it."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

import pytest
import pytest_asyncio
from aiohttp import hdrs

from tests.pages.anatomy import Anatomy
from tests.pages.rich_stage import RichStage
from tests.pages.tour import Stop, tour
from web.pages import stylesheet

pytestmark = pytest.mark.asyncio(loop_scope="module")

MOST_BYTES = 30 * 1024
NOT_OUR_FRAME = ("/admin/{guild}/mail/{template}/look",)
"""A mail as it is sent, not a page."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stops(rich: RichStage) -> Sequence[Stop]:
    """Every page for people that there is."""
    found = [stop async for stop in tour(rich)]
    return [stop for stop in found if stop.is_page and stop.shown.text and stop.route.path not in NOT_OUR_FRAME]


def sent(stop: Stop) -> int:
    """Return how many bytes of a page went over the wire; lists of staff go packed."""
    return int(stop.shown.headers.get(hdrs.CONTENT_LENGTH, len(stop.shown.text.encode())))


async def test_every_page_and_its_stylesheet_are_small(stops: Sequence[Stop]) -> None:
    style = len(stylesheet(""))
    sizes = {str(stop): sent(stop) + style for stop in stops}
    assert {name: size for name, size in sizes.items() if size >= MOST_BYTES} == {}


async def test_every_page_is_well_built(stops: Sequence[Stop]) -> None:
    wrong = [f"{stop}: {fault}" for stop in stops for fault in Anatomy(stop.shown.text).judge()]
    assert not wrong, "\n".join(wrong)


async def test_every_page_has_a_way_past_its_head(stops: Sequence[Stop]) -> None:
    assert [str(stop) for stop in stops if '<a class="skip" href="#main">' not in stop.shown.text] == []


async def test_the_tour_sees_the_pages(stops: Sequence[Stop]) -> None:
    assert [str(stop) for stop in stops if stop.shown.status >= 500] == []
    assert len({stop.route.path for stop in stops if stop.shown.status == 200}) > 60


async def test_a_failed_form_says_so_at_its_head_and_in_its_title(rich: RichStage, stops: Sequence[Stop]) -> None:
    wrong = [fault for stop in stops for fault in await faults_of_failed_forms(rich, stop)]
    assert not wrong, "\n".join(wrong)


async def faults_of_failed_forms(rich: RichStage, stop: Stop) -> Sequence[str]:
    """Send every form of a page with nothing in it; return what is wrong with the pages that say so."""
    wrong, visitor = list[str](), await rich.visitor(stop.who)
    for form in stop.shown.forms:
        if form.method != "post" or "sign-out" in form.action or not form.fields:
            continue
        shown = await visitor.post(form.action or stop.shown.url, [(name, "") for name, _ in form.fields])
        if shown.status == 422:
            wrong += [f"{stop}: {fault}" for fault in Anatomy(shown.text).judge()]
            wrong += [] if 'role="alert"' in shown.text else [f"{stop}: no summary of errors"]
            wrong += [] if "<title>Error: " in shown.text else [f"{stop}: the title says nothing of it"]
    return wrong


async def test_the_stylesheet_is_plain() -> None:
    text = gzip.decompress(stylesheet("")).decode()
    for outside in ("@import", "url(http", "//", "expression("):
        assert outside not in text
