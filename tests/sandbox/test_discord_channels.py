"""Messages, direct messages, invites, commands over REST, and what people do in channels."""

from __future__ import annotations

import io
from datetime import timedelta

import aiohttp
import discord
import pytest

from sandbox.discord.permissions import BOT_DEFAULT, Permission
from sandbox.discord.world import Team
from tests.sandbox.discord_stage import Stage, a_stage


def messages_path(stage: Stage) -> str:
    return f"/channels/{stage.channel.id}/messages"


async def test_messages_after_an_id_come_nearest_first_in_pages() -> None:
    async with a_stage() as stage:
        said = [stage.local.people.say(stage.channel, stage.charlie, f"text {number}") for number in range(5)]
        _, page = await stage.api("GET", f"{messages_path(stage)}?after={said[0].id}&limit=2")
        assert [each["content"] for each in page] == ["text 2", "text 1"]
        _, last = await stage.api("GET", f"{messages_path(stage)}?limit=1")
        assert [each["content"] for each in last] == ["text 4"]
        _, older = await stage.api("GET", f"{messages_path(stage)}?before={said[2].id}")
        assert [each["content"] for each in older] == ["text 1", "text 0"]


async def test_history_hides_content_when_the_portal_forbids_it() -> None:
    async with a_stage() as stage:
        stage.local.people.say(stage.channel, stage.charlie, "!claim AAAA")
        stage.local.portal.has_message_content_intent = False
        _, page = await stage.api("GET", messages_path(stage))
        assert [each["content"] for each in page] == [""]


async def test_an_enforced_nonce_posts_once() -> None:
    async with a_stage() as stage:
        body = {"content": "hello", "nonce": "n1", "enforce_nonce": True}
        _, one = await stage.api("POST", messages_path(stage), body)
        _, two = await stage.api("POST", messages_path(stage), body)
        assert one["id"] == two["id"]
        assert len(stage.local.messages(stage.channel)) == 1
        await stage.clock.advance(timedelta(minutes=6))
        _, three = await stage.api("POST", messages_path(stage), body)
        assert three["id"] != one["id"]


@pytest.mark.parametrize(("content", "code"), [("", 50006), ("x" * 2_001, 50035)])
async def test_empty_and_too_long_messages_are_refused(content: str, code: int) -> None:
    async with a_stage() as stage:
        status, body = await stage.api("POST", messages_path(stage), {"content": content})
        assert (status, body["code"]) == (400, code)


async def test_a_file_can_be_posted() -> None:
    async with a_stage() as stage:
        form = aiohttp.FormData({"payload_json": '{"content": "report"}'})
        form.add_field("files[0]", b"a,b", filename="report.csv", content_type="text/csv")
        headers = {"Authorization": f"Bot {stage.local.portal.token}"}
        url = f"{stage.url}/api/v10{messages_path(stage)}"
        async with stage.http.post(url, data=form, headers=headers) as response:
            body = await response.json()
        assert (body["content"], body["attachments"][0]["filename"]) == ("report", "report.csv")


async def test_only_own_messages_are_edited_and_others_deleted_with_permission() -> None:
    async with a_stage() as stage:
        path = f"{messages_path(stage)}/{stage.local.people.say(stage.channel, stage.charlie, 'code').id}"
        assert (await stage.api("PATCH", path, {"content": "mine"}))[1]["code"] == 50005
        bot_role = stage.local.bot_role(stage.guild)
        without = BOT_DEFAULT & ~Permission.MANAGE_MESSAGES
        stage.local.people.set_permissions(stage.guild, bot_role, without, by=stage.alice)
        assert (await stage.api("DELETE", path))[1]["code"] == 50013
        stage.local.people.set_permissions(stage.guild, bot_role, BOT_DEFAULT, by=stage.alice)
        assert await stage.api("DELETE", path) == (204, None)
        assert (await stage.api("DELETE", path))[1]["code"] == 10008


async def test_an_invisible_channel_is_50001() -> None:
    async with a_stage() as stage:
        hidden = stage.local.create_channel(stage.guild, "hidden", visible_to=[])
        del hidden.overwrites[stage.local.bot_role(stage.guild).id]
        assert (await stage.api("GET", f"/channels/{hidden.id}/messages"))[1]["code"] == 50001


async def test_a_direct_message_arrives() -> None:
    async with a_stage() as stage:
        _, dm = await stage.api("POST", "/users/@me/channels", {"recipient_id": str(stage.charlie.id)})
        assert (await stage.api("POST", f"/channels/{dm['id']}/messages", {"content": "hello"}))[0] == 200
        assert [message.content for message in stage.local.direct_messages(stage.charlie)] == ["hello"]


async def test_closed_direct_messages_and_strangers_are_told_apart() -> None:
    async with a_stage() as stage:
        stage.charlie.accepts_dms = False
        for user, code in ((stage.charlie, 50007), (stage.dora, 50278)):
            _, dm = await stage.api("POST", "/users/@me/channels", {"recipient_id": str(user.id)})
            status, body = await stage.api("POST", f"/channels/{dm['id']}/messages", {"content": "hello"})
            assert (status, body["code"]) == (403, code)


