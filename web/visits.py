"""What a page's handler is given: who visits, in which language, what was asked and sent, and how to answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from urllib.parse import urlsplit

from aiohttp import web
from multidict import MultiDictProxy
from yarl import URL

from locales.catalogue import Words
from membership.actors import Actor
from membership.browsing import Person, SignIn
from membership.errors import Gone, UserError
from membership.ledgers import Store
from membership.records import Guild
from membership.services import Services
from web import browser, pages
from web.brand import NEUTRAL, Brand
from web.numbers import number_in
from web.pages import PARTS, page
from web.parts import Parts

FLASH = "flash"
_FLASH_LIFE = timedelta(minutes=2)
_LONGEST_TEXT = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form sent: texts without blanks around them, of a bounded length."""

    fields: MultiDictProxy[str | bytes | bytearray | web.FileField]

    def text(self, name: str) -> str:
        """Return a field's text, "" when it was not sent."""
        value = self.fields.get(name, "")
        return value.strip()[:_LONGEST_TEXT] if isinstance(value, str) else ""

    def texts(self, name: str) -> Sequence[str]:
        """Return every value of a field that may be sent several times (checkboxes), in order."""
        return [value.strip()[:_LONGEST_TEXT] for value in self.fields.getall(name, ()) if isinstance(value, str)]

    def is_on(self, name: str) -> bool:
        """Say whether a checkbox was on."""
        return name in self.fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of anybody. `brand` is whose page it is."""

    request: web.Request
    words: Words
    brand: Brand = NEUTRAL
    zone: tzinfo = field(default=UTC)

    @property
    def parts(self) -> Parts:
        """Return what the pages are built from."""
        return self.request.app[PARTS]

    @property
    def services(self) -> Services:
        """Return the use-cases' services."""
        return self.parts.services

    @property
    def store(self) -> Store:
        """Return the database, for reading."""
        return self.parts.services.store

    def path(self, name: str) -> str:
        """Return a part of the address."""
        return self.request.match_info[name]

    def number(self, name: str) -> int:
        """Return a part of the address that is a number of ours or Discord's. Raises Gone for anything else."""
        number = number_in(self.path(name))
        if number is None:
            raise Gone("page")
        return number

    def query(self, name: str) -> str:
        """Return a parameter of the address, bounded, "" when it is not there."""
        return self.request.query.get(name, "").strip()[:_LONGEST_TEXT]

    def why(self, refusal: UserError) -> str:
        """Return what a use-case refused in the visitor's language; a text with facts in it stays English."""
        return self.words.unfilled(refusal.text)

    async def form(self) -> Form:
        """Read what was sent."""
        return Form(fields=await self.request.post())

    def page(self, template: str, /, *, status: int = 200, refresh_seconds: int = 0, **context: object) -> web.Response:
        """Render a page of ours; what stands on every page is added."""
        filled = {"visit": self, "brand": self.brand, "zone": self.zone, **context}
        return page(self.request, template, filled, status=status, refresh_seconds=refresh_seconds)

    async def go(self, path: str, *, say: str = "", tone: str = "ok") -> web.Response:
        """Answer 303 to a path of ours. `say` is shown there once, in the tone ok, info, warn or bad."""
        location = URL(own_path(path))
        if say:
            key = self.parts.randomness.token()
            await browser.remember(self.parts, key, FLASH, {"text": say, "tone": tone}, life=_FLASH_LIFE)
            location = location.update_query({FLASH: key})
        return web.Response(status=303, headers={"Location": str(location)})


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerVisit(Visit):
    """A request of somebody who is signed in to their memberships."""

    sign_in: SignIn


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskVisit(Visit):
    """A request of somebody who is signed in as staff, of whichever server. `user_name` is for people."""

    sign_in: SignIn
    is_operator: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffVisit(DeskVisit):
    """A request of staff of one server: whatever they name is looked up inside it."""

    actor: Actor
    guild: Guild

    def page(self, template: str, /, *, status: int = 200, refresh_seconds: int = 0, **context: object) -> web.Response:
        """Render a page of ours, packed: long lists are alike from line to line, and hold no secret to be guessed."""
        # Not super(): a dataclass with slots is a new class, which super() without arguments does not know.
        shown = Visit.page(self, template, status=status, refresh_seconds=refresh_seconds, **context)
        shown.enable_compression()
        return shown

    def here(self, path: str = "") -> str:
        """Return the address of a page about this server, such as of "/members"."""
        return f"/admin/{self.guild.id}{path}"


async def recall_flash(request: web.Request) -> None:
    """Let the page say what is to be said once on it."""
    key = request.query.get(FLASH, "")[:64]
    found = await browser.recall(request.app[PARTS], key, FLASH) if key else None
    if found is not None:
        request[pages.FLASH] = dict(found)


def own_path(text: str) -> str:
    """Return a path of ours with its query, "/" for anything that would lead away (threats: open redirects)."""
    is_ours = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable() and "\\" not in text
    split = urlsplit(text) if is_ours else None
    return text if split is not None and not split.scheme and not split.netloc else "/"


def set_sign_in(response: web.StreamResponse, parts: Parts, person: Person, key: str, life: timedelta) -> None:
    """Give the browser the key of its sign-in."""
    browser.set_key(response, parts, cookie_of(person), key, life=life)


def forget_sign_in(response: web.StreamResponse, parts: Parts, person: Person) -> None:
    """Take the key from the browser."""
    browser.set_key(response, parts, cookie_of(person), "", life=timedelta())


def cookie_of(person: Person) -> str:
    """Name the cookie: customers and staff never share one."""
    return {Person.CUSTOMER: "portal", Person.STAFF: "staff"}[person]
