"""The connection to Discord: outages, drops, a day's budget of IDENTIFYs, and one process at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import aiohttp
import pytest

from app.process import running
from app.watch import IDENTIFIES_A_DAY, StoredBudget
from sandbox.discord.gateway import SESSION_STARTS_PER_DAY
from storage.lock import AlreadyRunning
from tests.scenarios.stage import Stage

QUIET_SECONDS = 0.2
REIDENTIFY_SECONDS = 12.0
"""discord.py and we ourselves wait five seconds before a second IDENTIFY."""


def _outage(s: Stage) -> Callable[[], None]:
    s.outside.discord.people.begin_outage(s.guild)
    return lambda: s.outside.discord.people.end_outage(s.guild)


def _outage_that_looks_like_a_farewell(s: Stage) -> Callable[[], None]:
    roles = s.guild.members[s.outside.discord.portal.bot.id].roles
    s.outside.discord.people.remove_bot(s.guild)
    return lambda: s.outside.discord.people.add_bot(s.guild, roles)


@pytest.mark.parametrize("begin", [_outage, _outage_that_looks_like_a_farewell], ids=["with the flag", "without it"])
async def test_an_outage_of_the_server_freezes_everything_and_resumes_after_it(
    s: Stage, begin: Callable[[Stage], Callable[[], None]]
) -> None:
    ended = await s.is_member("ada")
    await s.is_member("kim")
    end = begin(s)
    await asyncio.sleep(QUIET_SECONDS)
    asked = len(role_and_member_calls(s))
    s.stripe.cancel_now(ended.subscription)
    s.buys("ben")
    await s.settled()
    await s.advance(minutes=5)
    assert len(role_and_member_calls(s)) == asked
    assert (s.roles("ada"), s.roles("kim")) == ({"VIP"}, {"VIP"})
    assert (await s.standing("ada"), await s.standing("kim")) == (["delivered paid"], ["delivered paid"])
    end()
    # What came up during the outage is asked for again every minute.
    await s.eventually(lambda: s.process.services.discord.is_available(s.guild_id()), "the server")
    await s.advance(minutes=1)
    assert s.roles("ada") == set()
    assert (await s.standing("ada"), await s.standing("kim")) == (["revoked cancelled"], ["delivered paid"])
    assert s.roles("kim") == {"VIP"}
    await s.claims("ben")
    await s.eventually(lambda: s.has("ben"), "Ben's role")


async def test_what_happened_while_the_gateway_was_dropped_is_made_good_after_the_resume(s: Stage) -> None:
    await s.is_member("ada")
    await s.leaves("ada")
    s.outside.discord.gateway.drop_connections()
    s.joins("ada")
    await s.eventually(lambda: s.has("ada"), "the role after the resume")
    assert identifies(s) == 1


async def test_what_an_invalid_session_lost_is_found_by_looking_again(s: Stage) -> None:
    await s.is_member("ada")
    await s.leaves("ada")
    s.outside.discord.gateway.invalidate_sessions()
    s.joins("ada")
    await s.eventually(lambda: s.has("ada"), "the role in the new session", within=REIDENTIFY_SECONDS)
    assert identifies(s) == 2


async def test_with_discord_unreachable_at_the_start_the_pages_work_and_the_bot_follows(s: Stage) -> None:
    await s.close()
    s.outside.discord.go_down()
    await s.open(is_discord_up=False)
    assert await status_of(s, "/health/live") == 200
    assert await status_of(s, "/health/ready") == 503
    s.buys("ada")
    await s.invitation("ada")
    s.outside.discord.come_back()
    await s.is_online()
    await s.claims("ada")
    await s.eventually(lambda: s.has("ada"), "the role")
    assert await status_of(s, "/health/ready") == 200


async def test_a_days_identifies_are_counted_over_restarts_and_then_the_bot_waits(s: Stage) -> None:
    budget = StoredBudget(s.process.database)
    left = 0
    while not await budget.take(s.now()):
        left += 1
    assert left == IDENTIFIES_A_DAY - identifies(s) == IDENTIFIES_A_DAY - 1
    await s.close()
    await s.open(is_discord_up=False)
    await s.eventually(lambda: "too many connections" in s.process.supervisor.health().text, "the wait")
    assert identifies(s) == 1
    assert await status_of(s, "/health/live") == 200
    await s.close()
    await s.outside.clock.advance(timedelta(days=1))
    await s.open()


async def test_a_second_instance_on_the_same_database_stops_before_it_identifies(s: Stage) -> None:
    with pytest.raises(AlreadyRunning):
        async with running(s.settings, s.outside.clock):
            pytest.fail("two instances ran")
    assert identifies(s) == 1
    assert len(s.outside.discord.gateway.connections) == 1
    await s.is_member("ada")
    assert s.roles("ada") == {"VIP"}


def identifies(s: Stage) -> int:
    """Return how many sessions Discord has started for the bot."""
    return SESSION_STARTS_PER_DAY - s.outside.discord.gateway.session_starts_left()


def role_and_member_calls(s: Stage) -> list[str]:
    """Return every call about members that Discord received, whatever it answered."""
    return [record.path for record in s.outside.discord.records.requests if "/members/" in record.path]


async def status_of(s: Stage, path: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(s.outside.doorlist_url + path) as answer:
        return answer.status
