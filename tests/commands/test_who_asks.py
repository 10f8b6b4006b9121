"""Whose word counts: rights hold for a whole server, and only where Doorlist is at work."""

from __future__ import annotations

from typing import Any

from membership import servers
from membership.model import GuildId, RoleId
from sandbox.discord.permissions import Permission
from sandbox.discord.world import Overwrite
from tests.commands.keyboard import Keyboard
from tests.scenarios.stage import Stage


async def test_whoever_manages_one_channel_is_no_staff(s: Stage, ben: Keyboard) -> None:
    """Discord has one bit for Manage Roles in the server and Manage Permissions in a channel."""
    ben.channel.overwrites[ben.user.id] = Overwrite(kind=1, allow=Permission.MANAGE_ROLES | Permission.MANAGE_GUILD)
    assert "not allowed" in (await ben.types("member find", query="ben", is_forged=True)).text
    assert "not allowed" in (await ben.types("plan list", is_forged=True)).text


async def test_nothing_is_suggested_in_a_server_that_was_taken_out(s: Stage, olga: Keyboard) -> None:
    s.buys("ben")
    await s.invitation("ben")
    assert await olga.suggestions("member find", "query", "ben@ex")
    await servers.remove(s.process.services, GuildId(s.guild.id), "operator")
    assert await olga.suggestions("member find", "query", "ben@ex") == []


async def test_nobody_gives_power_that_they_could_not_give_in_discord(s: Stage, ben: Keyboard) -> None:
    discord, olga = s.outside.discord, s.person("olga")
    support = discord.create_role(s.guild, "support", permissions=Permission.MANAGE_ROLES | Permission.MANAGE_GUILD)
    discord.people.give_role(s.guild, ben.user, support, by=olga)
    ((_, plan),) = await ben.offered("member grant", "plan", "VIP year")
    lasting: Any = {"for": "7d"}
    given = await ben.types("member grant", member=s.person("kim").id, plan=plan, **lasting)
    assert "Given" in given.text
    role = s.role("VIP")
    discord.people.set_permissions(s.guild, role, Permission.KICK_MEMBERS, by=olga)
    known = s.process.services.discord
    await s.eventually(lambda: known.roles(GuildId(s.guild.id))[RoleId(role.id)].dangers, "the role's new permissions")
    ways: dict[str, Any] = {"member grant": {"member": ben.user.id} | lasting, "plan test": {}, "code create": lasting}
    for command, options in ways.items():
        refused = await ben.types(command, plan=plan, **options)
        assert "not yours to give" in refused.text, command
    asked = await ben.types("plan archive", plan=plan)
    await (await asked.presses("Keep")).presses("Archive VIP year")
    refused = await ben.types("plan restore", plan=plan)
    assert "not yours to give" in refused.text
