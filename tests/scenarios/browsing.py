"""What people do in a browser beyond the straight way: stop at the last question, decline a permission."""

from __future__ import annotations

from sandbox.visitor import Page, Visitor, connect_link
from tests.scenarios.stage import Stage


async def link_of(s: Stage, name: str) -> str:
    """Return the connect link of somebody's newest mail."""
    link = connect_link((await s.invitation(name)).text)
    assert link is not None
    return link


async def signs_in(s: Stage, visitor: Visitor, link: str, name: str, **consent: str) -> Page:
    """Follow a link to Discord, agree there as somebody, and return the page with the last question."""
    page = await visitor.submit(await visitor.open(link))
    return await visitor.submit(page, {"user_id": str(s.person(name).id), **consent})


async def connects_without_joining(s: Stage, name: str) -> Page:
    """Connect without the permission to be added to servers; return the last page."""
    async with s.visitor(name) as visitor:
        question = await signs_in(s, visitor, await link_of(s, name), name, scope="identify email")
        return await visitor.submit(question, {"choice": "connect"})
