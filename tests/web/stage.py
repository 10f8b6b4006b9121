"""Sets the pages on a stage: the real server and database, and small stand-ins for everything outside of web/."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import aiohttp
from yarl import URL

from membership.codes import digest
from membership.errors import Gone, Retry
from membership.model import PurchaseId
from membership.ports import IncomingEvent, Provider
from membership.services import Sellers, Services
from providers.signatures import BadPayload, BadSignature
from storage.config import DatabaseSettings
from storage.intake import GroupCommit
from storage.store import Database
from tests.usecases.fake_discord import FakeDiscord
from tests.usecases.fake_provider import FakeMailer
from tests.usecases.faults import Fuse
from tests.web.discord_stand_in import CLIENT_ID, CLIENT_SECRET, DiscordStandIn
from web.app import build_app
from web.config import WebSettings
from web.parts import (
    AccessState,
    Check,
    ConnectOutcome,
    ConnectPreview,
    ConnectRequest,
    ConnectResult,
    ConnectReview,
    DiscordApplication,
    DiscordIdentity,
    Health,
    LinkState,
    Parts,
    Progress,
    ServerAccess,
    Ticket,
    VerifyOutcome,
    VerifyRequest,
    VerifyResult,
)
from web.server import start_server

TOKEN = "canary-link-token"
TICKET = "canary-ticket"
A_TICKET = Ticket(handle="@charlie", server_name="Ada's Trading Room")
CHECKOUT = "cs_test_canary1234"
KEY = "canary-payer-key"
WELCOME = f"/welcome?session_id={CHECKOUT}&key={KEY}"
PURCHASE = PurchaseId(7)
PREVIEW = ConnectPreview(
    state=LinkState.READY,
    purchase_id=PURCHASE,
    plan_names=("VIP",),
    server_names=("Ada's Trading Room",),
    masked_email="a••@example.com",
)
DELIVERED = ServerAccess(
    plan_name="VIP",
    server_name="Ada's Trading Room",
    state=AccessState.DELIVERED,
    open_url="https://discord.com/channels/1",
)
WAITING = replace(DELIVERED, state=AccessState.WAITING_FOR_LINK)
PAID = Progress(
    is_paid=True,
    purchase_id=PURCHASE,
    buyer_name="Ada",
    masked_email="a••@example.com",
    amount=900,
    currency="eur",
    claim_channel="get-access",
    access=(WAITING,),
)


class HandClock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 21, 14, 2, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def advance(self, step: timedelta) -> None:
        self.time += step


class Dice:
    """Real secrets: what is tested here is that they are used well."""

    def code(self) -> str:
        return "K7QF2M9X4TRW8HNB"

    def token(self) -> str:
        return secrets.token_urlsafe(24)

    def jitter(self) -> float:
        return 0.5


class ShopProvider:
    """A provider whose signature is a plain HMAC of the body."""

    name = "shop"
    can_receive = True
    secret = b"shop-secret"

    def verify(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Sequence[IncomingEvent]:
        if not hmac.compare_digest(headers.get("Shop-Signature", "").encode(), self.sign(body).encode()):
            raise BadSignature("signature does not match")
        if not body.startswith(b"evt_"):
            raise BadPayload("not an event")
        return [IncomingEvent(external_id=body.decode(), type="test", body=body, is_live=False)]

    def sign(self, body: bytes) -> str:
        return hmac.new(self.secret, body, "sha256").hexdigest()


class Intake:
    """Stores through the real database; `trouble` is raised instead when set."""

    def __init__(self, store: Database, clock: HandClock) -> None:
        self.door = GroupCommit(store, clock, lambda: None)
        self.trouble: Exception | None = None

    async def accept(self, provider: str, events: Sequence[IncomingEvent]) -> int:
        if self.trouble is not None:
            raise self.trouble
        return await self.door.accept(provider, events)


@dataclass
class Membership:
    """The use-cases, told what to answer; they remember what they were asked to do."""

    previews: dict[str, ConnectPreview] = field(default_factory=lambda: {digest(TOKEN): PREVIEW})
    review_answer: ConnectReview = field(default_factory=lambda: ConnectReview(preview=PREVIEW))
    outcome: ConnectOutcome = field(
        default_factory=lambda: ConnectOutcome(result=ConnectResult.CONNECTED, access=(DELIVERED,))
    )
    move_outcome: ConnectOutcome = field(
        default_factory=lambda: ConnectOutcome(result=ConnectResult.CONNECTED, access=(DELIVERED,))
    )
    checkouts: dict[str, Progress] = field(default_factory=lambda: {CHECKOUT: PAID})
    progress_answer: Progress = PAID
    checks: dict[str, Check] = field(default_factory=lambda: {"database": Check(is_ok=True)})
    trouble: Exception | None = None
    is_fast: asyncio.Event = field(default_factory=asyncio.Event)
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    connected: list[ConnectRequest] = field(default_factory=list)
    moved: list[ConnectRequest] = field(default_factory=list)
    late_questions: int = 0
    mailed_again: list[str] = field(default_factory=list)
    tickets: dict[str, Ticket] = field(default_factory=lambda: {digest(TICKET): A_TICKET})
    verify_answer: VerifyOutcome = field(
        default_factory=lambda: VerifyOutcome(result=VerifyResult.CONNECTED, purchase_ids=(PURCHASE,))
    )
    verified: list[VerifyRequest] = field(default_factory=list)

    async def billing(self, token_digest: str) -> str:
        if token_digest != digest(TOKEN):
            raise Gone("link")
        return "https://billing.stripe.com/p/session_1"

    async def mail_new_link(self, token_digest: str) -> None:
        self.mailed_again.append(token_digest)

    async def begin_connect(self, token_digest: str) -> ConnectPreview:
        return self.previews.get(token_digest, ConnectPreview(state=LinkState.UNKNOWN))

    async def review(self, purchase_id: PurchaseId, user: DiscordIdentity) -> ConnectReview:
        return self.review_answer

    async def connect(self, request: ConnectRequest) -> ConnectOutcome:
        if self.trouble is not None:
            raise self.trouble
        self.connected.append(request)
        self.was_asked.set()
        await self.is_fast.wait()
        if self.outcome.result is ConnectResult.CONNECTED:
            self._deliver(request, self.outcome)
        return self.outcome

    async def confirm_move(self, request: ConnectRequest) -> ConnectOutcome:
        self.moved.append(request)
        self._deliver(request, self.move_outcome)
        return self.move_outcome

    async def ticket(self, ticket_digest: str) -> Ticket | None:
        if self.trouble is not None:
            raise self.trouble
        return self.tickets.get(ticket_digest)

    async def verify(self, request: VerifyRequest) -> VerifyOutcome:
        self.verified.append(request)
        if self.verify_answer.result is VerifyResult.CONNECTED:
            self.progress_answer = replace(PAID, connected_as=request.user.handle, access=(DELIVERED,))
        return self.verify_answer

    async def progress(self, purchase_id: PurchaseId) -> Progress:
        return self.progress_answer

    async def is_payer(self, session_id: str, key_digest: str) -> bool:
        return key_digest == digest(KEY)

    async def purchase_of_checkout(self, session_id: str, *, is_late: bool) -> Progress | None:
        self.late_questions += is_late
        return self.checkouts.get(session_id)

    async def health(self) -> Health:
        return Health(checks=self.checks)

    def _deliver(self, request: ConnectRequest, outcome: ConnectOutcome) -> None:
        self.progress_answer = replace(PAID, connected_as=request.user.handle, access=outcome.access)


@dataclass
class Browser:
    """A person's browser: keeps cookies, says where a request comes from, and does not follow redirects unasked."""

    session: aiohttp.ClientSession
    base: str

    async def get(self, path: str, **headers: str) -> Page:
        async with self.session.get(self.base + path, headers=headers, allow_redirects=False) as response:
            return await Page.of(response)

    async def press(self, path: str, **form: str) -> Page:
        headers = {"Sec-Fetch-Site": "same-origin"}
        async with self.session.post(
            self.base + path, data=form or b"", headers=headers, allow_redirects=False
        ) as response:
            return await Page.of(response)


