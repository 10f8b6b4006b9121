"""The gateway: ready, replay, intents, op 8, outages, close codes."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import aiohttp
import discord
import pytest
from discord.ext import commands

from sandbox.discord.buckets import Buckets
from tests.sandbox.discord_stage import EVERYTHING, Stage, a_stage, until

PLAIN = discord.Intents(guilds=True, moderation=True, guild_messages=True, dm_messages=True)


class Listener:
    """Notes the events that a bot dispatches."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.seen: list[tuple[str, Any]] = []

    def __call__(self, bot: commands.Bot) -> None:
        for name in self.names:
            bot.add_listener(self._note(name), f"on_{name}")

    def _note(self, name: str) -> Any:
        async def note(*values: Any) -> None:
            self.seen.append((name, values[0] if values else None))

        return note

    def count(self, name: str) -> int:
        return sum(seen == name for seen, _ in self.seen)

    def first(self, name: str) -> Any:
        return next(value for seen, value in self.seen if seen == name)


class RawClient:
    """A gateway client that says exactly what a test wants."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def send(self, op: int, body: Any) -> None:
        await self.socket.send_str(json.dumps({"op": op, "d": body}))

    async def frame(self) -> dict[str, Any]:
        return dict(await self.socket.receive_json(timeout=3))

    async def event(self, name: str) -> Any:
        while (frame := await self.frame())["t"] != name:
            pass
        return frame["d"]

    async def close_code(self) -> int | None:
        while True:
            message = await self.socket.receive(timeout=3)
            if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED):
                return self.socket.close_code


async def connect(stage: Stage, *, intents: int | None = PLAIN.value) -> RawClient:
    """Open a gateway connection and, unless `intents` is None, identify."""
    client = RawClient(await stage.http.ws_connect(f"{stage.url}/gateway?v=10&encoding=json"))
    assert (await client.frame())["op"] == 10
    if intents is not None:
        await client.send(2, {"token": stage.local.portal.token, "intents": intents, "properties": {}})
    return client


async def test_a_bot_becomes_ready_with_its_guild_and_its_permissions() -> None:
    async with a_stage() as stage:
        bot = await stage.bot()
        guild = bot.get_guild(stage.guild.id)
        assert guild is not None
        assert guild.me.guild_permissions.manage_roles
        assert [role.name for role in guild.roles] == ["@everyone", "VIP", "Staff", "Doorlist"]


async def test_joins_and_leaves_are_told_with_the_members_intent() -> None:
    async with a_stage() as stage:
        heard = Listener("member_join", "raw_member_remove")
        await stage.bot(setup=heard)
        stage.local.people.join(stage.guild, stage.dora)
        stage.local.people.leave(stage.guild, stage.dora)
        await until(lambda: heard.count("member_join") == heard.count("raw_member_remove") == 1)


async def test_joins_are_not_told_without_the_members_intent() -> None:
    async with a_stage() as stage:
        heard = Listener("member_join", "audit_log_entry_create")
        await stage.bot(setup=heard, intents=PLAIN)
        stage.local.people.join(stage.guild, stage.dora)
        stage.local.people.give_role(stage.guild, stage.dora, stage.vip, by=stage.bob)
        await until(lambda: heard.count("audit_log_entry_create") == 1)
        assert heard.count("member_join") == 0


async def test_a_moderators_role_change_reaches_the_bot_as_an_audit_log_entry() -> None:
    async with a_stage() as stage:
        heard = Listener("audit_log_entry_create")
        await stage.bot(setup=heard, intents=PLAIN)
        stage.local.people.give_role(stage.guild, stage.charlie, stage.vip, by=stage.bob)
        await until(lambda: heard.count("audit_log_entry_create") == 1)
        entry = heard.first("audit_log_entry_create")
        assert (entry.user_id, entry.target.id) == (stage.bob.id, stage.charlie.id)
        assert [role.id for role in entry.after.roles] == [stage.vip.id]


async def test_a_privileged_intent_that_the_portal_forbids_ends_with_4014() -> None:
    async with a_stage() as stage:
        stage.local.portal.has_members_intent = False
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await stage.bot()
        await stage.bot(intents=PLAIN)


async def test_a_wrong_token_is_refused_at_login_and_with_4004_at_the_gateway() -> None:
    async with a_stage() as stage:
        client = await connect(stage, intents=None)
        await client.send(2, {"token": "wrong", "intents": 1, "properties": {}})
        assert await client.close_code() == 4004


@pytest.mark.parametrize(
    ("op", "body", "code"),
    [(8, {}, 4003), (99, {}, 4003), (2, None, 4002), (2, {"token": "sandbox-bot-token", "intents": -5}, 4013)],
)
async def test_a_client_that_breaks_the_protocol_is_closed(op: int, body: object, code: int) -> None:
    async with a_stage() as stage:
        client = await connect(stage, intents=None)
        await client.send(op, body)
        assert await client.close_code() == code


async def test_more_than_120_sends_a_minute_are_closed_with_4008() -> None:
    async with a_stage() as stage:
        client = await connect(stage)
        for _ in range(121):
            await client.send(1, None)
        assert await client.close_code() == 4008


async def test_after_a_thousand_identifies_a_day_the_token_is_dead() -> None:
    async with a_stage() as stage:
        for _ in range(1_000):
            stage.local.gateway.open_session(intents=1, shard=(0, 1), wire=_Nowhere())
        client = await connect(stage)
        assert await client.close_code() == 4004
        await stage.clock.advance(timedelta(days=1))
        assert stage.local.gateway.session_starts_left() == 1_000


class _Nowhere:
    def send(self, frame: str) -> None: ...

    def close(self, code: int) -> None: ...


async def test_a_dropped_connection_resumes_and_hears_what_it_missed() -> None:
    async with a_stage() as stage:
        heard = Listener("member_join", "resumed", "ready")
        await stage.bot(setup=heard)
        stage.local.gateway.drop_connections()
        stage.local.people.join(stage.guild, stage.dora)
        await until(lambda: heard.count("resumed") == 1)
        assert (heard.count("member_join"), heard.count("ready")) == (1, 1)


async def test_an_invalidated_session_cannot_be_resumed() -> None:
    async with a_stage() as stage:
        client = await connect(stage)
        session = (await client.event("READY"))["session_id"]
        stage.local.gateway.invalidate_sessions()
        while (frame := await client.frame())["op"] != 9:
            pass
        assert frame["d"] is False
        again = await connect(stage, intents=None)
        await again.send(6, {"token": stage.local.portal.token, "session_id": session, "seq": 1})
        assert (await again.frame())["op"] == 9


async def test_a_gateway_that_refuses_lets_the_bot_try_again() -> None:
    async with a_stage() as stage:
        stage.local.gateway.is_refusing = True
        with pytest.raises(aiohttp.ClientError):
            await connect(stage)
        stage.local.gateway.is_refusing = False
        await stage.bot()


async def test_an_outage_makes_the_guild_unavailable_and_it_comes_back() -> None:
    async with a_stage() as stage:
        heard = Listener("guild_unavailable", "guild_available", "guild_remove", "member_join")
        await stage.bot(setup=heard)
        stage.local.people.begin_outage(stage.guild)
        stage.local.people.join(stage.guild, stage.dora)
        await until(lambda: heard.count("guild_unavailable") == 1)
        stage.local.people.end_outage(stage.guild)
        await until(lambda: heard.count("guild_available") == 1)
        assert (heard.count("guild_remove"), heard.count("member_join")) == (0, 0)


async def test_a_bot_that_is_thrown_out_is_told_without_unavailable() -> None:
    async with a_stage() as stage:
        heard = Listener("guild_remove", "guild_join")
        await stage.bot(setup=heard)
        bot_role = stage.local.bot_role(stage.guild)
        stage.local.people.remove_bot(stage.guild)
        await until(lambda: heard.count("guild_remove") == 1)
        stage.local.people.add_bot(stage.guild, frozenset({bot_role.id}))
        await until(lambda: heard.count("guild_join") == 1)


@pytest.mark.parametrize(("text", "seen"), [("!claim AAAA", ""), ("<@{bot}> claim AAAA", "<@{bot}> claim AAAA")])
async def test_without_the_content_intent_only_mentions_are_readable(text: str, seen: str) -> None:
    async with a_stage() as stage:
        heard = Listener("message")
        await stage.bot(setup=heard, intents=PLAIN)
        bot_id = stage.local.world.bot.id
        stage.local.people.say(stage.channel, stage.charlie, text.format(bot=bot_id))
        await until(lambda: heard.count("message") == 1)
        assert heard.first("message").content == seen.format(bot=bot_id)


async def test_a_direct_message_is_readable_without_the_content_intent() -> None:
    async with a_stage() as stage:
        heard = Listener("message")
        await stage.bot(setup=heard, intents=PLAIN)
        stage.local.people.write_to_bot(stage.charlie, "!claim AAAA")
        await until(lambda: heard.count("message") == 1)
        assert heard.first("message").content == "!claim AAAA"


async def test_a_channel_the_bot_cannot_see_is_silent() -> None:
    async with a_stage() as stage:
        heard = Listener("message")
        await stage.bot(setup=heard)
        hidden = stage.local.create_channel(stage.guild, "vip-lounge", visible_to=[stage.vip])
        hidden.overwrites.pop(stage.local.bot_role(stage.guild).id)
        stage.local.people.say(hidden, stage.charlie, "psst")
        stage.local.people.say(stage.channel, stage.charlie, "hello")
        await until(lambda: heard.count("message") == 1)
        assert heard.first("message").content == "hello"


async def test_members_are_looked_up_by_id_without_any_privileged_intent() -> None:
    async with a_stage() as stage:
        client = await connect(stage, intents=1)
        ids = [str(stage.charlie.id), str(stage.dora.id)]
        await client.send(8, {"guild_id": str(stage.guild.id), "user_ids": ids, "limit": 0, "nonce": "n"})
        chunk = await client.event("GUILD_MEMBERS_CHUNK")
        assert [each["user"]["username"] for each in chunk["members"]] == ["charlie"]
        assert (chunk["not_found"], chunk["nonce"], chunk["chunk_count"]) == ([str(stage.dora.id)], "n", 1)


async def test_at_most_a_hundred_ids_are_answered() -> None:
    async with a_stage() as stage:
        crowd = stage.local.create_crowd(stage.guild, 120)
        bot = await stage.bot(intents=PLAIN)
        guild = bot.get_guild(stage.guild.id)
        assert guild is not None
        assert len(await guild.query_members(user_ids=[user.id for user in crowd[:100]])) == 100
        client = await connect(stage)
        await client.send(8, {"guild_id": str(stage.guild.id), "user_ids": [str(user.id) for user in crowd]})
        assert len((await client.event("GUILD_MEMBERS_CHUNK"))["members"]) == 100


async def test_members_are_looked_up_by_the_beginning_of_a_name() -> None:
    async with a_stage() as stage:
        bot = await stage.bot()
        guild = bot.get_guild(stage.guild.id)
        assert guild is not None
        assert [member.name for member in await guild.query_members("CHAR", limit=5)] == ["charlie"]


async def test_the_whole_list_comes_in_chunks_and_only_once_in_thirty_seconds() -> None:
    async with a_stage() as stage:
        stage.local.create_crowd(stage.guild, 2_500)
        client = await connect(stage, intents=EVERYTHING.value)
        body = {"guild_id": str(stage.guild.id), "query": "", "limit": 0, "nonce": "n"}
        await client.send(8, body)
        chunks = [await client.event("GUILD_MEMBERS_CHUNK") for _ in range(3)]
        assert [(each["chunk_index"], each["chunk_count"]) for each in chunks] == [(0, 3), (1, 3), (2, 3)]
        assert sum(len(each["members"]) for each in chunks) == 2_504
        await client.send(8, body)
        limited = await client.event("RATE_LIMITED")
        assert (limited["opcode"], limited["meta"]["nonce"]) == (8, "n")
        assert 0 < limited["retry_after"] <= 30


async def test_the_whole_list_is_not_given_without_the_members_intent() -> None:
    async with a_stage() as stage:
        client = await connect(stage)
        await client.send(8, {"guild_id": str(stage.guild.id), "query": "", "limit": 0, "nonce": "all"})
        await client.send(8, {"guild_id": str(stage.guild.id), "user_ids": [str(stage.bob.id)], "nonce": "one"})
        assert (await client.event("GUILD_MEMBERS_CHUNK"))["nonce"] == "one"


async def test_a_bot_can_chunk_a_guild() -> None:
    async with a_stage(buckets=Buckets(time_scale=0.001)) as stage:
        stage.local.create_crowd(stage.guild, 1_200)
        bot = await stage.bot(member_cache_flags=discord.MemberCacheFlags.from_intents(EVERYTHING))
        guild = bot.get_guild(stage.guild.id)
        assert guild is not None
        await guild.chunk()
        assert len(guild.members) == 1_204


async def test_a_heartbeat_can_go_unanswered() -> None:
    async with a_stage() as stage:
        client = await connect(stage)
        await client.event("GUILD_CREATE")
        stage.local.gateway.acknowledges_heartbeats = False
        await client.send(1, None)
        with pytest.raises(asyncio.TimeoutError):
            await client.socket.receive(timeout=0.05)
        stage.local.gateway.acknowledges_heartbeats = True
        await client.send(1, None)
        assert (await client.frame())["op"] == 11
