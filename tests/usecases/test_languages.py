"""Whose language answers a message with a code."""

from __future__ import annotations

from dataclasses import replace

from app.watch import Desk
from membership.desk import MemberSettings
from tests.usecases.world import BOB, CHARLIE, GUILD, World


async def test_a_persons_own_choice_comes_before_the_servers(world: World) -> None:
    async with world.services.store.write() as tx:
        guild = await tx.guilds.ensure(GUILD, "Ada's server")
        await tx.guilds.replace(replace(guild, language="it"))
        await tx.member_settings.put(MemberSettings(user_id=CHARLIE, language="en"))
    desk = Desk(world.services)
    assert await desk.language(CHARLIE, GUILD) == "en"
    assert await desk.language(CHARLIE, None) == "en"
    assert await desk.language(BOB, GUILD) == "it"
    assert await desk.language(BOB, None) == ""