@dataclass(frozen=True)
class Page:
    """An answer, read whole."""

    status: int
    text: str
    headers: Mapping[str, str]
    cookies: tuple[str, ...]

    @property
    def location(self) -> str:
        return self.headers["Location"]

    @classmethod
    async def of(cls, response: aiohttp.ClientResponse) -> Page:
        cookies = tuple(response.headers.getall("Set-Cookie", ()))
        return cls(response.status, await response.text(), response.headers, cookies)


@dataclass
class Stage:
    """Everything a test can see and change."""

    base: str
    parts: Parts
    store: Database
    membership: Membership
    discord: DiscordStandIn
    clock: HandClock
    provider: ShopProvider
    intake: Intake
    browser: Browser

    @asynccontextmanager
    async def another_browser(self) -> AsyncIterator[Browser]:
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            yield Browser(session, self.base)

    async def stored_events(self) -> int:
        async with self.store.read() as tx:
            counts = await tx.jobs.counts()
        return sum(counts.values())

    async def sign_in(self, browser: Browser | None = None) -> Page:
        """Walk from the mailed link to the confirmation page; return that page."""
        browser = browser or self.browser
        leaving = await browser.press(f"/connect/{TOKEN}")
        coming = await browser.get(self.discord.agree(leaving.location))
        assert coming.status == 303, coming.text
        return await browser.get(coming.location)


