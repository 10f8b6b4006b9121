"""Interactions: what people click and type, what the bot answers, and the deadlines in between."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import discord
import pytest
from discord import app_commands, ui
from discord.ext import commands

from sandbox.discord.interactions import COMMAND, Interaction
from tests.sandbox.discord_stage import Stage, a_stage, until


class Form(ui.Modal, title="Plan"):
    name: ui.TextInput[ui.View] = ui.TextInput(label="Name", custom_id="name", default="Plan A")
    expire: ui.Label[ui.View] = ui.Label(
        text="When it ends",
        component=ui.Select(
            custom_id="expire", options=[discord.SelectOption(label="Keep", value="keep", default=True)]
        ),
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.expire.component, ui.Select)
        await interaction.response.send_message(f"{self.name.value}: {self.expire.component.values[0]}")


class Panel(ui.View):
    @ui.button(label="Open", custom_id="open")
    async def open(self, interaction: discord.Interaction, _: ui.Button[Panel]) -> None:
        await interaction.response.send_modal(Form())

    @ui.button(label="Count", custom_id="count")
    async def count(self, interaction: discord.Interaction, _: ui.Button[Panel]) -> None:
        await interaction.response.edit_message(content="counted")

    @ui.select(cls=ui.RoleSelect, custom_id="roles", max_values=5)
    async def roles(self, interaction: discord.Interaction, select: ui.RoleSelect[Panel]) -> None:
        await interaction.response.send_message(" ".join(role.name for role in select.values), ephemeral=True)


def with_commands(bot: commands.Bot) -> None:
    @bot.tree.command(description="Show the panel")
    async def panel(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("panel", view=Panel())

    @bot.tree.command(description="Take a while")
    async def slow(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        await asyncio.sleep(0.05)
        await interaction.followup.send("first", ephemeral=True)
        await interaction.followup.send("second", ephemeral=True)

    @bot.tree.command(description="Name what was chosen")
    async def pick(
        interaction: discord.Interaction, member: discord.Member, role: discord.Role, plan: str = ""
    ) -> None:
        await interaction.response.send_message(f"{member.name} {role.name} {interaction.permissions.manage_guild}")

    @pick.autocomplete("plan")
    async def plans(_: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=f"{current} plan", value="p1")]


async def a_bot_with_commands(stage: Stage) -> None:
    bot = await stage.bot(setup=with_commands)
    await bot.tree.sync()


async def test_a_thinking_answer_is_filled_and_followed() -> None:
    async with a_stage() as stage:
        await a_bot_with_commands(stage)
        asked = stage.local.invoke.command(stage.charlie, stage.channel, "slow")
        await until(lambda: asked.is_acknowledged)
        assert asked.is_loading
        await asked.answered()
        await until(lambda: len(asked.messages) == 2)
        assert asked.text == "first\nsecond"
        assert all(message.is_ephemeral for message in asked.messages)
        assert stage.local.messages(stage.channel) == []


async def test_options_arrive_as_objects_with_the_callers_permissions() -> None:
    async with a_stage() as stage:
        await a_bot_with_commands(stage)
        options = {"member": stage.charlie.id, "role": stage.vip.id}
        for user, may in ((stage.alice, True), (stage.charlie, False)):
            asked = await stage.local.invoke.command(user, stage.channel, "pick", options).answered()
            assert asked.text == f"charlie VIP {may}"


async def test_autocomplete_returns_choices() -> None:
    async with a_stage() as stage:
        await a_bot_with_commands(stage)
        typed = stage.local.invoke.autocomplete(stage.alice, stage.channel, "pick", ("plan", "VIP"))
        assert (await typed.answered()).choices == [{"name": "VIP plan", "value": "p1"}]


async def test_a_form_is_opened_filled_with_its_defaults_and_submitted() -> None:
    async with a_stage() as stage:
        await a_bot_with_commands(stage)
        shown = await stage.local.invoke.command(stage.charlie, stage.channel, "panel").answered()
        form = await stage.local.invoke.component(stage.charlie, shown.messages[0], "open").answered()
        assert form.modal is not None
        assert form.modal["title"] == "Plan"
        submitted = await stage.local.invoke.modal(form, {"name": "Gold"}).answered()
        assert submitted.text == "Gold: keep"


async def test_a_button_can_change_its_message() -> None:
    async with a_stage() as stage:
        await a_bot_with_commands(stage)
        shown = await stage.local.invoke.command(stage.charlie, stage.channel, "panel").answered()
        await stage.local.invoke.component(stage.bob, shown.messages[0], "count").answered()
        assert [message.content for message in stage.local.messages(stage.channel)] == ["counted"]


async def test_a_role_select_sends_the_roles() -> None:
    async with a_stage() as stage:
        await a_bot_with_commands(stage)
        shown = await stage.local.invoke.command(stage.charlie, stage.channel, "panel").answered()
        chosen = stage.local.invoke.component(stage.charlie, shown.messages[0], "roles", [stage.vip.id])
        assert (await chosen.answered()).text == "VIP"


async def test_what_is_not_there_cannot_be_used() -> None:
    async with a_stage() as stage:
        await a_bot_with_commands(stage)
        shown = await stage.local.invoke.command(stage.charlie, stage.channel, "panel").answered()
        with pytest.raises(LookupError):
            stage.local.invoke.component(stage.charlie, shown.messages[0], "gone")
        with pytest.raises(LookupError):
            stage.local.invoke.command(stage.charlie, stage.channel, "gone")
        with pytest.raises(LookupError):
            stage.local.invoke.modal(shown, {})


def asked_by_hand(stage: Stage) -> Interaction:
    return stage.local.interactions.open(COMMAND, stage.charlie, stage.channel, {})


def callback_path(asked: Interaction) -> str:
    return f"/interactions/{asked.id}/{asked.token}/callback"


HELLO = {"type": 4, "data": {"content": "hello"}}


async def test_a_second_callback_is_40060() -> None:
    async with a_stage() as stage:
        asked = asked_by_hand(stage)
        assert await stage.api("POST", callback_path(asked), HELLO) == (204, None)
        assert (await stage.api("POST", callback_path(asked), HELLO))[1]["code"] == 40060


async def test_a_late_callback_is_10062() -> None:
    async with a_stage() as stage:
        stage.local.interactions.first_answer_seconds = 0.0
        status, body = await stage.api("POST", callback_path(asked_by_hand(stage)), HELLO)
        assert (status, body["code"]) == (404, 10062)


async def test_an_interaction_is_over_after_fifteen_minutes() -> None:
    async with a_stage() as stage:
        asked = asked_by_hand(stage)
        await stage.api("POST", callback_path(asked), HELLO)
        original = f"/webhooks/{stage.local.portal.application_id}/{asked.token}/messages/@original"
        assert (await stage.api("GET", original))[1]["content"] == "hello"
        await stage.clock.advance(timedelta(minutes=16))
        assert (await stage.api("GET", original))[1]["code"] == 50027


async def test_an_answer_can_be_deleted() -> None:
    async with a_stage() as stage:
        asked = asked_by_hand(stage)
        await stage.api("POST", callback_path(asked), HELLO)
        original = f"/webhooks/{stage.local.portal.application_id}/{asked.token}/messages/@original"
        assert await stage.api("DELETE", original) == (204, None)
        assert (asked.messages, stage.local.messages(stage.channel)) == ([], [])


async def test_callbacks_are_outside_every_limit() -> None:
    async with a_stage() as stage:
        for _ in range(60):
            assert (await stage.api("POST", callback_path(asked_by_hand(stage)), HELLO))[0] == 204
