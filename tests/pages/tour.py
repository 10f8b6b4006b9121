"""Every page that there is, as somebody who may see it gets it: by the routes, and by links that carry a query."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from aiohttp import hdrs

from tests.pages.actors import Get, Who, due_to, who_may
from tests.pages.rich_stage import RichStage, Route
from tests.pages.stage import Shown

_MOST_OF_A_KIND = 3
_MOST_LINKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """A page on the tour: who looked at it, where, and what they got."""

    route: Route
    who: Who
    shown: Shown

    @property
    def is_page(self) -> bool:
        """Say whether it is one for people."""
        return self.shown.headers.get(hdrs.CONTENT_TYPE, "").startswith("text/html")

    def __str__(self) -> str:
        return f"{self.route} {self.shown.url} ({self.who})"


def looker(route: Route) -> Who:
    """Return who looks at a page: whoever sees most on it."""
    return Who.OWNER if due_to(Who.OWNER, route.right) is Get.PAGE else who_may(route.right)


async def tour(rich: RichStage, *, most: int = _MOST_OF_A_KIND) -> AsyncIterator[Stop]:
    """Visit every page, several of a kind, and then the links with a query that stand on them."""
    for route in list(rich.routes(hdrs.METH_GET)):
        who, linked = looker(route), list[str]()
        visitor = await rich.visitor(who)
        for address in rich.ours.of(route.path)[:most]:
            stop = Stop(route=route, who=who, shown=await visitor.get(address))
            linked += stop.shown.links if stop.is_page and stop.shown.status == 200 else ()
            yield stop
        for address in _with_query(linked):
            yield Stop(route=route, who=who, shown=await visitor.get(address))


def _with_query(links: Sequence[str]) -> Sequence[str]:
    """Return a few links of a page to ours that carry a query, one of each shape."""
    shapes = {
        tuple(sorted(part.partition("=")[0] for part in link.partition("?")[2].split("&"))): link
        for link in links
        if link.startswith("/") and "?" in link and "flash=" not in link
    }
    return list(shapes.values())[:_MOST_LINKS]
