"""The page over HTTP: one GET that shows, one POST per button that does and leads back, and what keeps it safe.

No script is needed; the small one only looks again when something changed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import cast, get_args

from aiohttp import hdrs, web
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sandbox.discord.world import User
from sandbox.page import mail_page, view
from sandbox.page.at_the_door import AT_THE_DOOR
from sandbox.page.buttons import BUTTONS
from sandbox.page.desk import EXPECTED, Desk, MailView
from sandbox.page.fields import read_fields
from sandbox.page.happenings import happenings
from sandbox.page.server import channel_of
from sandbox.page.talking import TALKING, compose, suggestions
from sandbox.page.trouble import TROUBLE
from sandbox.parts import DISCORD_MOUNT, Outside

PATH = "/sandbox"
BUSY_SECONDS = 2
WATCH_SECONDS = 20.0
HARMLESS = frozenset({*TALKING, "join", "stripe-up", "move-vip-down", "discord-up"})
"""What can be pressed while something is under way: it cannot break it."""

_HERE = Path(__file__).parent
_STATIC = _HERE / "static"
_LOOK_SECONDS = 0.15
_LARGEST_FORM = 12 * 1024 * 1024
_SAFE_METHODS = frozenset({hdrs.METH_GET, hdrs.METH_HEAD})
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """The page's routes, around one desk."""

    def __init__(self, world: Outside) -> None:
        """Show `world`."""
        self.desk = Desk(world)
        self._is_closing = False
        self._buttons = {**BUTTONS, **TALKING, **TROUBLE, **AT_THE_DOOR}
        self._templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["moment"] = _moment
        self._templates.filters["size"] = _size
        self._templates.globals.update(
            stylesheet=_static_url("sandbox.css"), script=_static_url("sandbox.js"), busy_seconds=BUSY_SECONDS
        )

    def add_to(self, app: web.Application) -> None:
        """Register the routes; before the local Discord's, whose channel links lead here."""
        routes = app.router
        routes.add_get("/", self._go_home)
        routes.add_get(PATH, _guarded(self.show))
        routes.add_get(PATH + "/changes", _guarded(self.watch))
        routes.add_get(PATH + "/mail/{number:\\d{1,6}}", _guarded(self.show_mail))
        routes.add_post(PATH + "/do/{button}", _guarded(self.press))
        routes.add_post(PATH + "/suggestions", _guarded(self.suggest))
        routes.add_static(PATH + "/static", _STATIC)
        # The way back: Doorlist's pages link to Discord's channels and invites.
        routes.add_get(DISCORD_MOUNT + "/channels/{where:.*}", self._come_back)
        routes.add_get(DISCORD_MOUNT + "/invite/{code}", self._open_invite)
        app.on_shutdown.append(self._close)

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Show the page; the query chooses person, channel and mail."""
        try:
            self._choose(request.query)
        except LookupError as missing:
            self.desk.say(str(missing), "bad")
        self.desk.read_messages()
        values = {**view.context(self.desk), "happenings": happenings(self.desk.world)}
        html = self._templates.get_template("sandbox.html").render(values)
        return web.Response(text=html, content_type="text/html")

    async def press(self, request: web.Request) -> web.StreamResponse:
        """Do what a button says and lead back to the page. Raises 404 for no such button."""
        button = self._buttons.get(request.match_info["button"])
        if button is None:
            raise web.HTTPNotFound
        fields = await read_fields(request)
        if self.desk.under_way and request.match_info["button"] not in HARMLESS:
            # Its button is off; this is another tab, or a page without script. What is under way goes on telling.
            return _back()
        try:
            self.desk.say(await button(self.desk, fields))
        except EXPECTED as failure:
            self.desk.say(self.desk.explain("That", failure), "bad")
        return _back(self._place(request.match_info["button"]))

    async def suggest(self, request: web.Request) -> web.StreamResponse:
        """Answer with a list's lines for what is typed into an option; with none when the bot has nothing to say."""
        try:
            found = await suggestions(self.desk, await read_fields(request))
        except EXPECTED:
            found = []
        lines = Markup("").join(Markup('<option value="{}">').format(each) for each in found)
        return web.Response(text=lines, content_type="text/html")

    async def watch(self, request: web.Request) -> web.StreamResponse:
        """Answer with the page's version as soon as it is another than `since`, or after a while."""
        since = request.query.get("since", "")
        for _ in range(int(WATCH_SECONDS / _LOOK_SECONDS)):
            if view.version(self.desk) != since or self._is_closing:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        return web.Response(text=view.version(self.desk))

    async def show_mail(self, request: web.Request) -> web.StreamResponse:
        """Show the HTML of one of the person's mails, for the frame in the inbox. Raises 404."""
        mails = self.desk.world.mailbox.messages_to(self.desk.address)
        number = int(request.match_info["number"])
        if number >= len(mails):
            raise web.HTTPNotFound
        return mail_page.framed(mails[number])

    def _place(self, button: str) -> str:
        """Return where on the page the answer to a button is, for browsers without script."""
        if button not in TALKING:
            return ""
        talk, person = self.desk.talk, self.desk.person
        return "#sheet" if talk.form_of(person) or talk.draft_of(person) else "#discord"

    def _choose(self, query: Mapping[str, str]) -> None:
        desk = self.desk
        if "as" in query:
            desk.become(self._person(query["as"]))
        if "server" in query:
            desk.go_to(query["server"])
        if "channel" in query:
            desk.channel = channel_of(desk, query["channel"])
            desk.talk.put_away()
        if "command" in query:
            compose(desk, query["command"])
        if "view" in query and query["view"] in get_args(MailView):
            desk.mail_view = cast(MailView, query["view"])
        if "mail" in query:
            mails = desk.world.mailbox.messages_to(desk.address)
            if not query["mail"].isdigit() or int(query["mail"]) >= len(mails):
                raise LookupError("There is no such mail.")
            desk.read(mails[int(query["mail"])])

    def _person(self, username: str) -> User:
        for user in self.desk.people:
            if user.username == username:
                return user
        raise LookupError("There is nobody of that name.")

    async def _go_home(self, _: web.Request) -> web.StreamResponse:
        return web.Response(status=302, headers={hdrs.LOCATION: PATH})

    async def _come_back(self, request: web.Request) -> web.StreamResponse:
        self.desk.hush()
        return await self._go_home(request)

    async def _open_invite(self, request: web.Request) -> web.StreamResponse:
        self.desk.invite = request.match_info["code"]
        self.desk.revision += 1
        return web.Response(status=302, headers={hdrs.LOCATION: PATH})

    async def _close(self, _: web.Application) -> None:
        self._is_closing = True
        await self.desk.close()


