"""One person's browser without a screen: keeps cookies, opens pages, finds their forms and links, submits them.

It speaks to Doorlist, the local Discord and the local Stripe as a real browser does. Nothing here knows their insides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from sandbox.discord.world import Guild, User

TIMEOUT_SECONDS = 20.0
LARGEST_PAGE = 2 * 1024 * 1024

_CONSENT = "/oauth2/authorize"
_CHECKOUT = "/checkout/"
_HEADERS = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 (sandbox visitor)"}


class LostError(Exception):
    """The visitor does not find what a person would press now; the text says what and where."""


@dataclass(slots=True, kw_only=True)
class Form:
    """A form: `fields` are its inputs with their values, `buttons` the (name, value, text) of what submits it."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What a browser shows: `links` are (absolute address, text)."""

    url: URL
    status: int
    html: str
    heading: str
    forms: tuple[Form, ...]
    links: tuple[tuple[str, str], ...]

    def link(self, part: str) -> str:
        """Return the first link whose address contains `part`. Raises LostError."""
        for address, _ in self.links:
            if part in address:
                return address
        raise LostError(f"no link to {part} on {self.url.path} ({self.heading})")


class Visitor:
    """A person at a browser, as a context manager."""

    def __init__(self, doorlist_url: str, *, email: str, name: str) -> None:
        """Have no cookies yet. `doorlist_url` is the shop's origin."""
        self._home = URL(doorlist_url)
        self._email = email
        self._name = name
        # unsafe: the sandbox lives at an IP address, whose cookies aiohttp would not keep.
        self._session = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
            headers=_HEADERS,
        )

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the browser."""
        await self.close()

    async def close(self) -> None:
        """Close the browser."""
        await self._session.close()

    async def open(self, url: str | URL) -> Page:
        """Open an address, absolute or on Doorlist, and follow redirects. Raises aiohttp.ClientError, TimeoutError."""
        async with self._session.get(self._home.join(URL(str(url)))) as answer:
            return await _page(answer)

    async def submit(self, page: Page, values: Mapping[str, str] | None = None, *, form: int = 0) -> Page:
        """Fill in and send one of the page's forms. Raises LostError when the page has none."""
        if form >= len(page.forms):
            raise LostError(f"no form on {page.url.path} ({page.heading})")
        chosen = page.forms[form]
        target = page.url.join(URL(chosen.action)) if chosen.action else page.url
        fields = {**chosen.fields, **(values or {})}
        if chosen.method == "get":
            return await self.open(target.with_query(fields))
        headers = {"Origin": str(page.url.origin()), "Referer": str(page.url.origin()), "Sec-Fetch-Site": "same-origin"}
        async with self._session.post(target, data=fields, headers=headers) as answer:
            return await _page(answer)

    async def buy(self, slug: str, *, card: str = "good") -> Page:
        """Buy a plan at Doorlist's shop with a test card and return the welcome page. Raises LostError."""
        page = await self.submit(await self._expect(await self.open(f"/buy/{slug}"), "/buy/"))
        if _CHECKOUT not in page.url.path:
            page = await self.open(page.link(_CHECKOUT))
        paid = await self.submit(page, {"email": self._email, "name": self._name, "pay_with": card})
        return await self._expect(paid, "/welcome")

    async def connect(self, url: str, user: User) -> Page:
        """Follow a mailed link, sign in at Discord as `user`, say yes; return the last page. Raises LostError."""
        consent = await self._expect(await self.submit(await self.open(url)), _CONSENT)
        question = await self._expect(await self.submit(consent, {"user_id": str(user.id)}), "/connect/confirm")
        choices = {value for _, value, _ in question.forms[0].buttons} if question.forms else set()
        choice = "move" if "move" in choices else "connect"
        # How it went may be a refusal in Doorlist's own words: a page like any other.
        return await self._expect(await self.submit(question, {"choice": choice}), "/connect/done", below=500)

    async def sign_in_as_staff(self, user: User, *, path: str = "/admin/sign-in") -> Page:
        """Sign in at the staff's door, or at a one-time link's `path`; return the page behind it. Raises LostError."""
        consent = await self._expect(await self.submit(await self.open(path)), _CONSENT)
        return await self._expect(await self.submit(consent, {"user_id": str(user.id)}), "/admin")

    async def add_server(self, user: User, guild: Guild) -> Page:
        """Add the bot to a server, signed in as staff already; return the page that Doorlist shows then.

        Raises LostError where Discord does not let this person add it.
        """
        consent = await self._expect(await self.submit(await self.open("/admin/servers/add")), _CONSENT)
        choice = await self._expect(await self.submit(consent, {"user_id": str(user.id)}), _CONSENT)
        chosen = {"server": str(guild.id), "answer": "authorize"}
        return await self._expect(await self.submit(choice, chosen), "/admin")

    async def _expect(self, page: Page, part: str, *, below: int = 400) -> Page:
        if page.status >= below or part not in page.url.path:
            raise LostError(f"expected {part}, got {page.status} at {page.url.path}: {page.heading}")
        return page


def connect_link(text: str) -> str | None:
    """Return the connect link in a mail's text, None when there is none."""
    found = re.search(r"https?://[^\s\"'<>]+/connect/[\w-]+", text)
    return found[0] if found else None


def claim_code(text: str) -> str | None:
    """Return the claim code in a mail's text, None when there is none."""
    found = re.search(r"\b[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}\b", text)
    return found[0] if found else None


async def _page(answer: aiohttp.ClientResponse) -> Page:
    html = (await answer.content.read(LARGEST_PAGE)).decode(errors="replace")
    reader = _Reader()
    reader.feed(html)
    return Page(
        url=answer.url,
        status=answer.status,
        html=html,
        heading=" ".join(reader.heading.split()),
        forms=tuple(reader.forms),
        links=tuple((str(answer.url.join(URL(address))), " ".join(text.split())) for address, text in reader.links),
    )


class _Reader(HTMLParser):
    """Notes the first heading, the links and the forms of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.heading = ""
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self._form: Form | None = None
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag opens."""
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self._form = Form(action=given.get("action", ""), method=given.get("method", "get").lower())
                self.forms.append(self._form)
            case "input" if self._form and given.get("name") and given.get("type") not in ("checkbox", "radio"):
                self._form.fields[given["name"]] = given.get("value", "")
            case "button" if self._form:
                self._form.buttons.append((given.get("name", ""), given.get("value", ""), ""))
            case "a" if given.get("href"):
                self.links.append((given["href"], ""))
        if tag in ("h1", "a", "button"):
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Note what a tag closes."""
        if tag == "form":
            self._form = None
        if tag in self._inside:
            self._inside.remove(tag)

    def handle_data(self, data: str) -> None:
        """Add text to what is open."""
        if "h1" in self._inside:
            self.heading += data
        if "a" in self._inside and self.links:
            address, text = self.links[-1]
            self.links[-1] = (address, text + data)
        if "button" in self._inside and self._form and self._form.buttons:
            name, value, text = self._form.buttons[-1]
            self._form.buttons[-1] = (name, value, text + data)
