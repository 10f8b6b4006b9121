"""What `/doorlist doctor` may tell whom: a server learns of itself, and of no other."""

from __future__ import annotations

from dataclasses import replace

from app.panel_doctor import PanelDoctor
from membership.checks import Area, Outcome
from membership.model import GuildId
from tests.scenarios.stage import Stage


def a_doctor(s: Stage) -> PanelDoctor:
    return PanelDoctor(s.settings, s.process.services, s.process.database, s.process.discord)


async def test_a_server_learns_of_itself(s: Stage) -> None:
    s.role("VIP").position = 90
    s.outside.discord.people.changes.role_changed(s.guild, s.role("VIP"), by=s.guild.owner_id)
    await s.settled()
    failed = [result for result in await a_doctor(s).examine(s.guild_id()) if result.outcome is Outcome.FAIL]
    assert [result.id for result in failed] == ["D08"]


async def test_a_server_learns_nothing_of_another(s: Stage) -> None:
    s.role("VIP").position = 90
    other = s.outside.discord.create_guild("Other Server", owner=s.person("ben"))
    async with s.process.database.write() as tx:
        stored = await tx.guilds.ensure(GuildId(other.id), "Other Server")
        await tx.guilds.replace(replace(stored, is_active=True))
    found = await a_doctor(s).examine(GuildId(other.id))
    told = " ".join(f"{result.what} {result.cause} {result.fix}" for result in found)
    assert "Demo Server" not in told
    assert "VIP" not in told
    assert {result.outcome for result in found if result.area is Area.PAYMENTS} == {Outcome.SKIP}


async def test_nothing_of_the_machine_is_told_in_a_server(s: Stage) -> None:
    areas = {result.area for result in await a_doctor(s).examine(s.guild_id())}
    assert not areas & {Area.ENVIRONMENT, Area.DATA, Area.MAIL, Area.WEB}
