"""Every page of a furnished world in a real browser: which there are, and a tab in which somebody is signed in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.async_api import Browser, Page

from storage.store import Database
from tests.browser.tabs import PATIENCE_MILLISECONDS
from tests.pages.actors import Who
from tests.pages.rich import Furnished, furnished_world
from tests.pages.rich_stage import RichStage, rich_stage
from tests.pages.tour import tour
from tests.usecases.world import MovableClock, database_settings

WIDE = (1280, 900)
_NO_PAGES = ("/look",)
"""Ends of addresses where no page of ours is: a mail as it is sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One page worth looking at; `name` is fit for a file."""

    name: str
    who: Who
    url: str


@dataclass(slots=True, kw_only=True)
class Gallery:
    """The pages before a furnished world, and a browser's tab for each actor."""

    rich: RichStage
    browser: Browser
    _stack: AsyncExitStack
    _tabs: dict[Who, Page] = field(default_factory=dict)

    async def pictures(self) -> Sequence[Picture]:
        """Return one page of each kind, those with an error among them, and the links with a query."""
        stops = [stop async for stop in tour(self.rich, most=1)]
        shown = [stop for stop in stops if stop.is_page and stop.shown.text and stop.shown.status not in (301, 303)]
        pages = [stop for stop in shown if not stop.route.path.endswith(_NO_PAGES)]
        return [
            Picture(name=f"{number:03} {_fit(stop.shown.url)}", who=stop.who, url=self.rich.stage.base + stop.shown.url)
            for number, stop in enumerate(pages)
        ]

    async def tab(self, who: Who) -> Page:
        """Return the tab of an actor, signed in as they are elsewhere in the tests."""
        if who not in self._tabs:
            visitor = await self.rich.visitor(who)
            context = await self.browser.new_context(viewport={"width": WIDE[0], "height": WIDE[1]})
            self._stack.push_async_callback(context.close)
            context.set_default_timeout(PATIENCE_MILLISECONDS)
            for cookie in visitor.session.cookie_jar:
                await context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": visitor.base}])
            self._tabs[who] = await context.new_page()
        return self._tabs[who]


@asynccontextmanager
async def a_gallery(furnished: Furnished, directory: Path, browser: Browser) -> AsyncIterator[Gallery]:
    """Open the gallery in a browser."""
    async with AsyncExitStack() as stack:
        rich = await stack.enter_async_context(rich_stage(furnished, directory))
        yield Gallery(rich=rich, browser=browser, _stack=stack)


async def furnish_in(directory: Path) -> Furnished:
    """Make a database and furnish a world on it."""
    migrated = directory / "migrated.db"
    await (await Database.open(database_settings(migrated), MovableClock())).close()
    return await furnished_world(migrated, directory)


def _fit(address: str) -> str:
    path = re.sub(r"token-\w+", "token", address.partition("&key")[0])
    return re.sub(r"[^\w.=-]+", " ", path)[:70].strip() or "home"
