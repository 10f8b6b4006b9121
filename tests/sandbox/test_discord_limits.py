"""Rate limits and faults: what a client sees when Discord says no, nothing, or something untrue."""

from __future__ import annotations

import asyncio

import aiohttp
import discord
import pytest

from sandbox.discord.buckets import INVALID_REQUEST_LIMIT, Buckets, Rule
from sandbox.discord.faults import Answer, Fault, rate_limited, refused
from tests.sandbox.discord_stage import a_stage, until


class Seconds:
    """A hand-set monotonic time."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_counts_down_refuses_and_opens_again() -> None:
    time = Seconds()
    buckets = Buckets(now=time)
    left = [buckets.take("member-role", "g").headers["X-RateLimit-Remaining"] for _ in range(10)]
    assert left == [str(number) for number in range(9, -1, -1)]
    refusal = buckets.take("member-role", "g")
    assert (refusal.retry_after_seconds, refusal.headers["X-RateLimit-Reset-After"]) == (10.0, "10.000")
    time.now += 10
    assert buckets.take("member-role", "g").retry_after_seconds is None


def test_buckets_are_counted_per_guild() -> None:
    buckets = Buckets(now=Seconds())
    for _ in range(11):
        buckets.take("member-role", "one")
    assert buckets.take("member-role", "two").retry_after_seconds is None


def test_the_time_scale_shrinks_every_window() -> None:
    buckets = Buckets(time_scale=0.01, now=Seconds())
    assert buckets.take("member-role", "g").headers["X-RateLimit-Reset-After"] == "0.100"


def test_fifty_requests_a_second_over_all_are_the_global_limit() -> None:
    buckets = Buckets(now=Seconds())
    verdicts = [buckets.take(f"route {number}", "") for number in range(51)]
    assert [each.is_global for each in verdicts].index(True) == 50


def test_without_enforcement_nothing_is_refused() -> None:
    buckets = Buckets(is_enforced=False)
    assert all(buckets.take("member-role", "g").retry_after_seconds is None for _ in range(100))


async def test_giving_and_taking_roles_share_a_bucket() -> None:
    async with a_stage() as stage:
        statuses = []
        for number in range(11):
            method = "PUT" if number % 2 else "DELETE"
            statuses.append((await stage.api(method, stage.role_path(stage.charlie)))[0])
        assert statuses == [204] * 10 + [429]


async def test_a_429_is_what_discord_py_understands() -> None:
    async with a_stage() as stage:
        stage.local.buckets.rules["member-role"] = Rule(1, 10)
        url = f"{stage.url}/api/v10{stage.role_path(stage.charlie)}"
        headers = {"Authorization": f"Bot {stage.local.portal.token}"}
        await stage.http.put(url, headers=headers)
        async with stage.http.put(url, headers=headers) as response:
            body = await response.json()
        assert response.headers["Content-Type"] == "application/json"
        assert (response.headers["Via"], response.headers["X-RateLimit-Scope"]) == ("1.1 google", "user")
        assert (body["global"], 0 < body["retry_after"] <= 10) == (False, True)


async def test_a_204_has_no_content_type_and_json_has_no_charset() -> None:
    async with a_stage() as stage:
        headers = {"Authorization": f"Bot {stage.local.portal.token}"}
        async with stage.http.put(f"{stage.url}/api/v10{stage.role_path(stage.charlie)}", headers=headers) as empty:
            assert "application/json" not in empty.headers.get("Content-Type", "")
        async with stage.http.get(f"{stage.url}/api/v10/users/@me", headers=headers) as full:
            assert full.headers["Content-Type"] == "application/json"


async def test_a_bot_that_writes_one_by_one_is_never_refused() -> None:
    async with a_stage(buckets=Buckets(time_scale=0.02)) as stage:
        bot = await stage.bot()
        guild = bot.get_guild(stage.guild.id)
        assert guild is not None
        (member,) = await guild.query_members(user_ids=[stage.charlie.id])
        for _ in range(15):
            await member.add_roles(discord.Object(stage.vip.id))
            await member.remove_roles(discord.Object(stage.vip.id))
        assert 429 not in {request.status for request in stage.local.records.requests}
        assert stage.local.records.counts["PUT", _ROLE_TEMPLATE] == 15


_ROLE_TEMPLATE = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"


async def test_ten_thousand_invalid_requests_end_in_a_ban_without_via() -> None:
    async with a_stage() as stage:
        for _ in range(INVALID_REQUEST_LIMIT):
            stage.local.buckets.count_invalid()
        async with stage.http.get(f"{stage.url}/api/v10/users/@me") as response:
            assert (response.status, await response.text()) == (429, "error code: 1015")
            assert "Via" not in response.headers


async def test_a_fault_answers_so_many_times_and_has_no_effect() -> None:
    async with a_stage() as stage:
        stage.local.add_fault(Fault(method="PUT", path="/roles/", answer=refused(403, 50013), times=2))
        statuses = [(await stage.api("PUT", stage.role_path(stage.charlie)))[0] for _ in range(3)]
        assert statuses == [403, 403, 204]


async def test_a_lie_says_done_and_does_nothing() -> None:
    async with a_stage() as stage:
        stage.local.add_fault(Fault(method="DELETE", path="/roles/", answer="lie"))
        stage.local.people.give_role(stage.guild, stage.charlie, stage.vip, by=stage.bob)
        assert await stage.api("DELETE", stage.role_path(stage.charlie)) == (204, None)
        assert stage.local.roles_of(stage.guild, stage.charlie) == {"VIP"}


async def test_a_reset_after_the_effect_leaves_the_effect() -> None:
    async with a_stage() as stage:
        fault = stage.local.add_fault(Fault(path="/members/", answer="reset", times=None, after_effect=True))
        with pytest.raises(aiohttp.ClientError):
            await stage.api("PATCH", stage.member_path(stage.charlie), {"roles": [str(stage.vip.id)]})
        assert stage.local.roles_of(stage.guild, stage.charlie) == {"VIP"}
        stage.local.faults.remove(fault)
        assert (await stage.api("GET", stage.member_path(stage.charlie)))[0] == 200


async def test_a_hanging_request_gets_no_answer_and_ends_with_the_server() -> None:
    async with a_stage() as stage:
        stage.local.add_fault(Fault(path="/users/@me", answer="hang"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stage.api("GET", "/users/@me"), timeout=0.05)


async def test_a_delayed_request_is_carried_out_late() -> None:
    async with a_stage() as stage:
        stage.local.add_fault(Fault(path="/roles/", delay_seconds=0.05))
        started = asyncio.get_running_loop().time()
        assert (await stage.api("PUT", stage.role_path(stage.charlie)))[0] == 204
        assert asyncio.get_running_loop().time() - started >= 0.05


async def test_a_discord_that_went_down_comes_back_with_its_sessions() -> None:
    async with a_stage() as stage:
        await stage.bot()
        stage.local.go_down()
        for path in ("/users/@me", "/gateway/bot"):
            with pytest.raises(aiohttp.ClientError):
                await stage.api("GET", path)
        assert (stage.local.gateway.connections, len(stage.local.gateway.sessions)) == ([], 1)
        stage.local.come_back()
        assert (await stage.api("GET", "/users/@me"))[0] == 200


async def test_the_token_endpoint_can_be_in_trouble_too() -> None:
    async with a_stage() as stage:
        stage.local.add_fault(Fault(method="POST", path="^/oauth2/token$", answer=Answer(status=500, body={})))
        async with stage.http.post(f"{stage.url}/api/oauth2/token", data={"grant_type": "x"}) as response:
            assert response.status == 500


async def test_discord_py_sleeps_out_a_429_and_gives_up_on_a_503() -> None:
    async with a_stage() as stage:
        bot = await stage.bot()
        stage.local.add_fault(Fault(path="/users/", answer=rate_limited(0.01)))
        assert (await bot.fetch_user(stage.charlie.id)).name == "charlie"
        stage.local.add_fault(Fault(path="/users/", answer=Answer(status=503, text="upstream", headers=_PLAIN)))
        with pytest.raises(discord.DiscordServerError):
            await bot.fetch_user(stage.charlie.id)


_PLAIN = {"Content-Type": "text/plain"}


async def test_broken_json_can_be_answered() -> None:
    async with a_stage() as stage:
        stage.local.add_fault(Fault(path="/users/", answer=Answer(status=200, text='{"id": ')))
        with pytest.raises(ValueError, match="Expecting value"):
            await stage.api("GET", "/users/@me")


async def test_requests_are_remembered_without_the_token() -> None:
    async with a_stage() as stage:
        await stage.api("POST", f"/channels/{stage.channel.id}/messages", {"content": "hello"})
        await until(lambda: len(stage.local.records.requests) == 1)
        request = stage.local.records.requests[-1]
        assert (request.method, request.path) == ("POST", f"/channels/{stage.channel.id}/messages")
        assert (request.status, request.body) == (200, {"content": "hello"})
        assert "Authorization" not in request.headers
