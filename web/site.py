"""Where every page is registered, with the right that it asks for; here who visits is found out before it is shown.

A feature takes the site and says `site.staff.get(path, handler)`: it cannot forget to ask, and a test walks all rules.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from aiohttp import hdrs, web
from yarl import URL

from membership import portal, portal_choices, sign_ins
from membership.browsing import Person, SignIn
from membership.errors import Gone
from membership.model import GuildId
from membership.records import Guild
from web import browser, once_more
from web.brand import BRAND, NEUTRAL, brand_of, house_brand
from web.naming import named_after
from web.numbers import number_in
from web.pages import PARTS
from web.rights import KnownRights, Right, may
from web.speaking import words_of
from web.visits import CustomerVisit, DeskVisit, StaffVisit, Visit, cookie_of, recall_flash

V = TypeVar("V", bound=Visit)
Handler = Callable[[V], Awaitable[web.StreamResponse]]
Opened = Visit | web.StreamResponse

RIGHTS = web.AppKey("known_rights", KnownRights)
RULES = web.AppKey("rules", dict[tuple[str, str], Right])
"""What each page asks for, by method and path."""

CUSTOMER_DOOR = "/sign-in"
STAFF_DOOR = "/admin/sign-in"


@dataclass(frozen=True, slots=True)
class Routes(Generic[V]):
    """Registers the pages of one right."""

    app: web.Application
    right: Right
    open: Callable[[web.Request, Right, bool], Awaitable[V | web.StreamResponse]]

    def get(self, path: str, handler: Handler[V], *, needs_active: bool = True) -> None:
        """Show a page at a path. `needs_active`: only for a server that Doorlist works for."""
        self._add(hdrs.METH_GET, path, handler, needs_active=needs_active)

    def post(self, path: str, handler: Handler[V], *, needs_active: bool = True) -> None:
        """Take a form at a path."""
        self._add(hdrs.METH_POST, path, handler, needs_active=needs_active)

    def _add(self, method: str, path: str, handler: Handler[V], *, needs_active: bool) -> None:
        self.app[RULES][method, path] = self.right

        async def serve(request: web.Request) -> web.StreamResponse:
            opened = await self.open(request, self.right, needs_active)
            return await handler(opened) if isinstance(opened, Visit) else opened

        add = self.app.router.add_get if method == hdrs.METH_GET else self.app.router.add_post
        add(path, serve)


class Site:
    """The pages of the application."""

    def __init__(self, app: web.Application) -> None:
        """Take the application; its parts are there already."""
        self.app = app
        app[RIGHTS] = KnownRights(app[PARTS].services)
        app[RULES] = {}
        self.public: Routes[Visit] = Routes(app, Right.ANYONE, _anyone)
        self.customer: Routes[CustomerVisit] = Routes(app, Right.CUSTOMER, _customer)
        self.desk: Routes[DeskVisit] = Routes(app, Right.DESK, _desk)
        self.operator: Routes[DeskVisit] = Routes(app, Right.OPERATOR, _desk)
        self.staff: Routes[StaffVisit] = Routes(app, Right.STAFF, _staff)
        self.manager: Routes[StaffVisit] = Routes(app, Right.MANAGER, _staff)
        self.data: Routes[StaffVisit] = Routes(app, Right.DATA, _staff)

    def raw(self, method: str, path: str, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> None:
        """Serve anybody something that is no page: webhooks, health, files."""
        self.app[RULES][method, path] = Right.ANYONE
        # GET brings HEAD with it, as on pages: monitors ask for it.
        add = self.app.router.add_get if method == hdrs.METH_GET else self.app.router.add_post
        add(path, handler)


async def _anyone(request: web.Request, right: Right, needs_active: bool) -> Visit:
    await recall_flash(request)
    brand = request[BRAND] = await house_brand(request.app[PARTS].services)
    return Visit(request=request, words=words_of(request), brand=brand)


async def _customer(request: web.Request, right: Right, needs_active: bool) -> CustomerVisit | web.StreamResponse:
    sign_in = await _recognise(request, Person.CUSTOMER)
    if sign_in is None:
        return _to_door(request, CUSTOMER_DOOR)
    tongue = await portal_choices.tongue(request.app[PARTS].services, sign_in)
    words = words_of(request, saved=tongue.language)
    plain = await _anyone(request, right, needs_active)
    zone = ZoneInfo(tongue.time_zone) if tongue.time_zone else plain.zone
    visit = CustomerVisit(request=request, words=words, brand=plain.brand, zone=zone, sign_in=sign_in)
    # Where several servers are served, a page is in the name of those that the customer knows.
    return await named_after(visit, await portal.servers(visit.services, sign_in)) if visit.brand == NEUTRAL else visit


async def _desk(request: web.Request, right: Right, needs_active: bool) -> DeskVisit | web.StreamResponse:
    sign_in = await _recognise(request, Person.STAFF)
    if sign_in is None:
        return _to_door(request, STAFF_DOOR)
    is_operator = request.app[RIGHTS].is_operator(sign_in.user_id)
    if right is Right.OPERATOR and not is_operator:
        raise Gone("page")
    if again := await once_more.asked(request, sign_in):
        return again
    await recall_flash(request)
    return DeskVisit(request=request, words=words_of(request), sign_in=sign_in, is_operator=is_operator)


async def _staff(request: web.Request, right: Right, needs_active: bool) -> StaffVisit | web.StreamResponse:
    sign_in = await _recognise(request, Person.STAFF)
    if sign_in is None:
        return _to_door(request, STAFF_DOOR)
    guild = await _guild(request)
    actor = await request.app[RIGHTS].actor(sign_in, guild.id)
    if actor is None:
        raise Gone("page")  # whether there is such a server is not for everybody to know
    if not may(actor, right):
        raise web.HTTPForbidden
    brand = request[BRAND] = brand_of(request.app[PARTS].services, guild)
    if needs_active and not guild.is_active:
        return web.Response(status=303, headers={hdrs.LOCATION: f"/admin/{guild.id}/setup"})
    if again := await once_more.asked(request, sign_in):
        return again
    await recall_flash(request)
    return StaffVisit(
        request=request,
        words=words_of(request, guild.language),
        brand=brand,
        zone=ZoneInfo(guild.time_zone),
        sign_in=sign_in,
        is_operator=actor.is_operator,
        actor=actor,
        guild=guild,
    )


async def _recognise(request: web.Request, person: Person) -> SignIn | None:
    parts = request.app[PARTS]
    return await sign_ins.recognise(parts.services, person, browser.key_of(request, parts, cookie_of(person)))


async def _guild(request: web.Request) -> Guild:
    number = number_in(request.match_info["guild"])
    if number is None:
        raise Gone("page")
    async with request.app[PARTS].services.store.read() as tx:
        guild = await tx.guilds.get(GuildId(number))
    if guild is None:
        raise Gone("page")
    return guild


def _to_door(request: web.Request, door: str) -> web.Response:
    """Send somebody unknown to the sign-in, and afterwards back to the page; a form is not sent again."""
    back = request.rel_url if request.method in (hdrs.METH_GET, hdrs.METH_HEAD) else _page_before(request)
    return web.Response(status=303, headers={hdrs.LOCATION: str(URL(door).with_query(back=str(back)))})


def _page_before(request: web.Request) -> str:
    """Return the page that a form most likely stood on; the browser does not tell (no-referrer)."""
    path = request.rel_url.path
    return "/".join(path.split("/")[:4]) if path.startswith("/admin/") else "/portal"
