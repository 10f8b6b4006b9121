"""Every page by the rules of WCAG 2.2 AA, as axe-core checks them in a browser: light and wide, dark and narrow."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.browser.gallery import WIDE, Gallery, Picture, a_gallery
from tests.browser.tabs import CHROMIUM, a_browser
from tests.pages.conftest import furnished
from tests.pages.rich import Furnished
from tests.usecases.conftest import migrated

__all__ = ["furnished", "migrated"]

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the pages are not looked at"),
    pytest.mark.asyncio(loop_scope="module"),
]

AXE = (Path(__file__).parent.parent / "fixtures" / "axe-core" / "axe.min.js").read_text("utf-8")
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
LOOKED_AT_AGAIN = ("color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block")
"""What depends on colours and widths."""
PHONE, NARROWEST = 360, 320
_RUN = """async ([tags, rules]) => {
  const runOnly = rules.length ? {type: "rule", values: rules} : {type: "tag", values: tags};
  const found = await axe.run(document, {runOnly, resultTypes: ["violations"]});
  return found.violations.map(each => `${each.id}: ${each.nodes.map(node => node.html.slice(0, 160)).join(" | ")}`);
}"""
_FOCUS = """() => {
  const at = document.activeElement, style = getComputedStyle(at), place = at.getBoundingClientRect();
  const shows = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  return [at.tagName, shows && place.width > 0, at.outerHTML.slice(0, 120)];
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gallery(furnished: Furnished, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gallery]:
    async with a_browser() as browser, a_gallery(furnished, tmp_path_factory.mktemp("gallery"), browser) as opened:
        yield opened


async def looked_at(page: Page, picture: Picture) -> Sequence[str]:
    """Return what is wrong with a page: first in light and wide, then in dark on a phone, then as narrow as it gets."""
    await page.emulate_media(color_scheme="light", reduced_motion="reduce")
    await page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    await page.goto(picture.url)
    await page.evaluate(AXE)
    wrong: list[str] = await page.evaluate(_RUN, [RULES, []])
    await page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    await page.set_viewport_size({"width": PHONE, "height": WIDE[1]})
    wrong += [f"in dark on a phone: {each}" for each in await page.evaluate(_RUN, [[], LOOKED_AT_AGAIN])]
    await page.set_viewport_size({"width": NARROWEST, "height": WIDE[1]})
    width: Any = await page.evaluate("document.documentElement.scrollWidth")
    return wrong if width <= NARROWEST else [*wrong, f"scrolls sideways: {width} px wide at {NARROWEST}"]


async def test_no_page_breaks_a_rule(gallery: Gallery) -> None:
    wrong = []
    for picture in await gallery.pictures():
        page = await gallery.tab(picture.who)
        wrong += [f"{picture.name}: {each}" for each in await looked_at(page, picture)]
    assert not wrong, "\n".join(wrong)


async def test_whoever_uses_the_keyboard_sees_where_they_are(gallery: Gallery) -> None:
    wrong, kinds = [], {"home", "sign-in", "portal", "admin 100", "admin 100 members", "admin 100 plans 1"}
    for picture in [each for each in await gallery.pictures() if each.name[4:] in kinds]:
        page = await gallery.tab(picture.who)
        await page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
        await page.goto(picture.url)
        for step in range(40):
            await page.keyboard.press("Tab")
            tag, shows, html = await page.evaluate(_FOCUS)
            if tag == "BODY":
                break
            wrong += [] if shows else [f"{picture.name}, step {step}: {html}"]
        kinds.discard(picture.name[4:])
    assert not wrong, "\n".join(wrong)
    assert not kinds, f"not looked at: {kinds}"
