"""What the port says of people's rights and of a server's look, over the wire from a local Discord."""

from __future__ import annotations

from dataclasses import replace

import pytest

from membership.errors import Retry
from membership.model import ChannelId, GuildId, MemberKey, RoleId, UserId
from membership.ports import Icon, ServerRights
from sandbox.discord.faults import Fault, refused
from sandbox.discord.permissions import Permission
from sandbox.discord.world import VOICE, Channel, Overwrite, User
from sandbox.pictures import disc
from tests.cogs.connected import Connected, connected
from tests.sandbox.discord_stage import until

BLUE_RING = disc((0, 0, 0), (0, 0, 255))


async def rights(here: Connected, user: User) -> ServerRights | None:
    return await here.side.port.rights(here.key(user))


def empower(here: Connected, user: User, permissions: int) -> None:
    """Give somebody a role that may do this."""
    stage = here.stage
    role = stage.local.create_role(stage.guild, "Power", position=3, permissions=permissions)
    stage.local.people.give_role(stage.guild, user, role, by=stage.alice)


async def test_the_owner_may_do_everything() -> None:
    async with connected() as here:
        assert await rights(here, here.stage.alice) == ServerRights(
            is_owner=True,
            is_administrator=True,
            can_manage_server=True,
            can_manage_roles=True,
            name="alice",
            top_position=None,
        )


async def test_somebody_without_a_role_may_do_nothing() -> None:
    async with connected() as here:
        assert await rights(here, here.stage.charlie) == ServerRights(name="charlie")


@pytest.mark.parametrize(
    ("permission", "expected"),
    [
        (
            Permission.ADMINISTRATOR,
            ServerRights(is_administrator=True, can_manage_server=True, can_manage_roles=True, name="bob"),
        ),
        (Permission.MANAGE_GUILD, ServerRights(can_manage_server=True, can_manage_roles=True, name="bob")),
        (Permission.MANAGE_ROLES, ServerRights(can_manage_roles=True, name="bob")),
        (Permission.KICK_MEMBERS, ServerRights(name="bob")),
    ],
)
async def test_roles_give_their_rights_and_those_below(permission: Permission, expected: ServerRights) -> None:
    async with connected() as here:
        empower(here, here.stage.bob, permission)
        await until(lambda: len(here.side.port.roles(here.guild_id)) == len(here.stage.guild.roles))
        found = await rights(here, here.stage.bob)
        assert found is not None
        assert replace(found, top_position=0) == expected


async def test_somebody_stands_as_high_as_their_highest_role_whichever_share_a_position() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        older, newer = (stage.local.create_role(stage.guild, name, position=3) for name in ("Older", "Newer"))
        stage.local.people.give_role(stage.guild, stage.charlie, newer, by=stage.alice)
        await until(lambda: len(port.roles(here.guild_id)) == len(stage.guild.roles))
        roles, found = port.roles(here.guild_id), await rights(here, stage.charlie)
        assert found is not None
        assert found.top_position == roles[RoleId(newer.id)].position == roles[RoleId(older.id)].position - 1
        assert roles[RoleId(stage.guild.id)].position == 0


async def test_what_everybody_may_do_counts_too() -> None:
    async with connected() as here:
        stage = here.stage
        everyone = stage.guild.roles[stage.guild.id]
        stage.local.people.set_permissions(stage.guild, everyone, Permission.MANAGE_ROLES, by=stage.alice)
        guild = here.side.connection.require_guild(here.guild_id)
        await until(lambda: guild.default_role.permissions.manage_roles)
        assert await rights(here, stage.charlie) == ServerRights(can_manage_roles=True, name="charlie")


async def test_a_right_is_gone_with_the_role_that_gave_it() -> None:
    async with connected() as here:
        stage = here.stage
        empower(here, stage.bob, Permission.MANAGE_GUILD)
        for role in [each for each in stage.guild.roles.values() if each.name == "Power"]:
            stage.local.people.take_role(stage.guild, stage.bob, role, by=stage.alice)
        found = await rights(here, stage.bob)
        assert found is not None
        assert (found.can_manage_server, found.can_manage_roles) == (False, False)


async def test_who_is_not_in_the_server_has_no_rights_there() -> None:
    async with connected() as here:
        assert await rights(here, here.stage.dora) is None


async def test_nobody_is_outside_of_a_server_that_is_in_an_outage_or_unknown() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.people.begin_outage(stage.guild)
        await until(lambda: not here.side.port.is_available(here.guild_id))
        with pytest.raises(Retry):
            await rights(here, stage.dora)
        with pytest.raises(Retry):
            await here.side.port.rights(MemberKey(GuildId(1), UserId(stage.dora.id)))


