"""The stage of the scenarios: the outside world and the real Doorlist, talking over HTTP, WebSocket and SMTP only.

The verbs are the words of the scenarios. What happened is asked of the outside (roles, mails, posts); only plans, held
removals and the queue are asked of Doorlist itself.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select

from app.process import Process, running
from app.sandboxed import HOST, free_port, open_shop, pointed_at
from app.settings import Settings
from cogs.gateway import CONNECTED_DEBOUNCE_SECONDS
from cogs.paces import Paces
from membership import plans
from membership.model import GuildId, Plan, RoleId, UserId
from membership.policy import Policy
from providers.base import Patience
from sandbox.clock import MovableClock
from sandbox.discord.buckets import Buckets
from sandbox.discord.world import Guild, Role, User
from sandbox.mailbox import Mail
from sandbox.outside import Outside, outside
from sandbox.stripe.cards import Card
from sandbox.visitor import Page, Visitor, claim_code, connect_link
from storage.ledgers import jobs
from tests.sandbox import discord_contract
from tests.storage.databases import TEMPLATE, empty_postgres, sqlite_template
from tests.storage.databases import settings as database_settings

FIRST_PORT = 18600 + os.getpid() % 300 * 40
"""Test runs beside this one take other ports."""

PATIENCE_SECONDS = 15.0
LONGEST_WORK_SECONDS = 60.0
LOOK_SECONDS = 0.01
UNLIMITED = 1_000_000
TIME_SCALE = 0.02
"""Discord's windows are this much shorter than in reality, for both sides."""
PATIENCE = Patience(first_wait_seconds=0.001, requests_per_second=1000)
"""The local Stripe has no limits, and a test no time."""

