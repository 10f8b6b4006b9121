"""The local Discord must not be what a benchmark measures: large guilds stay cheap."""

from __future__ import annotations

import time

from sandbox.clock import MovableClock
from sandbox.discord import LocalDiscord
from sandbox.discord.buckets import Buckets
from tests.sandbox.discord_stage import a_stage


def test_a_hundred_thousand_members_are_made_in_seconds() -> None:
    local = LocalDiscord(MovableClock())
    guild = local.create_guild("Big", owner=local.create_user("alice"))
    started = time.process_time()
    local.create_crowd(guild, 100_000, local.create_role(guild, "VIP"))
    assert time.process_time() - started < 5
    assert len(guild.members) == 100_002


async def test_a_role_write_costs_the_same_in_a_large_guild() -> None:
    async with a_stage(buckets=Buckets(is_enforced=False)) as stage:

        async def cost(writes: int = 150) -> float:
            started = time.process_time()
            for _ in range(writes):
                await stage.api("PUT", stage.role_path(stage.charlie))
                await stage.api("DELETE", stage.role_path(stage.charlie))
            return time.process_time() - started

        await cost()
        small = await cost()
        stage.local.create_crowd(stage.guild, 50_000)
        assert await cost() < small * 3
