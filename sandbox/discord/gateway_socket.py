"""One WebSocket connection to the gateway: hello, identify, resume, heartbeats, close codes.

Codes and rules: Discord's "Gateway" and "Opcodes and Status Codes" pages.
"""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections import deque
from contextlib import suppress

from aiohttp import WSMsgType, web

from sandbox.discord import payloads
from sandbox.discord.gateway import Gateway, Intents, Session, encode
from sandbox.discord.member_requests import MemberRequests
from sandbox.discord.state import State
from sandbox.discord.world import Json, World

HEARTBEAT_INTERVAL_SECONDS = 41.25
SENDS_PER_WINDOW, SEND_WINDOW_SECONDS = 120, 60.0
FRAME_LIMIT = 4_096
KNOWN_INTENTS = (1 << 26) - 1


class Disconnect(Exception):
    """Ends a connection with a close code."""

    def __init__(self, code: int, reason: str) -> None:
        """Keep the close code and the reason text of the closing frame."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def serve_gateway(request: web.Request, state: State) -> web.StreamResponse:
    """Serve one connection until either side closes it; 503 while the gateway refuses to start."""
    if state.gateway.is_refusing:
        return web.Response(status=503)
    socket = web.WebSocketResponse(max_msg_size=FRAME_LIMIT * 4, compress=False)
    await socket.prepare(request)
    connection = GatewayConnection(request, socket, state)
    state.open_sockets.add(connection)
    try:
        await connection.run()
    finally:
        state.open_sockets.discard(connection)
    return socket


class GatewayConnection:
    """Reads what the client sends; a second task writes what was queued for it."""

    def __init__(self, request: web.Request, socket: web.WebSocketResponse, state: State) -> None:
        self._request = request
        self._socket = socket
        self._state = state
        self._gateway: Gateway = state.gateway
        self._world: World = state.world
        self._session: Session | None = None
        self._outgoing: asyncio.Queue[str | Disconnect] = asyncio.Queue()
        self._received_at: deque[float] = deque(maxlen=SENDS_PER_WINDOW)
        self._members = MemberRequests(state)
        compresses = request.query.get("compress") == "zlib-stream"
        self._compressor = zlib.compressobj(level=1) if compresses else None

    def send(self, frame: str) -> None:
        """Queue a frame."""
        self._outgoing.put_nowait(frame)

    def close(self, code: int) -> None:
        """Close after what is queued; 1006 means: cut the socket."""
        self._outgoing.put_nowait(Disconnect(code, "closed by the sandbox"))

    async def run(self) -> None:
        """Greet, then read until the end."""
        writer = asyncio.create_task(self._write())
        self.send(encode({"op": 10, "s": None, "t": None, "d": {"heartbeat_interval": _milliseconds()}}))
        try:
            await self._read()
        except Disconnect as end:
            self._outgoing.put_nowait(end)
            await writer
        finally:
            if self._session and self._session.wire is self:
                self._session.wire = None
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer

    async def _read(self) -> None:
        while not self._socket.closed:
            try:
                message = await self._socket.receive(timeout=HEARTBEAT_INTERVAL_SECONDS * 1.5)
            except TimeoutError:
                raise Disconnect(4009, "Session timed out") from None
            if message.type != WSMsgType.TEXT:
                # A client that says goodbye with 1000 or 1001 gives its session up.
                if self._session and message.type == WSMsgType.CLOSE and message.data in (1000, 1001):
                    self._gateway.sessions.pop(self._session.id, None)
                return
            self._count_send()
            try:
                frame = json.loads(message.data)
                await self._answer(frame["op"], frame.get("d"))
            except (ValueError, KeyError, TypeError, AttributeError):
                raise Disconnect(4002, "Error while decoding payload") from None

    async def _answer(self, op: int, body: Json) -> None:
        if op == 1:
            if self._gateway.acknowledges_heartbeats:
                self.send('{"op":11,"s":null,"t":null,"d":null}')
        elif op == 2:
            self._identify(body)
        elif op == 6:
            self._resume(body)
        elif self._session is None:
            raise Disconnect(4003, "Not authenticated")
        elif op == 8:
            await self._members.answer(self._session, body)
        elif op not in (3, 4):
            raise Disconnect(4001, "Unknown opcode")

    def _identify(self, body: Json) -> None:
        if self._session:
            raise Disconnect(4005, "Already authenticated")
        self._check_token(body)
        if self._gateway.session_starts_left() == 0:
            # Discord resets the token of an application that identifies too often.
            raise Disconnect(4004, "Authentication failed")
        intents = int(body.get("intents", -1))
        self._check_intents(intents)
        index, count = body.get("shard") or (0, 1)
        self._session = self._gateway.open_session(intents=intents, shard=(index, count), wire=self)
        self._session.dispatch("READY", encode(self._ready(self._session)))
        for guild in self._world.guilds_of_bot():
            if self._session.sees_guild(guild.id) and intents & Intents.GUILDS and not guild.is_unavailable:
                bot = guild.members[self._world.bot.id]
                self._session.dispatch("GUILD_CREATE", encode(payloads.guild_create(guild, bot)))

    def _ready(self, session: Session) -> Json:
        guilds = [guild for guild in self._world.guilds_of_bot() if session.sees_guild(guild.id)]
        return {
            "v": 10,
            "user": payloads.own_user(self._world.bot, has_email=False),
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self._state.gateway_url(self._request),
            "shard": list(session.shard),
            "private_channels": [],
            "application": {
                "id": str(self._world.portal.application_id),
                "flags": payloads.application_flags(self._world),
            },
        }

    def _resume(self, body: Json) -> None:
        self._check_token(body)
        session = self._gateway.sessions.get(body["session_id"])
        if session is None or not session.can_replay_from(body["seq"]):
            self.send(encode({"op": 9, "d": False, "s": None, "t": None}))
            return
        if session.wire:
            session.wire.close(4000)
        self._session, session.wire = session, self
        for sequence, frame in session.sent:
            if sequence > body["seq"]:
                self.send(frame)
        session.dispatch("RESUMED", "{}")

    def _check_token(self, body: Json) -> None:
        token = str(body.get("token", "")).removeprefix("Bot ")
        if token != self._world.portal.token:
            raise Disconnect(4004, "Authentication failed")

    def _check_intents(self, intents: int) -> None:
        if not 0 <= intents <= KNOWN_INTENTS:
            raise Disconnect(4013, "Invalid intent(s)")
        portal = self._world.portal
        needs_members = intents & Intents.GUILD_MEMBERS and not portal.has_members_intent
        needs_content = intents & Intents.MESSAGE_CONTENT and not portal.has_message_content_intent
        if needs_members or needs_content:
            raise Disconnect(4014, "Disallowed intent(s)")

    def _count_send(self) -> None:
        now = time.monotonic()
        window = SEND_WINDOW_SECONDS * self._state.buckets.time_scale
        if len(self._received_at) == SENDS_PER_WINDOW and now - self._received_at[0] < window:
            raise Disconnect(4008, "Rate limited")
        self._received_at.append(now)

    async def _write(self) -> None:
        while True:
            frame = await self._outgoing.get()
            if isinstance(frame, Disconnect):
                await self._end(frame)
                return
            try:
                if self._compressor:
                    data = self._compressor.compress(frame.encode()) + self._compressor.flush(zlib.Z_SYNC_FLUSH)
                    await self._socket.send_bytes(data)
                else:
                    await self._socket.send_str(frame)
            except ConnectionError:
                return

    async def _end(self, end: Disconnect) -> None:
        if self._session and self._session.wire is self:
            self._session.wire = None
        transport = self._request.transport
        if end.code == 1006 and transport:
            transport.abort()
        else:
            await self._socket.close(code=end.code, message=end.reason.encode())


def _milliseconds() -> int:
    return int(HEARTBEAT_INTERVAL_SECONDS * 1000)