async def test_nobody_is_outside_while_discord_cannot_be_asked() -> None:
    async with connected() as here:
        stage = here.stage
        stage.local.gateway.is_refusing = True
        stage.local.gateway.drop_connections(1006)
        await until(lambda: not stage.local.gateway.connections)
        stage.local.add_fault(Fault(path=stage.member_path(stage.dora), answer=refused(503, 0), times=None))
        with pytest.raises(Retry):
            await rights(here, stage.dora)


async def test_it_reads_the_picture_of_a_server() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        assert port.icon_key(here.guild_id) == ""
        assert await port.icon(here.guild_id) is None
        stage.local.people.set_icon(stage.guild, BLUE_RING)
        await until(lambda: port.icon_key(here.guild_id) != "")
        key = port.icon_key(here.guild_id)
        assert await port.icon(here.guild_id) == Icon(key=key, content=BLUE_RING, content_type="image/png")


async def test_another_picture_has_another_key() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        stage.local.people.set_icon(stage.guild, BLUE_RING)
        await until(lambda: port.icon_key(here.guild_id) != "")
        before = port.icon_key(here.guild_id)
        stage.local.people.set_icon(stage.guild, disc((0, 0, 0), (255, 0, 0)))
        await until(lambda: port.icon_key(here.guild_id) != before)


@pytest.mark.parametrize("picture", [BLUE_RING + b" " * 65_536, b"<script>alert(1)</script>"])
async def test_it_takes_neither_too_large_a_picture_nor_what_is_none(picture: bytes) -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        stage.local.people.set_icon(stage.guild, picture)
        await until(lambda: port.icon_key(here.guild_id) != "")
        with pytest.raises(Retry):
            await port.icon(here.guild_id)


async def test_it_lists_the_text_channels_that_the_bot_sees_in_their_order() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        hidden = stage.local.create_channel(stage.guild, "hidden", visible_to=[stage.vip])
        del hidden.overwrites[stage.local.bot_role(stage.guild).id]
        stage.local.people.changes.channel_changed(stage.guild, hidden)
        second = stage.local.create_channel(stage.guild, "second")
        await until(lambda: ChannelId(second.id) in port.text_channels(here.guild_id))
        assert list(port.text_channels(here.guild_id).values()) == ["get-access", "second"]


async def test_it_names_the_channels_that_roles_open_and_not_everybody_sees() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        course = stage.local.create_role(stage.guild, "Course", position=1)
        lounge = stage.local.create_channel(stage.guild, "lounge", visible_to=[stage.vip, course])
        stage.local.create_channel(stage.guild, "lessons", visible_to=[course])
        stage.local.create_channel(stage.guild, "open")
        vip, both = {RoleId(stage.vip.id)}, {RoleId(stage.vip.id), RoleId(course.id)}
        await until(lambda: len(port.channels_opened(here.guild_id, both, 20)) == 2)
        assert port.channels_opened(here.guild_id, vip, 20) == ["#lounge"]
        assert port.channels_opened(here.guild_id, both, 1) == ["#lounge"]
        assert port.channels_opened(here.guild_id, set(), 20) == []
        assert port.channels_opened(GuildId(1), vip, 20) == []
        lounge.overwrites[stage.vip.id] = Overwrite(kind=0, deny=Permission.VIEW_CHANNEL)
        stage.local.people.changes.channel_changed(stage.guild, lounge)
        await until(lambda: port.channels_opened(here.guild_id, vip, 20) == [])
        assert port.channels_opened(here.guild_id, both, 20) == ["#lounge", "#lessons"]


async def test_a_voice_channel_is_named_without_a_sign() -> None:
    async with connected() as here:
        stage, port = here.stage, here.side.port
        voice = Channel(id=stage.local.world.ids.next(), kind=VOICE, guild_id=stage.guild.id, name="Corner")
        voice.overwrites[stage.guild.id] = Overwrite(kind=0, deny=Permission.VIEW_CHANNEL)
        voice.overwrites[stage.vip.id] = Overwrite(kind=0, allow=Permission.VIEW_CHANNEL)
        stage.local.people.changes.channel_created(stage.guild, voice)
        vip = {RoleId(stage.vip.id)}
        await until(lambda: port.channels_opened(here.guild_id, vip, 20) == ["Corner"])


async def test_it_tells_how_many_are_in_a_server() -> None:
    async with connected() as here:
        assert here.side.port.server_size(here.guild_id) == len(here.stage.guild.members)
        assert here.side.port.server_size(GuildId(1)) == 0
