"""Every route for every actor, generated from the site's own rules: who gets what, and that nothing else is touched.

The furnished world has two servers and two customers; every id of the one is tried under the name of the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest
from aiohttp import hdrs

from tests.pages.actors import Get, Who, door_of, due_to, who_may
from tests.pages.rich_stage import SEEN, RichStage, Route, at_work
from tests.pages.stage import Shown
from tests.usecases.world import GUILD
from web.site import RULES

pytestmark = pytest.mark.asyncio(loop_scope="module")

# What somebody gets who may, where that is no page: the middle of a flow, without its beginning.
WITHOUT_BEGINNING = {
    "/admin/again/{kept}": {303, 400},
    "/admin/servers/added/{added}": {400, 404},
    "/admin/servers/disconnect/{known}": {404},
    "/admin/{guild}/brake/{batch}/release": {200, 303, 409, 422},
    "/admin/{guild}/codes/made/{made}": {404},
    "/admin/{guild}/doctor": {200, 303, 404},
    "/admin/{guild}/move": {200, 404},
    "/admin/{guild}/move/{preview}": {200, 404},
    "/admin/{guild}/problems/retry": {404},
    "/admin/{guild}/products/roles": {200, 404},
    "/buy/{slug}": {200, 303, 410},
    "/connect/done": {400},
    "/icons/{guild}.png": {200},
    "/oauth/discord/callback": {400},
    "/portal/discord/confirm": {303, 400},
    "/portal/discord/connect": {404},
    "/sign-in/{token}": {200, 400, 404, 410},
    "/verify/done": {400},
    "/webhooks/{provider}": {401, 500},
    "/welcome": {404, 200, 303},
}
FROM_ANYWHERE = {"/webhooks/{provider}", "/mail/unsubscribe/{token}"}
"""Sent by no page of ours: a provider signs, and a mail program knows the secret of one mail (RFC 8058)."""
MOST_OF_A_KIND = 3
PAGE_STATUSES = frozenset({200, 303})
FORM_STATUSES = frozenset({200, 303, 400, 409, 410, 422, 503})


async def test_every_route_of_the_router_has_a_rule(rich: RichStage) -> None:
    app = rich.stage.app
    routes = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != hdrs.METH_HEAD
    }
    assert routes - set(app[RULES].keys()) == set()


def fault(route: Route, address: str, shown: Shown, due: Get) -> list[str]:
    """Return what is wrong with an answer, nothing where it is what is due."""
    fine = FORM_STATUSES if route.method == hdrs.METH_POST else PAGE_STATUSES
    ways_to_door = (f"{door_of(route.right)}?back=", "/admin/again/")
    is_door = shown.status == 303 and shown.location.startswith(ways_to_door)
    is_due = {
        Get.DOOR: is_door,
        Get.REFUSED: shown.status == 403,
        Get.NOTHING: shown.status == 404,
        Get.PAGE: shown.status in WITHOUT_BEGINNING.get(route.path, fine) and not is_door,
    }
    return [] if is_due[due] else [f"{route} {address}: {shown.status} {shown.location}, not {due}"]


async def send(rich: RichStage, who: Who, route: Route, address: str) -> Shown:
    visitor = await rich.visitor(who)
    return await (visitor.get(address) if route.method == hdrs.METH_GET else visitor.post(address))


def addresses(rich: RichStage, who: Who, route: Route) -> Sequence[str]:
    """Return some addresses for whoever may see them all, one for the others."""
    return rich.ours.of(route.path)[: MOST_OF_A_KIND if who in (Who.CUSTOMER, Who.OWNER) else 1]


@pytest.mark.parametrize("who", Who)
async def test_each_actor_sees_what_is_for_them_and_looking_changes_nothing(rich: RichStage, who: Who) -> None:
    await rich.visitor(who)
    wrong, before = [], rich.digest(without=SEEN)
    for route in rich.routes(hdrs.METH_GET):
        is_theirs = route.names_somebodys
        for address in addresses(rich, who, route):
            shown = await send(rich, who, route, address)
            wrong += fault(route, address, shown, due_to(who, route.right, is_theirs=is_theirs))
        after = rich.digest(without=SEEN)
        wrong += [f"{route} changed {name}" for name in after if after[name] != before[name]]
        before = after
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("who", Who)
async def test_nobody_changes_what_is_not_theirs_to_change(rich: RichStage, who: Who) -> None:
    await rich.visitor(who)
    wrong, before = [], rich.digest()
    for route in rich.routes(hdrs.METH_POST):
        due = due_to(who, route.right, is_theirs=route.names_somebodys)
        if due is not Get.PAGE:
            address = rich.ours.of(route.path)[0]
            wrong += fault(route, address, await send(rich, who, route, address), due)
    assert not wrong, "\n".join(wrong)
    assert rich.digest() == before


async def test_whoever_may_send_a_form_gets_an_answer_even_to_an_empty_one(rich: RichStage) -> None:
    wrong = []
    for route in rich.routes(hdrs.METH_POST):
        who = who_may(route.right)
        address = rich.ours.of(route.path)[0]
        async with at_work(rich):
            wrong += fault(route, address, await send(rich, who, route, address), Get.PAGE)
        rich.restore()
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("method", [hdrs.METH_GET, hdrs.METH_POST])
async def test_what_belongs_to_others_is_not_there_and_stays_as_it_is(rich: RichStage, method: str) -> None:
    for who in (Who.CUSTOMER, Who.OWNER):
        await rich.visitor(who)
    wrong, before = [], rich.digest()
    for route in rich.routes(method):
        who = Who.CUSTOMER if route.path.startswith("/portal/") else Who.OWNER
        at = None if who is Who.CUSTOMER else GUILD
        for address in rich.theirs.of(route.path, at=at) if route.names_somebodys else ():
            shown = await send(rich, who, route, address)
            wrong += [f"{route} {address}: {shown.status}"] if shown.status != 404 else []
    assert not wrong, "\n".join(wrong)
    assert rich.digest() == before


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}], ids=str)
async def test_no_form_is_taken_from_another_site(rich: RichStage, headers: dict[str, str]) -> None:
    for who in Who:
        await rich.visitor(who)
    wrong, before = [], rich.digest()
    for route in rich.routes(hdrs.METH_POST):
        visitor = await rich.visitor(who_may(route.right))
        address = rich.ours.of(route.path)[0]
        if route.path in FROM_ANYWHERE:
            continue
        async with visitor.session.post(visitor.base + address, headers=headers, allow_redirects=False) as answer:
            wrong += [] if answer.status == 403 else [f"{route}: {answer.status}"]
    assert not wrong, "\n".join(wrong)
    assert rich.digest() == before


async def test_staff_are_asked_again_a_quarter_of_an_hour_after_their_proof(rich: RichStage) -> None:
    owner, operator = await rich.visitor(Who.OWNER), await rich.visitor(Who.OPERATOR)
    rich.stage.world.clock.move(timedelta(minutes=15))
    wrong, before = [], rich.digest()
    for route in rich.routes(hdrs.METH_POST):
        visitor = operator if due_to(Who.OWNER, route.right) is not Get.PAGE else owner
        is_staffs = due_to(Who.ANONYMOUS, route.right) is Get.DOOR and door_of(route.right) == "/admin/sign-in"
        if is_staffs and route.path != "/admin/sign-out":
            shown = await visitor.post(rich.ours.of(route.path)[0], {"why": "kept"})
            wrong += [] if shown.location.startswith("/admin/again/") else [f"{route}: {shown.status}"]
    rich.stage.world.clock.move(-timedelta(minutes=15))
    assert not wrong, "\n".join(wrong)
    assert rich.digest() == before