def _services(store: Database, intake: Intake, clock: HandClock, public_url: str) -> Services:
    """Return services for the few things that pages ask themselves: no server is there, and nobody is signed in."""
    fuse = Fuse()
    return Services(
        store=store,
        intake=intake,
        discord=FakeDiscord(fuse),
        sellers=Sellers({}, store, clock),
        mailer=FakeMailer(fuse),
        clock=clock,
        randomness=Dice(),
        public_url=public_url,
        wake=lambda: None,
    )


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def a_stage(
    folder: Path,
    *,
    public_url: str = "",
    idle_seconds: float = 9.0,
    trusted_proxies: tuple[str, ...] = (),
    is_sandbox: bool = False,
    claim_command: str = "!claim",
) -> AsyncIterator[Stage]:
    """Open the database, listen, and hand out a browser."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    clock, membership, provider = HandClock(), Membership(), ShopProvider()
    membership.is_fast.set()
    settings = WebSettings.model_validate({"host": "127.0.0.1", "port": port, "trusted_proxies": trusted_proxies})
    store = await Database.open(DatabaseSettings(url=f"sqlite:///{folder / 'test.db'}"), clock)
    intake = Intake(store, clock)
    async with DiscordStandIn().running() as discord:
        parts = Parts(
            settings=settings,
            public_url=public_url or base,
            discord=DiscordApplication(
                client_id=CLIENT_ID,
                client_secret=CLIENT_SECRET,
                api_url=f"{discord.url}/api/v10",
                site_url=discord.url,
            ),
            services=_services(store, intake, clock, public_url or base),
            store=store,
            intake=intake,
            providers={"shop": cast("Provider", provider)},
            use_cases=membership,
            clock=clock,
            randomness=Dice(),
            claim_command=claim_command,
            is_sandbox=is_sandbox,
        )
        runner = await start_server(build_app(parts), settings, idle_seconds=idle_seconds)
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            yield Stage(
                base=base, parts=parts, store=store, membership=membership, discord=discord, clock=clock,
                provider=provider, intake=intake, browser=Browser(session, base),
            )  # fmt: skip
        await runner.cleanup()
    await intake.door.close()
    await store.close()


def location_host(page: Page) -> str:
    """Return the origin a redirect leads to."""
    return str(URL(page.location).origin())


BUSY = Retry("the database is locked")
