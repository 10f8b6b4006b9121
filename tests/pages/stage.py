"""Sets the real pages on a stage: the whole web application over a world of real use-cases and storage.

Only the outside is faked (Discord, the provider, mail, the clock). Visitors come in by what a sign-in leaves behind,
and what they press is what stands on the page that they are shown.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from app.door import Door
from membership import sign_ins
from membership.browsing import Person
from membership.model import GuildId, UserId
from membership.ports import ServerRights
from membership.sign_ins import Proven
from tests.usecases.fake_discord import MANAGES_ROLES, MANAGES_SERVER, OWNS
from tests.usecases.world import GUILD, World
from tests.web.discord_stand_in import CLIENT_ID, CLIENT_SECRET, DiscordStandIn
from tests.web.stage import free_port
from web.app import build_app
from web.config import WebSettings
from web.parts import DiscordApplication, Doctor, Health, Parts
from web.server import start_server

OWNER, MANAGER, STAFF, OUTSIDER, OPERATOR = (UserId(number) for number in range(9001, 9006))
POWERS: Mapping[UserId, ServerRights] = {OWNER: OWNS, MANAGER: MANAGES_SERVER, STAFF: MANAGES_ROLES}


@dataclass(frozen=True)
class Shown:
    """A page as a browser got it."""

    status: int
    text: str
    headers: Mapping[str, str]
    url: str

    @property
    def location(self) -> str:
        """Return where it sends the browser, "" for nowhere."""
        return self.headers.get("Location", "")

    @property
    def words(self) -> str:
        """Return what a person reads, with single blanks."""
        return " ".join(_Reader.of(self.text).texts)

    @property
    def forms(self) -> Sequence[PageForm]:
        """Return the forms of the page, in order."""
        return _Reader.of(self.text).forms

    @property
    def links(self) -> Sequence[str]:
        """Return where the page's links lead."""
        return _Reader.of(self.text).links

    def form(self, label: str) -> PageForm:
        """Return the first form with a button that is called so."""
        return next(form for form in self.forms if label in form.buttons)


@dataclass
class PageForm:
    """A form with what is filled in already; `buttons` by what they say, with the name and value they send."""

    action: str = ""
    method: str = "get"
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass
class Visitor:
    """Somebody's browser: it keeps cookies, and follows no redirect unasked."""

    session: aiohttp.ClientSession
    base: str

    async def get(self, path: str, **headers: str) -> Shown:
        async with self.session.get(self.base + path, headers=headers, allow_redirects=False) as answer:
            return Shown(answer.status, await answer.text(errors="replace"), answer.headers, path)

    async def follow(self, path: str) -> Shown:
        """Open a page and go where it sends, within ours, five times at most."""
        shown = await self.get(path)
        for _ in range(5):
            if not shown.location.startswith("/"):
                break
            shown = await self.get(shown.location)
        return shown

    async def post(self, path: str, fields: Mapping[str, str] | Sequence[tuple[str, str]] = ()) -> Shown:
        """Send a form as a page of ours would."""
        headers = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}
        body = urlencode(list(fields.items()) if isinstance(fields, Mapping) else list(fields))
        async with self.session.post(self.base + path, data=body, headers=headers, allow_redirects=False) as answer:
            return Shown(answer.status, await answer.text(errors="replace"), answer.headers, path)

    async def press(self, shown: Shown, label: str, **changes: str) -> Shown:
        """Press a button of a page, with some of its fields changed first, and go where that leads."""
        form = shown.form(label)
        fields = [(name, value) for name, value in form.fields if name not in changes]
        fields += list(changes.items())
        name, value = form.buttons[label]
        answer = await self.post(form.action or shown.url, fields + ([(name, value)] if name else []))
        return await self.follow(answer.location) if answer.location.startswith("/") else answer


