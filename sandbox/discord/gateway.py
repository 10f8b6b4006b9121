"""The gateway's memory: sessions, their intents, event numbering, replay, and the switches that break it.

Speaking WebSocket is in gateway_socket.py; what an event contains is decided by whoever dispatches it.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntFlag
from typing import Protocol

from sandbox.discord.world import Clock, Json

EVENTS_KEPT_FOR_RESUME = 2_000
SESSIONS_KEPT_FOR_RESUME = 16
SESSION_STARTS_PER_DAY = 1_000


class Intents(IntFlag):
    """The gateway intents this sandbox filters by."""

    NONE = 0
    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_MODERATION = 1 << 2
    GUILD_INVITES = 1 << 6
    GUILD_MESSAGES = 1 << 9
    DIRECT_MESSAGES = 1 << 12
    MESSAGE_CONTENT = 1 << 15


class Wire(Protocol):
    """A live connection: takes frames without blocking, can be closed."""

    def send(self, frame: str) -> None:
        """Queue a frame."""

    def close(self, code: int) -> None:
        """Close after what is queued."""


@dataclass(slots=True, kw_only=True)
class Session:
    """One identified client: what it listens to, what it was sent, where it is connected now (if at all)."""

    id: str
    intents: int
    shard: tuple[int, int] = (0, 1)
    sequence: int = 0
    sent: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT_FOR_RESUME), repr=False)
    wire: Wire | None = None

    def dispatch(self, event: str, body: str) -> None:
        """Send an event (its body already JSON) if connected, and keep it for a resume."""
        self.sequence += 1
        frame = f'{{"op":0,"s":{self.sequence},"t":"{event}","d":{body}}}'
        self.sent.append((self.sequence, frame))
        if self.wire:
            self.wire.send(frame)

    def can_replay_from(self, sequence: int) -> bool:
        """Say whether everything after `sequence` is still kept."""
        oldest = self.sent[0][0] if self.sent else self.sequence + 1
        return oldest - 1 <= sequence <= self.sequence

    def sees_guild(self, guild_id: int) -> bool:
        """Say whether the guild belongs to this session's shard."""
        return (guild_id >> 22) % self.shard[1] == self.shard[0]


class Gateway:
    """All sessions, and the control of the gateway's health."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._session_starts: deque[datetime] = deque(maxlen=SESSION_STARTS_PER_DAY)
        self._session_number = 0
        self.sessions: dict[str, Session] = {}
        self.is_refusing = False
        self.acknowledges_heartbeats = True

    def open_session(self, *, intents: int, shard: tuple[int, int], wire: Wire) -> Session:
        """Start a session and count it against the day's limit."""
        self._session_number += 1
        self._session_starts.append(self._clock.now())
        session = Session(id=f"session-{self._session_number}", intents=intents, shard=shard, wire=wire)
        self.sessions[session.id] = session
        detached = [key for key, each in self.sessions.items() if each.wire is None]
        for key in detached[:-SESSIONS_KEPT_FOR_RESUME]:
            del self.sessions[key]
        return session

    def session_starts_left(self) -> int:
        """Return how many IDENTIFYs remain in the running 24 hours, out of 1,000."""
        since = self._clock.now() - timedelta(days=1)
        while self._session_starts and self._session_starts[0] <= since:
            self._session_starts.popleft()
        return SESSION_STARTS_PER_DAY - len(self._session_starts)

    def session_start_limit(self) -> Json:
        """Return the object of GET /gateway/bot."""
        left = self.session_starts_left()
        oldest = self._session_starts[0] if self._session_starts else self._clock.now()
        reset_after = oldest + timedelta(days=1) - self._clock.now()
        milliseconds = int(reset_after.total_seconds() * 1000) if self._session_starts else 0
        return {"total": SESSION_STARTS_PER_DAY, "remaining": left, "reset_after": milliseconds, "max_concurrency": 1}

    def listeners(self, intent: Intents, guild_id: int | None) -> Iterator[Session]:
        """Iterate the sessions that receive events of this intent (NONE: everybody) and guild."""
        for session in self.sessions.values():
            listens = intent == Intents.NONE or session.intents & intent
            # Direct messages and interactions in them go to shard 0.
            is_on_shard = session.sees_guild(guild_id) if guild_id else session.shard[0] == 0
            if listens and is_on_shard:
                yield session

    def dispatch(self, event: str, render: Callable[[], Json], *, intent: Intents, guild_id: int | None) -> None:
        """Send an event to whoever listens; the body is rendered once, and only when somebody does."""
        body: str | None = None
        for session in self.listeners(intent, guild_id):
            body = body or encode(render())
            session.dispatch(event, body)

    @property
    def connections(self) -> list[Session]:
        """Return the sessions that are connected now."""
        return [session for session in self.sessions.values() if session.wire]

    def drop_connections(self, code: int = 1006) -> None:
        """Close every connection with a close code; 1006 cuts the socket without a closing frame.

        Sessions stay, and what happens from this moment on is heard only after a resume.
        """
        for session in self.sessions.values():
            wire, session.wire = session.wire, None
            if wire:
                wire.close(code)

    def invalidate_sessions(self) -> None:
        """Send op 9 (not resumable) to every connection and forget all sessions, also the resumable ones."""
        connected = self.connections
        self.sessions.clear()
        for session in connected:
            if session.wire:
                session.wire.send(encode({"op": 9, "d": False, "s": None, "t": None}))

    def ask_to_reconnect(self) -> None:
        """Send op 7 to every connection."""
        for session in self.connections:
            if session.wire:
                session.wire.send(encode({"op": 7, "d": None, "s": None, "t": None}))


def encode(body: object) -> str:
    """Return compact JSON."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False)
