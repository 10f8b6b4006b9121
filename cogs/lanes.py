"""The queue in front of discord.py: one role write or kick in flight per guild, whoever waits most urgently first.

Knows nothing of Discord: what performs a write comes in. discord.py alone is first in, first out, causes its own 429s
with three writers on one bucket, and repeats a refused call as often as it is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from cogs.guard import Breakers
from cogs.pacing import Pace, RoleLimits, RoleWindow
from membership.errors import DoorlistError, Retry
from membership.model import GuildId, Lane, MemberKey, RoleId

STARTS_KEPT_FOR_PERSONS = 5
LONGEST_CALL_SECONDS = 75.0


class Action(StrEnum):
    """What a write does."""

    ADD = "add"
    REMOVE = "remove"
    KICK = "kick"


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One change of one member; a kick names no role. `why` is for the guild's audit log."""

    key: MemberKey
    action: Action
    role_id: RoleId | None = None
    why: str

    @property
    def target(self) -> Hashable:
        """Return what two writes must share to be the same or opposite."""
        return self.key.user_id, self.role_id

    @property
    def breaker(self) -> Hashable:
        """Return what a lasting refusal is remembered for: the role, or the member of a kick."""
        return self.role_id or ("kick", self.key.user_id)


@dataclass(slots=True, kw_only=True)
class _Ticket:
    write: Write
    outcome: asyncio.Future[None]


class _GuildQueue:
    """What waits in one guild: a dict per lane keeps the order of arrival and finds a target at once."""

    def __init__(self, limits: RoleLimits) -> None:
        self.window = RoleWindow(limits)
        self.changed = asyncio.Event()
        self._waiting: dict[Lane, dict[Hashable, _Ticket]] = {lane: {} for lane in Lane}

    def join(self, write: Write, lane: Lane) -> asyncio.Future[None]:
        """Queue a write; share the ticket of an identical one, replace an opposite one."""
        self.changed.set()
        for present in Lane:
            ticket = self._waiting[present].get(write.target)
            if ticket is None:
                continue
            if ticket.write.action is write.action:
                if lane < present:
                    self._waiting[lane][write.target] = self._waiting[present].pop(write.target)
                return ticket.outcome
            lane = min(lane, present)
            _settle(self._waiting[present].pop(write.target), Retry("a later wish replaced this one"))
        ticket = _Ticket(write=write, outcome=_future())
        self._waiting[lane][write.target] = ticket
        return ticket.outcome

    def first(self) -> tuple[Lane, _Ticket] | None:
        """Return the most urgent ticket without taking it."""
        for lane, tickets in self._waiting.items():
            if tickets:
                return lane, next(iter(tickets.values()))
        return None

    def take(self, lane: Lane, ticket: _Ticket) -> None:
        """Take a ticket out of the queue."""
        del self._waiting[lane][ticket.write.target]

    def abandon(self) -> None:
        """Give everybody who waits an unknown outcome."""
        for tickets in self._waiting.values():
            for ticket in tickets.values():
                _settle(ticket, Retry("Doorlist is stopping"))
            tickets.clear()


class Lanes:
    """All guilds' queues. `perform` makes one call and raises one of the four failures, or a bug."""

    def __init__(self, perform: Callable[[Write], Awaitable[None]], limits: RoleLimits | None = None) -> None:
        """Take what performs a write and Discord's limits."""
        self._perform = perform
        self._limits = limits or RoleLimits()
        self._pace = Pace(self._limits.starts_per_second, 1.0)
        self._breakers = Breakers()
        self._queues: dict[GuildId, _GuildQueue] = {}
        self._servants: dict[GuildId, asyncio.Task[None]] = {}

    async def submit(self, write: Write, lane: Lane) -> None:
        """Wait until Discord accepted the write. Raises what `perform` raises, and Retry when it was replaced."""
        guild_id = write.key.guild_id
        queue = self._queues.setdefault(guild_id, _GuildQueue(self._limits))
        outcome = queue.join(write, lane)
        if guild_id not in self._servants:
            self._servants[guild_id] = asyncio.create_task(self._serve(guild_id, queue))
        # Shielded: others may share the ticket, and a caller who gives up does not undo the wish.
        await asyncio.shield(outcome)

    def reset(self, guild_id: GuildId) -> None:
        """Try refused writes of a guild again: its roles or our permissions changed."""
        self._breakers.reset(guild_id)

    async def close(self) -> None:
        """Stop serving; whoever waits gets Retry."""
        servants = list(self._servants.values())
        for servant in servants:
            servant.cancel()
        await asyncio.gather(*servants, return_exceptions=True)
        for queue in self._queues.values():
            queue.abandon()

    async def _serve(self, guild_id: GuildId, queue: _GuildQueue) -> None:
        try:
            while (head := queue.first()) is not None:
                lane, ticket = head
                queue.changed.clear()
                refusal = self._breakers.refusal(guild_id, ticket.write.breaker, _now())
                if refusal is not None:
                    queue.take(lane, ticket)
                    _settle(ticket, refusal)
                elif (delay := self._delay(queue, lane, ticket.write)) > 0:
                    await _first_of(queue.changed, delay)
                else:
                    queue.take(lane, ticket)
                    await self._make(queue, ticket)
        finally:
            del self._servants[guild_id]

    def _delay(self, queue: _GuildQueue, lane: Lane, write: Write) -> float:
        keep = 0 if lane is Lane.PERSON else STARTS_KEPT_FOR_PERSONS
        delay = self._pace.delay(_now(), keep=keep)
        # A kick has a bucket of its own, wide enough.
        return delay if write.action is Action.KICK else max(delay, queue.window.delay(lane, _now()))

    async def _make(self, queue: _GuildQueue, ticket: _Ticket) -> None:
        write = ticket.write
        self._pace.take(_now())
        if write.action is not Action.KICK:
            queue.window.take(_now())
        try:
            # Not a proof of failure: the call may have been made. Retry means "observe again".
            async with asyncio.timeout(LONGEST_CALL_SECONDS):
                await self._perform(write)
        except TimeoutError:
            _settle(ticket, Retry("Discord did not answer", after=timedelta(seconds=5)))
        except DoorlistError as failure:
            self._breakers.note(write.key.guild_id, write.breaker, failure, _now())
            _settle(ticket, failure)
        except asyncio.CancelledError:
            _settle(ticket, Retry("Doorlist is stopping"))
            raise
        except Exception as bug:  # noqa: BLE001 - it belongs to the caller; the guild's queue must go on
            _settle(ticket, bug)
        else:
            _settle(ticket, None)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _future() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    # Whoever asked may be gone by now; asking for the exception here keeps asyncio from complaining about it.
    future.add_done_callback(lambda done: done.cancelled() or done.exception())
    return future


def _settle(ticket: _Ticket, failure: Exception | None) -> None:
    if ticket.outcome.done():
        return
    if failure is None:
        ticket.outcome.set_result(None)
    else:
        ticket.outcome.set_exception(failure)


async def _first_of(changed: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await changed.wait()
    except TimeoutError:
        return