def _back(place: str = "") -> web.Response:
    return web.Response(status=303, headers={hdrs.LOCATION: PATH + place})


def _guarded(handler: Handler) -> Handler:
    """Refuse what another website sends, and put the headers on every answer."""

    async def serve(request: web.Request) -> web.StreamResponse:
        if request.method not in _SAFE_METHODS:
            _check_origin(request)
            if (request.content_length or 0) > _LARGEST_FORM:
                raise web.HTTPRequestEntityTooLarge(max_size=_LARGEST_FORM, actual_size=request.content_length or 0)
        response = await handler(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return serve


def _check_origin(request: web.Request) -> None:
    """Refuse a form of another site: browsers name the site, the old ones the origin."""
    site = request.headers.get("Sec-Fetch-Site")
    own = f"{request.scheme}://{request.host}"
    is_ours = site == "same-origin" if site is not None else request.headers.get(hdrs.ORIGIN) == own
    if not is_ours:
        raise web.HTTPForbidden(text="This form came from another website.")


def _static_url(name: str) -> str:
    """Return an address that changes with the content."""
    return f"{PATH}/static/{name}?v={hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]}"


def _moment(moment: datetime, style: str = "%H:%M") -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(moment.isoformat(timespec="seconds"), moment.strftime(style))


def _size(count: int | None) -> str:
    """Return a file's size as people read it."""
    return f"{count or 0} B" if (count or 0) < 1024 else f"{(count or 0) / 1024:.1f} KB"
