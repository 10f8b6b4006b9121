"""Asks the gateway (op 8) who of some users is in a guild: concurrent questions of a guild become one query, paced.

Reads nothing from a cache. What the answer does not name is left out, and never means "left".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cogs.pacing import Pace
from membership.errors import Retry
from membership.model import GuildId, Lane, Observation, RoleId, Seen, UserId

MOST_IDS = 100
QUERIES_PER_MINUTE = 100  # Discord closes the connection at 120, discord.py stops at 110
QUERIES_KEPT_FOR_PERSONS = 20
GATHER_SECONDS = 0.004
ANSWER_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 90.0

Send = Callable[[GuildId, Sequence[UserId], str], Awaitable[None]]


@dataclass(slots=True, kw_only=True)
class _Query:
    guild_id: GuildId
    lane: Lane
    outcome: asyncio.Future[Mapping[UserId, Observation]]
    nonce: str = ""
    ids: dict[UserId, None] = field(default_factory=dict)
    answers: dict[UserId, Observation] = field(default_factory=dict)
    chunks: set[int] = field(default_factory=set)
    urgent: asyncio.Event = field(default_factory=asyncio.Event)


class MemberQueries:
    """The open and the unanswered queries. `send` puts one on the wire and raises Retry when there is none."""

    def __init__(
        self, send: Send, per_minute: int = QUERIES_PER_MINUTE, answer_seconds: float = ANSWER_SECONDS
    ) -> None:
        """Take what sends a query, how many may go out in a minute, and how long to wait for an answer."""
        self._send = send
        self._pace = Pace(per_minute, 60.0)
        self._answer_seconds = answer_seconds
        self._gathering: dict[GuildId, _Query] = {}
        self._asked: dict[str, _Query] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = 0

    async def ask(self, guild_id: GuildId, user_ids: Sequence[UserId], lane: Lane) -> Mapping[UserId, Observation]:
        """Return what Discord answered, for those of at most 100 ids that it answered for.

        Raises Retry when no complete answer came, or none can come soon.
        """
        if len(user_ids) > MOST_IDS:
            raise ValueError(f"at most {MOST_IDS} ids in a question")
        query = self._gathering.get(guild_id)
        if query is None or len(query.ids.keys() | set(user_ids)) > MOST_IDS:
            query = self._open(guild_id, lane)
        query.ids.update(dict.fromkeys(user_ids))
        if lane < query.lane:
            query.lane = lane
            query.urgent.set()
        answers = await asyncio.shield(query.outcome)
        return {user_id: answers[user_id] for user_id in user_ids if user_id in answers}

    def hear(self, chunk: Mapping[str, object]) -> None:
        """Take a GUILD_MEMBERS_CHUNK event. The last chunk may overtake or outlive the others, so all are counted."""
        query = self._asked.get(str(chunk.get("nonce")))
        if query is None:
            return
        query.answers.update(_answers(chunk))
        query.chunks.add(_number(chunk.get("chunk_index", 0)))
        if len(query.chunks) >= _number(chunk.get("chunk_count", 1)):
            _succeed(query)

    def refuse(self, nonce: str, retry_after: float) -> None:
        """Take a RATE_LIMITED event for one of our queries."""
        query = self._asked.get(nonce)
        if query is not None:
            _fail(query, Retry("Discord limits member queries", after=timedelta(seconds=retry_after)))

    def lose(self) -> None:
        """Give up on what was asked over a connection that is lost."""
        for query in self._asked.values():
            _fail(query, Retry("the connection to Discord was lost"))

    async def close(self) -> None:
        """Stop asking; whoever waits gets Retry."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _open(self, guild_id: GuildId, lane: Lane) -> _Query:
        outcome: asyncio.Future[Mapping[UserId, Observation]] = asyncio.get_running_loop().create_future()
        # Everybody who asked may be gone; then nobody else would look at the failure.
        outcome.add_done_callback(lambda done: done.cancelled() or done.exception())
        query = _Query(guild_id=guild_id, lane=lane, outcome=outcome)
        self._gathering[guild_id] = query
        task = asyncio.create_task(self._run(query))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return query

    async def _run(self, query: _Query) -> None:
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await asyncio.sleep(GATHER_SECONDS)
                await self._turn(query)
                self._stop_gathering(query)
                self.sent += 1
                query.nonce = f"q{self.sent}"
                self._asked[query.nonce] = query
                async with asyncio.timeout(self._answer_seconds):
                    await self._send(query.guild_id, list(query.ids), query.nonce)
                    await asyncio.wait([query.outcome])
        except TimeoutError:
            _fail(query, Retry("Discord did not answer completely who is in the server"))
        except Retry as failure:
            _fail(query, failure)
        finally:
            _fail(query, Retry("Doorlist is stopping"))
            self._stop_gathering(query)
            self._asked.pop(query.nonce, None)

    async def _turn(self, query: _Query) -> None:
        """Wait for a place in the minute; a question that joins later may make this one urgent."""
        loop = asyncio.get_running_loop()
        while True:
            keep = 0 if query.lane is Lane.PERSON else QUERIES_KEPT_FOR_PERSONS
            delay = self._pace.delay(loop.time(), keep=keep)
            if delay <= 0:
                self._pace.take(loop.time())
                return
            query.urgent.clear()
            try:
                async with asyncio.timeout(delay):
                    await query.urgent.wait()
            except TimeoutError:
                continue

    def _stop_gathering(self, query: _Query) -> None:
        if self._gathering.get(query.guild_id) is query:
            del self._gathering[query.guild_id]


def seen(member: Mapping[str, object]) -> Seen:
    """Read a member object of the REST interface or the gateway."""
    user = _mapping(member.get("user"))
    name = member.get("nick") or user.get("global_name") or user.get("username") or ""
    roles = member.get("roles")
    role_ids = frozenset(RoleId(int(str(role))) for role in roles) if isinstance(roles, list) else frozenset()
    joined_at = member.get("joined_at")
    return Seen(
        roles=role_ids,
        is_pending=bool(member.get("pending", False)),
        name=str(name),
        joined_at=datetime.fromisoformat(str(joined_at)) if joined_at else None,
    )


def _answers(chunk: Mapping[str, object]) -> dict[UserId, Observation]:
    members, not_found = chunk.get("members"), chunk.get("not_found")
    answers: dict[UserId, Observation] = {}
    for user_id in not_found if isinstance(not_found, list) else ():
        answers[UserId(int(str(user_id)))] = None
    for member in members if isinstance(members, list) else ():
        content = _mapping(member)
        answers[UserId(int(str(_mapping(content.get("user"))["id"])))] = seen(content)
    return answers


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    return int(str(value))


def _succeed(query: _Query) -> None:
    if not query.outcome.done():
        query.outcome.set_result(query.answers)


def _fail(query: _Query, failure: Retry) -> None:
    if not query.outcome.done():
        query.outcome.set_exception(failure)
