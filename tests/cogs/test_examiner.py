"""What the examiner tells of an application and a server: with the token alone, and over the connected bot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from cogs.calls import Calls
from cogs.command_sync import command_payload
from cogs.connection import Connection
from cogs.discord_side import open_discord
from cogs.examination import differing_commands
from cogs.examiner import Examiner, logged_in
from cogs.guard import Refusals
from membership.errors import Blocked, Gone, Reason, Retry
from membership.model import ChannelId, GuildId, RoleId
from sandbox.discord.permissions import Permission
from tests.cogs.connected import connected, settings_for
from tests.sandbox import discord_contract
from tests.sandbox.discord_stage import Stage, a_stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with a_stage() as opened:
        yield opened


@asynccontextmanager
async def examining(stage: Stage, **settings: object) -> AsyncIterator[Examiner]:
    """Log in without a gateway."""
    chosen = settings_for(stage, **settings)
    open_discord(chosen)
    connection = Connection()
    async with logged_in(connection, chosen):
        yield Examiner(Calls(connection, Refusals()), chosen)


async def test_it_tells_how_the_application_is_switched(stage: Stage) -> None:
    stage.local.portal.has_members_intent = False
    stage.local.portal.interactions_url = "https://elsewhere.example/"
    async with examining(stage) as examiner:
        found = await examiner.application()
    assert (found.has_members_intent, found.has_content_intent) == (False, True)
    assert found.interactions_url == "https://elsewhere.example/"
    assert found.redirect_urls == frozenset(stage.local.portal.redirect_uris)
    assert found.has_owner_two_factor


async def test_it_switches_intents_on_and_clears_the_interactions_address(stage: Stage) -> None:
    portal = stage.local.portal
    portal.has_members_intent = portal.has_message_content_intent = False
    portal.interactions_url = "https://elsewhere.example/"
    async with examining(stage) as examiner:
        await examiner.switch_on_intents()
        await examiner.clear_interactions_url()
        found = await examiner.application()
    assert (found.has_members_intent, found.has_content_intent, found.interactions_url) == (True, True, "")


async def test_it_reads_a_server_without_a_gateway(stage: Stage) -> None:
    power = stage.local.create_role(stage.guild, "Power", permissions=Permission.MANAGE_MESSAGES)
    above = stage.local.create_role(stage.guild, "Above", position=90)
    hidden = stage.local.create_channel(stage.guild, "lounge", visible_to=[stage.vip])
    async with examining(stage) as examiner:
        found = await examiner.guild(GuildId(stage.guild.id))
    assert "manage_roles" in found.permissions
    assert found.roles[RoleId(power.id)].dangers == ("Manage Messages",)
    assert found.roles[RoleId(above.id)].refusal == "above_bot"
    assert found.roles[RoleId(stage.vip.id)].refusal == ""
    assert found.roles[RoleId(stage.vip.id)].holders == stage.guild.role_counts[stage.vip.id]
    assert found.channels[ChannelId(stage.channel.id)].is_public
    lounge = found.channels[ChannelId(hidden.id)]
    assert (lounge.is_public, lounge.can_write) == (False, True)
    assert RoleId(stage.vip.id) in lounge.opened_to


async def test_the_connected_bot_tells_the_same_with_one_request() -> None:
    async with connected() as here:
        async with examining(here.stage) as alone:
            expected = await alone.guild(here.guild_id)
        before = len(here.requests("GET"))
        examiner = Examiner(here.side.calls, here.side.settings)
        assert await examiner.guild(here.guild_id) == expected
        assert len(here.requests("GET")) == before + 1


async def test_a_server_that_the_bot_is_not_in_is_gone(stage: Stage) -> None:
    async with examining(stage) as examiner:
        with pytest.raises(Gone) as caught:
            await examiner.guild(GuildId(1))
    assert caught.value.what == "guild"


async def test_a_refused_token_is_not_an_outage(stage: Stage) -> None:
    with pytest.raises(Blocked) as caught:
        async with examining(stage, token=SecretStr("wrong")):
            pass
    assert caught.value.reason is Reason.CREDENTIALS_REFUSED


async def test_an_outage_is_not_a_refused_token(stage: Stage) -> None:
    stage.local.go_down()
    with pytest.raises(Retry):
        async with examining(stage):
            pass


@pytest.mark.parametrize("is_right", [True, False])
async def test_it_tells_whether_the_client_secret_is_right(stage: Stage, is_right: bool) -> None:
    portal = stage.local.portal
    secret = SecretStr(portal.client_secret if is_right else "wrong")
    async with examining(stage, client_id=portal.client_id, client_secret=secret) as examiner:
        assert await examiner.is_secret_accepted() is is_right


async def test_it_tells_what_time_it_is_at_discord(stage: Stage) -> None:
    async with examining(stage) as examiner:
        found = await examiner.server_time()
    assert abs(found - datetime.now(UTC)) < timedelta(minutes=1)


async def test_registered_commands_equal_the_ones_that_were_sent() -> None:
    async with connected() as here:
        wanted = await command_payload(here.side.connection.require())
        registered = (await Examiner(here.side.calls, here.side.settings).application()).commands
        assert wanted
        assert differing_commands(registered, wanted) == []


async def test_what_it_asks_and_gets_is_as_discord_describes(stage: Stage) -> None:
    stage.local.records.keeps_exchanges = True
    async with examining(stage) as examiner:
        await examiner.application()
        await examiner.guild(GuildId(stage.guild.id))
        await examiner.switch_on_intents()
        await examiner.clear_interactions_url()
        await examiner.create_role(GuildId(stage.guild.id), "VIP")
    assert stage.local.records.exchanges
    discord_contract.check(stage.local.records.exchanges)


async def test_it_sends_commands_anew(stage: Stage) -> None:
    wanted = [{"name": "claim", "type": 1, "description": "Redeem a code"}]
    async with examining(stage) as examiner:
        before = await examiner.application()
        await examiner.send_commands(before.application_id, wanted)
        after = await examiner.application()
    assert differing_commands(before.commands, wanted) == ["claim"]
    assert differing_commands(after.commands, wanted) == []


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Another"},
        {"options": [{"type": 3, "name": "code", "description": "The code"}]},
        {"name": "redeem"},
    ],
)
def test_a_command_that_reads_otherwise_differs(change: dict[str, object]) -> None:
    command = {"name": "claim", "type": 1, "description": "Redeem a code"}
    assert "claim" in differing_commands([command], [command | change])
