"""A real discord.py bot's whole day, every exchange checked against Discord's OpenAPI description."""

from __future__ import annotations

from dataclasses import replace

import discord
import pytest
from discord import app_commands, ui
from discord.ext import commands
from discord.http import Route

from sandbox.discord.buckets import Buckets
from sandbox.discord.interactions import COMMAND
from sandbox.discord.permissions import BOT_DEFAULT, Permission
from sandbox.discord.records import Exchange
from sandbox.discord.rest.pipeline import all_endpoints
from tests.sandbox import discord_contract
from tests.sandbox.discord_stage import REDIRECT, Stage, a_stage


class Panel(ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @ui.button(label="I have a code", custom_id="panel:code", style=discord.ButtonStyle.primary)
    async def code(self, interaction: discord.Interaction, _: ui.Button[Panel]) -> None:
        await interaction.response.send_modal(CodeForm())


class CodeForm(ui.Modal, title="Your code"):
    code: ui.Label[ui.View] = ui.Label(text="Code", component=ui.TextInput(custom_id="code", max_length=40))
    role: ui.Label[ui.View] = ui.Label(
        text="Role", component=ui.RoleSelect(custom_id="role", min_values=0, max_values=1, required=False)
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.code.component, ui.TextInput)
        assert isinstance(self.role.component, ui.RoleSelect)
        roles = ",".join(role.name for role in self.role.component.values)
        await interaction.response.send_message(f"{self.code.component.value} {roles}", ephemeral=True)


class Card(ui.LayoutView):
    box: ui.Container[Card] = ui.Container(ui.TextDisplay("**VIP**"), ui.Separator(), accent_color=0x3B46C4)


def with_commands(bot: commands.Bot) -> None:
    bot.add_view(Panel())

    @bot.tree.command(description="Enter a code")
    @app_commands.describe(code="The code from the mail")
    async def claim(interaction: discord.Interaction, code: str) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await interaction.followup.send(f"thanks for {code}", ephemeral=True)
        await interaction.edit_original_response(content=f"done with {code}")

    plan = app_commands.Group(name="plan", description="Plans", default_permissions=discord.Permissions(8))

    @plan.command(description="Make a plan")
    async def create(interaction: discord.Interaction, role: discord.Role) -> None:
        await interaction.response.send_message(embed=discord.Embed(title=role.name).add_field(name="a", value="b"))
        await interaction.followup.send(view=Card())

    bot.tree.add_command(plan)


async def a_whole_day(stage: Stage) -> None:
    bot = await stage.bot(setup=with_commands)
    guild = bot.get_guild(stage.guild.id)
    assert guild is not None
    await bot.tree.sync()
    await guild_work(stage, guild)
    await moderation_work(stage, bot, guild)
    await channel_work(stage, bot)
    await interaction_work(stage)
    await joining(stage, bot)
    await raw_calls(stage)
    with pytest.raises(discord.NotFound):
        await guild.fetch_member(1)
    with pytest.raises(discord.Forbidden):
        await guild.default_role.edit(permissions=discord.Permissions.all())


async def guild_work(stage: Stage, guild: discord.Guild) -> None:
    (member,) = await guild.query_members(user_ids=[stage.charlie.id])
    vip = discord.Object(stage.vip.id)
    await member.add_roles(vip, reason="bought é")
    await member.remove_roles(vip)
    await member.edit(roles=[vip], nick="Char")
    await guild.fetch_member(stage.charlie.id)
    assert len([each async for each in guild.fetch_members(limit=None)]) == 4
    made = await guild.create_role(name="Pass", permissions=discord.Permissions.none(), color=0xFF0000)
    await made.edit(name="Day pass", hoist=True)
    await made.edit(position=2)
    await made.delete()
    await guild.fetch_roles()
    await guild.role_member_counts()
    await guild._state.http.get_guild(guild.id, with_counts=True)
    await guild.fetch_channels()
    assert [entry async for entry in guild.audit_logs(limit=5, action=discord.AuditLogAction.member_role_update)]


async def moderation_work(stage: Stage, bot: commands.Bot, guild: discord.Guild) -> None:
    allowed = BOT_DEFAULT | Permission.BAN_MEMBERS | Permission.MANAGE_WEBHOOKS
    everything = allowed | Permission.MANAGE_GUILD | Permission.MANAGE_CHANNELS
    stage.local.people.set_permissions(stage.guild, stage.local.bot_role(stage.guild), everything, by=stage.alice)
    await guild.ban(discord.Object(stage.dora.id), reason="fraud")
    await guild.fetch_ban(discord.Object(stage.dora.id))
    assert len([each async for each in guild.bans()]) == 1
    await guild.unban(discord.Object(stage.dora.id))
    made = await guild.create_text_channel("log", topic="what happened")
    await made.edit(name="membership-log")
    await made.typing()
    webhook = await made.create_webhook(name="events")
    await webhook.send("sold", wait=True)
    await made.fetch_message(next(iter(stage.local.world.channels[made.id].messages)))
    invite = await made.create_invite()
    assert len(await guild.invites()) == 1
    await invite.delete()
    await made.delete()
    await guild.query_members("char")
    await bot.http.request(Route("GET", "/guilds/{guild_id}/members/search", guild_id=guild.id), params={"query": "c"})
    await bot.http.request(Route("GET", "/guilds/{guild_id}/roles/{role_id}", guild_id=guild.id, role_id=guild.id))
    await bot.http.get_bot_gateway()
    await bot.http.request(Route("GET", "/users/@me/guilds"))
    await bot.http.request(Route("PATCH", "/guilds/{guild_id}/members/@me", guild_id=guild.id), json={"nick": "Door"})


async def channel_work(stage: Stage, bot: commands.Bot) -> None:
    channel = await bot.fetch_channel(stage.channel.id)
    assert isinstance(channel, discord.TextChannel)
    panel = await channel.send("Verify your purchase", view=Panel(), nonce=7)
    await panel.edit(content="Verify here", embed=discord.Embed(description="text", color=1))
    await channel.send(view=Card())
    asked = stage.local.people.say(stage.channel, stage.charlie, "!claim AAAA")
    assert [each.content async for each in channel.history(after=discord.Object(panel.id))][-1] == "!claim AAAA"
    await channel.get_partial_message(asked.id).reply("not here")
    await channel.get_partial_message(asked.id).delete()
    await (await bot.fetch_user(stage.charlie.id)).send("hello")
    invite = await channel.create_invite(max_uses=1, max_age=3600, reason="bought")
    await bot.fetch_invite(invite.code)
    route = Route("POST", "/channels/{channel_id}/invites", channel_id=channel.id)
    body = {"max_uses": 1, "unique": True, "role_ids": [str(stage.vip.id)]}
    assert (await bot.http.request(route, json=body))["roles"][0]["name"] == "VIP"


async def interaction_work(stage: Stage) -> None:
    invoke, channel = stage.local.invoke, stage.channel
    claimed = await invoke.command(stage.charlie, channel, "claim", {"code": "K7QF"}).answered()
    assert claimed.text in ("thanks for K7QF", "done with K7QF")
    await invoke.command(stage.alice, channel, "plan create", {"role": stage.vip.id}).answered()
    panel = next(message for message in stage.local.messages(channel) if message.components)
    form = await invoke.component(stage.charlie, panel, "panel:code").answered()
    answer = await invoke.modal(form, {"code": "ABCD", "role": [stage.vip.id]}).answered()
    assert answer.text == "ABCD VIP"


async def raw_calls(stage: Stage) -> None:
    """Visit the routes that a bot of ours has no reason to call."""
    for scope in ("", f"/guilds/{stage.guild.id}"):
        path = f"/applications/{stage.local.portal.application_id}{scope}/commands"
        body = {"name": "extra", "description": "One more", "type": 1}
        _, made = await stage.api("POST", path, body)
        await stage.api("PUT", path, [body, {"name": "other", "description": "Another", "type": 1}])
        await stage.api("GET", path)
        assert await stage.api("DELETE", f"{path}/{made['id']}") == (204, None)
    await stage.api("GET", "/gateway")
    await stage.api("GET", "/applications/@me")
    await stage.api("PATCH", "/applications/@me", {"flags": 0})
    overwrite = f"/channels/{stage.channel.id}/permissions/{stage.vip.id}"
    assert await stage.api("PUT", overwrite, {"type": 0, "allow": "1024"}) == (204, None)
    assert await stage.api("DELETE", overwrite) == (204, None)
    asked = stage.local.interactions.open(COMMAND, stage.charlie, stage.channel, {})
    await stage.api("POST", f"/interactions/{asked.id}/{asked.token}/callback", {"type": 4, "data": {"content": "a"}})
    webhook = f"/webhooks/{stage.local.portal.application_id}/{asked.token}"
    _, more = await stage.api("POST", webhook, {"content": "b"})
    for name in ("@original", more["id"]):
        await stage.api("GET", f"{webhook}/messages/{name}")
        await stage.api("PATCH", f"{webhook}/messages/{name}", {"content": "c"})
        assert await stage.api("DELETE", f"{webhook}/messages/{name}") == (204, None)


async def joining(stage: Stage, bot: commands.Bot) -> None:
    asked = f"{stage.url}/oauth2/authorize?client_id={stage.local.portal.client_id}&response_type=code"
    back = stage.local.authorize(f"{asked}&redirect_uri={REDIRECT}&scope=identify%20email%20guilds.join", stage.dora)
    form = {"grant_type": "authorization_code", "code": back.partition("code=")[2], "redirect_uri": REDIRECT}
    login = {"client_id": stage.local.portal.client_id, "client_secret": stage.local.portal.client_secret}
    async with stage.http.post(f"{stage.url}/api/v10/oauth2/token", data=form | login) as response:
        token = (await response.json())["access_token"]
    status, me = await stage.api("GET", "/users/@me", token=f"Bearer {token}")
    assert (status, me["email"]) == (200, "dora@example.com")
    assert (await stage.api("GET", "/oauth2/@me", token=f"Bearer {token}"))[0] == 200
    route = Route("PUT", "/guilds/{guild_id}/members/{user_id}", guild_id=stage.guild.id, user_id=stage.dora.id)
    body = {"access_token": token, "roles": [str(stage.vip.id)]}
    assert (await bot.http.request(route, json=body))["roles"] == [str(stage.vip.id)]
    assert not await bot.http.request(route, json=body)
    await bot.http.kick(stage.dora.id, stage.guild.id, reason="ended")


async def test_every_exchange_of_a_real_bot_fits_discords_own_description() -> None:
    async with a_stage(buckets=Buckets(is_enforced=False)) as stage:
        stage.local.records.keeps_exchanges = True
        await a_whole_day(stage)
        exchanges = list(stage.local.records.exchanges)
    visited = {(each.method, each.template) for each in exchanges}
    assert {(each.method, each.template) for each in all_endpoints()} - visited == set()
    discord_contract.check(exchanges)


async def test_a_refusal_by_the_rate_limit_fits_the_description() -> None:
    async with a_stage() as stage:
        stage.local.records.keeps_exchanges = True
        for _ in range(6):
            await stage.api("GET", stage.member_path(stage.charlie))
        exchanges = list(stage.local.records.exchanges)
    assert exchanges[-1].status == 429
    discord_contract.check(exchanges)


AN_EXCHANGE = Exchange(
    method="POST",
    template="/users/@me/channels",
    request={"recipient_id": "7"},
    status=200,
    response={"id": "1", "type": 1, "flags": 0, "recipients": []},
)


def test_the_contract_accepts_a_right_exchange() -> None:
    assert discord_contract.violations(AN_EXCHANGE) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"template": "/nowhere"}, "no such operation"),
        ({"request": {"recipient_id": "seven"}}, "request.recipient_id"),
        ({"request": {"recipient_id": "7", "invented": 1}}, "unknown key"),
        ({"response": {"id": 1, "type": 1, "flags": 0, "recipients": []}}, "response.id"),
        ({"response": {"id": "1", "type": 1, "flags": 0}}, "'recipients' is a required property"),
        ({"status": 404, "response": {"message": "no code"}}, "'code' is a required property"),
        ({"status": 302}, "knows only"),
    ],
)
def test_the_contract_names_what_is_wrong(change: dict[str, object], told: str) -> None:
    found = discord_contract.violations(replace(AN_EXCHANGE, **change))  # type: ignore[arg-type]
    assert any(told in str(each) for each in found), found
