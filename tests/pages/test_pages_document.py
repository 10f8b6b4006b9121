"""docs/pages.md names every page with who may see it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.pages.stage import PageStage
from web.rights import Right
from web.site import RULES

DOCUMENT = Path(__file__).parents[2] / "docs" / "pages.md"
WHO = {
    Right.ANYONE: "anyone",
    Right.CUSTOMER: "customer",
    Right.DESK: "staff of any server",
    Right.OPERATOR: "operator",
    Right.STAFF: "Manage Roles",
    Right.MANAGER: "Manage Server",
    Right.DATA: "Administrator",
}
NO_PAGES = ("/static/", "/icons/", "/health", "/readiness", "/oauth/", "/admin/again/", "/admin/servers/added/")


@pytest.fixture
def documented() -> dict[str, str]:
    return dict(re.findall(r"^\| `(/[^`]*)` \| ([^|]+) \|", DOCUMENT.read_text("utf-8"), re.MULTILINE))


async def test_every_page_or_the_one_above_it_is_documented(stage: PageStage, documented: dict[str, str]) -> None:
    paths = [path for method, path in stage.app[RULES] if method == "GET" and not path.startswith(NO_PAGES)]
    for path in paths:
        above = [each for each in documented if path == each or (each != "/" and path.startswith(f"{each}/"))]
        assert [each for each in above if each not in ("/admin", "/admin/{guild}") or each == path], path


async def test_who_may_see_a_page_is_what_it_asks_for(stage: PageStage, documented: dict[str, str]) -> None:
    rules = {path: right for (method, path), right in stage.app[RULES].items() if method == "GET"}
    assert documented == {path: WHO[rules[path]] for path in documented}
