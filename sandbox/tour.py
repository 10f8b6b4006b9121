"""The tour: buy, mail, connect, see the role, cancel, role gone. Played over the wire, a step at a time.

The page's "Do it all for me", `bot.py sandbox tour` and the tests all play this same script.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from sandbox import buyers
from sandbox.discord.world import User
from sandbox.mailbox import Mail
from sandbox.parts import Outside
from sandbox.visitor import LostError, Visitor, connect_link

STEP_SECONDS = 12.0
PLAN = "vip"

_LOOK_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step that came true: its `title`, what was seen, and how long it took."""

    title: str
    detail: str
    seconds: float


class TourFailed(Exception):
    """A step did not come true; the text names it and says what was missing."""


@dataclass(slots=True, kw_only=True)
class _Tour:
    """What the steps hand on to each other."""

    world: Outside
    person: User
    visitor: Visitor
    mails_before: int
    mail: Mail | None = None

    @property
    def address(self) -> str:
        """Return where the person's mail goes."""
        return self.person.email or ""

    @property
    def name(self) -> str:
        """Return what the person is called."""
        return self.person.global_name or self.person.username


async def steps(world: Outside, person: User | None = None, *, pause_seconds: float = 0.0) -> AsyncIterator[Step]:
    """Play the tour as `person` (Ada) and yield each step once it is true; rest `pause_seconds` between them.

    Raises TourFailed, which names the step, after at most STEP_SECONDS.
    """
    person = person or world.seed.cast.ada
    address, name = person.email or "", person.global_name or person.username
    async with Visitor(world.doorlist_url, email=address, name=name) as visitor:
        mails_before = len(_invitations(world, address))
        tour = _Tour(world=world, person=person, visitor=visitor, mails_before=mails_before)
        for title, play in _SCRIPT:
            yield await _played(tour, title, play)
            await asyncio.sleep(pause_seconds)


async def _played(tour: _Tour, title: str, play: Callable[[_Tour], Awaitable[str]]) -> Step:
    started = time.monotonic()
    try:
        async with asyncio.timeout(STEP_SECONDS):
            detail = await play(tour)
    except TimeoutError as waited:
        raise TourFailed(f"{title}: nothing came within {STEP_SECONDS:.0f} s") from waited
    except (LostError, LookupError, aiohttp.ClientError) as missing:
        raise TourFailed(f"{title}: {missing}") from missing
    return Step(title=title, detail=detail, seconds=time.monotonic() - started)


async def _buy(tour: _Tour) -> str:
    page = await tour.visitor.buy(PLAN)
    ware = next(each for each in tour.world.seed.wares if each.slug == PLAN)
    return f"{tour.name} paid {ware.price} for {ware.name}; the shop says “{page.heading}”"


async def _mail(tour: _Tour) -> str:
    await _until(lambda: len(_invitations(tour.world, tour.address)) > tour.mails_before)
    tour.mail = _invitations(tour.world, tour.address)[-1]
    return f"“{tour.mail.subject}” came to {tour.address}"


async def _connect(tour: _Tour) -> str:
    link = connect_link(tour.mail.text) if tour.mail else None
    if link is None:
        raise LostError("the mail has no connect link")
    page = await tour.visitor.connect(link, tour.person)
    return f"signed in at Discord as @{tour.person.username}; the page says “{page.heading}”"


async def _see_role(tour: _Tour) -> str:
    await _until(lambda: buyers.has_role(tour.world, tour.person))
    server = tour.world.seed.server
    return f"@{tour.person.username} has {server.vip.name}, and #{server.lounge.name} is open"


async def _cancel(tour: _Tour) -> str:
    purchase = buyers.latest_purchase(tour.world, tour.address)
    if purchase is None or purchase.subscription is None:
        raise LostError("there is no subscription to cancel")
    tour.world.stripe.control.cancel_now(purchase.subscription["id"])
    return f"{tour.name} cancelled at once"


async def _role_gone(tour: _Tour) -> str:
    await _until(lambda: not buyers.has_role(tour.world, tour.person))
    server = tour.world.seed.server
    return f"{server.vip.name} is gone, and #{server.lounge.name} is closed again"


_SCRIPT: tuple[tuple[str, Callable[[_Tour], Awaitable[str]]], ...] = (
    ("Buy", _buy),
    ("Mail", _mail),
    ("Connect", _connect),
    ("See role", _see_role),
    ("Cancel", _cancel),
    ("Role gone", _role_gone),
)


def _invitations(world: Outside, address: str) -> list[Mail]:
    return [mail for mail in world.mailbox.messages_to(address) if connect_link(mail.text)]


async def _until(is_true: Callable[[], bool]) -> None:
    """Look again and again. Raises TimeoutError after STEP_SECONDS."""
    for _ in range(int(STEP_SECONDS / _LOOK_SECONDS)):
        if is_true():
            return
        await asyncio.sleep(_LOOK_SECONDS)
    raise TimeoutError
