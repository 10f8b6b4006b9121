"""Gateway op 8, "request guild members": by user ids, by name, or the whole list.

Rules: at most 100 user ids or 100 results by name, chunks of 1,000, the whole list only with the members intent and at
most once per guild in 30 seconds (answered by a RATE_LIMITED event since 2025-10-01).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from sandbox.discord import payloads
from sandbox.discord.gateway import Intents, Session, encode
from sandbox.discord.state import State
from sandbox.discord.world import Guild, Json, Member

CHUNK_SIZE = 1_000
MOST_IDS = 100
FULL_LIST_WINDOW_SECONDS = 30.0


class MemberRequests:
    """Answers op 8 for one connection."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def answer(self, session: Session, body: Json) -> None:
        """Send the chunks that the request asks for; nothing for guilds the bot is not in."""
        guild = self._state.world.guilds.get(int(body["guild_id"]))
        if guild is None or guild.is_unavailable or self._state.world.bot.id not in guild.members:
            return
        wanted = body.get("user_ids")
        if wanted is not None:
            ids = [wanted] if isinstance(wanted, str | int) else wanted
            self._answer_ids(session, guild, [int(each) for each in ids[:MOST_IDS]], body)
        elif body.get("query") or body.get("limit"):
            members = guild.members_named(body.get("query") or "", min(body.get("limit") or MOST_IDS, MOST_IDS))
            _send_chunk(session, guild, members, body)
        elif session.intents & Intents.GUILD_MEMBERS:
            await self._answer_all(session, guild, body)

    def _answer_ids(self, session: Session, guild: Guild, ids: Sequence[int], body: Json) -> None:
        members = [guild.members[each] for each in ids if each in guild.members]
        not_found = [str(each) for each in ids if each not in guild.members]
        _send_chunk(session, guild, members, body, not_found=not_found)

    async def _answer_all(self, session: Session, guild: Guild, body: Json) -> None:
        now = time.monotonic()
        window = FULL_LIST_WINDOW_SECONDS * self._state.buckets.time_scale
        last = self._state.full_lists_sent_at.get(guild.id)
        if last is not None and now - last < window:
            meta = {"guild_id": str(guild.id), "nonce": body.get("nonce")}
            limited = {"opcode": 8, "retry_after": round(window - (now - last), 3), "meta": meta}
            session.dispatch("RATE_LIMITED", encode(limited))
            return
        self._state.full_lists_sent_at[guild.id] = now
        members = list(guild.members.values())
        count = max(1, -(-len(members) // CHUNK_SIZE))
        for index in range(count):
            part = members[index * CHUNK_SIZE : (index + 1) * CHUNK_SIZE]
            _send_chunk(session, guild, part, body, index=index, count=count)
            await asyncio.sleep(0)


def _send_chunk(
    session: Session,
    guild: Guild,
    members: Sequence[Member],
    body: Json,
    **extra: object,
) -> None:
    chunk: Json = {
        "guild_id": str(guild.id),
        "members": [payloads.member(each) for each in members],
        "chunk_index": extra.get("index", 0),
        "chunk_count": extra.get("count", 1),
    }
    if extra.get("not_found"):
        chunk["not_found"] = extra["not_found"]
    if body.get("nonce") is not None:
        chunk["nonce"] = body["nonce"]
    if body.get("presences"):
        chunk["presences"] = []
    session.dispatch("GUILD_MEMBERS_CHUNK", encode(chunk))
