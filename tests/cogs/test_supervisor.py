"""Keeping the bot connected: outages, refused tokens and intents, the IDENTIFY budget, a clean end."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta

import pytest

from membership.errors import Retry
from sandbox.discord.faults import Fault, refused
from tests.cogs.connected import Budget, connected
from tests.sandbox.discord_stage import until


async def test_a_connected_bot_is_healthy_and_says_since_when() -> None:
    async with connected() as here:
        health = here.supervisor.health()
        assert health.is_connected
        assert health.text.startswith("connected, ")
        assert health.since <= here.stage.clock.now()


async def test_it_comes_back_after_discord_was_away_at_the_login() -> None:
    async with connected(starts=False) as here:
        fault = here.stage.local.add_fault(Fault(path="/users/@me", answer=refused(503, 0), times=None))
        running = here.start()
        await until(lambda: "cannot be reached" in here.supervisor.health().text)
        assert not here.supervisor.health().is_connected
        here.stage.local.faults.remove(fault)
        await here.ready()
        await here.supervisor.close()
        await running


async def test_a_refused_token_is_reported_and_not_tried_again() -> None:
    async with connected(starts=False, token="wrong") as here:
        running = here.start()
        await until(lambda: "refuses the bot's token" in here.supervisor.health().text)
        await asyncio.sleep(0.1)
        assert not running.done()
        assert here.requests("GET", "/users/@me") == [401]
        await here.supervisor.close()
        await running


async def test_a_token_that_was_reset_while_connected_is_reported_and_not_tried_again() -> None:
    async with connected() as here:
        here.stage.local.reset_token("another")
        await until(lambda: "refuses the bot's token" in here.supervisor.health().text)
        assert not here.supervisor.health().is_connected
        assert here.side.connection.bot is None


async def test_refused_intents_are_left_out_and_named() -> None:
    async with connected(starts=False) as here:
        here.stage.local.portal.has_message_content_intent = False
        running = here.start()
        await here.ready()
        assert "switch on Message Content Intent" in here.supervisor.health().text
        bot = here.side.connection.require()
        assert bot.intents.members
        assert not bot.intents.message_content
        await here.supervisor.close()
        await running


async def test_every_identify_is_counted_also_those_after_a_lost_session() -> None:
    async with connected() as here:
        assert here.budget.taken == 1
        here.stage.local.gateway.drop_connections(4000)
        await until(lambda: not here.stage.local.gateway.connections)
        await until(lambda: bool(here.stage.local.gateway.connections))
        assert here.budget.taken == 1
        here.stage.local.gateway.invalidate_sessions()
        await until(lambda: here.budget.taken == 2)


async def test_a_spent_budget_means_waiting_not_identifying() -> None:
    async with connected(starts=False, budget=Budget(left=0, wait=timedelta(hours=3))) as here:
        running = here.start()
        await until(lambda: "too many connections" in here.supervisor.health().text)
        assert here.stage.local.gateway.sessions == {}
        await here.supervisor.close()
        await running


@pytest.mark.parametrize("failure", [Retry("the database is locked"), KeyError("bug")])
async def test_what_goes_wrong_on_our_side_does_not_end_the_supervision(failure: Exception) -> None:
    async with connected(starts=False, budget=Budget(failures=[failure])) as here:
        running = here.start()
        await here.ready()
        await here.supervisor.close()
        await running


async def test_slash_commands_that_discord_refuses_do_not_keep_the_bot_away_and_are_sent_again() -> None:
    async with connected(starts=False) as here:
        here.stage.local.add_fault(Fault(method="PUT", path="/commands", answer=refused(400, 30034)))
        running = here.start()
        await here.ready()
        assert here.command_hash.stored == 0
        await here.restart()
        assert here.command_hash.stored == 1
        await here.supervisor.close()
        await running


async def test_a_silent_gateway_is_not_healthy_although_discord_py_thinks_it_is_ready() -> None:
    async with connected() as here:
        here.stage.local.gateway.is_refusing = True
        here.stage.local.gateway.drop_connections(1006)
        await until(lambda: not here.supervisor.health().is_connected)
        assert here.side.connection.require().is_ready()


async def test_it_stops_soon_while_discord_leaves_the_login_unanswered() -> None:
    async with connected(starts=False) as here:
        here.stage.local.add_fault(Fault(path="/users/@me", answer="hang", times=None))
        running = here.start()
        await asyncio.sleep(0.1)
        await here.supervisor.close()
        await asyncio.wait_for(running, 5)


async def test_it_stops_cleanly_and_soon() -> None:
    async with connected(starts=False) as here:
        running = here.start()
        await here.ready()
        started = time.monotonic()
        await here.supervisor.close()
        await running
        assert time.monotonic() - started < 2
        assert here.stage.local.gateway.connections == []
