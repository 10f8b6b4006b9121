"""Staff come in with Discord and add a server, from the first page to the bot that joined, over the wire."""

from __future__ import annotations

import pytest

from membership import first_sign_in
from membership.codes import digest
from membership.model import GuildId, UserId
from sandbox.visitor import LostError, Page, Visitor
from tests.scenarios.stage import Stage


def browser(s: Stage, name: str) -> Visitor:
    return Visitor(s.process.public_url, email=f"{name}@example.com", name=name.title())


async def adds(s: Stage, name: str) -> Page:
    """Let somebody sign in as staff and add the workshop."""
    person = s.person(name)
    async with browser(s, name) as visitor:
        await visitor.sign_in_as_staff(person)
        return await visitor.add_server(person, s.outside.seed.workshop.guild)


async def test_the_owner_signs_in_and_adds_another_server(s: Stage) -> None:
    page = await adds(s, "olga")
    guild = s.outside.seed.workshop.guild
    assert page.status == 200
    assert s.outside.discord.world.bot.id in guild.members
    await s.eventually(
        lambda: s.process.services.discord.is_available(GuildId(guild.id)), "the bot sees the new server"
    )
    async with s.process.services.store.read() as tx:
        known = await tx.guilds.get(GuildId(guild.id))
    assert known is not None
    assert known.name == "Ada's Workshop"
    assert s.process.services.discord.icon_key(GuildId(guild.id)) == guild.icon_hash


async def test_who_may_only_manage_roles_cannot_add_the_bot(s: Stage) -> None:
    with pytest.raises(LostError):
        await adds(s, "sam")
    assert s.outside.discord.world.bot.id not in s.outside.seed.workshop.guild.members


async def test_the_console_link_lets_its_bearer_run_this_doorlist(s: Stage) -> None:
    kim = s.person("kim")
    token = await first_sign_in.issue(s.process.services, None, may_operate=True)
    async with browser(s, "kim") as visitor:
        page = await visitor.sign_in_as_staff(kim, path=f"/admin/first/{token}")
    assert page.status == 200
    assert UserId(kim.id) in s.process.services.operators.ids


async def test_an_operator_stays_one_after_a_restart(s: Stage) -> None:
    kim = UserId(s.person("kim").id)
    token = await first_sign_in.issue(s.process.services, None, may_operate=True)
    await first_sign_in.take(s.process.services, digest(token), kim)
    await s.close()
    await s.open()
    assert kim in s.process.services.operators.ids


async def test_a_link_from_discord_refuses_somebody_else_and_signs_nobody_in(s: Stage) -> None:
    ben, kim = s.person("ben"), s.person("kim")
    token = await first_sign_in.issue(s.process.services, UserId(ben.id), may_operate=False)
    async with browser(s, "kim") as visitor:
        with pytest.raises(LostError):
            await visitor.sign_in_as_staff(kim, path=f"/admin/first/{token}")
        assert (await visitor.open("/admin")).url.path == "/admin/sign-in"