@dataclass
class PageStage:
    """The pages, and the world behind them."""

    world: World
    base: str
    app: web.Application
    discord: DiscordStandIn
    _stack: AsyncExitStack

    def at(self, path: str = "") -> str:
        """Return the address of a page about the server."""
        return f"/admin/{GUILD}{path}"

    async def stranger(self) -> Visitor:
        """Return a new browser that nobody is signed in with."""
        session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        return Visitor(await self._stack.enter_async_context(session), self.base)

    async def customer(self, *, email: str = "", user_id: UserId | None = None) -> Visitor:
        """Return the browser of somebody who proved an address, a Discord account, or both."""
        return await self._signed_in(Person.CUSTOMER, Proven(user_id=user_id, email=email, name="somebody"))

    async def staff_member(self, user_id: UserId = STAFF) -> Visitor:
        """Return the browser of somebody who signed in as staff: OWNER, MANAGER, STAFF, OUTSIDER, OPERATOR."""
        return await self._signed_in(Person.STAFF, Proven(user_id=user_id, name=f"staff {user_id}"))

    async def _signed_in(self, person: Person, proven: Proven) -> Visitor:
        visitor = await self.stranger()
        key = await sign_ins.begin(self.world.services, person, proven, "Firefox on Linux")
        name = {Person.CUSTOMER: "doorlist-portal", Person.STAFF: "doorlist-staff"}[person]
        visitor.session.cookie_jar.update_cookies({name: key})
        return visitor


@asynccontextmanager
async def pages_of(world: World, doctor: Doctor | None = None) -> AsyncIterator[PageStage]:
    """Serve the pages over a world, whose server knows OWNER, MANAGER and STAFF."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    guild = world.discord.guilds[GuildId(GUILD)]
    for user_id, rights in POWERS.items():
        guild.members.setdefault(user_id, set())
        guild.powers[user_id] = rights
    world.services.operators.add([OPERATOR])
    settings = WebSettings.model_validate({"host": "127.0.0.1", "port": port})
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(DiscordStandIn().running())
        parts = Parts(
            settings=settings,
            public_url=base,
            discord=DiscordApplication(
                client_id=CLIENT_ID,
                client_secret=CLIENT_SECRET,
                api_url=f"{discord.url}/api/v10",
                site_url=discord.url,
            ),
            services=world.services,
            store=world.services.store,
            intake=world.services.intake,
            providers=world.services.sellers.by_name,
            use_cases=Door(world.services, site_url=discord.url, look=_nothing_to_see),
            clock=world.clock,
            randomness=world.randomness,
            doctor=doctor,
        )
        app = build_app(parts)
        runner = await start_server(app, settings)
        stack.push_async_callback(runner.cleanup)
        yield PageStage(world=world, base=base, app=app, discord=discord, _stack=stack)


async def _nothing_to_see() -> Health:
    return Health(checks={})


class _Reader(HTMLParser):
    """Reads what stands on a page: its texts, links and forms."""

    _SILENT = frozenset({"head", "style", "script"})

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.forms: list[PageForm] = []
        self._form: PageForm | None = None
        self._button: tuple[str, str] | None = None
        self._label = ""
        self._select = ""
        self._textarea = ""
        self._quiet = 0

    @classmethod
    def of(cls, html: str) -> _Reader:
        reader = cls()
        reader.feed(html)
        return reader

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._quiet += tag in self._SILENT
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        elif tag == "form":
            self._form = PageForm(action=given.get("action", ""), method=given.get("method", "get"))
            self.forms.append(self._form)
        elif self._form is not None:
            self._read_control(self._form, tag, given)

    def _read_control(self, form: PageForm, tag: str, given: Mapping[str, str]) -> None:
        name, is_off = given.get("name", ""), "disabled" in given
        match tag, given.get("type", "text"):
            case "input", "checkbox" | "radio":
                if "checked" in given and not is_off:
                    form.fields.append((name, given.get("value", "on")))
            case "input", _:
                form.fields.append((name, given.get("value", "")))
            case "select", _:
                self._select = name
            case "option", _:
                is_first = all(field_name != self._select for field_name, _ in form.fields)
                if "selected" in given or (is_first and not is_off):
                    form.fields = [each for each in form.fields if each[0] != self._select]
                    form.fields.append((self._select, given.get("value", "")))
            case "textarea", _:
                self._textarea = name
                form.fields.append((name, ""))
            case "button", _:
                self._button, self._label = (name, given.get("value", "")), ""
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        self._quiet -= tag in self._SILENT
        if tag == "button" and self._button is not None and self._form is not None:
            self._form.buttons[" ".join(self._label.split())] = self._button
            self._button = None
        elif tag == "form":
            self._form = None
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._quiet:
            return
        if self._textarea and self._form is not None:
            self._form.fields[-1] = (self._textarea, data)
        if self._button is not None:
            self._label += data
        if data.strip():
            self.texts.append(" ".join(data.split()))
