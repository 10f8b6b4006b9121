"""What the page remembers between two requests: who you are, what is open, what was said, what is under way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import aiohttp

from sandbox import buyers
from sandbox.discord.faults import Fault
from sandbox.discord.world import Guild, User
from sandbox.mailbox import Mail
from sandbox.page.conversation import Conversation
from sandbox.page.fields import Fields
from sandbox.parts import Outside
from sandbox.stripe.errors import Refusal
from sandbox.stripe.settings import Autofill
from sandbox.tour import TourFailed
from sandbox.visitor import LostError, Visitor

_FACES = ("info", "ok", "warn", "bad", "violet", "teal")

MailView = Literal["html", "text", "headers", "raw"]

EXPECTED = (LostError, LookupError, ValueError, PermissionError, Refusal, TimeoutError, TourFailed, aiohttp.ClientError)
"""What a button's work may fail with: everything that the outside world can refuse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flash:
    """What the last action did and what to watch now. `tone` is ok or bad."""

    text: str
    tone: str = "ok"


Button = Callable[["Desk", Fields], Awaitable[str]]


class Desk:
    """The one visitor's desk; a sandbox has one visitor, however many tabs they open."""

    def __init__(self, world: Outside) -> None:
        """Begin as Ada, in the channel where codes are redeemed."""
        self.world = world
        self.person = world.seed.cast.ada
        self.channel = world.seed.server.get_access
        self._place: Guild | None = None
        self.mail: Mail | None = None
        self.mail_view: MailView = "html"
        self.invite = ""
        self.flash = Flash(text="")
        self.under_way = ""
        self.revision = 0
        self.outage_ends_at: datetime | None = None
        self.join_refusal: Fault | None = None
        self.talk = Conversation()
        self.held_by_brake: tuple[User, ...] = ()
        self._read: set[Mail] = set()
        self._read_messages: dict[int, int] = {}
        self._visitors: dict[int, Visitor] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        world.clock.on_advance(self._time_passed)
        self._sit_down()

    @property
    def people(self) -> tuple[User, ...]:
        """Return everybody you can be."""
        cast = self.world.seed.cast
        return cast.ada, cast.ben, cast.kim, cast.olga, cast.sam, cast.nora

    @property
    def servers(self) -> tuple[Guild, ...]:
        """Return the servers that the person can look at: Nora her own, everybody else the demo server; and the
        workshop those who are in it, once the bot was added there.
        """
        seed, bot = self.world.seed, self.world.discord.world.bot
        home = seed.neighbour.guild if self.person is seed.cast.nora else seed.server.guild
        has_workshop = {self.person.id, bot.id} <= seed.workshop.guild.members.keys()
        return (home, seed.workshop.guild) if has_workshop else (home,)

    @property
    def guild(self) -> Guild:
        """Return the server that the person looks at."""
        return self._place if self._place in self.servers else self.servers[0]

    @property
    def channel_name(self) -> str:
        """Return how the open channel is called."""
        return f"#{self.channel.name}" if self.channel.name else "a direct message"

    def face(self, user: User) -> str:
        """Return the colour in which somebody is shown; made-up people are grey."""
        return next((colour for person, colour in zip(self.people, _FACES, strict=True) if person is user), "off")

    @property
    def name(self) -> str:
        """Return what the person you are is called."""
        return self.person.global_name or self.person.username

    @property
    def address(self) -> str:
        """Return where their mail goes."""
        return self.person.email or ""

    @property
    def purchase(self) -> buyers.Purchase | None:
        """Return what they bought last."""
        return buyers.latest_purchase(self.world, self.address)

    @property
    def is_vip_above_bot(self) -> bool:
        """Say whether Discord would refuse the bot to give the VIP role."""
        server = self.world.seed.server
        return server.vip.rank > self.world.discord.bot_role(server.guild).rank

    @property
    def obstacle(self) -> str:
        """Return what is wrong with the world now, and the button that ends it; "" when nothing is."""
        if self.world.stripe.deliveries.trouble.is_outage:
            return "Stripe is down. Press “Stripe answers again”."
        if self.is_vip_above_bot:
            return "VIP is above the bot. Press “Move VIP back down”."
        if self.world.discord.is_down:
            return "Discord is down. Press “Discord answers again”."
        return ""

    def visitor(self) -> Visitor:
        """Return the person's browser; it keeps its cookies from button to button."""
        found = self._visitors.get(self.person.id)
        if found is None:
            found = Visitor(self.world.doorlist_url, email=self.address, name=self.name)
            self._visitors[self.person.id] = found
        return found

    def say(self, text: str, tone: str = "ok") -> None:
        """Tell what happened."""
        self.flash = Flash(text=text, tone=tone)
        self.revision += 1

    def hush(self) -> None:
        """Take back what was said last: the person has gone on. What is under way stays."""
        if not self.under_way:
            self.say("")

    def become(self, person: User) -> None:
        """Be somebody else from now on."""
        self.person, self.mail = person, None
        self._find_channel()
        self._sit_down()
        self.say(f"You are {self.name} now: the shop, the server and the inbox are theirs.")

    def go_to(self, server_id: str) -> None:
        """Look at another server. Raises LookupError for one that the person is not in."""
        for guild in self.servers:
            if str(guild.id) == server_id:
                self._place = guild
                self.talk.put_away()
                self._find_channel()
                self.revision += 1
                return
        raise LookupError("There is no such server.")

    def read(self, mail: Mail) -> None:
        """Open a mail."""
        self.mail = mail
        self._read.add(mail)
        self.hush()

    def is_read(self, mail: Mail) -> bool:
        """Say whether a mail was opened here."""
        return mail in self._read

    @property
    def has_unread_message(self) -> bool:
        """Say whether the bot wrote to the person since they looked at their direct messages."""
        posted = self.world.discord.direct_messages(self.person)
        return bool(posted) and posted[-1].author.is_bot and posted[-1].id > self._read_messages.get(self.person.id, 0)

    def read_messages(self) -> None:
        """Note that the open channel is being looked at."""
        posted = self.world.discord.direct_messages(self.person)
        if self.channel.recipient is not None and posted:
            self._read_messages[self.person.id] = posted[-1].id

    def start(self, name: str, what: str, work: Coroutine[object, object, str]) -> str:
        """Do something longer beside the page: `what` is shown meanwhile and returned, its result shown afterwards.

        `name` is what a failure says has stopped. Raises LookupError while something else is under way.
        """
        if self.under_way:
            work.close()
            raise LookupError(f"Wait a moment: {self.under_way}")
        self.under_way = what
        self.say(what)
        task = asyncio.create_task(self._carry_out(name, work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return what

    def explain(self, name: str, failure: BaseException) -> str:
        """Say why `name` stopped: by the trouble that the world is in, else by what was missing."""
        if isinstance(failure, LostError | TourFailed | TimeoutError | aiohttp.ClientError) and self.obstacle:
            return f"{name} stopped: {self.obstacle}"
        return str(failure) or f"{name} took too long."

    async def close(self) -> None:
        """Stop what is under way and close the browsers."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for visitor in self._visitors.values():
            await visitor.close()

    def _find_channel(self) -> None:
        """Stay in the open channel where the person's server has it, else take the one that newcomers look at."""
        seed = self.world.seed
        if self.channel.recipient is not None:
            self.channel = self.world.discord.world.dm_with(self.person)
        elif self.channel.guild_id != self.guild.id:
            lobbies = {seed.neighbour.guild.id: seed.neighbour.lobby, seed.workshop.guild.id: seed.workshop.lobby}
            self.channel = lobbies.get(self.guild.id, seed.server.get_access)

    def _sit_down(self) -> None:
        """Let the person's browser know them, so that a checkout walked by hand sends its mail to the inbox shown."""
        self.world.stripe.settings.autofill = Autofill(email=self.address, name=self.name)

    async def _carry_out(self, name: str, work: Coroutine[object, object, str]) -> None:
        try:
            text, tone = await work, "ok"
        except EXPECTED as failure:
            text, tone = self.explain(name, failure), "bad"
        finally:
            self.under_way = ""
            self.revision += 1
        self.say(text, tone)

    async def _time_passed(self, now: datetime) -> None:
        if self.outage_ends_at and now >= self.outage_ends_at:
            self.outage_ends_at = None
            self.world.stripe.end_outage()