DatabaseKind = Literal["sqlite", "postgres"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """A paid checkout, by Stripe's ids; `subscription` is "" for what is paid once."""

    session: str
    subscription: str

    @property
    def id(self) -> str:
        """Return the id that refunds and disputes go by."""
        return self.subscription or self.session


@dataclass(slots=True, kw_only=True)
class Stage:
    """Both sides, and the verbs. A person is called by the name in the cast, or by any new one."""

    outside: Outside
    settings: Settings
    people: dict[str, User]
    _process: Process | None = None
    _doorlist: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def process(self) -> Process:
        """Return the running Doorlist."""
        assert self._process is not None, "Doorlist is closed"
        return self._process

    @property
    def guild(self) -> Guild:
        """Return the demo server."""
        return self.outside.seed.server.guild

    @property
    def stripe(self) -> Any:
        """Return what a seller or a buyer can do at Stripe."""
        return self.outside.stripe.control

    async def open(self, *, is_discord_up: bool = True) -> None:
        """Start Doorlist on the stage's database and, with Discord up, wait until its bot is online."""
        self._process = await self._doorlist.enter_async_context(
            running(self.settings, self.outside.clock, paces=Paces().faster(1 / TIME_SCALE), patience=PATIENCE)
        )
        if is_discord_up:
            await self.is_online()

    async def close(self) -> None:
        """Stop Doorlist in order; the outside goes on."""
        self._process = None
        await self._doorlist.aclose()

    async def is_online(self, *, within: float = 0) -> None:
        """Wait until the bot is online."""
        await self.eventually(lambda: self.process.supervisor.health().is_connected, "the bot is online", within=within)
        # discord.py's own limit of gateway sends knows nothing of scaled minutes.
        limiter = self.process.discord.connection.require().ws._rate_limiter
        limiter.max = limiter.remaining = UNLIMITED

    async def calms_down(self) -> None:
        """Wait until the sweep that follows a fresh connection is over, where a scenario needs that nobody looks."""
        await asyncio.sleep(CONNECTED_DEBOUNCE_SECONDS)
        await self.settled()

    async def reopen(self) -> None:
        """Stop Doorlist and start it again on the same database."""
        await self.close()
        await self.open()

    async def without_mail(self) -> None:
        """Start Doorlist again as one that has no mail server."""
        mail = self.settings.mail.model_copy(update={"transport": "none"})
        self.settings = self.settings.model_copy(update={"mail": mail})
        await self.reopen()

    def person(self, name: str) -> User:
        """Return somebody of the cast; a new name makes a new Discord account with the address NAME@example.com."""
        if name not in self.people:
            made = self.outside.discord.create_user(name, email=f"{name}@example.com", global_name=name.title())
            self.people[name] = made
        return self.people[name]

    def joins(self, name: str) -> None:
        """Let somebody join the server, if they are not in it."""
        self.outside.discord.people.join(self.guild, self.person(name))

    async def leaves(self, name: str) -> None:
        """Let a member leave the server, and wait until Doorlist knows."""
        self.outside.discord.people.leave(self.guild, self.person(name))
        await self.settled_at(name, "pending not_in_server")

    def buys(self, name: str, slug: str = "vip", *, card: Card = Card.GOOD, **checkout: object) -> Bought:
        """Pay for a plan on the seller's own site. `checkout` is what the API takes."""
        price = self.ware(slug).price_id
        session = self.stripe.buy(price, self.address(name), card=card, name=name.title(), **checkout)
        return Bought(session=session["id"], subscription=session["subscription"] or "")

    async def claims(self, name: str) -> None:
        """Type the code of the newest connect mail into the verification channel as a member; wait for the answer."""
        code = claim_code((await self.invitation(name)).text)
        answers = len(self.direct_messages(name))
        self.joins(name)
        self.says(name, f"!claim {code}")
        await self.eventually(lambda: len(self.direct_messages(name)) > answers, f"an answer to {name}")

    def says(self, name: str, text: str) -> None:
        """Write something into the verification channel."""
        self.outside.discord.people.say(self.outside.seed.server.get_access, self.person(name), text)

    async def connects(self, name: str, *, as_person: str | None = None) -> Page:
        """Follow the newest connect mail in a browser, sign in at Discord, say yes; return the last page."""
        link = connect_link((await self.invitation(name)).text)
        assert link is not None
        async with self.visitor(name) as visitor:
            return await visitor.connect(link, self.person(as_person or name))

    async def is_member(self, name: str, slug: str = "vip", **checkout: object) -> Bought:
        """Let somebody buy and connect, and wait until everything is settled."""
        bought = self.buys(name, slug, **checkout)  # type: ignore[arg-type]
        await self.settled()
        await self.claims(name)
        await self.settled()
        return bought

    async def are_members(self, *names: str, slug: str = "vip") -> dict[str, Bought]:
        """Let several people buy and connect at once."""
        bought = {name: self.buys(name, slug) for name in names}
        await self.settled()
        await asyncio.gather(*(self.claims(name) for name in names))
        await self.settled()
        return bought

    def visitor(self, name: str) -> Visitor:
        """Return somebody's browser, a context manager."""
        return Visitor(self.outside.doorlist_url, email=self.address(name), name=name.title())

    def ware(self, slug: str) -> Any:
        """Return a thing that the demo shop sells."""
        return next(each for each in self.outside.seed.wares if each.slug == slug)

    def address(self, name: str) -> str:
        """Return where somebody gets mail."""
        return self.person(name).email or ""

    def role(self, name: str, *, position: int = 2) -> Role:
        """Return a role of the server by its name; a new name makes a new role."""
        for role in self.guild.roles.values():
            if role.name == name:
                return role
        return self.outside.discord.create_role(self.guild, name, position=position)

    def roles(self, name: str) -> set[str]:
        """Return the names of somebody's roles, none for somebody outside."""
        user = self.person(name)
        return self.outside.discord.roles_of(self.guild, user) if user.id in self.guild.members else set()

    def has(self, name: str, role: str = "VIP") -> bool:
        """Say whether somebody holds a role."""
        return role in self.roles(name)

    def is_inside(self, name: str) -> bool:
        """Say whether somebody is in the server."""
        return self.person(name).id in self.guild.members

    def mails(self, name: str) -> list[str]:
        """Return the subjects of the mails to somebody, oldest first."""
        return [mail.subject for mail in self.outside.mailbox.messages_to(self.address(name))]

    async def invitation(self, name: str) -> Mail:
        """Return the newest mail with a connect link to somebody."""
        found: list[Mail] = []

        def is_there() -> bool:
            mails = self.outside.mailbox.messages_to(self.address(name))
            found[:] = [mail for mail in mails if connect_link(mail.text)]
            return bool(found)

        await self.eventually(is_there, f"a connect mail for {name}")
        return found[-1]

    def posts(self) -> list[str]:
        """Return the titles of what stands in the event log, oldest first."""
        messages = self.outside.discord.messages(self.outside.seed.server.log)
        return [str(embed.get("title", "")) for message in messages for embed in message.embeds]

    def post_text(self, number: int) -> str:
        """Return the lines of one post in the event log."""
        return str(self.outside.discord.messages(self.outside.seed.server.log)[number].embeds[0].get("description", ""))

    def direct_messages(self, name: str) -> list[str]:
        """Return what the bot wrote to somebody, oldest first."""
        return [message.content for message in self.outside.discord.direct_messages(self.person(name))]

    def role_writes(self, name: str) -> list[tuple[str, str]]:
        """Return the role writes on somebody that Discord carried out: (PUT or DELETE, role name), oldest first."""
        found = []
        for record in self.outside.discord.records.requests:
            parts = record.path.split("/")
            if "roles" in parts[-2:] and str(self.person(name).id) in parts and record.status == 204:
                found.append((record.method, self.guild.roles[int(parts[-1])].name))
        return found

    async def eventually(self, is_so: Callable[[], object], what: str = "it", *, within: float = 0) -> None:
        """Wait until something is so, 5 s at most. Raises AssertionError that says `what` did not come true."""
        deadline = time.monotonic() + (within or PATIENCE_SECONDS)
        while not is_so():
            assert time.monotonic() < deadline, f"{what} did not come true; posts: {self.posts()}"
            await asyncio.sleep(LOOK_SECONDS)

    async def settled(self) -> None:
        """Deliver what Stripe has to say and wait until Doorlist has nothing to do now. Raises AssertionError."""
        deadline = time.monotonic() + LONGEST_WORK_SECONDS
        counts = {"due": 1}
        while counts["due"] or counts["leased"]:
            assert time.monotonic() < deadline, f"still busy: {counts}, {await self._leased()}"
            await self.outside.stripe.deliver_pending()
            counts = await self._jobs()
            await asyncio.sleep(LOOK_SECONDS)

    async def settled_until(self, is_so: Callable[[], object], what: str = "it") -> None:
        """Wait until something is so, then until Doorlist has nothing to do now: for what an event only begins."""
        await self.eventually(is_so, what)
        await self.settled()

    async def advance(self, **by: float) -> None:
        """Move the one clock of both sides (`days=3`), let Doorlist do what time would have done, and settle."""
        await self.outside.clock.advance(timedelta(**by))
        await self.settled()

    async def advance_to(self, moment: datetime) -> None:
        """Move the clock forward to a moment and settle."""
        await self.outside.clock.advance(moment - self.now())
        await self.settled()

    def now(self) -> datetime:
        """Return the time that both sides have."""
        return self.outside.clock.now()

    async def parked(self) -> int:
        """Return how many jobs gave up: none, in every scenario."""
        return (await self._jobs())["parked"]

    async def standing(self, name: str) -> list[str]:
        """Return state and reason of the grants of somebody's purchases ("failed role_above_bot"), oldest first."""
        async with self.process.database.read() as tx:
            customers = await tx.links.customers_of(UserId(self.person(name).id))
            purchases = [each for customer in customers for each in await tx.purchases.of_customer(customer)]
            grants = [grant for purchase in purchases for grant in await tx.purchases.grants(purchase.id)]
        return [f"{grant.state} {grant.reason}" for grant in sorted(grants, key=lambda grant: grant.id)]

    async def settled_at(self, name: str, *standing: str) -> None:
        """Wait until somebody's grants stand so, then until Doorlist has nothing to do now. Raises AssertionError."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (found := await self.standing(name)) != [*standing]:
            assert time.monotonic() < deadline, f"{name}'s grants stay {found}"
            await asyncio.sleep(LOOK_SECONDS)
        await self.settled()

    async def _leased(self) -> list[str]:
        async with self.process.database.read() as tx:
            rows = await tx.connection.execute(select(jobs).where(jobs.c.leased_until.is_not(None)))
        return [f"{row.kind} {row.key}" for row in rows]

    async def _jobs(self) -> dict[str, int]:
        async with self.process.database.read() as tx:
            return dict(await tx.jobs.counts())

    async def plan(self, slug: str, *, roles: tuple[str, ...] | None = None, **rules: Any) -> Plan:
        """Change the plan of a ware, then settle. `..._role` names a role; the rest is Plan's."""
        for key in ("past_due_role", "trial_role"):
            if key in rules:
                rules[f"{key}_id"] = RoleId(self.role(rules.pop(key)).id)
        if roles is not None:
            rules["roles"] = tuple(RoleId(self.role(name).id) for name in roles)
        async with self.process.database.read() as tx:
            known = await tx.plans.by_slug(slug)
        assert known is not None, f"there is no plan {slug}"
        stored = await plans.save(self.process.services, replace(known, **rules))
        await self.settled()
        return stored

    async def follow_clock(self, before: datetime, now: datetime) -> None:
        """Do what the passed time would have done in a running Doorlist."""
        if self._process is not None:
            await self._process.clocks.after_jump(before, now)
            self._process.worker.wake()

    def guild_id(self) -> GuildId:
        """Return the server's id in Doorlist's words."""
        return GuildId(self.guild.id)


@asynccontextmanager
async def stage(
    folder: Path, *, database: DatabaseKind = "sqlite", policy: Policy | None = None, checks_discord: bool = True
) -> AsyncIterator[Stage]:
    """Start both sides with the demo shop open; at the end hold every exchange against Discord's description."""
    port = free_port(FIRST_PORT)
    doorlist_port = free_port(port + 1)
    doorlist_url = f"http://{HOST}:{doorlist_port}"
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(
            outside(
                MovableClock(), host=HOST, port=port, doorlist_url=doorlist_url, buckets=Buckets(time_scale=TIME_SCALE)
            )
        )
        world.discord.records.keeps_exchanges = checks_discord
        url = await stack.enter_async_context(_empty_database(folder, database))
        settings = pointed_at(world, Settings(policy=policy or Policy()), database=folder, port=doorlist_port)
        settings = settings.model_copy(update={"database": database_settings(url)})
        cast = world.seed.cast
        people = {"olga": cast.olga, "ada": cast.ada, "ben": cast.ben, "kim": cast.kim}
        both = Stage(outside=world, settings=settings, people=people)
        _follow_clock(both)
        await both.open()
        stack.push_async_callback(both.close)
        await open_shop(both.process, world)
        await both.settled()
        yield both
    discord_contract.check(each for each in world.discord.records.exchanges if not each.is_faulty)


@asynccontextmanager
async def _empty_database(folder: Path, kind: DatabaseKind) -> AsyncIterator[str]:
    if kind == "postgres":
        async with empty_postgres(TEMPLATE) as url:
            yield url
    else:
        shutil.copyfile(await asyncio.to_thread(sqlite_template), folder / "doorlist.db")
        yield f"sqlite:///{folder}/doorlist.db"


def _follow_clock(both: Stage) -> None:
    last = [both.now()]

    async def advanced(now: datetime) -> None:
        before, last[0] = last[0], now
        await both.follow_clock(before, now)

    both.outside.clock.on_advance(advanced)