async def test_an_invite_gives_its_roles_once() -> None:
    async with a_stage() as stage:
        body = {"max_uses": 1, "role_ids": [str(stage.vip.id)]}
        _, invite = await stage.api("POST", f"/channels/{stage.channel.id}/invites", body)
        stage.local.people.join_by_invite(invite["code"], stage.dora)
        assert stage.local.roles_of(stage.guild, stage.dora) == {"VIP"}
        with pytest.raises(LookupError):
            stage.local.people.join_by_invite(invite["code"], stage.local.create_user("erin"))
        assert (await stage.api("GET", f"/invites/{invite['code']}"))[1]["code"] == 10006


async def test_an_invite_expires() -> None:
    async with a_stage() as stage:
        _, invite = await stage.api("POST", f"/channels/{stage.channel.id}/invites", {"max_age": 60})
        await stage.clock.advance(timedelta(minutes=1))
        assert (await stage.api("GET", f"/invites/{invite['code']}"))[1]["code"] == 10006


async def test_an_invite_cannot_give_a_role_above_the_bot() -> None:
    async with a_stage() as stage:
        stage.local.people.move_role(stage.guild, stage.vip, 11, by=stage.alice)
        body = {"role_ids": [str(stage.vip.id)]}
        assert (await stage.api("POST", f"/channels/{stage.channel.id}/invites", body))[1]["code"] == 50013


async def test_commands_keep_their_ids_when_they_are_synced_again() -> None:
    async with a_stage() as stage:
        path = f"/applications/{stage.local.portal.application_id}/commands"
        claim = {"name": "claim", "description": "Enter a code", "type": 1}
        _, first = await stage.api("PUT", path, [claim, {"name": "old", "description": "goes", "type": 1}])
        _, second = await stage.api("PUT", path, [claim | {"description": "New words"}])
        assert [each["id"] for each in second] == [first[0]["id"]]
        assert (await stage.api("GET", path))[1] == second


async def test_a_command_with_a_bad_name_is_refused() -> None:
    async with a_stage() as stage:
        path = f"/applications/{stage.local.portal.application_id}/guilds/{stage.guild.id}/commands"
        status, body = await stage.api("PUT", path, [{"name": "Not Good", "description": "x", "type": 1}])
        assert (status, body["code"]) == (400, 50035)


async def test_an_incoming_webhook_posts_with_its_token_only() -> None:
    async with a_stage() as stage:
        bot_role = stage.local.bot_role(stage.guild)
        allowed = BOT_DEFAULT | Permission.MANAGE_WEBHOOKS
        stage.local.people.set_permissions(stage.guild, bot_role, allowed, by=stage.alice)
        _, webhook = await stage.api("POST", f"/channels/{stage.channel.id}/webhooks", {"name": "log"})
        path = f"/webhooks/{webhook['id']}"
        assert await stage.api("POST", f"{path}/{webhook['token']}", {"content": "sold"}) == (204, None)
        assert (await stage.api("POST", f"{path}/wrong", {"content": "sold"}))[1]["code"] == 50027
        assert [message.content for message in stage.local.messages(stage.channel)] == ["sold"]


async def test_a_file_needs_the_permission_to_attach_files() -> None:
    async with a_stage() as stage:
        bot = await stage.bot()
        channel = await bot.fetch_channel(stage.channel.id)
        assert isinstance(channel, discord.TextChannel)
        posted = await channel.send(file=discord.File(io.BytesIO(b"a"), "a.txt"))
        assert (posted.attachments[0].filename, posted.attachments[0].size) == ("a.txt", 1)
        for role in (stage.guild.roles[stage.guild.id], stage.local.bot_role(stage.guild)):
            stage.local.people.set_permissions(
                stage.guild, role, role.permissions & ~Permission.ATTACH_FILES, by=stage.alice
            )
        with pytest.raises(discord.Forbidden):
            await channel.send(file=discord.File(io.BytesIO(b"a"), "a.txt"))


async def test_an_edit_keeps_the_files_that_it_lists_and_adds_new_ones() -> None:
    async with a_stage() as stage:
        bot = await stage.bot()
        channel = await bot.fetch_channel(stage.channel.id)
        assert isinstance(channel, discord.TextChannel)
        posted = await channel.send(files=[discord.File(io.BytesIO(b"a"), name) for name in ("a.txt", "b.txt")])
        more = discord.File(io.BytesIO(b"c"), "c.txt", description="The third")
        edited = await posted.edit(attachments=[posted.attachments[1], more])
        assert [each.filename for each in edited.attachments] == ["b.txt", "c.txt"]
        assert edited.attachments[1].description == "The third"
        assert await edited.attachments[1].read() == b"c"


async def test_the_application_of_a_team_names_its_owner() -> None:
    async with a_stage() as stage:
        stage.local.portal.team = Team(id=77, name="Shop", owner=stage.alice, members=[stage.bob])
        bot = await stage.bot()
        application = await bot.application_info()
        assert application.team is not None
        assert (application.team.owner_id, len(application.team.members)) == (stage.alice.id, 2)
        assert application.install_params is not None


async def test_a_role_that_onboarding_offers_carries_the_flag() -> None:
    async with a_stage() as stage:
        bot = await stage.bot()
        stage.local.people.set_in_onboarding(stage.guild, stage.vip, is_offered=True, by=stage.alice)
        guild = bot.get_guild(stage.guild.id)
        assert guild is not None
        roles = {role.id: role for role in await guild.fetch_roles()}
        assert roles[stage.vip.id].flags.in_prompt
